// Bypass corpus, rounds and locks: a state that was given out for one call serves no other and no second
// change; a lock that is set while a call waits for its place stops it before the vCenter.
#include <doctest/doctest.h>

#include <filesystem>
#include <future>

#include "e2e/corpus.h"
#include "e2e/site.h"
#include "support/command_output.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

constexpr const char* kNoState = "requestState";

// A call of a client that can be asked.
Sent asking(const std::string& tool, const Json& arguments, const Json& more = Json::object(),
            const std::string& token = "demo-admin", const std::string& method = "tools/call") {
  Json params{{"name", tool}, {"arguments", arguments}};
  params.update(more);
  params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = {
      {"elicitation", {{"form", Json::object()}}}};
  return modern_sent(method, params, token);
}

Json says_yes(const std::string& state) {
  return {{"requestState", state},
          {"inputResponses", {{"sure", {{"action", "accept"}, {"content", {{"sure", "yes"}}}}}}}};
}

std::string state_in(const Heard& heard) {
  REQUIRE_MESSAGE(heard.message.contains("result"), heard.body);
  return heard.message["result"].value("requestState", "");
}

}  // namespace

TEST_CASE("bypass: the state of a round serves that call of that caller, once") {
  const Site site({"needs_input"}, "[auth.role.ops]\nallow = [\"*\"]\n[auth.role.admin]\nallow = [\"*\"]\n");
  Corpus corpus(site.options());
  const Json off = {{"vm_id", "vm-1047"}}, other = {{"vm_id", "vm-1077"}};
  REQUIRE(corpus.vm("vm-1047").value("power", "") == "POWERED_OFF");
  REQUIRE(corpus.vm("vm-1077").value("power", "") == "POWERED_OFF");
  const std::string tool = "changes_when_sure";
  const std::string state = state_in(corpus.send(asking(tool, off)));
  REQUIRE(!state.empty());
  const Json yes = says_yes(state);
  const auto attempt = [&](const char* name, const Sent& sent) {
    corpus.attempt({name, kNoState, "resolve", sent});
  };
  attempt("another caller", asking(tool, off, yes, "demo-ops"));
  attempt("another target", asking(tool, other, yes));
  attempt("the same target by its name", asking(tool, {{"vm_id", "dns-web-01"}}, yes));
  attempt("a further argument", asking(tool, {{"vm_id", "vm-1047"}, {"reason", "x"}}, yes));
  attempt("a preview's argument", asking(tool, {{"vm_id", "vm-1047"}, {"dry_run", true}}, yes));
  attempt("another tool", asking("power_on_vm", off, yes));
  attempt("another tool that only reads", asking("needs_input", Json::object(), yes));
  attempt("another method", modern_sent("prompts/get", [&] {
            Json params{{"name", "safe_resize"}, {"arguments", {{"vm", "dns-web-01"}}}};
            params.update(yes);
            return params;
          }()));
  for (const std::string& altered :
       {state.substr(1), state.substr(0, state.size() - 1), state + "A", state + "=", " " + state,
        state + state, std::string(state.size(), 'A'), std::string("e30"), std::string("{}")})
    attempt("an altered state", asking(tool, off, says_yes(altered)));
  for (std::size_t at = 0; at < state.size(); at += 11) {
    std::string altered = state;
    altered[at] = altered[at] == 'A' ? 'B' : 'A';
    attempt("a byte of the state", asking(tool, off, says_yes(altered)));
  }
  // Of a caller's own call on another object, and of a tool that asks more.
  attempt("the state of another call",
          asking(tool, off, says_yes(state_in(corpus.send(asking(tool, other))))));
  attempt("the state of another tool",
          asking(tool, off, says_yes(state_in(corpus.send(asking("needs_input", Json::object()))))));
  CHECK(corpus.changing() == 0);
  CHECK(corpus.vm("vm-1047").value("power", "") == "POWERED_OFF");
  const Heard done = corpus.send(asking(tool, off, yes));
  CHECK_MESSAGE(done.works(), done.body);
  CHECK(corpus.vm("vm-1047").value("power", "") == "POWERED_ON");
  CHECK(corpus.send(modern_tool("power_off_vm", off)).works());
  CHECK(corpus.changing() == 2);
  attempt("replayed", asking(tool, off, yes));
  attempt("replayed by another", asking(tool, off, yes, "demo-ops"));
  CHECK(corpus.vm("vm-1047").value("power", "") == "POWERED_OFF");
  CHECK(corpus.changing() == 2);
  corpus.check_journal();
}

TEST_CASE("bypass: a lock that is set while a call waits for its place stops it before the vCenter") {
  // One call at a time. Who may power it off depends on its state, so that the vCenter hears of a call that
  // has passed its rules and is about to wait.
  const Site site({"slow"},
                  "[limits]\nvcenter_parallel = 1\n[auth.role.read]\nallow = [\"*\"]\n[auth.role.admin]\n"
                  "allow = [\"*\"]\n[[policy.rule]]\nname = \"state\"\neffect = \"deny\"\n"
                  "tools = [\"power_off_vm\"]\ntargets = { power_states = [\"SUSPENDED\"] }\n");
  ServerOptions options = site.options("60");
  const std::string begun = site.folder + "/begun";
  options.environment["VMCP_SLOW_BEGUN"] = begun;
  Corpus corpus(options);
  const auto operator_says = [&](const std::string& words) {
    auto told = output_of(std::string(VMCP_PROGRAM) + " " + words + " --state-dir " +
                          corpus.server().folder() + "/state");
    REQUIRE_MESSAGE(told.first == 0, told.second);
    return told.second;
  };
  const auto received = [&] {
    return send(corpus.server().simulator_port(), "GET", "/simulator/requests", {}, "")
        .json()
        .value("total", 0);
  };
  // `meanwhile` is done while the call waits behind one that goes on until its client leaves.
  const Sent call = modern_tool("power_off_vm", {{"vm_id", "vm-1012"}});
  const auto while_it_waits = [&](const auto& meanwhile) {
    std::filesystem::remove(begun);
    auto ahead = std::make_unique<RawClient>(corpus.server().port());
    ahead->send(modern_call(corpus.server().port(), "demo-read",
                            {{"name", "slow"}, {"arguments", {{"ms", 600'000}}}}));
    REQUIRE(wait_until([&] { return std::filesystem::exists(begun); }, 10'000));
    corpus.forget_requests();
    auto waits = std::async(std::launch::async, [&] { return corpus.send(call); });
    REQUIRE(wait_until([&] { return received() > 0; }, 10'000));
    meanwhile();
    ahead.reset();
    return waits.get();
  };
  CHECK(corpus.send(modern_tool("get_vm_details", {{"vm_id", "vm-1012"}})).works());
  for (const char* lock : {"tool power_off_vm", "identity demo-admin", "role admin", "target '*:vm:vm-1012'",
                           "target /north/vm/Production", "everything"}) {
    CAPTURE(lock);
    std::string said;
    const Heard stopped =
        while_it_waits([&] { said = operator_says("lock " + std::string(lock) + " --reason 'not now'"); });
    corpus.attempt(lock, "not now", "slot", stopped);
    CHECK(corpus.changing() == 0);
    operator_says("unlock " + said.substr(0, said.find(' ')));
  }
  CHECK(corpus.vm("vm-1012").value("power", "") == "POWERED_ON");
  // A lock on something else stops nothing.
  const Heard done = while_it_waits([&] { operator_says("lock tool restart_vm --reason 'not now'"); });
  CHECK_MESSAGE(done.works(), done.body);
  CHECK(corpus.changing() == 1);
  corpus.check_journal();
}
