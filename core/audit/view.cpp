#include "audit/view.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

namespace vmcp::audit {
namespace {

constexpr std::size_t kMaxPendingBytes = 16u << 20;
constexpr std::size_t kMaxWriteBytes = 256u << 10;  // so that progress is seen
constexpr milliseconds kStalled{250};
constexpr milliseconds kLookEvery{1000};
constexpr int kPatienceMs = 1000;  // with a descriptor that somebody else made non-blocking

// O_NONBLOCK only for the opening: a FIFO without a reader must fail the start instead of hanging it.
int open_view(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
  if (fd >= 0) ::fcntl(fd, F_SETFL, O_APPEND);
  return fd;
}

}  // namespace

Result<std::shared_ptr<View>> View::open(const Settings& settings) {
  int fd = settings.view_to_stderr ? STDERR_FILENO : STDOUT_FILENO;
  if (!settings.view_path.empty()) {
    fd = open_view(settings.view_path);
    if (fd < 0)
      return make_error(Code::unavailable, "cannot open the audit view '" + settings.view_path +
                                               "': " + std::strerror(errno) +
                                               "; set AUDIT_LOG_PATH to a file that this server may write");
  }
  std::shared_ptr<View> view(new View(fd, settings.view_path));
  view->start();
  return view;
}

std::shared_ptr<View> View::on(int fd) {
  std::shared_ptr<View> view(new View(fd, {}));
  view->start();
  return view;
}

View::View(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

View::~View() {
  if (!path_.empty() && fd_ >= 0) ::close(fd_);
}

void View::start() {
  // Detached and holding the object: a thread that hangs in a write can outlive whoever made it.
  std::thread([self = shared_from_this()] { self->run(); }).detach();
}

void View::push(std::string_view lines, std::size_t count) {
  if (lines.empty()) return;
  {
    const std::scoped_lock lock(mutex_);
    if (exited_ || pending_.size() + lines.size() > kMaxPendingBytes) {
      lost_ += count;
      return;
    }
    pending_ += lines;
  }
  wake_.notify_one();
}

bool View::drain(SteadyTime deadline) {
  std::unique_lock lock(mutex_);
  return idle_.wait_until(lock, deadline, [&] { return exited_ || (pending_.empty() && !writing_); }) &&
         pending_.empty() && !writing_;
}

std::uint64_t View::lost() const {
  const std::scoped_lock lock(mutex_);
  return lost_;
}

bool View::catching_up() const {
  const std::scoped_lock lock(mutex_);
  return pending_.size() > kMaxPendingBytes / 2 && SteadyTime::clock::now() - progress_at_ < kStalled;
}

void View::stop(milliseconds limit) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  wake_.notify_one();
  idle_.wait_for(lock, limit, [&] { return exited_; });
}

void View::reopen_if_moved() {
  if (path_.empty()) return;
  const SteadyTime now = SteadyTime::clock::now();
  if (fd_ >= 0 && now - looked_at_ < kLookEvery) return;
  looked_at_ = now;
  struct stat ours, there;
  if (fd_ >= 0 && ::fstat(fd_, &ours) == 0 && ::stat(path_.c_str(), &there) == 0 &&
      ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
    return;
  const int fd = open_view(path_);
  if (fd < 0) return;  // the old file is better than none
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
  mid_line_ = false;
}

bool View::write_all(std::string_view bytes) {
  if (mid_line_ && ::write(fd_, "\n", 1) == 1) mid_line_ = false;
  bool begun = false;
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), std::min(bytes.size(), kMaxWriteBytes));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      pollfd wanted{fd_, POLLOUT, 0};
      if (::poll(&wanted, 1, kPatienceMs) > 0) continue;
    }
    if (n <= 0) {
      const auto count = static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
      const std::scoped_lock lock(mutex_);
      lost_ += count;
      mid_line_ = mid_line_ || begun;
      return false;
    }
    begun = bytes[static_cast<std::size_t>(n) - 1] != '\n';
    bytes.remove_prefix(static_cast<std::size_t>(n));
    const std::scoped_lock lock(mutex_);
    progress_at_ = SteadyTime::clock::now();
  }
  return true;
}

void View::run() {
  // A reader that went away must be an error of write(), not the end of the process.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);

  std::string taken;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return stopping_ || !pending_.empty(); });
    if (pending_.empty()) break;
    taken.clear();
    std::swap(taken, pending_);
    writing_ = true;
    lock.unlock();
    reopen_if_moved();
    write_all(taken);
    lock.lock();
    writing_ = false;
    if (pending_.empty()) idle_.notify_all();
  }
  exited_ = true;
  idle_.notify_all();
}

}  // namespace vmcp::audit
