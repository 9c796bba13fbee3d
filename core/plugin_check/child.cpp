#include "plugin_check/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "plugin_host/careful_file.h"

namespace vmcp::plugin_check {
namespace {

constexpr int kReportFd = 3;
constexpr std::size_t kMaxLine = 4u << 20, kMaxLines = 200'000, kMaxBegin = 200, kMaxEnd = 2'000;

struct Pipe {
  int read_end = -1, write_end = -1;
  Pipe() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) return;
    read_end = fds[0];
    write_end = fds[1];
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_end(read_end);
    close_end(write_end);
  }
  static void close_end(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  bool ok() const { return read_end >= 0; }
};

// What a program needs to run at all, and what sanitizers are told by; no token, no password.
std::vector<std::string> bare_environment() {
  std::vector<std::string> out;
  for (const char* name :
       {"PATH", "LANG", "LC_ALL", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"})
    if (const char* const value = std::getenv(name)) out.push_back(std::string(name) + "=" + value);
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// -1 with errno when it cannot be started.
pid_t start(const std::string& program, std::vector<std::string> arguments, int in, const Pipe& report,
            const Pipe& out, const Pipe& error) {
  arguments.insert(arguments.begin(), program);
  arguments.insert(arguments.end(), {"--report-fd", std::to_string(kReportFd)});
  std::vector<std::string> environment = bare_environment();
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, out.write_end, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, error.write_end, STDERR_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, report.write_end, kReportFd);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, program.c_str(), &files, &attributes, pointers(arguments).data(),
                                   pointers(environment).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  errno = failed;
  return failed == 0 ? pid : -1;
}

class Gatherer {
 public:
  explicit Gatherer(ChildOutcome& out) : out_(out) {}

  // False: the report has ended, or is larger than any report is.
  bool take_report(std::string_view bytes) {
    partial_ += bytes;
    for (auto end = partial_.find('\n'); end != std::string::npos; end = partial_.find('\n')) {
      out_.lines.push_back(partial_.substr(0, end));
      partial_.erase(0, end + 1);
    }
    return partial_.size() <= kMaxLine && out_.lines.size() <= kMaxLines;
  }
  void take_out(std::string_view bytes) {
    out_.out_begin += bytes.substr(0, kMaxBegin - std::min(kMaxBegin, out_.out_begin.size()));
  }
  void take_error(std::string_view bytes) {
    out_.error_end += bytes;
    if (out_.error_end.size() > kMaxEnd) out_.error_end.erase(0, out_.error_end.size() - kMaxEnd);
  }

 private:
  ChildOutcome& out_;
  std::string partial_;
};

// Reads all three until the child has closed them or says nothing new for `stall`.
void gather(Pipe& report, Pipe& out, Pipe& error, milliseconds stall, ChildOutcome& outcome) {
  Gatherer gatherer(outcome);
  auto deadline = std::chrono::steady_clock::now() + stall;
  char buffer[65536];
  while (report.read_end >= 0 || out.read_end >= 0 || error.read_end >= 0) {
    pollfd waiting[] = {{report.read_end, POLLIN, 0}, {out.read_end, POLLIN, 0}, {error.read_end, POLLIN, 0}};
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      outcome.stalled = true;
      return;
    }
    if (::poll(waiting, 3, static_cast<int>(left.count()) + 1) < 0 && errno != EINTR) return;
    for (Pipe* const pipe : {&report, &out, &error}) {
      const pollfd& seen = waiting[pipe == &report ? 0 : pipe == &out ? 1 : 2];
      if (seen.fd < 0 || seen.revents == 0) continue;
      const ssize_t got = ::read(pipe->read_end, buffer, sizeof buffer);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        Pipe::close_end(pipe->read_end);
        continue;
      }
      const std::string_view bytes(buffer, static_cast<std::size_t>(got));
      if (pipe == &report) {
        deadline = std::chrono::steady_clock::now() + stall;
        if (!gatherer.take_report(bytes)) return;
      } else if (pipe == &out) {
        gatherer.take_out(bytes);
      } else {
        gatherer.take_error(bytes);
      }
    }
  }
}

}  // namespace

Result<ChildOutcome> run_child(const std::string& program, std::vector<std::string> arguments,
                               const std::string& input, milliseconds stall) {
  // A memory file and no pipe: nobody needs to feed it, whatever the child does.
  const plugin_host::Descriptor in(::memfd_create("vmcp-check-input", MFD_CLOEXEC));
  if (in.get() < 0 || !write_all(in.get(), input) || ::lseek(in.get(), 0, SEEK_SET) != 0)
    return make_error(Code::unavailable,
                      std::string("no memory file could be made: ") + std::strerror(errno));
  Pipe report, out, error;
  if (!report.ok() || !out.ok() || !error.ok())
    return make_error(Code::unavailable, std::string("no pipe could be made: ") + std::strerror(errno));
  const pid_t pid = start(program, std::move(arguments), in.get(), report, out, error);
  if (pid < 0) return make_error(Code::unavailable, program + " cannot be started: " + std::strerror(errno));
  for (Pipe* const pipe : {&report, &out, &error}) Pipe::close_end(pipe->write_end);
  ChildOutcome outcome;
  gather(report, out, error, stall, outcome);
  // Also what the plugin may have started. The leader is not reaped yet, so the number is still the group's.
  ::kill(-pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  return outcome;
}

}  // namespace vmcp::plugin_check
