// What a call that waits leaves with its client, over HTTP: a state, or a task. Neither serves anybody else,
// and a state serves no other call, no later day, and no second change.
#include <doctest/doctest.h>

#include <functional>

#include "base/crypto.h"
#include "e2e/site.h"
#include "pipeline/sealed_rounds.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

const char* const kCapabilities = "io.modelcontextprotocol/clientCapabilities";

Json asked(const std::string& tool, const Json& arguments) {
  Json params{{"name", tool}, {"arguments", arguments}};
  params["_meta"][kCapabilities] = {{"elicitation", {{"form", Json::object()}}}};
  return params;
}

Json answered(Json params, const std::string& key, const Json& content, const std::string& state) {
  params["inputResponses"][key] = {{"action", "accept"}, {"content", content}};
  params["requestState"] = state;
  return params;
}

std::string state_of(const Answer& answer) {
  const Json result = answer.json().value("result", Json::object());
  REQUIRE_MESSAGE(result.value("resultType", "") == "input_required", answer.body);
  return result["requestState"];
}

void check_refused(const Answer& answer) {
  const Json error = answer.json().value("error", Json::object());
  CHECK_MESSAGE(error.value("code", 0) == -32602, answer.body);
  CHECK_MESSAGE(error.value("message", "").find("requestState") != std::string::npos, answer.body);
}

class At final : public Clock {
 public:
  explicit At(WallTime wall) : wall_(wall) {}
  SteadyTime now() const override { return std::chrono::steady_clock::now(); }
  WallTime wall() const override { return wall_; }

 private:
  const WallTime wall_;
};

}  // namespace

TEST_CASE(
    "rounds over HTTP: a state that was tampered with, or is another's, or for another call, is refused") {
  const Site site({"needs_input"});
  const ServerProcess server(site.options_without_vcenter());
  const auto call = [&](const std::string& token, const Json& params) {
    return modern(server.port(), token, "tools/call", params);
  };
  const Json params = asked("needs_input", Json::object());
  const std::string state = state_of(call(kAda, params));
  const auto with = [&](const std::string& s) { return answered(params, "name", {{"name", "Ada"}}, s); };
  for (std::size_t at = 0; at < state.size(); at += 7) {
    CAPTURE(at);
    std::string altered = state;
    altered[at] = altered[at] == 'A' ? 'B' : 'A';
    check_refused(call(kAda, with(altered)));
  }
  check_refused(call(kAda, with(state.substr(0, state.size() - 4))));
  check_refused(call(kAda, with(state + "AAAA")));
  check_refused(call(kAda, with("no state at all")));
  check_refused(call(kBob, with(state)));
  check_refused(call(kBob, answered(params, "colour", {{"colour", "red"}}, state)));
  Json other_arguments = with(state);
  other_arguments["arguments"]["verbose"] = true;
  check_refused(call(kAda, other_arguments));
  // Untouched and its owner's it goes on; and the second round's state is a new one.
  const std::string second = state_of(call(kAda, with(state)));
  CHECK(second != state);
  const Answer last = call(kAda, answered(params, "colour", {{"colour", "blue"}}, second));
  CHECK_MESSAGE(last.json()["result"]["structuredContent"] == Json({{"name", "Ada"}, {"colour", "blue"}}),
                last.body);
}

TEST_CASE("rounds over HTTP: a state is refused once it is too old") {
  const Site site({"needs_input"});
  const ServerProcess server(site.options_without_vcenter());
  const Json params = asked("needs_input", Json::object());
  const Answer first = modern(server.port(), kAda, "tools/call", params);
  state_of(first);
  // Made here with the server's own key, since nobody waits ten minutes: one as it would have made it now,
  // which is accepted, and one as it made it then.
  std::ifstream file(server.folder() + "/state/keys/request-state", std::ios::binary);
  const std::string key(std::istreambuf_iterator<char>(file), {});
  REQUIRE(key.size() == 32);
  std::string identity;
  REQUIRE(wait_until(
      [&] {
        for (const Json& line : server.audit())
          if (line.value("tool", "") == "needs_input") identity = line.value("identity", "");
        return !identity.empty();
      },
      10'000));
  const std::string binding = identity + "\ntools/call\nneeds_input\n" + to_hex(sha256(""));
  const auto made = [&](std::chrono::seconds ago) {
    const At then(std::chrono::system_clock::now() - ago);
    return pipeline::SealedRounds(Secret(key), then).close({1, "", {"name"}}, binding);
  };
  const auto call = [&](const std::string& state) {
    return modern(server.port(), kAda, "tools/call", answered(params, "name", {{"name", "Ada"}}, state));
  };
  state_of(call(made(std::chrono::seconds(0))));
  state_of(call(made(std::chrono::seconds(590))));
  check_refused(call(made(std::chrono::seconds(601))));
}

TEST_CASE("rounds over HTTP: what a changing call asked is answered once, and a replay changes nothing") {
  const Site site({"needs_input"});
  const ServerProcess server(site.options());
  const Json off =
      call_tool(server.port(), "demo-admin", "list_vms", {{"power_states", {"POWERED_OFF"}}}).json();
  const std::string vm = off["result"]["structuredContent"]["vms"][0]["vm"];
  const auto powered_on = [&] {
    return send(server.simulator_port(), "GET", "/simulator/state/vm/" + vm, {}, "")
               .body.find("POWERED_ON") != std::string::npos;
  };
  const Json params = asked("changes_when_sure", {{"vm_id", vm}});
  const auto call = [&](const Json& p) { return modern(server.port(), "demo-admin", "tools/call", p); };
  const std::string state = state_of(call(params));
  CHECK_FALSE(powered_on());
  const Json answer = answered(params, "sure", {{"sure", "yes"}}, state);
  const Answer done = call(answer);
  CHECK_MESSAGE(done.body.find("Powered on.") != std::string::npos, done.body);
  CHECK(powered_on());
  CHECK(call_tool(server.port(), "demo-admin", "power_off_vm", {{"vm_id", vm}, {"confirm", true}}).status ==
        200);
  CHECK_FALSE(powered_on());
  check_refused(call(answer));
  CHECK_FALSE(powered_on());
}

TEST_CASE("rounds over HTTP: a task is its owner's alone, whatever is asked of it") {
  const Site site({"everything"});
  const ServerProcess server(site.options_without_vcenter());
  const auto with_tasks = [](Json params) {
    params["_meta"][kCapabilities] = {{"elicitation", {{"form", Json::object()}}},
                                      {"extensions", {{"io.modelcontextprotocol/tasks", Json::object()}}}};
    return params;
  };
  const auto ask = [&](const std::string& token, const std::string& method, const Json& params) {
    return modern(server.port(), token, method, with_tasks(params));
  };
  const Answer begun =
      ask(kAda, "tools/call", {{"name", "confirm_delete"}, {"arguments", {{"filename", "f.txt"}}}});
  const Json created = begun.json().value("result", Json::object());
  REQUIRE_MESSAGE(created.value("resultType", "") == "task", begun.body);
  const Json id{{"taskId", created["taskId"]}};
  const auto status = [&] { return ask(kAda, "tasks/get", id).json()["result"].value("status", ""); };
  REQUIRE(wait_until([&] { return status() == "input_required"; }, 10'000));
  Json answer = id;
  answer["inputResponses"]["confirm"] = {{"action", "accept"}, {"content", {{"confirm", true}}}};
  const Json unknown{{"taskId", std::string(32, '0')}};
  for (const auto& [method, params] :
       {std::pair<std::string, Json>{"tasks/get", id}, {"tasks/update", answer}, {"tasks/cancel", id}}) {
    CAPTURE(method);
    const Answer foreign = ask(kBob, method, params);
    Json of_nobody = params;
    of_nobody["taskId"] = unknown["taskId"];
    CHECK_MESSAGE(foreign.json()["error"]["code"] == -32602, foreign.body);
    // One that is not there looks the same.
    CHECK(foreign.json()["error"] == ask(kBob, method, of_nobody).json()["error"]);
    CHECK(foreign.status == ask(kBob, method, of_nobody).status);
  }
  CHECK(status() == "input_required");
  CHECK(ask(kAda, "tasks/update", answer).json().contains("result"));
  REQUIRE(wait_until([&] { return status() == "completed"; }, 10'000));
}
