#include <condition_variable>
#include <thread>

#include "rig.h"

using namespace rig;

TEST_CASE("fault: when the INTENT cannot be written nothing reaches the vCenter, and it recovers by itself") {
  Rig r;
  r.plan.run["change_vm"] = power_on();
  for (std::atomic<bool>* fault : {&r.journal->fail_sync, &r.journal->fail_append}) {
    *fault = true;
    const auto refused = r.call("change_vm", {{"vm_id", "alpha"}});
    CHECK(refused.is_error);
    CHECK(refused.code == Code::unavailable);
    CHECK(refused.texts.at(0).find("audit") != std::string::npos);
    CHECK(r.connection.count() == 0);
    CHECK_FALSE(r.audit->healthy());
    *fault = false;
    CHECK_FALSE(r.call("change_vm", {{"vm_id", "alpha"}}).is_error);
    CHECK(r.audit->healthy());
    CHECK(r.connection.count() == 1);
    r.connection.requests.clear();
  }
}

TEST_CASE("fault: when the OUTCOME cannot be written the caller learns that the action happened") {
  Rig r;
  r.plan.run["change_vm"] = [&](const vmcp_host* host, vmcp_call* call, std::string_view args) {
    r.journal->fail_sync = true;
    return power_on()(host, call, args);
  };
  const auto answer = r.call("change_vm", {{"vm_id", "alpha"}});
  CHECK(answer.is_error);
  CHECK(answer.texts.back().find("was carried out") != std::string::npos);
  CHECK(r.connection.count() == 1);
  r.journal->fail_sync = false;
}

TEST_CASE("fault: a plugin that throws costs its call and is named") {
  Rig r;
  r.plan.run["look"] = [](const vmcp_host*, vmcp_call*, std::string_view) -> vmcp_status {
    throw std::runtime_error("out of the plugin");
  };
  const auto answer = r.call("look", {{"vm_id", "alpha"}});
  CHECK(answer.is_error);
  CHECK(answer.code == Code::internal);
  CHECK(answer.texts.at(0).find("org.example.rig") != std::string::npos);
  r.plan.run["look"] = [](const vmcp_host*, vmcp_call*, std::string_view) -> vmcp_status { throw 5; };
  CHECK(r.call("look", {{"vm_id", "alpha"}}).is_error);
}

TEST_CASE("fault: an exception inside a step is a refusal of that step, and is audited") {
  Rig r;
  const auto answer = r.call("change_vm", {{"vm_id", "broken"}});
  CHECK(answer.is_error);
  CHECK(answer.code == Code::internal);
  const auto lines = r.lines();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["event"] == "refused");
  CHECK(lines[0]["step"] == "resolve");
  CHECK(lines[0].dump().find("out of the inventory") == std::string::npos);
  CHECK(r.connection.count() == 0);
}

TEST_CASE("fault: a plugin's bad status is a failure, whatever else it left behind") {
  Rig r;
  r.plan.run["look"] = [](const vmcp_host* host, vmcp_call* call, std::string_view) -> vmcp_status {
    call_table(host)->set_json(call, str(R"({"ok":true})"));
    return VMCP_E_NOT_FOUND;
  };
  const auto silent = r.call("look", {{"vm_id", "alpha"}});
  CHECK(silent.is_error);
  CHECK(silent.code == Code::not_found);
  CHECK(silent.structured.empty());
  CHECK(silent.texts.at(0).find("without saying why (plugin org.example.rig") != std::string::npos);

  // What the host told the plugin last is what the caller hears.
  r.connection.failure = make_error(Code::conflict, "vCenter refused it: it runs");
  r.plan.run["change_vm"] = power_on();
  const auto passed_on = r.call("change_vm", {{"vm_id", "alpha"}});
  CHECK(passed_on.is_error);
  CHECK(passed_on.code == Code::conflict);
  CHECK(passed_on.texts.at(0).find("vCenter refused it: it runs") != std::string::npos);
  const auto lines = r.lines();
  CHECK(lines.back()["event"] == "outcome");
  CHECK(lines.back()["ok"] == false);
  CHECK(lines.back()["code"] == "conflict");
}

TEST_CASE("fault: an answer that breaks the tool's own output schema does not leave") {
  Rig r;
  const auto answering = [&](const char* json) {
    r.plan.run["report"] = [json](const vmcp_host* host, vmcp_call* call, std::string_view) {
      return json == nullptr ? static_cast<vmcp_status>(VMCP_OK)
                             : call_table(host)->set_json(call, str(json));
    };
    return r.call("report", Json::object());
  };
  CHECK(answering(R"({"n":1})").structured == R"({"n":1})");
  for (const char* broken : {R"({"n":"one"})", R"({})", static_cast<const char*>(nullptr)}) {
    const auto answer = answering(broken);
    CHECK(answer.is_error);
    CHECK(answer.code == Code::internal);
    CHECK(answer.structured.empty());
    CHECK(answer.texts.at(0).find("org.example.rig") != std::string::npos);
  }
}

TEST_CASE("fault: nonsense answers are refused with the culprit's name") {
  Rig r;
  for (const char* nonsense : {"not json", "[1,2]", "{\"a\":1,\"a\":2}", "{\"a\":", "\"text\""}) {
    CAPTURE(nonsense);
    r.plan.run["look"] = [nonsense](const vmcp_host* host, vmcp_call* call, std::string_view) {
      return call_table(host)->set_json(call, str(nonsense));
    };
    const auto answer = r.call("look", {{"vm_id", "alpha"}});
    CHECK(answer.is_error);
    CHECK(answer.texts.at(0).find("org.example.rig") != std::string::npos);
  }
  const std::string huge(2u << 20, 'x');
  r.plan.run["look"] = [&](const vmcp_host* host, vmcp_call* call, std::string_view) {
    CHECK(call_table(host)->add_text(call, str(huge)) == VMCP_E_LIMIT);
    return static_cast<vmcp_status>(VMCP_OK);
  };
  const auto answer = r.call("look", {{"vm_id", "alpha"}});
  CHECK(answer.is_error);
  CHECK(answer.texts.at(0).size() < 4096);
}

TEST_CASE("fault: secrets in a plugin's answer are masked, and the answer stays valid JSON") {
  Rig r;
  r.plan.run["look"] = [](const vmcp_host* host, vmcp_call* call, std::string_view) {
    return call_table(host)->set_json(call, str(R"({"ok":true,"password":"hunter2hunter2","n":1})"));
  };
  const auto answer = r.call("look", {{"vm_id", "alpha"}});
  CHECK_FALSE(answer.is_error);
  CHECK(answer.structured.find("hunter2") == std::string::npos);
  auto parsed = parse_json(answer.structured);
  REQUIRE(parsed.ok());
  CHECK((*parsed)["n"] == 1);
}

TEST_CASE("fault: a call that overruns is answered by the watch, its late return is recorded once") {
  Rig r;
  std::mutex mutex;
  std::condition_variable changed;
  bool inside = false, go = false;
  r.plan.run["change_vm"] = [&](const vmcp_host*, vmcp_call*, std::string_view) {
    std::unique_lock lock(mutex);
    inside = true;
    changed.notify_all();
    changed.wait(lock, [&] { return go; });
    return static_cast<vmcp_status>(VMCP_OK);
  };
  const auto exchange = std::make_shared<FakeExchange>();
  std::vector<pipeline::ToolAnswer> answers;
  std::thread worker([&] {
    r.pipeline->call_tool(r.admitted(), {"change_vm", {{"vm_id", "alpha"}}, ""}, exchange,
                          [&](pipeline::ToolAnswer&& a) { answers.push_back(std::move(a)); });
  });
  {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, std::chrono::seconds(10), [&] { return inside; }));
  }
  exchange->overrun();
  exchange->overrun();  // once is once
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].code == Code::timeout);
  CHECK(r.registry.find("change_vm")->stuck == 1);
  {
    const std::lock_guard lock(mutex);
    go = true;
  }
  changed.notify_all();
  worker.join();
  CHECK(answers.size() == 1);
  CHECK(r.registry.find("change_vm")->stuck == 0);
  const auto lines = r.lines();
  REQUIRE(lines.size() == 3);
  CHECK(lines[1]["step"] == "deadline");
  CHECK(lines[2]["step"] == "late");
}

TEST_CASE("fault: a tool whose calls never come back is closed, others go on") {
  Rig r;
  r.registry.find("look")->stuck = 4;
  const auto closed = r.call("look", {{"vm_id", "alpha"}});
  CHECK(closed.code == Code::unavailable);
  CHECK(closed.texts.at(0).find("org.example.rig") != std::string::npos);
  CHECK_FALSE(r.call("change_vm", {{"vm_id", "alpha"}}).is_error);
}

TEST_CASE("fault: without a free worker a blocking call is refused, an inline one is not") {
  Rig r;
  const auto exchange = std::make_shared<FakeExchange>();
  exchange->allow_blocking = false;
  for (const char* tool : {"look", "echo"}) {
    pipeline::ToolAnswer answer;
    const Json arguments = tool == std::string_view("look") ? Json{{"vm_id", "alpha"}} : Json::object();
    r.pipeline->call_tool(r.admitted(), {tool, arguments, ""}, exchange,
                          [&](pipeline::ToolAnswer&& a) { answer = std::move(a); });
    CHECK(answer.is_error == (tool == std::string_view("look")));
    if (answer.is_error) CHECK(answer.retry_after_ms > 0);
  }
}

TEST_CASE("fault: a task still running at the deadline is followed, and its OUTCOME comes later") {
  pipeline::Settings settings;
  settings.tool_deadline = milliseconds(1500);
  Rig r(settings);
  r.connection.task_ends_after = 1000;
  r.connection.running_state = "7";  // an answer that says nothing is no end
  r.plan.run["change_vm"] = [](const vmcp_host* host, vmcp_call* call, std::string_view) -> vmcp_status {
    const auto* c = call_table(host);
    if (c->round(call) > 0) return c->set_json(call, str(R"({"ok":true,"result":{"state":"running"}})"));
    const auto* vim = table<vmcp_vim_1>(host, VMCP_IFACE_VIM);
    vim->call(call, str("VirtualMachine"), str("vm-1"), str("CreateSnapshot_Task"), str("{}"),
              {nullptr, nullptr});
    c->await_task(call, str("task-1"));
    return VMCP_SUSPENDED;
  };
  const auto answer = r.call("change_vm", {{"vm_id", "alpha"}});
  CHECK_FALSE(answer.is_error);
  CHECK(r.events() == std::vector<std::string>{"intent", "accepted"});
  r.connection.task_ends_after = 0;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (r.watcher->following() > 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  const auto lines = r.lines();
  REQUIRE(lines.size() == 3);
  CHECK(lines[2]["event"] == "outcome");
  CHECK(lines[2]["ok"] == true);
  CHECK(lines[2]["task"] == "task-1");
}
