// Locks in the walk: what is refused where, and what becomes of calls that run when one is set.
#include <condition_variable>
#include <thread>

#include "rig.h"

using namespace rig;

namespace {

locks::Lock lock_on(locks::Scope scope, std::string value) {
  locks::Lock out;
  out.scope = scope;
  out.value = std::move(value);
  out.reason = "the storage is being moved";
  out.by = "local-operator";
  return out;
}

// A tool that has begun, and waits until somebody takes its call away.
struct Waiting {
  std::mutex mutex;
  std::condition_variable changed;
  bool begun = false;
  Behaviour behaviour(bool changes_first = false) {
    return
        [this, changes_first](const vmcp_host* host, vmcp_call* call, std::string_view args) -> vmcp_status {
          const vmcp_call_1* c = call_table(host);
          if (changes_first) {
            const vmcp_status sent = power_on()(host, call, args);
            if (sent != VMCP_OK) return sent;
          }
          {
            const std::lock_guard lock(mutex);
            begun = true;
          }
          changed.notify_all();
          const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
          while (c->cancelled(call) == 0 && std::chrono::steady_clock::now() < until)
            std::this_thread::yield();
          // What it asks now must not reach the vCenter.
          CHECK(power_on()(host, call, args) == VMCP_E_CANCELLED);
          return c->fail(call, VMCP_E_CANCELLED, str("gone"));
        };
  }
  void wait() {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return begun; }));
  }
};

}  // namespace

TEST_CASE("locks: a locked caller is turned away at the door, whatever he asks for") {
  Rig r;
  for (const auto& [scope, value] : {std::pair{locks::Scope::identity, "reader"},
                                     {locks::Scope::role, "read"},
                                     {locks::Scope::everything, ""}}) {
    const auto set = r.locks.set(lock_on(scope, value));
    REQUIRE(set.ok());
    const std::string header = "Bearer token-of-reader-0001";
    const pipeline::Ingress ingress{"127.0.0.1", header, 1, {}};
    auto context = r.pipeline->open(ingress);
    const auto admitted = r.pipeline->admit(*context, ingress);
    REQUIRE_FALSE(admitted.ok());
    CHECK(admitted.error().code == Code::denied);
    CHECK(admitted.error().rule == "lock " + set->id);
    CHECK(admitted.error().text.find("the storage is being moved") != std::string::npos);
    const Json line = r.lines().back();
    CHECK(line["event"] == "refused");
    CHECK(line["step"] == "authenticate");
    CHECK(line["identity"] == "reader");
    CHECK(line["rule"] == "lock " + set->id);
    REQUIRE(r.locks.lift(set->id).ok());
    r.admitted("token-of-reader-0001");
  }
}

TEST_CASE("locks: a locked tool is refused and not listed, a locked target is refused, the rest goes on") {
  Rig r;
  r.plan.run["change_vm"] = power_on();
  const auto names = [&] {
    std::vector<std::string> out;
    const auto page = r.pipeline->list_tools(*r.admitted(), {}, 50);
    for (const auto& tool : page->tools) out.push_back(tool->name);
    return out;
  };
  CHECK(names().size() == 6);
  const auto tool = r.locks.set(lock_on(locks::Scope::tool, "change_*"));
  REQUIRE(tool.ok());
  CHECK(names().size() == 4);
  CHECK(r.pipeline->find_tool(*r.admitted(), "change_vm") == nullptr);
  const auto refused = r.call("change_vm", {{"vm_id", "alpha"}});
  CHECK(refused.code == Code::denied);
  CHECK(refused.rule == "lock " + tool->id);
  CHECK(r.lines().back()["step"] == "authorise");
  CHECK_FALSE(r.call("look", {{"vm_id", "alpha"}}).is_error);
  // Who may not use it at all learns that, and nothing of the lock.
  CHECK(r.call("change_vm", {{"vm_id", "alpha"}}, "token-of-reader-0001").rule == "default deny");
  REQUIRE(r.locks.lift(tool->id).ok());
  CHECK_FALSE(r.call("change_vm", {{"vm_id", "alpha"}}).is_error);
  const std::size_t before = r.connection.count();

  const auto target = r.locks.set(lock_on(locks::Scope::target, "vc.example:vm:vm-1"));
  REQUIRE(target.ok());
  for (const Json& arguments : {Json{{"vm_ids", {"beta", "alpha"}}}, Json{{"vm_id", "vm-1"}}}) {
    const auto stopped = r.call("change_many", arguments);
    CHECK(stopped.rule == "lock " + target->id);
    CHECK(stopped.texts.at(0).find("vm 'alpha' (vm-1)") != std::string::npos);
    CHECK(r.lines().back()["step"] == "authorise_targets");
  }
  CHECK(r.call("look", {{"vm_id", "alpha"}}).code == Code::denied);
  CHECK_FALSE(r.call("look", {{"vm_id", "beta"}}).is_error);
  CHECK(r.connection.count() == before);
}

TEST_CASE("locks: a call that runs is stopped by a lock on its caller, role, tool or target") {
  for (const auto& [scope, value] : {std::pair{locks::Scope::identity, "boss"},
                                     {locks::Scope::role, "admin"},
                                     {locks::Scope::tool, "change_vm"},
                                     {locks::Scope::target, "vc.example:vm:vm-1"},
                                     {locks::Scope::everything, ""}}) {
    CAPTURE(value);
    Rig r;
    Waiting waiting;
    r.plan.run["change_vm"] = waiting.behaviour(true);
    pipeline::ToolAnswer answer;
    std::thread runs([&] { answer = r.call("change_vm", {{"vm_id", "alpha"}}); });
    waiting.wait();
    const auto other = r.locks.set(lock_on(locks::Scope::identity, "reader"));
    CHECK(other.ok());
    CHECK_FALSE(r.exchange->flag.cancelled());
    const auto set = r.locks.set(lock_on(scope, value));
    runs.join();
    REQUIRE(set.ok());
    CHECK(answer.code == Code::denied);
    CHECK(answer.rule == "lock " + set->id);
    CHECK(answer.texts.at(0).find("What it had changed by then stays so") != std::string::npos);
    CHECK(r.connection.count() == 1);
    CHECK(r.events() == std::vector<std::string>{"intent", "outcome"});
    CHECK(r.lines().back()["ok"] == false);
    CHECK(r.lines().back()["rule"] == "lock " + set->id);
  }
}

TEST_CASE("locks: what waits for a slot is refused when it leaves the queue, without an intent") {
  Rig r;
  Waiting waiting;
  r.plan.run["change_vm"] = waiting.behaviour();  // one at a time
  std::thread runs([&] { r.call("change_vm", {{"vm_id", "beta"}}); });
  waiting.wait();
  pipeline::ToolAnswer answer;
  const auto exchange = std::make_shared<FakeExchange>();
  const auto context = r.admitted();
  std::thread waits([&] {
    r.pipeline->call_tool(context, {"change_vm", {{"vm_id", "alpha"}}, ""}, exchange,
                          [&](pipeline::ToolAnswer&& a) { answer = std::move(a); });
  });
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (r.slots.waiting() == 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  const auto set = r.locks.set(lock_on(locks::Scope::target, "vc.example:vm:vm-1"));
  waits.join();
  CHECK(set.ok());
  CHECK(r.locks.set(lock_on(locks::Scope::everything, "")).ok());
  runs.join();
  CHECK(answer.rule == "lock " + set->id);
  CHECK(r.connection.count() == 0);
  const auto lines = r.lines();
  CHECK(std::count_if(lines.begin(), lines.end(), [](const Json& l) { return l["event"] == "intent"; }) == 1);
  CHECK(std::any_of(lines.begin(), lines.end(),
                    [](const Json& l) { return l["event"] == "refused" && l["step"] == "slot"; }));
}

TEST_CASE("locks: what vCenter has taken is followed to its end, and its outcome is written") {
  Rig r;
  r.connection.task_ends_after = 1'000'000;
  r.plan.run["change_vm"] = [](const vmcp_host* host, vmcp_call* call, std::string_view) -> vmcp_status {
    const vmcp_call_1* c = call_table(host);
    CHECK(c->round(call) == 0);  // it does not go on
    const auto* vim = table<vmcp_vim_1>(host, VMCP_IFACE_VIM);
    const vmcp_status sent =
        vim->call(call, str("VirtualMachine"), str("vm-1"), str("CreateSnapshot_Task"),
                  str(R"({"name":"a","memory":false,"quiesce":false})"), {nullptr, nullptr});
    if (sent != VMCP_OK) return sent;
    c->await_task(call, str("task-1"));
    return VMCP_SUSPENDED;
  };
  pipeline::ToolAnswer answer;
  std::thread runs([&] { answer = r.call("change_vm", {{"vm_id", "alpha"}}); });
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (r.connection.count() < 3 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  const auto set = r.locks.set(lock_on(locks::Scope::identity, "boss"));
  runs.join();
  REQUIRE(set.ok());
  CHECK(answer.rule == "lock " + set->id);
  CHECK(answer.texts.at(0).find("task-1") != std::string::npos);
  CHECK(r.events() == std::vector<std::string>{"intent", "accepted"});
  CHECK(r.watcher->following() == 1);
  r.connection.task_ends_after = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (r.watcher->following() > 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  CHECK(r.events() == std::vector<std::string>{"intent", "accepted", "outcome"});
  CHECK(r.lines().back()["task"] == "task-1");
}

TEST_CASE("locks: a parked task does not go on, and says how its vCenter task ended") {
  Rig r;
  int rounds = 0;
  r.plan.run["change_vm"] = [&](const vmcp_host* host, vmcp_call* call, std::string_view) -> vmcp_status {
    ++rounds;
    const auto* vim = table<vmcp_vim_1>(host, VMCP_IFACE_VIM);
    const vmcp_status sent =
        vim->call(call, str("VirtualMachine"), str("vm-1"), str("CreateSnapshot_Task"),
                  str(R"({"name":"a","memory":false,"quiesce":false})"), {nullptr, nullptr});
    if (sent != VMCP_OK) return sent;
    call_table(host)->await_task(call, str("task-1"));
    return VMCP_SUSPENDED;
  };
  const auto as_task = [&](std::string parked, std::map<std::string, std::string> inputs) {
    pipeline::ToolCall call;
    call.name = "change_vm";
    call.arguments = {{"vm_id", "alpha"}};
    call.as_task = true;
    call.parked = std::move(parked);
    call.inputs = std::move(inputs);
    pipeline::ToolAnswer out;
    r.pipeline->call_tool(r.admitted(), std::move(call), std::make_shared<FakeExchange>(),
                          [&](pipeline::ToolAnswer&& a) { out = std::move(a); });
    return out;
  };
  const auto first = as_task({}, {});
  REQUIRE_FALSE(first.parked.empty());
  const auto set = r.locks.set(lock_on(locks::Scope::target, "vc.example:vm:vm-1"));
  REQUIRE(set.ok());
  const std::size_t before = r.connection.count();
  const auto second = as_task(first.parked, {{"task", R"({"_typeName":"TaskInfo","state":"success"})"}});
  CHECK(second.rule == "lock " + set->id);
  CHECK(second.texts.at(0).find("task-1") != std::string::npos);
  CHECK(second.texts.at(0).find("success") != std::string::npos);
  CHECK(rounds == 1);
  CHECK(r.connection.count() == before);
  CHECK(r.lines().back()["event"] == "outcome");
  CHECK(r.lines().back()["rule"] == "lock " + set->id);
}
