#include "runner/sandbox.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include "runner/landlock.h"
#include "runner/limits.h"
#include "runner/syscall_filter.h"

namespace vmcp::runner {
namespace {

using State = SandboxPart::State;

Error system_error(const std::string& what, const std::string& fix) {
  return make_error(Code::internal, what + ": " + std::strerror(errno) + "; " + fix);
}

const char* state_name(State state) {
  switch (state) {
    case State::active:
      return "active";
    case State::replaced:
      return "replaced";
    case State::waived:
      return "waived";
    case State::missing:
      return "MISSING";
  }
  return "MISSING";
}

// Landlock restricts the calling thread only.
Result<void> require_one_thread() {
  struct stat tasks {};
  if (::stat("/proc/self/task", &tasks) != 0)
    return system_error("/proc/self/task cannot be seen", "mount /proc where the server runs");
  if (tasks.st_nlink > 3)
    return make_error(Code::internal, "The sandbox was to be raised in a process that already has " +
                                          std::to_string(tasks.st_nlink - 2) +
                                          " threads; raise it before any is started");
  return {};
}

Result<void> require_connected(const std::vector<int>& kept) {
  for (const int fd : kept) {
    struct stat info {};
    if (::fstat(fd, &info) != 0)
      return system_error("Descriptor " + std::to_string(fd) + " is to be kept, but cannot be used",
                          "name open descriptors only");
    if (!S_ISSOCK(info.st_mode)) continue;
    int type = 0;
    sockaddr_storage peer{};
    socklen_t type_size = sizeof type, peer_size = sizeof peer;
    if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) != 0 ||
        (type != SOCK_STREAM && type != SOCK_SEQPACKET) ||
        ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0)
      return make_error(Code::internal, "Descriptor " + std::to_string(fd) +
                                            " is no connected stream or seqpacket socket, so that the plugin "
                                            "could reach others through it; use a socket pair");
  }
  return {};
}

// The server passes none on; this is for whoever starts the runner in another way. unsetenv() alone would
// leave the bytes where they are.
void erase_environment() {
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry)
    ::explicit_bzero(*entry, std::strlen(*entry));
  ::clearenv();
}

Result<void> close_others(std::vector<int> kept) {
  for (const int standard : {0, 1, 2}) {
    if (std::find(kept.begin(), kept.end(), standard) != kept.end()) continue;
    kept.push_back(standard);
    // Closed, the number would be given to the next file, and what is printed would go there.
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) return system_error("/dev/null cannot be opened", "make it, as in any Linux");
    if (null != standard) {
      ::dup2(null, standard);
      ::close(null);
    }
  }
  std::sort(kept.begin(), kept.end());
  unsigned first = 0;
  bool closed = true;
  const auto close_range = [&](unsigned from, unsigned to) {
    if (from <= to && ::syscall(SYS_close_range, from, to, 0) != 0) closed = false;
  };
  for (const int fd : kept) {
    const auto next = static_cast<unsigned>(fd);
    if (next > first) close_range(first, next - 1);
    first = next + 1;
  }
  close_range(first, ~0u);
  if (!closed)
    return system_error("The open descriptors could not be closed",
                        "close_range() needs Linux 5.9, and a container that permits it");
  return {};
}

// Mostly of uid 0. Who has none does not ask: services are often refused capset() altogether.
Result<void> drop_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct has[_LINUX_CAPABILITY_U32S_3]{};
  if (::syscall(SYS_capget, &header, has) == 0 &&
      std::all_of(std::begin(has), std::end(has), [](const __user_cap_data_struct& set) {
        return set.effective == 0 && set.permitted == 0 && set.inheritable == 0;
      }))
    return {};
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3]{};
  if (::syscall(SYS_capset, &header, none) != 0)
    return system_error("The capabilities could not be dropped", "see what surrounds this process");
  return {};
}

Result<void> restrict_process(const SandboxWish& wish, SandboxReport& report) {
  erase_environment();
  report.parts.push_back({"environment", State::active, "erased"});
  if (auto closed = close_others(wish.keep_descriptors); !closed) return closed;
  report.parts.push_back({"descriptors", State::active,
                          std::to_string(wish.keep_descriptors.size()) + " kept, the others closed"});
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return system_error("no_new_privs could not be set", "it needs Linux 3.5");
  report.parts.push_back({"no_new_privs", State::active, ""});
  if (auto limited = set_limits(wish, report.parts); !limited) return limited;
  if (auto dropped = drop_capabilities(); !dropped) return dropped;
  report.parts.push_back({"capabilities", State::active, "none left"});
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return system_error("The process could not be made undumpable", "see what surrounds it");
  report.parts.push_back({"not_dumpable", State::active, "no process of the same user can look into it"});
  return {};
}

struct LandlockPart {
  const char* name;
  int since;         // the version of Landlock that has it
  bool replaceable;  // the filter of system calls refuses the same
  const char* covers;
};
constexpr LandlockPart kLandlockParts[] = {
    {"landlock_files", 1, false, "reads system libraries only, writes nothing"},
    {"landlock_truncate", 3, true, "truncating files"},
    {"landlock_tcp", 4, true, "TCP"},
    {"landlock_devices", 5, true, "ioctl() on devices"},
    {"landlock_scopes", 6, true, "signals, abstract sockets"},
};

// The version that is in force; 0 with the reason in `why`.
int raise_landlock(const SandboxWish& wish, std::string& why) {
  const int abi = std::min(landlock_abi(why), wish.landlock_abi_at_most);
  if (abi <= 0) {
    if (why.empty()) why = "not to be used, as was wished";
    return 0;
  }
  if (auto restricted = landlock_restrict(abi, wish.readable); !restricted) {
    why = restricted.error().text;
    return 0;
  }
  return abi;
}

void report_landlock(SandboxReport& report, const std::string& why, bool filtered) {
  for (const LandlockPart& part : kLandlockParts) {
    if (report.landlock_abi >= part.since) {
      report.parts.push_back({part.name, State::active, part.covers});
      continue;
    }
    const std::string lacks = report.landlock_abi == 0
                                  ? why
                                  : "Landlock's version " + std::to_string(part.since) +
                                        " is needed, the kernel has " + std::to_string(report.landlock_abi);
    const bool replaced = part.replaceable && filtered;
    report.parts.push_back({part.name, replaced ? State::replaced : State::missing,
                            std::string(part.covers) + ": " + lacks +
                                (replaced ? "; the filter of system calls refuses it" : "")});
  }
}

}  // namespace

std::vector<std::string> system_files() {
  return {"/lib",
          "/lib64",
          "/usr/lib",
          "/usr/lib64",
          "/etc/ld.so.cache",
          "/etc/localtime",
          "/usr/share/zoneinfo",
          "/usr/share/locale",
          "/dev/urandom"};
}

bool SandboxReport::complete() const {
  return std::none_of(parts.begin(), parts.end(),
                      [](const auto& part) { return part.state == State::missing; });
}

const SandboxPart* SandboxReport::find(std::string_view name) const {
  for (const SandboxPart& part : parts)
    if (part.name == name) return &part;
  return nullptr;
}

std::string SandboxReport::to_text() const {
  std::string out;
  for (const SandboxPart& part : parts) {
    out += part.name + ": " + state_name(part.state);
    if (!part.detail.empty()) out += " (" + part.detail + ")";
    out += '\n';
  }
  return out;
}

Result<SandboxReport> raise_before_load(const SandboxWish& wish) {
  SandboxReport report;
  if (auto one = require_one_thread(); !one) return one.error();
  if (auto connected = require_connected(wish.keep_descriptors); !connected) return connected.error();
  if (auto restricted = restrict_process(wish, report); !restricted) return restricted.error();
  std::string why;
  report.landlock_abi = raise_landlock(wish, why);
  auto filtered = filter_before_load();
  report_landlock(report, why, filtered.ok());
  report.parts.push_back(
      {"system_calls", filtered.ok() ? State::active : State::missing,
       filtered.ok() ? "no sockets, processes, written files or generated code" : filtered.error().text});
  return report;
}

Result<void> raise_after_load() {
  return filter_after_load();
}

}  // namespace vmcp::runner
