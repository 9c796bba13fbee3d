#include "unit/runner/child.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace vmcp::runner::test {
namespace {

constexpr int kChannel = 3, kLeaked = 100, kDeadlineMs = 30'000;
constexpr const char* kState = "the audit journal\n";

int listen_at(const std::string& name, bool abstract) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::memcpy(at.sun_path + (abstract ? 1 : 0), name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + 1);
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&at), size) == 0);
  REQUIRE(::listen(fd, 128) == 0);
  return fd;
}

[[noreturn]] void become(int channel, const std::string& fixture, const std::vector<std::string>& options) {
  // dup2() onto itself would leave the descriptor to be closed by exec.
  const int moved = ::fcntl(channel, F_DUPFD, kLeaked + 1);
  ::dup2(moved, kChannel);
  ::dup2(::open("/etc/passwd", O_RDONLY), kLeaked);
  std::vector<std::string> words = {VMCP_SANDBOXED, fixture};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  char secret[] = "VMCP_TOKEN=a-secret";
  char* environment[] = {secret, nullptr};
  ::execve(VMCP_SANDBOXED, arguments.data(), environment);
  ::_exit(127);
}

}  // namespace

Arena::Arena() : path_("/tmp/vmcp-escapes-" + std::to_string(::getpid())) {
  std::filesystem::remove_all(path_);
  REQUIRE(::mkdir(path_.c_str(), 0700) == 0);
  std::ofstream(path_ + "/state") << kState;
  std::ofstream(path_ + "/victim") << "x";
  listeners_[0] = listen_at(path_ + "/socket", false);
  listeners_[1] = listen_at(path_, true);
}

Arena::~Arena() {
  for (const int fd : listeners_) ::close(fd);
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

bool Arena::untouched() const {
  std::ostringstream text;
  text << std::ifstream(path_ + "/state").rdbuf();
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path_)) ++entries;
  return text.str() == kState && std::filesystem::exists(path_ + "/victim") && entries == 3;
}

Child::Child(const std::string& fixture, const std::vector<std::string>& options) {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  pid_ = ::fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) become(ends[1], std::string(VMCP_FIXTURE_DIRECTORY "/") + fixture + ".so", options);
  ::close(ends[1]);
  channel_ = ends[0];
  greeting_ = hear();
}

Child::~Child() {
  ::close(channel_);
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

std::string Child::part(const std::string& name) const {
  std::istringstream lines(greeting_);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(name + ": ")) return line;
  return {};
}

std::string Child::state(const std::string& name) const {
  const std::string line = part(name);
  return line.empty() ? line
                      : line.substr(name.size() + 2, line.find(' ', name.size() + 2) - name.size() - 2);
}

std::string Child::status(const std::string& name) const {
  std::ifstream lines("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
  return {};
}

uid_t Child::owner_of_environment() const {
  struct stat info {};
  REQUIRE(::stat(("/proc/" + std::to_string(pid_) + "/environ").c_str(), &info) == 0);
  return info.st_uid;
}

std::string Child::ask(const std::string& words) {
  if (::send(channel_, words.data(), words.size(), MSG_NOSIGNAL) < 0) return "it ended";
  return hear();
}

std::string Child::hear() {
  pollfd ready{channel_, POLLIN, 0};
  if (::poll(&ready, 1, kDeadlineMs) != 1) return "it says nothing";
  std::string words(65536, '\0');
  // An empty packet is an answer; the end is told apart by asking for its kind.
  const ssize_t got = ::recv(channel_, words.data(), words.size(), 0);
  if (got < 0 || (got == 0 && (ready.revents & POLLHUP) != 0)) return "it ended";
  words.resize(static_cast<std::size_t>(got));
  return words;
}

Ended Child::wait() {
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) return {};
  pid_ = -1;
  if (WIFSIGNALED(status)) return {WTERMSIG(status), 0};
  return {0, WEXITSTATUS(status)};
}

}  // namespace vmcp::runner::test
