#include "app/child_process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

namespace vmcp::app {
namespace {

constexpr int kNotFound = 127;  // as the shell says it
constexpr milliseconds kLook{20};

int code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& arguments) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0)
    return make_error(Code::unavailable, arguments[0] + " cannot be started: " + std::strerror(errno));
  if (pid == 0) {
    // Only what is safe after a fork beside threads.
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(kNotFound);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    // What this process listens on must not stay open in one that outlives it.
    ::close_range(STDERR_FILENO + 1, ~0U, 0);
    ::execvp(pointers[0], pointers.data());
    ::_exit(kNotFound);
  }
  return ChildProcess(pid);
}

ChildProcess& ChildProcess::operator=(ChildProcess&& from) noexcept {
  if (this == &from) return *this;
  stop(milliseconds(0));
  pid_ = std::exchange(from.pid_, -1);
  status_ = from.status_;
  return *this;
}

bool ChildProcess::runs() {
  if (pid_ < 0) return false;
  if (::waitpid(pid_, &status_, WNOHANG) == 0) return true;
  pid_ = -1;
  return false;
}

int ChildProcess::wait() {
  while (pid_ >= 0) {
    if (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) continue;
    pid_ = -1;
  }
  return code_of(status_);
}

void ChildProcess::stop(milliseconds grace) {
  if (!runs()) return;
  const auto deadline = std::chrono::steady_clock::now() + grace;
  ::kill(pid_, SIGTERM);
  while (runs() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(kLook);
  if (!runs()) return;
  ::kill(pid_, SIGKILL);
  wait();
}

}  // namespace vmcp::app
