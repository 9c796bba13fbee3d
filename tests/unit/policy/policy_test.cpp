#include "policy/policy.h"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <string>

#include "base/glob.h"
#include "support/rounds.h"

using namespace vmcp;
using policy::Policy;
using policy::RoleRules;
using policy::ToolFacts;

namespace {

using Roles = std::map<std::string, RoleRules>;

const char* const kReadTools[] = {
    "list_vms",         "get_vm_details",      "list_vm_snapshots",
    "list_hosts",       "list_datastores",     "list_networks",
    "list_datacenters", "get_datastore_usage", "get_resource_utilization_summary"};
const char* const kOpsTools[] = {"power_on_vm", "power_off_vm", "restart_vm", "create_vm_snapshot"};
const char* const kAdminTools[] = {"delete_vm", "delete_vm_snapshot", "modify_vm_resources"};

Policy made(Roles roles, bool read_only = false) {
  auto policy = Policy::make(std::move(roles), read_only, "v1");
  REQUIRE(policy);
  return std::move(*policy);
}

policy::Decision ask(const Policy& policy, const char* role, std::string_view tool, bool changes = true) {
  return policy.may_call({"somebody", role}, {tool, changes}, {});
}

std::string problems(Roles roles) {
  const auto policy = Policy::make(std::move(roles), false, "v1");
  REQUIRE_FALSE(policy);
  CHECK(policy.error().code == Code::invalid_argument);
  return policy.error().text;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("default roles: read is in ops and ops is in admin, and nothing else") {
  const Policy policy = made(policy::default_roles());
  for (const char* tool : kReadTools)
    for (const char* role : {"read", "ops", "admin"}) CHECK(ask(policy, role, tool, false).allowed);
  for (const char* tool : kOpsTools) {
    CHECK_FALSE(ask(policy, "read", tool).allowed);
    CHECK(ask(policy, "ops", tool).allowed);
    CHECK(ask(policy, "admin", tool).allowed);
  }
  for (const char* tool : kAdminTools) {
    CHECK_FALSE(ask(policy, "read", tool).allowed);
    CHECK_FALSE(ask(policy, "ops", tool).allowed);
    CHECK(ask(policy, "admin", tool).allowed);
  }
  CHECK_FALSE(ask(policy, "ops", "some_plugins_tool").allowed);
  CHECK(ask(policy, "admin", "some_plugins_tool").allowed);
}

TEST_CASE("may_call: a refusal says what is missing and who has it, narrowest role first") {
  const Policy policy = made(policy::default_roles());
  const auto refused = ask(policy, "read", "power_on_vm");
  CHECK(refused.rule == "default deny");
  CHECK(refused.reason == "role 'read' may not call 'power_on_vm'; roles that may: ops, admin");
  const auto allowed = ask(policy, "ops", "list_vms", false);
  CHECK(allowed.rule == "role read allow 'list_vms'");
  CHECK(allowed.reason.empty());
}

TEST_CASE("may_call: a tool that nobody may use says so") {
  const Policy policy = made({{"read", {{"list_*"}, {}, {}}}});
  CHECK(contains(ask(policy, "read", "delete_vm").reason, "none; the operator must add it"));
}

TEST_CASE("may_call: an unknown or empty role may nothing") {
  const Policy policy = made(policy::default_roles());
  for (const char* role : {"", "Read", "root", "admin "}) {
    CHECK_FALSE(ask(policy, role, "list_vms", false).allowed);
    CHECK(ask(policy, role, "list_vms", false).rule == "unknown role");
  }
}

TEST_CASE("may_call: deny beats allow, own or inherited, in either direction") {
  const Policy policy = made({
      {"base", {{"vm_*"}, {"vm_delete"}, {}}},
      {"child", {{"vm_delete", "extra"}, {}, {"base"}}},
      {"strict", {{}, {"vm_*"}, {"base"}}},
  });
  CHECK(ask(policy, "base", "vm_list").allowed);
  CHECK_FALSE(ask(policy, "base", "vm_delete").allowed);
  CHECK(ask(policy, "child", "vm_list").rule == "role base allow 'vm_*'");
  CHECK_FALSE(ask(policy, "child", "vm_delete").allowed);
  CHECK(ask(policy, "child", "vm_delete").rule == "role base deny 'vm_delete'");
  CHECK(ask(policy, "child", "extra").allowed);
  CHECK_FALSE(ask(policy, "strict", "vm_list").allowed);
}

TEST_CASE("may_call: globs match whole names and their case") {
  const Policy policy = made({{"r", {{"list_*", "get_?"}, {}, {}}}});
  CHECK(ask(policy, "r", "list_").allowed);
  CHECK(ask(policy, "r", "get_x").allowed);
  CHECK_FALSE(ask(policy, "r", "get_xy").allowed);
  CHECK_FALSE(ask(policy, "r", "xlist_vms").allowed);
  CHECK_FALSE(ask(policy, "r", "LIST_VMS").allowed);
  CHECK_FALSE(ask(policy, "r", "").allowed);
}

TEST_CASE("may_call: READ_ONLY denies what changes, whatever the role, and hides nothing that reads") {
  const Policy policy = made(policy::default_roles(), true);
  CHECK(ask(policy, "admin", "list_vms", false).allowed);
  const auto refused = ask(policy, "admin", "delete_vm");
  CHECK_FALSE(refused.allowed);
  CHECK(refused.rule == "READ_ONLY");
  CHECK(contains(refused.reason, "READ_ONLY=true"));
  // Who may not call it anyway learns only that.
  CHECK(ask(policy, "read", "delete_vm").rule == "default deny");
}

TEST_CASE("visible: a known role sees resolved objects and an unknown role sees nothing") {
  const Policy policy = made(policy::default_roles());
  const inventory::Object vm{"vm", "VirtualMachine", "vc", "vm-1", "db", "/dc/vm/db", ""};
  const policy::Subject subject{&vm, nullptr};
  CHECK(policy.visible({"a", "read"}, subject, {}));
  CHECK_FALSE(policy.visible({"a", "nobody"}, subject, {}));
  const Json none = Json::object();
  const auto judged = [&](const char* role) {
    const Principal caller{"a", role};
    return policy.judge({caller, {"power_on_vm", true}, false, "vc", none, {&subject, 1}, {}}).decision;
  };
  CHECK(judged("ops").allowed);
  CHECK_FALSE(judged("nobody").allowed);
  CHECK(judged("nobody").rule == "unknown role");
  CHECK_FALSE(policy.limited({"a", "read"}));
  CHECK(policy.limited({"a", "nobody"}));
}

TEST_CASE("visible: an object that was not resolved is nobody's") {
  const Policy policy = made(policy::default_roles());
  const inventory::Object nothing, no_id{"vm", "VirtualMachine", "vc", "", "db", "/db", ""};
  for (const inventory::Object* object : {&nothing, &no_id}) {
    const policy::Subject subject{object, nullptr};
    CHECK_FALSE(policy.visible({"a", "admin"}, subject, {}));
    const Json none = Json::object();
    const Principal caller{"a", "admin"};
    const auto judged = policy.judge({caller, {"delete_vm", true}, false, "vc", none, {&subject, 1}, {}});
    CHECK(judged.decision.rule == "invisible target");
  }
}

TEST_CASE("make: every problem is named at once") {
  const std::string text = problems({
      {"ok", {{"list_*"}, {}, {}}},
      {"bad name", {{}, {}, {}}},
      {"blank", {{""}, {}, {}}},
      {"odd", {{"a b"}, {"c;d"}, {"ghost"}}},
      {"me", {{}, {}, {"me"}}},
      {"one", {{}, {}, {"two"}}},
      {"two", {{}, {}, {"three"}}},
      {"three", {{}, {}, {"one"}}},
  });
  for (const char* part : {"role 'bad name'", "allow pattern ''", "allow pattern 'a b'", "deny pattern 'c;d'",
                           "inherits 'ghost', which does not exist", "role 'me' inherits itself",
                           "role 'one' inherits itself", "role 'two' inherits itself"})
    CHECK_MESSAGE(contains(text, part), part, " in ", text);
  CHECK_FALSE(contains(text, "role 'ok'"));
}

TEST_CASE("make: sizes are bounded") {
  CHECK(contains(problems({}), "no role"));
  Roles many;
  for (int i = 0; i < 300; ++i) many["r" + std::to_string(i)];
  CHECK(contains(problems(many), "256"));
  CHECK(contains(problems({{"r", {std::vector<std::string>(1001, "x"), {}, {}}}}), "1000"));
  CHECK_FALSE(Policy::make({{"r", {{std::string(129, 'x')}, {}, {}}}}, false, ""));
}

TEST_CASE("make: a lattice of inheritance is walked in linear time") {
  Roles roles;
  for (int level = 0; level < 100; ++level)
    for (const char* side : {"a", "b"}) {
      RoleRules& rules = roles[side + std::to_string(level)];
      rules.allow = {side + std::string("_tool_") + std::to_string(level)};
      if (level > 0) rules.inherits = {"a" + std::to_string(level - 1), "b" + std::to_string(level - 1)};
    }
  const Policy policy = made(std::move(roles));
  CHECK(ask(policy, "a99", "b_tool_0").allowed);
  CHECK_FALSE(ask(policy, "a98", "a_tool_99").allowed);
}

// The same question answered by the plainest code that can answer it.
namespace {

bool naive(const Roles& roles, const std::string& role, std::string_view tool, bool changes, bool read_only) {
  std::set<std::string> all{role};
  for (bool grown = true; grown;) {
    grown = false;
    for (const std::string& name : std::set<std::string>(all))
      for (const std::string& parent : roles.at(name).inherits) grown = all.insert(parent).second || grown;
  }
  bool allowed = false;
  for (const std::string& name : all) {
    for (const std::string& pattern : roles.at(name).deny)
      if (glob_match(pattern, tool)) return false;
    for (const std::string& pattern : roles.at(name).allow) allowed = allowed || glob_match(pattern, tool);
  }
  return allowed && !(read_only && changes);
}

}  // namespace

TEST_CASE("may_call: agrees with a naive model on random policies") {
  std::mt19937 random(20260801);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const char* const patterns[] = {"*", "vm_*", "*_list", "vm_list", "host_?et", "host_get", "?m_*", "x"};
  const char* const tools[] = {"vm_list", "vm_get", "host_list", "host_get", "host_set", "x", ""};
  int allowed = 0;
  for (int round = 0; round < vmcp::testing::rounds(4000); ++round) {
    Roles roles;
    for (int r = 0; r < 4; ++r) {
      RoleRules& rules = roles["r" + std::to_string(r)];
      for (int i = pick(3); i > 0; --i) rules.allow.push_back(patterns[pick(8)]);
      for (int i = pick(2); i > 0; --i) rules.deny.push_back(patterns[pick(8)]);
      for (int i = pick(3); r > 0 && i > 0; --i) rules.inherits.push_back("r" + std::to_string(pick(r)));
    }
    const bool read_only = pick(4) == 0;
    const auto policy = Policy::make(roles, read_only, "");
    REQUIRE(policy);
    for (const char* tool : tools)
      for (const auto& [role, rules] : roles) {
        const bool changes = pick(2) == 0;
        const bool expected = naive(roles, role, tool, changes, read_only);
        REQUIRE(policy->may_call({"x", role}, {tool, changes}, {}).allowed == expected);
        allowed += expected;
      }
  }
  CHECK(allowed > 1000);
}

TEST_CASE(
    "policy: roles stand in the order of what they may call, and a denial names the narrowest that may") {
  const auto policy = Policy::make({{"zero", {{}, {}, {}}},
                                    {"all", {{"*"}, {}, {}}},
                                    {"look", {{"list_*"}, {}, {}}},
                                    {"most", {{"*"}, {"delete_*"}, {}}}},
                                   false, "1");
  REQUIRE(policy.ok());
  CHECK(policy->roles({"list_vms", "list_hosts", "power_on_vm", "delete_vm"}) ==
        std::vector<std::string>{"zero", "look", "most", "all"});
  const Principal nobody{"agent", ""}, looker{"agent", "look"};
  CHECK(policy->may_call(looker, {"delete_vm", true}, {}).wider_role == "all");
  const auto unknown = policy->may_call(nobody, {"list_vms", false}, {});
  CHECK_FALSE(unknown.allowed);
  CHECK(unknown.wider_role == "look");
  CHECK(unknown.reason.find("the token grants no role") == 0);
  const auto read_only = Policy::make({{"look", {{"list_*"}, {}, {}}}, {"all", {{"*"}, {}, {}}}}, true, "1");
  CHECK(read_only->may_call(looker, {"delete_vm", true}, {}).wider_role.empty());
  CHECK(policy->may_call(looker, {"delete_vm", true}, {}).rule == "default deny");
  CHECK(Policy::make({{"look", {{"list_*"}, {}, {}}}}, false, "1")
            ->may_call(looker, {"x", true}, {})
            .wider_role == "");
}

TEST_CASE("policy: the server itself is administered only by who was given exactly that") {
  const Policy policy = made({{"admin", {{"*"}, {}, {}}},
                              {"keeper", {{"admin/plugins"}, {}, {}}},
                              {"all", {{"admin/*"}, {}, {}}},
                              {"heir", {{}, {}, {"keeper"}}},
                              {"barred", {{"admin/*"}, {"admin/plugins"}, {}}},
                              {"starred", {{"admi*"}, {}, {}}}});
  const auto may = [&](const char* role, const char* area = "plugins") {
    return policy.may_administer({"somebody", role}, area);
  };
  for (const char* role : {"keeper", "all", "heir"}) CHECK(may(role).allowed);
  for (const char* role : {"admin", "barred", "starred", "nobody", ""}) {
    CAPTURE(role);
    CHECK_FALSE(may(role).allowed);
    CHECK(may(role).reason.find("admin/plugins") != std::string::npos);
  }
  CHECK_FALSE(may("keeper", "locks").allowed);
  CHECK(may("all", "locks").allowed);
  CHECK(may("barred").rule == "role barred deny 'admin/plugins'");
}
