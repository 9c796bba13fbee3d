#include "runner/syscall_filter.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

namespace vmcp::runner {
namespace {

// Whatever their arguments. Names that this machine or this libseccomp does not know are passed over.
constexpr const char* kHarmless[] = {
    // Open descriptors. No ioctl(): terminals take typed input from it.
    "read", "write", "readv", "writev", "pread64", "preadv", "lseek", "close", "close_range", "dup", "dup2",
    "dup3", "fstat", "recvfrom", "recvmsg", "sendmsg", "shutdown", "poll", "ppoll", "select", "pselect6",
    "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2", "pipe", "pipe2",
    "timerfd_create", "timerfd_settime", "timerfd_gettime",
    // Names of files. Landlock does not cover what only tells that a file is there.
    "stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat",
    "getcwd",
    // Memory.
    "brk", "munmap", "mremap", "madvise", "membarrier",
    // Threads.
    "futex", "futex_wait", "futex_wake", "futex_waitv", "futex_requeue", "set_robust_list", "get_robust_list",
    "set_tid_address", "rseq", "sched_yield", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
    "sched_get_priority_max", "sched_get_priority_min", "getcpu", "exit", "exit_group",
    // Its own signals.
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait", "rt_sigsuspend",
    "sigaltstack", "pause", "alarm", "setitimer", "getitimer", "restart_syscall",
    // Clocks.
    "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "times",
    // Who and where it is.
    "getpid", "getppid", "gettid", "getpgrp", "getuid", "geteuid", "getgid", "getegid", "uname", "sysinfo",
    "getrusage", "getrlimit", "getrandom"};

// Libraries take an older way, which the filter can look into, when these do not exist.
constexpr const char* kUnknown[] = {"clone3", "openat2"};

// Everything that would change a file or make one. O_TMPFILE without the bit that it shares with O_DIRECTORY.
constexpr scmp_datum_t kChanges = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);

// A thread and nothing but a thread.
constexpr scmp_datum_t kProcessFlags = CLONE_THREAD | CLONE_VFORK | CLONE_PTRACE | CLONE_NEWNS |
                                       CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                       CLONE_NEWPID | CLONE_NEWNET;

// Shared memory is not counted by RLIMIT_DATA, nor are mappings that grow like a stack.
constexpr scmp_datum_t kMapKinds = MAP_TYPE | MAP_GROWSDOWN | MAP_HUGETLB;

// Of fcntl(): not F_SETOWN, by which the kernel sends a signal to another process, nor locks.
constexpr int kDescriptorFlags[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL};
constexpr int kNames[] = {PR_SET_NAME, PR_GET_NAME};

scmp_arg_cmp equals(unsigned argument, scmp_datum_t value) {
  return scmp_arg_cmp{argument, SCMP_CMP_EQ, value, 0};
}
scmp_arg_cmp masked(unsigned argument, scmp_datum_t mask, scmp_datum_t value) {
  return scmp_arg_cmp{argument, SCMP_CMP_MASKED_EQ, mask, value};
}

// libseccomp's filter while it is being made. The first failure is kept, later steps do nothing.
class Filter {
 public:
  explicit Filter(std::uint32_t otherwise) : context_(::seccomp_init(otherwise)) {
    if (context_ == nullptr) error_ = ENOMEM;
    // Calls in the manner of another architecture would pass by numbers that mean something else.
    set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    // raise_before_load() set it, and the first filter forbids to set it again.
    set(SCMP_FLTATR_CTL_NNP, 0);
    set(SCMP_FLTATR_CTL_TSYNC, 1);
    // A tree instead of a chain: the last call of a chain of 100 costs 100 comparisons.
    set(SCMP_FLTATR_CTL_OPTIMIZE, 2);
  }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;
  ~Filter() {
    if (context_ != nullptr) ::seccomp_release(context_);
  }

  // All conditions together; several rules for one name are alternatives.
  void on(const char* name, std::uint32_t action, const std::vector<scmp_arg_cmp>& conditions = {}) {
    const int number = ::seccomp_syscall_resolve_name(name);
    if (number < 0 || error_ != 0) return;
    error_ = -::seccomp_rule_add_array(context_, action, number, static_cast<unsigned>(conditions.size()),
                                       conditions.data());
  }
  void allow(const char* name, const std::vector<scmp_arg_cmp>& conditions = {}) {
    on(name, SCMP_ACT_ALLOW, conditions);
  }

  Result<void> load() {
    if (error_ == 0) error_ = -::seccomp_load(context_);
    if (error_ == 0) return {};
    return make_error(Code::internal,
                      std::string("The filter of system calls could not be loaded: ") +
                          std::strerror(error_) +
                          "; the kernel needs CONFIG_SECCOMP_FILTER, and what surrounds this process must "
                          "permit seccomp()",
                      std::strerror(error_));
  }

 private:
  void set(scmp_filter_attr attribute, std::uint32_t value) {
    if (error_ == 0) error_ = -::seccomp_attr_set(context_, attribute, value);
  }

  scmp_filter_ctx context_;
  int error_ = 0;
};

void allow_files(Filter& filter) {
  filter.allow("open", {masked(1, kChanges, O_RDONLY)});
  filter.allow("openat", {masked(2, kChanges, O_RDONLY)});
  for (const int command : kDescriptorFlags)
    filter.allow("fcntl", {equals(1, static_cast<scmp_datum_t>(command))});
  // Of a connected socket; with an address it would be a datagram to anybody.
  filter.allow("sendto", {equals(4, 0)});
  filter.on("ioctl", SCMP_ACT_ERRNO(ENOTTY));
}

void allow_memory(Filter& filter) {
  filter.allow("mmap", {masked(2, PROT_EXEC, 0), masked(3, kMapKinds, MAP_PRIVATE)});
  // Code comes from a file: the linker needs it. Code that was written into memory never runs.
  filter.allow("mmap", {masked(2, PROT_EXEC | PROT_WRITE, PROT_EXEC),
                        masked(3, kMapKinds | MAP_ANONYMOUS, MAP_PRIVATE)});
  filter.allow("mprotect", {masked(2, PROT_EXEC, 0)});
}

void allow_threads(Filter& filter) {
  filter.allow("clone", {masked(0, kProcessFlags, CLONE_THREAD)});
  const auto self = static_cast<scmp_datum_t>(::getpid());
  filter.allow("kill", {equals(0, self)});
  filter.allow("tgkill", {equals(0, self)});
  for (const int option : kNames) filter.allow("prctl", {equals(0, static_cast<scmp_datum_t>(option))});
  // Reading one's own limits.
  filter.allow("prlimit64", {equals(0, 0), equals(2, 0)});
  // The second filter; more filters would only take more away.
  constexpr scmp_datum_t kEither = SECCOMP_FILTER_FLAG_TSYNC_ESRCH;  // which of the two, libseccomp decides
  filter.allow("seccomp",
               {equals(0, SECCOMP_SET_MODE_FILTER), masked(1, ~kEither, SECCOMP_FILTER_FLAG_TSYNC)});
}

}  // namespace

Result<void> filter_before_load() {
  Filter filter(SCMP_ACT_ERRNO(EPERM));
  for (const char* const name : kHarmless) filter.allow(name);
  for (const char* const name : kUnknown) filter.on(name, SCMP_ACT_ERRNO(ENOSYS));
  allow_files(filter);
  allow_memory(filter);
  allow_threads(filter);
  return filter.load();
}

Result<void> filter_after_load() {
  Filter filter(SCMP_ACT_ALLOW);
  filter.on("mmap", SCMP_ACT_ERRNO(EPERM), {masked(2, PROT_EXEC, PROT_EXEC)});
  filter.on("seccomp", SCMP_ACT_ERRNO(EPERM));
  return filter.load();
}

}  // namespace vmcp::runner
