// A task's call that waits for vCenter: its walk is written down, ends, and goes on later, as if in another
// process.
#include "pipeline/parking.h"

#include "rig.h"

using namespace rig;

namespace {

// Starts a task and waits for it; the next round says how it ended. `again`: the next round sends a change
// too.
Behaviour starts_a_task(bool again = false) {
  return [again](const vmcp_host* host, vmcp_call* call, std::string_view arguments) -> vmcp_status {
    const vmcp_call_1* c = call_table(host);
    CHECK(Json::parse(arguments)["vm_id"] == "vm-1");
    const auto* vim = table<vmcp_vim_1>(host, VMCP_IFACE_VIM);
    const auto snapshot = [&] {
      return vim->call(call, str("VirtualMachine"), str("vm-1"), str("CreateSnapshot_Task"),
                       str(R"({"name":"a","memory":false,"quiesce":false})"), {nullptr, nullptr});
    };
    if (c->round(call) == 0) {
      REQUIRE(snapshot() == VMCP_OK);
      c->set_state(call, str(std::string_view("kept\0bytes", 10)));
      c->await_task(call, str("task-1"));
      return VMCP_SUSPENDED;
    }
    const vmcp_str state = c->state(call);
    CHECK(std::string_view(state.ptr, state.len) == std::string_view("kept\0bytes", 10));
    std::string info;
    const vmcp_sink sink{&info,
                         [](void* to, vmcp_str b) { static_cast<std::string*>(to)->assign(b.ptr, b.len); }};
    if (c->input(call, str("task"), sink) != VMCP_OK) return c->add_text(call, str("nobody knows"));
    if (again) {
      const vmcp_status sent = snapshot();
      if (sent != VMCP_OK) return sent;
    }
    return c->add_text(call, str(Json::parse(info).value("state", "")));
  };
}

struct Parking : Rig {
  using Rig::Rig;
  pipeline::ToolAnswer as_task(std::string parked = {}, std::string info = {},
                               const std::string& saved = {}) {
    pipeline::ToolCall call;
    call.name = "change_vm";
    call.arguments = {{"vm_id", "alpha"}};
    call.as_task = true;
    call.parked = std::move(parked);
    if (!info.empty()) call.inputs["task"] = std::move(info);
    pipeline::ToolAnswer out;
    exchange = std::make_shared<FakeExchange>();
    context = saved.empty() ? admitted() : pipeline->load(saved);
    REQUIRE(context);
    pipeline->call_tool(context, std::move(call), exchange,
                        [&](pipeline::ToolAnswer&& answer) { out = std::move(answer); });
    CHECK(exchange->blocked == 0);
    return out;
  }
  pipeline::ContextPtr context;
};

constexpr const char* kEnded = R"({"_typeName":"TaskInfo","key":"task-1","state":"success"})";

}  // namespace

TEST_CASE("parking: the walk ends without an outcome, and the later one writes it for the same request") {
  Parking r;
  r.plan.run["change_vm"] = starts_a_task();
  const auto first = r.as_task();
  REQUIRE_FALSE(first.parked.empty());
  CHECK(first.texts.empty());
  CHECK(r.connection.task_reads == 0);  // nobody waited
  CHECK(r.events() == std::vector<std::string>{"intent", "accepted"});
  const std::string saved = r.pipeline->save(*r.context), id = r.context->request_id;

  const auto second = r.as_task(first.parked, kEnded, saved);
  CHECK(second.texts == std::vector<std::string>{"success"});
  CHECK(second.parked.empty());
  CHECK(r.context->request_id == id);
  CHECK(r.events() == std::vector<std::string>{"intent", "accepted", "outcome"});
  const Json outcome = r.lines().back();
  CHECK(outcome["request_id"] == id);
  CHECK(outcome["ok"] == true);
  CHECK(outcome["task"] == "task-1");
  CHECK(outcome["targets"] == Json::array({"vm:vm-1"}));
  CHECK(outcome["identity"] == r.lines().front()["identity"]);
  CHECK(r.inventory.resolves == 1);  // what was authorised is what goes on
}

TEST_CASE("parking: the pipeline follows the vCenter task that is written down") {
  Parking r;
  r.plan.run["change_vm"] = starts_a_task();
  const auto first = r.as_task();
  std::mutex mutex;
  std::string told;
  REQUIRE(r.pipeline->follow(first.parked, [&](const std::string& info) {
    const std::lock_guard lock(mutex);
    told = info;
  }));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (r.watcher->following() > 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  const std::lock_guard lock(mutex);
  CHECK(told.find("success") != std::string::npos);
  CHECK(r.events() == std::vector<std::string>{"intent", "accepted"});
  CHECK_FALSE(r.pipeline->follow("{}", [](const std::string&) {}));
  CHECK_FALSE(r.pipeline->follow(R"({"vcenter":"gone.example","task":"task-1"})", [](const std::string&) {}));
}

TEST_CASE("parking: whoever lost the right is told how it ended, and changes nothing more") {
  for (const bool still : {true, false}) {
    CAPTURE(still);
    Parking r;
    r.plan.run["change_vm"] = starts_a_task(true);
    const auto first = r.as_task();
    Json saved = Json::parse(r.pipeline->save(*r.context));
    const std::size_t before = r.connection.count();
    if (!still) saved["role"] = "somebody's";
    const auto second = r.as_task(first.parked, kEnded, saved.dump());
    CHECK(second.is_error == !still);
    CHECK(r.connection.count() == before + (still ? 1 : 0));
    CHECK(r.lines().back()["event"] == "outcome");
    CHECK(r.lines().back()["ok"] == still);
  }
}

TEST_CASE("parking: a server that has become read-only since lets it end, and changes nothing more") {
  std::string parked, saved;
  {
    Parking before;
    before.plan.run["change_vm"] = starts_a_task(true);
    parked = before.as_task().parked;
    saved = before.pipeline->save(*before.context);
  }
  Parking r({}, true);
  r.plan.run["change_vm"] = starts_a_task(true);
  CHECK(r.as_task(parked, kEnded, saved).is_error);
  CHECK(r.connection.count() == 0);
  CHECK(r.lines().back()["event"] == "outcome");
  CHECK(r.lines().back()["identity"] == "boss");
}

TEST_CASE("parking: a task that vCenter forgot is an outcome nobody knows") {
  Parking r;
  r.plan.run["change_vm"] = starts_a_task();
  const auto first = r.as_task();
  const auto second = r.as_task(first.parked, {});
  CHECK(second.texts == std::vector<std::string>{"nobody knows"});
  CHECK(r.lines().back()["event"] == "outcome");
  CHECK(r.lines().back()["ok"] == false);
  CHECK(r.lines().back()["code"] == "unknown");
}

TEST_CASE("parking: what cannot be read, and a vCenter that is gone, are refusals") {
  Parking r;
  r.plan.run["change_vm"] = starts_a_task();
  const Json first = Json::parse(r.as_task().parked);
  for (const std::string& spoiled :
       {std::string("{"), std::string("[]"), std::string(R"({"task":"task-1"})")}) {
    const auto answer = r.as_task(spoiled, kEnded);
    CHECK(answer.is_error);
    CHECK(answer.texts.front().find("cannot be read") != std::string::npos);
  }
  Json elsewhere = first;
  elsewhere["vcenter"] = "gone.example";
  const auto answer = r.as_task(elsewhere.dump(), kEnded);
  CHECK(answer.is_error);
  CHECK(answer.texts.front().find("gone.example") != std::string::npos);
  const auto events = r.events();
  CHECK(std::count(events.begin(), events.end(), "outcome") == 1);
  CHECK(r.pipeline->load("no JSON") == nullptr);
}
