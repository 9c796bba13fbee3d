// A call that waits for input, through the whole walk.
#include "rig.h"

using namespace rig;

namespace {

// Asks for a name, then says it back with what the round before left.
Behaviour asks() {
  return [](const vmcp_host* host, vmcp_call* call, std::string_view) -> vmcp_status {
    const vmcp_call_1* table = call_table(host);
    std::string given;
    const vmcp_sink sink{&given, [](void* to, vmcp_str bytes) {
                           static_cast<std::string*>(to)->assign(bytes.ptr, bytes.len);
                         }};
    if (table->input(call, str("name"), sink) == VMCP_OK) {
      const vmcp_str state = table->state(call);
      return table->add_text(call, str(std::string(state.ptr, state.len) + " " + given));
    }
    table->set_state(call, str("kept"));
    const vmcp_status asked = table->need_input(
        call, str("name"),
        str(R"({"method":"elicitation/create","params":{"message":"Who?","requestedSchema":{"type":"object","properties":{}}}})"));
    return asked == VMCP_OK ? static_cast<vmcp_status>(VMCP_SUSPENDED) : asked;
  };
}

struct Asking : Rig {
  pipeline::ToolAnswer round(const char* tool, Json arguments, std::string state = {},
                             std::string_view token = "token-of-admin-00001", bool can_be_asked = true) {
    pipeline::ToolCall call;
    call.name = tool;
    call.arguments = std::move(arguments);
    if (can_be_asked) call.client_side.can = {"elicitation.form"};
    if (!state.empty()) {
      call.request_state = std::move(state);
      call.inputs = {{"name", R"({"action":"accept"})"}, {"not asked", "{}"}};
    }
    pipeline::ToolAnswer out;
    exchange = std::make_shared<FakeExchange>();
    pipeline->call_tool(admitted(token), std::move(call), exchange,
                        [&](pipeline::ToolAnswer&& answer) { out = std::move(answer); });
    return out;
  }
};

void check_refused(const pipeline::ToolAnswer& answer) {
  REQUIRE(answer.protocol);
  CHECK(answer.protocol->code == Code::malformed);
}

}  // namespace

TEST_CASE("rounds: what a call asks reaches the client, and the next round finds state and answer") {
  Asking r;
  r.plan.run["echo"] = asks();
  const auto first = r.round("echo", {{"text", "a"}});
  REQUIRE(first.requests.size() == 1);
  CHECK(first.requests.contains("name"));
  CHECK_FALSE(first.is_error);
  CHECK(first.request_state.find("kept") == std::string::npos);
  const auto second = r.round("echo", {{"text", "a"}}, first.request_state);
  CHECK(second.requests.empty());
  CHECK(second.texts == std::vector<std::string>{R"(kept {"action":"accept"})"});
}

TEST_CASE("rounds: a state serves its caller and its very call only") {
  Asking r;
  r.plan.run["echo"] = asks();
  const std::string state = r.round("echo", {{"text", "a"}}).request_state;
  check_refused(r.round("echo", {{"text", "a"}}, state, "token-of-reader-0001"));
  check_refused(r.round("echo", {{"text", "b"}}, state));
  check_refused(r.round("echo", {{"text", "a"}}, state + "AAAA"));
  r.plan.run["look"] = asks();
  check_refused(r.round("look", {{"vm_id", "vm-1"}}, state));
  // A caller that reads may use its state again: a network that lost the answer must not cost the question.
  CHECK(r.round("echo", {{"text", "a"}}, state).texts.size() == 1);
  CHECK(r.round("echo", {{"text", "a"}}, state).texts.size() == 1);
}

TEST_CASE("rounds: the state of a changing call opens once, and nothing is sent by a replay") {
  Asking r;
  r.plan.run["change_vm"] = asks();
  const Json arguments{{"vm_id", "vm-1"}};
  const auto first = r.round("change_vm", arguments);
  REQUIRE(first.requests.size() == 1);
  CHECK(r.round("change_vm", arguments, first.request_state).texts.size() == 1);
  check_refused(r.round("change_vm", arguments, first.request_state));
}

TEST_CASE("rounds: a client that cannot be asked is told what it lacks, and nothing waits") {
  Asking r;
  r.plan.run["echo"] = asks();
  const auto answer = r.round("echo", {{"text", "a"}}, {}, "token-of-admin-00001", false);
  REQUIRE(answer.protocol);
  CHECK(answer.protocol->code == Code::client_lacks);
  CHECK(answer.protocol->rule == "elicitation.form");
  CHECK(answer.requests.empty());
}
