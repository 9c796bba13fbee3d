#include "plugin_host/careful_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <deque>
#include <filesystem>

namespace vmcp::plugin_host {
namespace {

constexpr int kMaxLinks = 40;  // as many as the kernel follows
constexpr std::size_t kMaxSteps = 256;

Error refuse_place(std::string text) {
  return make_error(Code::denied, std::move(text));
}
Error cannot_open(const std::string& what, int error) {
  return make_error(error == ENOENT || error == ENOTDIR ? Code::not_found : Code::denied,
                    what + " cannot be opened: " + std::strerror(error));
}

bool is_ours(const struct stat& info) {
  return info.st_uid == 0 || info.st_uid == ::geteuid();
}

Result<void> judge_folder(const struct stat& info, const std::string& path, bool may_be_sticky) {
  if (!is_ours(info))
    return refuse_place("the folder " + path + " belongs to user " + std::to_string(info.st_uid) +
                        "; chown it to root or to the server's user");
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) == 0) return {};
  if ((info.st_mode & S_ISVTX) == 0)
    return refuse_place("others may write to the folder " + path + "; chmod go-w it");
  if (may_be_sticky) return {};
  return refuse_place(
      "everybody may put files into the folder " + path +
      "; move the plugin to a folder of root's or of the server's user (0755), or, on a workbench, "
      "set plugins.trust = \"dev\"");
}

// PREFIX of PREFIX/bin/program; empty when it cannot be known.
std::string program_prefix() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::string() : program.parent_path().parent_path().string();
}

// Whoever can change a folder above the program can put another program there: nothing is gained by refusing
// a plugin for it, and a checkout in a folder of many people's would not start.
bool is_above_program(const std::string& folder) {
  static const std::string prefix = program_prefix();
  return folder == "/" ||
         (prefix.size() > folder.size() && prefix.starts_with(folder) && prefix[folder.size()] == '/');
}

// The folder of the file, reached step by step.
class Walk {
 public:
  Result<Descriptor> to(const std::string& folder, Place place) {
    for (const auto& part : std::filesystem::path(folder))
      if (const std::string name = part.string(); name != "/" && !name.empty() && name != ".")
        left_.push_back(name);
    if (auto r = restart(); !r) return r.error();
    while (!left_.empty()) {
      if (++steps_ > kMaxSteps) return refuse_place("the path has too many folders; use a shorter one");
      const std::string name = left_.front();
      left_.pop_front();
      if (auto r = step(name); !r) return r.error();
    }
    struct stat info {};
    if (::fstat(at_.get(), &info) != 0) return cannot_open("the folder " + path_, errno);
    if (auto r = judge_folder(info, path_, place == Place::workshop); !r) return r.error();
    return std::move(at_);
  }

 private:
  Result<void> restart() {
    path_ = "/";
    at_ = Descriptor(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    return judge();
  }

  Result<void> judge() {
    struct stat info {};
    if (at_.get() < 0 || ::fstat(at_.get(), &info) != 0) return cannot_open("the folder " + path_, errno);
    return is_above_program(path_) ? Result<void>() : judge_folder(info, path_, true);
  }

  Result<void> step(const std::string& name) {
    const std::string path = (path_ == "/" ? "" : path_) + "/" + name;
    Descriptor next(::openat(at_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat info {};
    if (next.get() < 0 || ::fstat(next.get(), &info) != 0) return cannot_open("the folder " + path, errno);
    if (S_ISLNK(info.st_mode)) return follow(next, info, path);
    if (!S_ISDIR(info.st_mode)) return make_error(Code::not_found, path + " is no folder");
    at_ = std::move(next);
    path_ = path;
    return judge();
  }

  // A link of ours in a folder that only we can change says what we meant; the steps behind it are judged as
  // any other.
  Result<void> follow(const Descriptor& link, const struct stat& info, const std::string& path) {
    if (!is_ours(info))
      return refuse_place("the link " + path + " on the way to it is somebody else's; remove it");
    if (++links_ > kMaxLinks) return refuse_place("too many links lead to it; name the folder itself");
    char target[PATH_MAX];
    const ssize_t size = ::readlinkat(link.get(), "", target, sizeof target);
    if (size <= 0 || size == static_cast<ssize_t>(sizeof target))
      return cannot_open("the link " + path, errno);
    const std::filesystem::path to(std::string(target, static_cast<std::size_t>(size)));
    std::deque<std::string> steps;
    for (const auto& part : to)
      if (const std::string name = part.string(); name != "/" && !name.empty() && name != ".")
        steps.push_back(name);
    left_.insert(left_.begin(), steps.begin(), steps.end());
    return to.is_absolute() ? restart() : Result<void>();
  }

  std::deque<std::string> left_;
  Descriptor at_;
  std::string path_;
  int links_ = 0;
  std::size_t steps_ = 0;
};

Result<void> judge_file(const struct stat& info) {
  if (!S_ISREG(info.st_mode)) return refuse_place("it is no regular file");
  if (!is_ours(info))
    return refuse_place("it belongs to another user (" + std::to_string(info.st_uid) +
                        "); chown it to root or to the server's user");
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) return refuse_place("others may write to it; chmod go-w it");
  // Images and packages may link root's files among each other, which only root can change under any name.
  if (info.st_nlink != 1 && info.st_uid != 0)
    return refuse_place("it has " + std::to_string(info.st_nlink) +
                        " names (hard links), so that it can be changed elsewhere; put a copy there instead");
  return {};
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}
Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<CarefulFile> open_carefully(const std::string& path, Place place) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  if (error || !whole.has_filename()) return make_error(Code::not_found, "'" + path + "' names no file");
  auto folder = Walk().to(whole.parent_path().string(), place);
  if (!folder) return folder.error();
  // Not blocking: a pipe in its place must not hold the server up.
  CarefulFile out;
  out.fd = Descriptor(::openat(folder->get(), whole.filename().c_str(),
                               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (out.fd.get() < 0)
    return errno == ELOOP ? refuse_place("it is a symbolic link; put the file itself there")
                          : cannot_open("it", errno);
  struct stat info {};
  if (::fstat(out.fd.get(), &info) != 0) return cannot_open("it", errno);
  if (auto r = judge_file(info); !r) return r.error();
  out.size = static_cast<std::uint64_t>(info.st_size);
  return out;
}

Result<std::string> read_all(const CarefulFile& file, std::uint64_t max) {
  if (file.size > max) return refuse_place("it is larger than " + std::to_string(max >> 10) + " KiB");
  std::string out(static_cast<std::size_t>(file.size) + 1, '\0');  // one more, to see that it grew
  std::size_t have = 0;
  while (have < out.size()) {
    const ssize_t got = ::read(file.fd.get(), out.data() + have, out.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_open("it", errno);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  if (have != file.size) return refuse_place("it changed while it was read; is it being written?");
  out.resize(have);
  return out;
}

Result<std::string> read_carefully(const std::string& path, Place place, std::uint64_t max) {
  const auto file = open_carefully(path, place);
  if (!file) return file.error();
  return read_all(*file, max);
}

}  // namespace vmcp::plugin_host
