// The fixture `escapes`, in the sandbox: each attempt fails, by name.
#include <doctest/doctest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>

#include "unit/runner/child.h"

using namespace vmcp::runner::test;

namespace {

struct Expected {
  const char* attempt;
  const char* part;  // of the sandbox, that refuses it; one is enough
};

const std::vector<Expected> kEscapes = {
    {"read_state", "landlock_files"},
    {"read_passwd", "landlock_files"},
    {"read_own_environment", "landlock_files"},
    {"read_parent_environment", "landlock_files"},
    {"read_parent_status", "landlock_files"},
    {"read_kernel_settings", "landlock_files"},
    {"write_own_memory", "system_calls"},
    {"list_root", "landlock_files"},
    {"list_state", "landlock_files"},
    {"has_environment", "environment"},
    {"has_descriptors", "descriptors"},
    {"write_new", "system_calls"},
    {"write_existing", "system_calls"},
    {"write_null_device", "system_calls"},
    {"write_unnamed", "system_calls"},
    {"write_by_structure", "system_calls"},
    {"truncate", "system_calls"},
    {"truncate_by_open", "system_calls"},
    {"truncate_to_write", "system_calls"},
    {"unlink", "system_calls"},
    {"rename", "system_calls"},
    {"chmod", "system_calls"},
    {"chown", "system_calls"},
    {"change_times", "system_calls"},
    {"set_attribute", "system_calls"},
    {"make_folder", "system_calls"},
    {"make_pipe", "system_calls"},
    {"make_link", "system_calls"},
    {"make_symbolic_link", "system_calls"},
    {"change_folder", "system_calls"},
    {"watch_files", "system_calls"},

    {"connect_tcp", "system_calls"},
    {"listen_tcp", "system_calls"},
    {"send_udp", "system_calls"},
    {"connect_unix", "system_calls"},
    {"connect_abstract", "system_calls"},
    {"make_any_socket", "system_calls"},
    {"make_socket_pair", "system_calls"},

    {"trace_parent", "system_calls"},
    {"read_parent_memory", "system_calls"},
    {"write_parent_memory", "system_calls"},
    {"take_parents_descriptor", "system_calls"},
    {"signal_parent", "system_calls"},
    {"signal_everyone", "system_calls"},
    {"signal_group", "system_calls"},
    {"signal_parents_thread", "system_calls"},
    {"signal_any_thread", "system_calls"},
    {"signal_by_descriptor", "system_calls"},
    {"signal_by_owner", "system_calls"},
    {"signal_by_queue", "system_calls"},
    {"execute", "system_calls"},
    {"execute_linker", "system_calls"},
    {"fork", "system_calls"},
    {"clone", "system_calls"},
    {"clone3", "system_calls"},
    {"thread_in_namespace", "system_calls"},
    {"raise_limits", "system_calls"},
    {"read_parents_limits", "system_calls"},
    {"move_parent", "system_calls"},
    {"slow_parent", "system_calls"},
    {"become_dumpable", "system_calls"},
    {"outlive_parent", "system_calls"},
    {"change_user", "system_calls"},
    {"change_group", "system_calls"},

    {"map_writable_code", "system_calls"},
    {"map_nameless_code", "system_calls"},
    {"make_memory_executable", "system_calls"},
    {"make_memory_executable_by_key", "system_calls"},
    {"readable_is_executable", "system_calls"},
    {"exhaust_memory", "memory_limit"},
    {"exhaust_mapped_memory", "memory_limit"},
    {"exhaust_shared_memory", "system_calls"},
    {"exhaust_stack_memory", "system_calls"},
    {"exhaust_addresses", "memory_limit"},
    {"exhaust_descriptors", "other_limits"},
    {"make_nameless_file", "system_calls"},
    {"share_segment", "system_calls"},
    {"lock_memory", "system_calls"},

    {"make_namespace", "system_calls"},
    {"make_user_namespace", "system_calls"},
    {"enter_namespace", "system_calls"},
    {"mount", "system_calls"},
    {"change_root", "system_calls"},
    {"rename_machine", "system_calls"},
    {"io_uring", "system_calls"},
    {"userfaultfd", "system_calls"},
    {"bpf", "system_calls"},
    {"keyctl", "system_calls"},
    {"add_key", "system_calls"},
    {"perf_event", "system_calls"},
    {"read_kernel_log", "system_calls"},
    {"command_device", "system_calls"},
    {"own_rules", "system_calls"},
    {"move_pages", "system_calls"},

    // Once the library is mapped; in the variant that tries early, by a thread that its constructor started.
    {"map_code", "system_calls"},
    {"load_library", "system_calls"},

    // Last: who can do this stops at the next signal.
    {"trace_me", "system_calls"},
};

nlohmann::json attempt(Child& child, const std::string& name) {
  const std::string answer = child.ask("call try_escape " + nlohmann::json{{"attempt", name}}.dump());
  nlohmann::json out = nlohmann::json::parse(answer, nullptr, false);
  REQUIRE_MESSAGE(out.is_object(), name << ": " << answer);
  return out;
}

// Whoever was not refused, but failed for want of something to try it on, proves nothing.
bool is_refusal(int error) {
  return std::set<int>{0, EPERM, EACCES, ENOSYS, ENOTTY, ENOMEM, EMFILE, EBADF}.contains(error);
}

void all_attempts_fail(const std::string& fixture, const std::vector<std::string>& options = {}) {
  const Arena arena;
  Child child(fixture, options);
  REQUIRE_MESSAGE(child.greeting().starts_with("ready\n"), child.greeting());
  CAPTURE(child.greeting());
  for (const Expected& expected : kEscapes) {
    const std::string state = child.state(expected.part);
    REQUIRE_MESSAGE(!state.empty(), expected.part);
    if (state != "active") {
      MESSAGE("skipped " << expected.attempt << ": " << child.part(expected.part));
      continue;
    }
    const nlohmann::json outcome = attempt(child, expected.attempt);
    CHECK_MESSAGE(outcome["succeeded"] == false, outcome.dump());
    CHECK_MESSAGE(is_refusal(outcome["errno"]), outcome.dump());
  }
  CHECK(arena.untouched());
}

// For these the kernel wants more than an ordinary user, or containers and hardened kernels often forbid
// them, or what succeeds gets in the way of the attempts behind it.
const std::set<std::string> kNotForEveryone = {"trace_parent",
                                               "trace_me",
                                               "read_parent_memory",
                                               "write_parent_memory",
                                               "take_parents_descriptor",
                                               "enter_namespace",
                                               "make_namespace",
                                               "make_user_namespace",
                                               "mount",
                                               "change_root",
                                               "rename_machine",
                                               "io_uring",
                                               "userfaultfd",
                                               "bpf",
                                               "keyctl",
                                               "add_key",
                                               "perf_event",
                                               "read_kernel_log",
                                               "command_device",
                                               "own_rules",
                                               "move_pages",
                                               "readable_is_executable"};

}  // namespace

TEST_CASE("escapes: every attempt of a call fails") {
  all_attempts_fail("fixture_escapes");
}

TEST_CASE("escapes: every attempt of a constructor fails") {
  all_attempts_fail("fixture_escapes_early");
}

TEST_CASE("escapes: every attempt of a call fails with the Landlock of Debian 12") {
  all_attempts_fail("fixture_escapes", {"--landlock", "2"});
}

TEST_CASE("escapes: every attempt of a constructor fails with the Landlock of Debian 12") {
  all_attempts_fail("fixture_escapes_early", {"--landlock", "2"});
}

// Else one might fail for reasons of its own.
TEST_CASE("escapes: without the sandbox the attempts that an ordinary user may make succeed") {
  const Arena arena;
  Child child("fixture_escapes", {"--off"});
  REQUIRE_MESSAGE(child.greeting().starts_with("ready\n"), child.greeting());
  for (const Expected& expected : kEscapes) {
    if (kNotForEveryone.contains(expected.attempt)) continue;
    const nlohmann::json outcome = attempt(child, expected.attempt);
    CHECK_MESSAGE(outcome["succeeded"] == true, outcome.dump());
  }
}
