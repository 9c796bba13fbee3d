#include "store/state_dir.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "store/key_file.h"

namespace vmcp::store {
namespace {

constexpr const char* kProgram = "vsphere-mcp-pro";

Error state_error(std::string what, int error_number = 0) {
  if (error_number != 0) what += std::string(": ") + std::strerror(error_number);
  return make_error(Code::unavailable,
                    what + "; or set STATE_DIR to a directory that this server's user owns");
}

Result<void> make_directories(const std::string& path) {
  std::string prefix;
  for (const auto& part : std::filesystem::path(path)) {
    prefix = (std::filesystem::path(prefix) / part).string();
    if (::mkdir(prefix.c_str(), 0700) == 0 || errno == EEXIST) continue;
    struct stat there;
    const int error_number = errno;  // EROFS and EACCES also come for parents that exist
    if (::stat(prefix.c_str(), &there) != 0) return state_error("cannot make '" + prefix + "'", error_number);
  }
  return {};
}

constexpr const char* kHeld = "state directory in use";

Result<void> check_directory(const std::string& path) {
  struct stat st;
  if (::stat(path.c_str(), &st) != 0) return state_error("cannot use '" + path + "'", errno);
  if (!S_ISDIR(st.st_mode)) return state_error("'" + path + "' is not a directory");
  if (st.st_uid != ::geteuid() && st.st_uid != 0)
    return state_error("'" + path + "' belongs to user " + std::to_string(st.st_uid) +
                       ", who could replace the journal and the keys");
  if ((st.st_mode & 022) != 0)
    return state_error("'" + path + "' may be written by other users: run `chmod go-w` on it");
  return {};
}

std::string read_holder(int fd) {
  char buffer[32];
  const ssize_t n = ::pread(fd, buffer, sizeof buffer, 0);
  std::string pid;
  for (ssize_t i = 0; i < n && buffer[i] >= '0' && buffer[i] <= '9'; ++i) pid += buffer[i];
  return pid.empty() ? "another process" : "process " + pid;
}

// The lock is the flock, not the file: it ends with its process, whatever kills it. The pid is for people.
Result<int> take_lock(const std::string& file) {
  for (int attempt = 0; attempt < 8; ++attempt) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return state_error("cannot open '" + file + "'", errno);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      const int error_number = errno;
      const std::string holder = read_holder(fd);
      ::close(fd);
      if (error_number != EWOULDBLOCK) return state_error("cannot lock '" + file + "'", error_number);
      Error held = make_error(Code::unavailable, "the state directory is in use by " + holder +
                                                     ": stop it, or set STATE_DIR to another directory");
      held.rule = kHeld;
      return held;
    }
    // Somebody may have removed the file between open and flock: then our lock is on a file that nobody sees.
    struct stat ours, there;
    if (::fstat(fd, &ours) == 0 && ::stat(file.c_str(), &there) == 0 && ours.st_ino == there.st_ino &&
        ours.st_dev == there.st_dev) {
      const std::string pid = std::to_string(::getpid()) + "\n";
      if (::ftruncate(fd, 0) != 0 ||
          ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
        const int error_number = errno;
        ::close(fd);
        return state_error("cannot write '" + file + "'", error_number);
      }
      return fd;
    }
    ::close(fd);
  }
  return state_error("'" + file + "' keeps being replaced");
}

std::string home_directory() {
  if (const char* home = std::getenv("HOME"); home && home[0] == '/') return home;
  struct passwd entry;
  struct passwd* found = nullptr;
  char buffer[4096];
  if (::getpwuid_r(::geteuid(), &entry, buffer, sizeof buffer, &found) == 0 && found && found->pw_dir)
    return found->pw_dir;
  return {};
}

}  // namespace

Result<StateDir> StateDir::open_first_free(const std::string& path, std::size_t most) {
  std::string base = path;
  while (base.size() > 1 && base.back() == '/') base.pop_back();
  Result<StateDir> made = open(base);
  for (std::size_t n = 2; n <= most && !made && made.error().rule == kHeld; ++n)
    made = open(base + "-" + std::to_string(n));
  return made;
}

Result<StateDir> StateDir::open(const std::string& path) {
  if (path.empty()) return state_error("no state directory is named");
  StateDir made;
  std::error_code ignored;
  made.path_ = std::filesystem::absolute(path, ignored).lexically_normal().string();
  while (made.path_.size() > 1 && made.path_.back() == '/') made.path_.pop_back();
  if (auto ok = make_directories(made.path_); !ok) return ok.error();
  if (auto ok = check_directory(made.path_); !ok) return ok.error();
  auto lock = take_lock(made.file("lock"));
  if (!lock) return lock.error();
  made.lock_fd_ = *lock;
  return made;
}

StateDir::StateDir(StateDir&& other) noexcept
    : path_(std::move(other.path_)), lock_fd_(std::exchange(other.lock_fd_, -1)) {}

StateDir& StateDir::operator=(StateDir&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_fd_, other.lock_fd_);
  return *this;
}

StateDir::~StateDir() {
  // The file stays: removing it would let two processes hold locks on two files of one name.
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

std::string StateDir::file(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

Result<Secret> StateDir::key(std::string_view name) const {
  const bool plain = !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (!plain) return make_error(Code::internal, "a key's name is made of a-z, 0-9, - and _");
  return read_or_make_key(file("keys"), std::string(name));
}

std::string default_state_dir() {
  const std::string system = std::string("/var/lib/") + kProgram;
  if (::geteuid() == 0) return system;
  if (const char* xdg = std::getenv("XDG_STATE_HOME"); xdg && xdg[0] == '/')
    return std::string(xdg) + "/" + kProgram;
  const std::string home = home_directory();
  return home.empty() ? system : home + "/.local/state/" + kProgram;
}

}  // namespace vmcp::store
