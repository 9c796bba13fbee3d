// Steps 5 and 8 as a call meets them: which buckets it pays, and what a refusal says.
#include "rig.h"

using namespace rig;

namespace {

// Wide, and so slow that nothing comes back while a test runs.
throttle::Settings wide() {
  throttle::Settings s = Rig::limits();
  s.identity = {0.001, 1000};
  return s;
}

std::string rule_of(const pipeline::ToolAnswer& answer) {
  CHECK(answer.is_error);
  CHECK(answer.code == Code::throttled);
  CHECK(answer.retry_after_ms > 0);
  return answer.rule;
}

}  // namespace

TEST_CASE("throttle: a tool's own limit refuses it and no other, before anything is looked at") {
  throttle::Settings limits = wide();
  limits.tools["change_vm"] = {0.001, 1};
  Rig r({}, false, limits);
  r.plan.run["change_vm"] = power_on();
  CHECK_FALSE(r.call("change_vm", {{"vm_id", "alpha"}}).is_error);
  const int resolves = r.inventory.resolves;
  const auto refused = r.call("change_vm", {{"vm_id", "beta"}});
  CHECK(rule_of(refused) == "limit tool change_vm");
  CHECK(refused.quota.limit == 1);
  CHECK(refused.quota.remaining == 0);
  CHECK(refused.quota.reset_ms > 0);
  CHECK(refused.texts.at(0).find("then repeat") != std::string::npos);
  CHECK(r.inventory.resolves == resolves);
  CHECK_FALSE(r.call("look", {{"vm_id", "alpha"}}).is_error);
  CHECK(r.connection.count() == 1);
  const auto lines = r.lines();
  CHECK(lines.at(2)["step"] == "throttle");
  CHECK(lines.at(2)["rule"] == "limit tool change_vm");
  CHECK(lines.at(2)["code"] == "throttled");
}

TEST_CASE("throttle: names of tools that do not exist make no buckets") {
  throttle::Settings limits = wide();
  limits.tool = {0.001, 1};
  Rig r({}, false, limits);
  for (int i = 0; i < 3; ++i)
    CHECK(r.call("no_such_tool", Json::object()).protocol->code == Code::unknown_tool);
  CHECK_FALSE(r.call("echo", Json::object()).is_error);
  CHECK(rule_of(r.call("echo", Json::object())) == "limit tool echo");
}

TEST_CASE("throttle: a role's callers share its limit") {
  throttle::Settings limits = wide();
  limits.roles["read"] = {0.001, 2};
  Rig r({}, false, limits);
  for (int i = 0; i < 2; ++i) CHECK_FALSE(r.call("echo", Json::object(), "token-of-reader-0001").is_error);
  CHECK(rule_of(r.call("echo", Json::object(), "token-of-reader-0001")) == "limit role read");
  CHECK_FALSE(r.call("echo", Json::object()).is_error);
}

TEST_CASE(
    "throttle: an object is counted by what it is, not by how it was called, and vCenter is untouched") {
  throttle::Settings limits = wide();
  limits.target = {0.001, 2};
  Rig r({}, false, limits);
  r.plan.run["change_vm"] = power_on();
  CHECK_FALSE(r.call("change_vm", {{"vm_id", "alpha"}}).is_error);
  CHECK_FALSE(r.call("change_many", {{"vm_ids", {"alpha", "beta", "vm-1"}}}).is_error);
  const auto refused = r.call("change_vm", {{"vm_id", "vm-1"}});
  CHECK(rule_of(refused) == "limit target vm-1");
  CHECK(r.connection.count() == 1);
  CHECK(r.lines().back()["step"] == "authorise_targets");
  // One of two is exhausted: the other one pays nothing, however often it is tried.
  for (int i = 0; i < 5; ++i)
    CHECK(rule_of(r.call("change_many", {{"vm_ids", {"beta", "alpha"}}})) == "limit target vm-1");
  CHECK_FALSE(r.call("look", {{"vm_id", "beta"}}).is_error);
  CHECK(rule_of(r.call("look", {{"vm_id", "beta"}})) == "limit target vm-2");
}

TEST_CASE("throttle: who may not touch an object takes nothing from it") {
  throttle::Settings limits = wide();
  limits.target = {0.001, 1};
  Rig r({}, false, limits);
  for (int i = 0; i < 3; ++i)
    CHECK(r.call("change_vm", {{"vm_id", "alpha"}}, "token-of-reader-0001").code == Code::denied);
  CHECK_FALSE(r.call("look", {{"vm_id", "alpha"}}).is_error);
}

TEST_CASE("throttle: a vCenter's limit holds for the tools that use one") {
  throttle::Settings limits = wide();
  limits.vcenters["vc.example"] = {0.001, 2};
  Rig r({}, false, limits);
  CHECK_FALSE(r.call("look", {{"vm_id", "alpha"}}).is_error);
  CHECK_FALSE(r.call("look", {{"vm_id", "beta"}}).is_error);
  CHECK(rule_of(r.call("look", {{"vm_id", "alpha"}})) == "limit vcenter vc.example");
  CHECK_FALSE(r.call("echo", Json::object()).is_error);
}

TEST_CASE("throttle: a tool's cost counts in every bucket") {
  throttle::Settings limits = wide();
  limits.identity = {0.001, 10};
  limits.vcenters["vc.example"] = {0.001, 10};
  limits.tool_costs["look"] = 4;
  Rig r({}, false, limits);
  for (int i = 0; i < 2; ++i) CHECK_FALSE(r.call("look", {{"vm_id", "alpha"}}).is_error);
  const auto refused = r.call("look", {{"vm_id", "alpha"}});
  CHECK(rule_of(refused) == "limit identity boss");
  CHECK(refused.quota.remaining == 2);
  for (int i = 0; i < 2; ++i) CHECK_FALSE(r.call("echo", Json::object()).is_error);
}

TEST_CASE("throttle: an agent that repeats one call is slowed and told so") {
  throttle::Settings limits = wide();
  limits.identical_calls = 3;
  Rig r({}, false, limits);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(r.call("echo", {{"text", "same"}}).is_error);
  const auto refused = r.call("echo", {{"text", "same"}});
  CHECK(rule_of(refused) == "limit identical calls");
  CHECK(refused.texts.at(0).find("You repeat yourself: 'echo'") == 0);
  CHECK_FALSE(r.call("echo", {{"text", "other"}}).is_error);
  CHECK_FALSE(r.call("echo", {{"text", "same"}}, "token-of-reader-0001").is_error);
}

TEST_CASE("throttle: in shadow mode the call runs, and the audit names the limit") {
  throttle::Settings limits = wide();
  limits.shadow = true;
  limits.tools["echo"] = {0.001, 1};
  Rig r({}, false, limits);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(r.call("echo", Json::object()).is_error);
  const auto lines = r.lines();
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].value("rule", "") == "");
  CHECK(lines[1]["rule"] == "shadow: limit tool echo");
  CHECK(lines[1]["ok"] == true);
  CHECK(lines[2]["event"] == "outcome");
}
