#include "plugin_host/child/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "plugin_host/careful_file.h"
#include "plugin_host/child/lane.h"

extern "C" {  // glibc 2.36 forgot to say so itself
#include <sys/pidfd.h>
}

namespace vmcp::plugin_host::child {
namespace {

constexpr std::size_t kPage_bytes = 4096;
constexpr unsigned kMostLanes = 64;

Error cannot(const char* what) {
  return make_error(Code::unavailable,
                    std::string("a process for it cannot be made: ") + what + ": " + std::strerror(errno));
}

bool make_pair(Descriptor& ours, Descriptor& theirs) {
  int both[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) != 0) return false;
  ours = Descriptor(both[0]);
  theirs = Descriptor(both[1]);
  return true;
}

// Shared memory of one page that nobody can shorten: the server must not meet SIGBUS in it.
bool make_page(Descriptor& page, std::atomic<bool>*& mapped) {
  page = Descriptor(::memfd_create("vmcp-cancels", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (page.get() < 0 || ::ftruncate(page.get(), kPage_bytes) != 0 ||
      ::fcntl(page.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return false;
  void* const at = ::mmap(nullptr, kPage_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, page.get(), 0);
  if (at == MAP_FAILED) return false;
  static_assert(std::atomic<bool>::is_always_lock_free && sizeof(std::atomic<bool>) == 1);
  mapped = static_cast<std::atomic<bool>*>(at);
  return true;
}

const char* name_of(Sandbox sandbox) {
  return sandbox == Sandbox::required ? "required" : sandbox == Sandbox::best_effort ? "best_effort" : "off";
}

// Arguments and file actions of posix_spawn(), which does not copy this process's memory however large it is.
class Spawn {
 public:
  Spawn() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none, defaults;
    ::sigemptyset(&none);
    ::sigfillset(&defaults);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &defaults);
    // A group of its own: Ctrl-C at a terminal is for the server, which then stops it in order.
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  ~Spawn() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;

  void output(int fd) {
    ::posix_spawn_file_actions_adddup2(&actions_, fd, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, fd, STDERR_FILENO);
  }
  void argument(std::string text) { arguments_.push_back(std::move(text)); }
  // The descriptor keeps its number and stays open in the child alone.
  void pass(const char* name, int fd) {
    argument(name);
    argument(std::to_string(fd));
    keep(fd);
  }
  void keep(int fd) { ::posix_spawn_file_actions_adddup2(&actions_, fd, fd); }
  int run(pid_t& pid) {
    std::vector<char*> pointers;
    for (std::string& argument : arguments_) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    char* const no_environment[] = {nullptr};
    return ::posix_spawn(&pid, pointers[0], &actions_, &attributes_, pointers.data(), no_environment);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
  std::vector<std::string> arguments_;
};

}  // namespace

Process::Process(const ProcessSettings& settings, Listeners listeners)
    : settings_(settings), listeners_(std::move(listeners)), output_(listeners_.on_output) {}

Result<std::shared_ptr<Process>> Process::start(const ProcessSettings& settings, std::string_view manifest,
                                                std::string_view config_json, Listeners listeners) {
  std::shared_ptr<Process> process(new Process(settings, std::move(listeners)));
  if (auto r = process->spawn(); !r) return r.error();
  if (auto r = process->introduce(manifest, config_json); !r) return r.error();
  process->listener_ = std::thread([raw = process.get()] { raw->listen(); });
  return process;
}

Result<void> Process::spawn() {
  Descriptor control, their_control, page, read_output, write_output;
  std::vector<Descriptor> their_lanes(std::min(settings_.lanes, kMostLanes));
  int pipe_ends[2];
  if (!make_pair(control, their_control)) return cannot("no socket pair");
  if (!make_page(page, cancels_)) return cannot("no shared memory");
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) return cannot("no pipe");
  read_output = Descriptor(pipe_ends[0]);
  write_output = Descriptor(pipe_ends[1]);

  Spawn child;
  child.argument(settings_.runner);
  child.output(write_output.get());
  child.pass("--control", their_control.get());
  child.pass("--library", settings_.library_fd);
  child.pass("--page", page.get());
  child.argument("--sandbox");
  child.argument(name_of(settings_.sandbox));
  child.argument("--memory");
  child.argument(std::to_string(settings_.memory_bytes));
  child.argument("--lanes");
  std::string numbers;
  for (Descriptor& theirs : their_lanes) {
    Descriptor ours;
    if (!make_pair(ours, theirs)) return cannot("no socket pair");
    numbers += (numbers.empty() ? "" : ",") + std::to_string(theirs.get());
    child.keep(theirs.get());
    lanes_.push_back(std::make_unique<Lane>(ours.release(), cancels_ + lanes_.size()));
    free_lanes_.push_back(lanes_.back().get());
  }
  child.argument(std::move(numbers));
  if (const int failed = child.run(pid_); failed != 0) {
    pid_ = -1;
    errno = failed;
    return cannot((settings_.runner + " does not start").c_str());
  }
  pidfd_ = ::pidfd_open(pid_, 0);
  output_.open(read_output.release());
  control_ = std::make_unique<Channel>(control.release(), kMostFromChild_bytes);
  return {};
}

Result<void> Process::introduce(std::string_view manifest, std::string_view config_json) {
  const auto until = std::chrono::steady_clock::now() + settings_.ready_within;
  control_->give_up_after(100);
  control_->begin(Message::start).text(manifest).text(config_json);
  Channel::State state = Channel::State::waits;
  while (state == Channel::State::waits && std::chrono::steady_clock::now() < until) state = control_->send();
  while (state == Channel::State::done || state == Channel::State::waits) {
    if (std::chrono::steady_clock::now() >= until) {
      kill();
      reap();
      return make_error(Code::timeout, "its process was not ready within " +
                                           std::to_string(settings_.ready_within.count()) +
                                           " ms; the log has what it said");
    }
    state = hear(100);
    if (state != Channel::State::done) continue;
    Reader fields = control_->fields();
    if (control_->kind() == Message::ready) {
      sandbox_report_ = fields.text().substr(0, 4096);
      control_->give_up_after(0);
      return {};
    }
    if (control_->kind() == Message::failed) {
      std::string why(fields.text().substr(0, 4096));
      kill();
      reap();
      return make_error(Code::unavailable, std::move(why));
    }
    take_control_message();
  }
  kill();
  reap();
  output_.take(std::chrono::steady_clock::now());  // its last words
  return make_error(Code::unavailable,
                    "its process " + ending(milliseconds(0)) + " while the plugin was loaded");
}

Process::~Process() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  if (control_ && !has_ended()) {
    if (listener_.joinable()) {
      // The stop is a word of its own: the end of the channel would mean that the server has died.
      control_->begin(Message::stop);
      control_->send();
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, settings_.stop_within, [&] { return ended_; });
    }
    kill();
  }
  if (listener_.joinable())
    listener_.join();
  else if (pid_ > 0 && !has_ended())
    reap();
  if (pidfd_ >= 0) ::close(pidfd_);
  if (cancels_ != nullptr) ::munmap(cancels_, kPage_bytes);
}

void Process::kill() {
  // By descriptor: the number may be somebody else's once it was waited for.
  if (pidfd_ >= 0 && !has_ended()) ::pidfd_send_signal(pidfd_, SIGKILL, nullptr, 0);
}

bool Process::has_ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

std::string Process::ending(milliseconds wait) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, wait, [&] { return ended_; });
  if (!ended_) return "closed its connection";
  if (WIFSIGNALED(exit_status_)) {
    const int signal = WTERMSIG(exit_status_);
    return "was ended by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
  }
  return "ended with code " + std::to_string(WEXITSTATUS(exit_status_));
}

void Process::reap() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  const std::lock_guard lock(mutex_);
  exit_status_ = status;
  ended_ = true;
  changed_.notify_all();
}

void Process::take_control_message() {
  Reader fields = control_->fields();
  if (control_->kind() == Message::log) {
    const auto level = fields.number<std::int32_t>();
    const std::string_view message = fields.text();
    if (fields.ok() && listeners_.on_log) listeners_.on_log(level, message);
  } else if (control_->kind() == Message::change) {
    const auto kind = fields.number<std::uint8_t>();
    const std::string_view uri = fields.text();
    if (fields.ok() && kind <= static_cast<std::uint8_t>(Change::Kind::updated) && listeners_.on_change)
      listeners_.on_change(static_cast<Change::Kind>(kind), uri);
  }
}

// The next message of the control channel; what is printed meanwhile is read. `waits`: none within so long,
// or only a part; -1: for ever.
Channel::State Process::hear(int at_most_ms) {
  if (!control_->holds_message()) {
    const auto before = std::chrono::steady_clock::now();
    pollfd waits[] = {{control_->fd(), POLLIN, 0}, {output_.waits_for(before), POLLIN, 0}};
    if (::poll(waits, 2, output_.wait_ms(before, at_most_ms)) < 0 && errno != EINTR)
      return Channel::State::broken;
    if (waits[1].revents != 0) output_.take(std::chrono::steady_clock::now());
    if (waits[0].revents == 0) return Channel::State::waits;
  }
  return control_->receive();
}

// Until the control channel ends: with the process, or because the plugin closed what is not its own. Both
// are the end.
void Process::listen() {
  for (bool talks = true; talks;) {
    const Channel::State state = hear(-1);
    if (state == Channel::State::done) take_control_message();
    talks = state == Channel::State::done || state == Channel::State::waits;
  }
  bool ordered = false;
  {
    const std::lock_guard lock(mutex_);
    ordered = stopping_;
  }
  if (!ordered) kill();
  reap();
  output_.take(std::chrono::steady_clock::now());
  if (!ordered) report_loss(ending(milliseconds(0)));
}

void Process::report_loss(const std::string& how) {
  if (!reported_.exchange(true) && listeners_.on_exit) listeners_.on_exit(how);
}

void Process::retire() {
  report_loss("did not come back from a call after its deadline");
}

void Process::leave_to_others(milliseconds at_most) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, [&] { return ended_ || rounds_ == 0; });
  }
  kill();
}

Ended Process::run(const Round& round, Invocation& invocation, vmcp_status& status) {
  Lane* const lane = take_lane(invocation);
  if (lane == nullptr) return has_ended() ? Ended::not_begun : Ended::no_lane;
  const Ended how = lane->run(round, invocation, status);
  // A lane in the middle of something is of no use to anybody; its process is about to end.
  give_back(lane, how == Ended::answered);
  if (how == Ended::nonsense) kill();
  return how;
}

Lane* Process::take_lane(const Invocation& invocation) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, invocation.limits.deadline, [&] { return ended_ || !free_lanes_.empty(); });
  if (ended_ || free_lanes_.empty()) return nullptr;
  Lane* const out = free_lanes_.back();
  free_lanes_.pop_back();
  ++rounds_;
  return out;
}

void Process::give_back(Lane* lane, bool usable) {
  const std::lock_guard lock(mutex_);
  --rounds_;
  if (usable) free_lanes_.push_back(lane);
  changed_.notify_all();
}

}  // namespace vmcp::plugin_host::child
