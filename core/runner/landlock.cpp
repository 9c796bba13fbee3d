#include "runner/landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace vmcp::runner {
namespace {

// From the kernel's interface, written down here because the headers of Debian 12 end at version 2. The
// numbers are the same on every architecture.
constexpr long kCreateRuleset = 444;
constexpr long kAddRule = 445;
constexpr long kRestrictSelf = 446;
constexpr unsigned kVersion = 1;
constexpr int kPathBeneath = 1;

constexpr std::uint64_t kReadFile = std::uint64_t{1} << 2;
constexpr std::uint64_t kReadFolder = std::uint64_t{1} << 3;
constexpr std::uint64_t kFilesOfVersion1 = (std::uint64_t{1} << 13) - 1;
constexpr std::uint64_t kRefer = std::uint64_t{1} << 13;
constexpr std::uint64_t kTruncate = std::uint64_t{1} << 14;
constexpr std::uint64_t kIoctlDevice = std::uint64_t{1} << 15;
constexpr std::uint64_t kBindAndConnectTcp = 3;
constexpr std::uint64_t kAbstractSocketsAndSignals = 3;

// A kernel that does not know the last members accepts them as long as they are zero.
struct Ruleset {
  std::uint64_t files;
  std::uint64_t network;
  std::uint64_t scoped;
};
struct [[gnu::packed]] PathBeneath {
  std::uint64_t allowed;
  std::int32_t parent;
};

Error failed(const std::string& what) {
  const std::string words = std::strerror(errno);
  return make_error(Code::internal, "Landlock could not " + what + ": " + words +
                                        "; see whether something around this process forbids it");
}

Result<void> allow_reading(int rules, const std::string& path) {
  const int at = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (at < 0) {
    if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) return {};
    return failed("find " + path);
  }
  struct stat info {};
  const bool folder = ::fstat(at, &info) == 0 && S_ISDIR(info.st_mode);
  // Mapping a library is reading, to Landlock: the right to execute is that of execve() alone.
  const PathBeneath rule{folder ? kReadFile | kReadFolder : kReadFile, at};
  const long added = ::syscall(kAddRule, rules, kPathBeneath, &rule, 0);
  const int error = errno;
  ::close(at);
  errno = error;
  if (added != 0) return failed("allow reading " + path);
  return {};
}

}  // namespace

int landlock_abi(std::string& why) {
  const long version = ::syscall(kCreateRuleset, nullptr, 0, kVersion);
  if (version > 0) return static_cast<int>(version);
  if (errno == ENOSYS)
    why = "the kernel has no Landlock (Linux 5.13 and later can have it)";
  else if (errno == EOPNOTSUPP)
    why = "Landlock is switched off; add it to the kernel's lsm= list";
  else
    why = std::string("asking for Landlock was refused (") + std::strerror(errno) +
          "), perhaps by the container around this process; let it use landlock_create_ruleset";
  return 0;
}

Result<void> landlock_restrict(int abi, const std::vector<std::string>& readable) {
  Ruleset all{kFilesOfVersion1, 0, 0};
  if (abi >= 2) all.files |= kRefer;
  if (abi >= 3) all.files |= kTruncate;
  if (abi >= 4) all.network = kBindAndConnectTcp;
  if (abi >= 5) all.files |= kIoctlDevice;
  if (abi >= 6) all.scoped = kAbstractSocketsAndSignals;
  const int rules = static_cast<int>(::syscall(kCreateRuleset, &all, sizeof all, 0));
  if (rules < 0) return failed("make its rules");
  for (const std::string& path : readable) {
    if (auto allowed = allow_reading(rules, path); !allowed) {
      ::close(rules);
      return allowed;
    }
  }
  const long restricted = ::syscall(kRestrictSelf, rules, 0);
  const int error = errno;
  ::close(rules);
  errno = error;
  if (restricted != 0) return failed("restrict this process");
  return {};
}

}  // namespace vmcp::runner
