// What the sandbox leaves to honest plugins, and what it says about itself.
#include "runner/sandbox.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "unit/runner/child.h"

using namespace vmcp::runner;
using namespace vmcp::runner::test;

namespace {

int landlock_of_kernel() {
  const long version = ::syscall(444, nullptr, 0, 1);
  return version > 0 ? static_cast<int>(version) : 0;
}

// As the kernel says when it is asked with no filter at all.
bool kernel_filters() {
  return ::syscall(SYS_seccomp, 1, 0, nullptr) == -1 && errno == EFAULT;
}

const std::vector<std::pair<const char*, int>> kLandlock = {{"landlock_files", 1},
                                                            {"landlock_truncate", 3},
                                                            {"landlock_tcp", 4},
                                                            {"landlock_devices", 5},
                                                            {"landlock_scopes", 6}};

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

}  // namespace

TEST_CASE("sandbox: what an honest plugin needs works") {
  Child child("fixture_echo");
  REQUIRE_MESSAGE(child.greeting().starts_with("ready\n"), child.greeting());
  for (const char* what : {"threads", "exceptions", "json", "memory", "sleeping", "clocks", "locales",
                           "randomness", "output", "processors", "thread_names", "limits", "threads"})
    CHECK_MESSAGE(child.ask(std::string("works ") + what) == "", what);
  if (child.state("memory_limit") == "active")
    CHECK(child.ask("works bad_alloc") == "");
  else
    MESSAGE("skipped bad_alloc: " << child.part("memory_limit"));
  CHECK(child.ask("call echo {\"message\":\"hello\"}") == "{\"message\":\"hello\"}");
}

TEST_CASE("sandbox: plugins in C and in C++ are mapped and answer") {
  for (const auto& [fixture, call] : {std::pair{"fixture_plain", "call plain {}"},
                                      {"fixture_everything", "call test_streaming_elicitation {}"}}) {
    Child child(fixture);
    REQUIRE_MESSAGE(child.greeting().starts_with("ready\n"), child.greeting());
    const std::string answer = child.ask(call);
    CHECK_MESSAGE(!answer.starts_with("failed"), answer);
  }
}

TEST_CASE("sandbox: a thousand packets of every size pass through the inherited socket") {
  Child child("fixture_echo");
  REQUIRE(child.greeting().starts_with("ready\n"));
  for (std::size_t i = 0; i < 1000; ++i) {
    const std::string message = "{\"message\":\"" + std::string(i * 60, 'x') + "\"}";
    REQUIRE(child.ask("call echo " + message) == message);
  }
}

TEST_CASE("sandbox: a plugin that aborts dies by SIGABRT") {
  Child child("fixture_echo");
  REQUIRE(child.greeting().starts_with("ready\n"));
  CHECK(child.ask("works abort") == "it ended");
  CHECK(child.wait().signal == SIGABRT);
}

#if defined(__x86_64__)
TEST_CASE("sandbox: a system call in the manner of 32-bit programs is death") {
  Child child("fixture_echo");
  REQUIRE(child.greeting().starts_with("ready\n"));
  if (child.state("system_calls") != "active") {
    MESSAGE("skipped: " << child.part("system_calls"));
    return;
  }
  CHECK(child.ask("works foreign_call") == "it ended");
  CHECK(child.wait().signal == SIGSYS);
}
#endif

TEST_CASE("sandbox: the report has every part that this kernel can do") {
  Child child("fixture_echo");
  REQUIRE_MESSAGE(child.greeting().starts_with("ready\n"), child.greeting());
  for (const char* name :
       {"environment", "descriptors", "no_new_privs", "capabilities", "not_dumpable", "other_limits"})
    CHECK_MESSAGE(child.state(name) == "active", child.part(name));
  CHECK(child.state("memory_limit") == (kSanitized ? "waived" : "active"));
  CHECK(child.state("thread_limit") == (::getuid() == 0 ? "waived" : "active"));
  CHECK((child.state("system_calls") == "active") == kernel_filters());
  for (const auto& [name, since] : kLandlock)
    CHECK_MESSAGE((child.state(name) == "active") == (landlock_of_kernel() >= since), child.part(name));
}

TEST_CASE("sandbox: the kernel says the same as the report") {
  Child child("fixture_echo");
  REQUIRE(child.greeting().starts_with("ready\n"));
  CHECK(child.status("NoNewPrivs") == "1");
  CHECK(child.status("CapEff") == "0000000000000000");
  CHECK(child.status("CapPrm") == "0000000000000000");
  if (child.state("system_calls") == "active") {
    CHECK(child.status("Seccomp") == "2");
    // Of this process and of what surrounds it; kernels before 5.9 do not count.
    const std::string filters = child.status("Seccomp_filters");
    if (!filters.empty()) CHECK(std::stoi(filters) >= 2);
  }
  if (::getuid() != 0)
    CHECK(child.owner_of_environment() == 0);
  else
    MESSAGE("skipped not_dumpable: to uid 0 it makes no difference that could be seen");
}

TEST_CASE("sandbox: the report says what an older kernel lacks, and what stands in for it") {
  if (!kernel_filters()) {
    MESSAGE("skipped: this kernel, or what surrounds this process, has no seccomp filters");
    return;
  }
  if (landlock_of_kernel() >= 2) {
    Child debian("fixture_echo", {"--landlock", "2"});
    CHECK(debian.state("landlock_files") == "active");
    for (const char* name : {"landlock_truncate", "landlock_tcp", "landlock_devices", "landlock_scopes"})
      CHECK_MESSAGE(debian.state(name) == "replaced", debian.part(name));
    CHECK(debian.greeting().ends_with("\ncomplete\n"));
  } else {
    MESSAGE("skipped Landlock 2: the kernel has " << landlock_of_kernel());
  }
  Child none("fixture_echo", {"--landlock", "0"});
  CHECK(none.state("landlock_files") == "MISSING");
  CHECK(none.state("landlock_tcp") == "replaced");
  CHECK(!none.greeting().ends_with("\ncomplete\n"));
}

TEST_CASE("sandbox: a wish that would leave a way out is refused before anything is raised") {
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) == 0);
  const int alone = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  for (const int fd : {pair[0], alone, 4000}) {
    SandboxWish wish;
    wish.keep_descriptors = {fd};
    auto raised = raise_before_load(wish);
    REQUIRE_FALSE(raised.ok());
    CHECK(raised.error().text.find("Descriptor " + std::to_string(fd)) != std::string::npos);
  }
  for (const int fd : {pair[0], pair[1], alone}) ::close(fd);
}

TEST_CASE("sandbox: a process that already has threads is refused") {
  std::mutex held;
  held.lock();
  std::thread other([&] { const std::lock_guard lock(held); });
  auto raised = raise_before_load({});
  held.unlock();
  other.join();
  REQUIRE_FALSE(raised.ok());
  CHECK(raised.error().text.find("threads") != std::string::npos);
}
