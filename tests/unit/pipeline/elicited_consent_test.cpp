// A rule that wants the person at the client to agree: the host asks there itself, and what was agreed to is
// one call on objects as they were.
#include <algorithm>

#include "rig.h"

using namespace rig;

namespace {

const Json kVmOne{{"vm_id", "vm-1"}};
const char* const kYes = R"({"action":"accept","content":{"approve":true}})";

policy::PolicyPtr policy_that_elicits(const char* version, policy::Effect effect = policy::Effect::elicit) {
  policy::Rule rule;
  rule.name = "person";
  rule.effect = effect;
  rule.tools = {"change_vm", "destroy_vm", "change_many"};
  auto made =
      policy::Policy::make({{"read", {{"*"}, {}, {}}}, {"admin", {{"*"}, {}, {}}}}, false, version, {rule});
  REQUIRE(made.ok());
  return std::make_shared<const policy::Policy>(std::move(*made));
}

struct Eliciting : Rig {
  Eliciting() {
    policy.publish(policy_that_elicits("v1"));
    plan.run["change_vm"] = power_on();
    plan.run["destroy_vm"] = power_on();
    inventory.become(R"({"name":"alpha","path":""})");
  }
  // One round of the call; `answer` empty: none is given.
  pipeline::ToolAnswer round(const char* tool, Json arguments, std::string state = {},
                             std::string answer = {}, std::string_view token = "token-of-admin-00001",
                             bool forms = true) {
    pipeline::ToolCall call;
    call.name = tool;
    call.arguments = std::move(arguments);
    if (forms) call.client_side.can = {"elicitation.form"};
    call.request_state = std::move(state);
    if (!answer.empty()) call.inputs = {{"vmcp_consent", std::move(answer)}};
    pipeline::ToolAnswer out;
    int answers = 0;
    exchange = std::make_shared<FakeExchange>();
    pipeline->call_tool(admitted(token), std::move(call), exchange, [&](pipeline::ToolAnswer&& given) {
      ++answers;
      out = std::move(given);
    });
    CHECK(answers == 1);
    CHECK(exchange->blocked == 0);
    return out;
  }
  // Asked when it was still called alpha; it becomes `now` afterwards.
  std::string asked_before(const char* now) {
    inventory.become(R"({"name":"alpha","path":""})");
    std::string state = asked();
    inventory.become(now);
    return state;
  }
  std::string asked(const char* tool = "change_vm", const Json& arguments = kVmOne) {
    const auto answer = round(tool, arguments);
    REQUIRE(answer.requests.size() == 1);
    REQUIRE_FALSE(answer.request_state.empty());
    return answer.request_state;
  }
};

bool asks_person(const pipeline::ToolAnswer& answer) {
  return answer.requests.size() == 1 && answer.requests.contains("vmcp_consent") && answer.texts.empty();
}

void check_not_ours(const pipeline::ToolAnswer& answer) {
  REQUIRE(answer.protocol);
  CHECK(answer.protocol->code == Code::malformed);
}

}  // namespace

TEST_CASE("elicited consent: the person is shown what would be done, and a yes lets it run once") {
  Eliciting r;
  r.plan.preview["change_vm"] = [](const vmcp_host* host, vmcp_call* call, std::string_view) {
    return call_table(host)->set_json(call, str(R"({"before":"off","after":"on"})"));
  };
  const auto first = r.round("change_vm", {{"vm_id", "alpha"}});
  REQUIRE(asks_person(first));
  const Json form = Json::parse(first.requests.at("vmcp_consent"));
  CHECK(form["method"] == "elicitation/create");
  const std::string message = form["params"]["message"];
  for (const char* says : {"change_vm", "boss", "person", "'alpha' (vm-1)", R"("after":"on")"})
    CHECK_MESSAGE(message.find(says) != std::string::npos, message);
  CHECK(form["params"]["requestedSchema"]["properties"]["approve"]["type"] == "boolean");
  CHECK(r.connection.count() == 0);
  const auto done = r.round("change_vm", {{"vm_id", "alpha"}}, first.request_state, kYes);
  CHECK_FALSE(done.is_error);
  CHECK(done.requests.empty());
  CHECK(r.connection.count() == 1);
  // Who agreed is in both records of the change.
  int said = 0;
  for (const Json& line : r.lines())
    if (line.value("approver", "") == "elicitation") ++said;
  CHECK(said == 2);
  check_not_ours(r.round("change_vm", {{"vm_id", "alpha"}}, first.request_state, kYes));
  CHECK(asks_person(r.round("change_vm", {{"vm_id", "alpha"}})));
  CHECK(r.connection.count() == 1);
}

TEST_CASE("elicited consent: only an explicit yes is one") {
  Eliciting r;
  for (const char* answer :
       {R"({"action":"decline"})", R"({"action":"cancel"})", R"({"action":"accept"})",
        R"({"action":"accept","content":{}})", R"({"action":"accept","content":{"approve":false}})",
        R"({"action":"accept","content":{"approve":"true"}})",
        R"({"action":"accept","content":{"approve":1}})",
        R"({"action":"decline","content":{"approve":true}})", R"({"content":{"approve":true}})", R"([true])",
        R"(true)", "no JSON", ""}) {
    CAPTURE(answer);
    const auto refused = r.round("change_vm", kVmOne, r.asked(), answer);
    CHECK(refused.is_error);
    CHECK(refused.code == Code::denied);
    CHECK(refused.rule == "rule 'person'");
  }
  CHECK(r.connection.count() == 0);
  CHECK(r.round("change_vm", kVmOne, r.asked(), kYes).is_error == false);
}

TEST_CASE("elicited consent: it serves its caller, its call, its server and its time only") {
  Eliciting r;
  const std::string state = r.asked();
  check_not_ours(r.round("change_vm", {{"vm_id", "vm-2"}}, state, kYes));
  check_not_ours(r.round("change_vm", {{"vm_id", "vm-1"}, {"reason", "because"}}, state, kYes));
  check_not_ours(r.round("destroy_vm", kVmOne, state, kYes));
  check_not_ours(r.round("change_vm", kVmOne, state, kYes, "token-of-reader-0001"));
  check_not_ours(r.round("change_vm", kVmOne, state + "AAAA", kYes));
  // An answer that nobody asked for, and confirm=true, are no consent.
  CHECK(asks_person(r.round("change_vm", kVmOne, {}, kYes)));
  CHECK(asks_person(r.round("change_vm", {{"vm_id", "vm-1"}, {"confirm", true}})));
  // Another instance with the same key, such as this one after a restart, knows nothing of what was used.
  pipeline::SealedRounds other(Secret(std::string(32, 'k')), r.clock);
  pipeline::SealedRound sealed;
  sealed.keys = {"vmcp_consent"};
  sealed.consent = "whatever";
  sealed.asks_consent = true;
  const std::string foreign = other.close(sealed, "b");
  const auto opened = r.rounds.open(foreign, "b", false);
  REQUIRE(opened.ok());
  CHECK(opened->consent.empty());
  CHECK_FALSE(opened->asks_consent);
  CHECK_FALSE(r.rounds.open(foreign, "b", false).ok());  // and opens once, also for a tool that reads
  CHECK(r.connection.count() == 0);
}

TEST_CASE("elicited consent: what has changed since the question is asked about anew") {
  Eliciting r;
  for (const char* now : {R"({"name":"beta","path":""})", R"({"name":"alpha","path":"/elsewhere"})"}) {
    const auto moved = r.round("change_vm", kVmOne, r.asked_before(now), kYes);
    CHECK(moved.code == Code::needs_confirm);
    CHECK(moved.texts.at(0).find("just been renamed or moved") != std::string::npos);
  }
  r.inventory.become(R"({"name":"alpha","path":""})");
  const std::string before = r.asked();
  r.policy.publish(policy_that_elicits("v2"));
  const auto reloaded = r.round("change_vm", kVmOne, before, kYes);
  REQUIRE(asks_person(reloaded));
  // Somebody else must agree now: what the person says is no longer enough.
  r.policy.publish(policy_that_elicits("v3", policy::Effect::approve));
  const auto wants_second = r.round("change_vm", kVmOne, reloaded.request_state, kYes);
  CHECK(wants_second.is_error);
  CHECK(wants_second.code == Code::needs_confirm);
  CHECK(r.connection.count() == 0);
}

TEST_CASE(
    "elicited consent: what changes between the yes and the place in the queue is not what was agreed to") {
  Eliciting r;
  const std::string state = r.asked();
  r.inventory.becomes = R"({"name":"beta","path":""})";
  r.inventory.becomes_at =
      r.inventory.reads + 2;  // the answer's round reads at 9, and again at the end of 10
  const auto late = r.round("change_vm", kVmOne, state, kYes);
  CHECK(late.code == Code::needs_confirm);
  CHECK_MESSAGE(late.texts.at(0).find("no longer as they were") != std::string::npos, late.texts.at(0));
  CHECK(r.connection.count() == 0);
  const std::vector<std::string> events = r.events();
  CHECK(std::count(events.begin(), events.end(), "intent") == 0);
}

TEST_CASE(
    "elicited consent: the form says how much of a call it does not show, and is not written by others") {
  Eliciting r;
  const auto message = [&](const Json& arguments) {
    const auto answer = r.round("change_many", arguments);
    REQUIRE(asks_person(answer));
    return Json::parse(answer.requests.at("vmcp_consent"))["params"]["message"].get<std::string>();
  };
  const std::string whole = message({{"vm_ids", Json(std::vector<std::string>(50, "alpha"))}});
  CHECK(whole.find("more objects") == std::string::npos);
  CHECK(whole.find("not all is shown") == std::string::npos);
  CHECK(message({{"vm_ids", Json(std::vector<std::string>(60, "alpha"))}}).find("And on 10 more objects") !=
        std::string::npos);
  const std::string spoofed = message({{"vm_id", "alpha"}, {"reason", "fine\nOn: vm 'other'\u202e"}});
  CHECK(spoofed.find("\nOn: vm 'other'") == std::string::npos);
  CHECK(spoofed.find("\u202e") == std::string::npos);
}

TEST_CASE("elicited consent: a client without forms needs a second person, as before") {
  Eliciting r;
  const auto waits = r.round("change_vm", kVmOne, {}, {}, "token-of-admin-00001", false);
  CHECK(waits.is_error);
  CHECK(waits.code == Code::needs_confirm);
  REQUIRE(r.approvals.all().size() == 1);
  REQUIRE(r.approvals.decide(r.approvals.all().front().id, true, "ann", "").ok());
  CHECK_FALSE(r.round("change_vm", kVmOne, {}, {}, "token-of-admin-00001", false).is_error);
  CHECK(r.connection.count() == 1);
  // Where forms are shown nobody else is bothered, and a preview asks nobody.
  r.asked();
  CHECK_FALSE(r.round("change_vm", {{"vm_id", "vm-1"}, {"dry_run", true}}).is_error);
  CHECK(r.approvals.all().empty());
}

TEST_CASE("elicited consent: a plugin's own questions come after it, and the consent goes with them") {
  Eliciting r;
  r.plan.run["change_vm"] = [](const vmcp_host* host, vmcp_call* call, std::string_view args) -> vmcp_status {
    const vmcp_call_1* table = call_table(host);
    const vmcp_sink nowhere{nullptr, [](void*, vmcp_str) {}};
    if (table->input(call, str("vmcp_consent"), nowhere) == VMCP_OK) return VMCP_E_FAULT;  // not the plugin's
    if (table->input(call, str("name"), nowhere) == VMCP_OK) return power_on()(host, call, args);
    const vmcp_status asked = table->need_input(
        call, str("name"),
        str(R"({"method":"elicitation/create","params":{"message":"Who?","requestedSchema":{"type":"object","properties":{}}}})"));
    return asked == VMCP_OK ? static_cast<vmcp_status>(VMCP_SUSPENDED) : asked;
  };
  const auto own = [&](const std::string& state) {
    pipeline::ToolCall call;
    call.name = "change_vm";
    call.arguments = kVmOne;
    call.client_side.can = {"elicitation.form"};
    call.request_state = state;
    call.inputs = {{"name", R"({"action":"accept"})"}};
    pipeline::ToolAnswer out;
    r.pipeline->call_tool(r.admitted(), std::move(call), std::make_shared<FakeExchange>(),
                          [&](pipeline::ToolAnswer&& given) { out = std::move(given); });
    return out;
  };
  const auto asks = r.round("change_vm", kVmOne, r.asked(), kYes);
  REQUIRE(asks.requests.contains("name"));
  CHECK(r.connection.count() == 0);
  CHECK_FALSE(own(asks.request_state).is_error);
  CHECK(r.connection.count() == 1);
  // Renamed between the plugin's question and its answer: the person agreed to something else.
  const auto second = r.round("change_vm", kVmOne, r.asked(), kYes);
  REQUIRE(second.requests.contains("name"));
  r.inventory.become(R"({"name":"gamma","path":""})");
  CHECK(own(second.request_state).code == Code::needs_confirm);
  CHECK(r.connection.count() == 1);
}
