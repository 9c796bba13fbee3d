#include "runner/limits.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace vmcp::runner {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

struct Limit {
  decltype(RLIMIT_AS) resource;
  const char* name;
  rlim_t value;
};

// Never above what was inherited: not everyone may raise a limit, and nobody should here.
Result<void> lower(const Limit& limit) {
  rlimit now{};
  if (::getrlimit(limit.resource, &now) == 0) {
    now.rlim_max = std::min(now.rlim_max, limit.value);
    now.rlim_cur = std::min(now.rlim_cur, now.rlim_max);
    if (::setrlimit(limit.resource, &now) == 0) return {};
  }
  return make_error(Code::internal, std::string("The limit ") + limit.name + " could not be set: " +
                                        std::strerror(errno) + "; see what surrounds this process");
}

std::string mebibytes(std::uint64_t bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

// Not RLIMIT_AS alone: it counts what malloc only reserves for each thread, so that one generous enough for
// 16 threads would not bound memory. Not RLIMIT_DATA alone: it does not count what cannot be written to.
Result<void> limit_memory(const SandboxWish& wish, std::vector<SandboxPart>& parts) {
  SandboxPart part{"memory_limit", SandboxPart::State::waived, "not wished"};
  if (kSanitized) {
    part.detail = "built with a sanitizer, whose shadow memory is larger than any limit";
  } else if (wish.memory_bytes != 0) {
    if (auto set = lower({RLIMIT_DATA, "RLIMIT_DATA", wish.memory_bytes}); !set) return set;
    part = {part.name, SandboxPart::State::active, mebibytes(wish.memory_bytes) + " writable"};
  }
  if (!kSanitized && wish.address_bytes != 0) {
    if (auto set = lower({RLIMIT_AS, "RLIMIT_AS", wish.address_bytes}); !set) return set;
    part.detail += ", " + mebibytes(wish.address_bytes) + " of addresses";
  }
  parts.push_back(std::move(part));
  return {};
}

Result<void> limit_threads(const SandboxWish& wish, std::vector<SandboxPart>& parts) {
  SandboxPart part{"thread_limit", SandboxPart::State::waived, "not wished"};
  if (wish.threads_of_user != 0) {
    if (auto set = lower({RLIMIT_NPROC, "RLIMIT_NPROC", wish.threads_of_user}); !set) return set;
    part = {part.name, SandboxPart::State::active,
            std::to_string(wish.threads_of_user) + " threads of this user, foreign ones included"};
    if (::getuid() == 0)
      part = {
          part.name, SandboxPart::State::waived,
          "the kernel exempts uid 0; run the server as a user of its own, or limit its tasks from outside"};
  }
  parts.push_back(std::move(part));
  return {};
}

}  // namespace

Result<void> set_limits(const SandboxWish& wish, std::vector<SandboxPart>& parts) {
  if (auto set = limit_memory(wish, parts); !set) return set;
  if (auto set = limit_threads(wish, parts); !set) return set;
  if (wish.descriptors != 0)
    if (auto set = lower({RLIMIT_NOFILE, "RLIMIT_NOFILE", wish.descriptors}); !set) return set;
  for (const Limit& none :
       {Limit{RLIMIT_CORE, "RLIMIT_CORE", 0}, Limit{RLIMIT_FSIZE, "RLIMIT_FSIZE", 0},
        Limit{RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK", 0}, Limit{RLIMIT_MSGQUEUE, "RLIMIT_MSGQUEUE", 0}})
    if (auto set = lower(none); !set) return set;
  // Whoever gave us a file as standard error shall find nothing in it, rather than a dead process.
  std::signal(SIGXFSZ, SIG_IGN);
  parts.push_back({"other_limits", SandboxPart::State::active,
                   (wish.descriptors != 0 ? std::to_string(wish.descriptors) + " descriptors, " : "") +
                       "no core dump, no byte written to a file, no locked memory"});
  return {};
}

}  // namespace vmcp::runner
