#include "base/crypto.h"
#include "rig.h"

using namespace rig;

TEST_CASE("call: a read tool without upstream answers, and leaves one outcome") {
  Rig r;
  r.plan.run["echo"] = [](const vmcp_host* host, vmcp_call* call, std::string_view args) {
    return call_table(host)->set_json(call, str(args));
  };
  const auto answer = r.call("echo", {{"text", "hello"}}, "token-of-reader-0001");
  CHECK_FALSE(answer.is_error);
  CHECK(answer.structured == R"({"text":"hello"})");
  CHECK(answer.texts.at(0) == answer.structured);
  const auto lines = r.lines();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["event"] == "outcome");
  CHECK(lines[0]["ok"] == true);
  CHECK(lines[0]["tool"] == "echo");
  CHECK(lines[0]["identity"] == "reader");
  CHECK(lines[0]["role"] == "read");
  CHECK(lines[0]["args"]["text"] == "hello");
  CHECK(r.connection.count() == 0);
}

TEST_CASE("call: a changing tool writes INTENT before the first request and OUTCOME after it") {
  Rig r;
  std::vector<std::string> seen_at_request;
  r.plan.run["change_vm"] = [&](const vmcp_host* host, vmcp_call* call, std::string_view args) {
    CHECK(args == R"({"vm_id":"vm-1"})");
    const std::lock_guard lock(r.journal->mutex);
    CHECK(r.journal->text.find("\"intent\"") != std::string::npos);
    (void)host;
    (void)call;
    return static_cast<vmcp_status>(VMCP_OK);
  };
  CHECK_FALSE(r.call("change_vm", {{"vm_id", "alpha"}, {"reason", "because"}}).is_error);
  CHECK(r.events() == std::vector<std::string>{"intent", "outcome"});
  CHECK(r.lines()[0]["targets"][0] == "vm:vm-1");
  r.plan.run["change_vm"] = power_on();
  CHECK_FALSE(r.call("change_vm", {{"vm_id", "alpha"}}).is_error);
  CHECK(r.connection.requests == std::vector<std::string>{"POST /api/vcenter/vm/vm-1/power?action=start"});
  CHECK(r.inventory.changes == 1);
}

TEST_CASE("call: an unknown tool is a protocol error, one that is not allowed says role, tool and rule") {
  Rig r;
  const auto unknown = r.call("no_such_tool", {});
  REQUIRE(unknown.protocol.has_value());
  CHECK(unknown.protocol->code == Code::unknown_tool);
  const auto denied = r.call("change_vm", {{"vm_id", "alpha"}}, "token-of-reader-0001");
  CHECK(denied.is_error);
  CHECK(denied.code == Code::denied);
  CHECK(denied.texts.at(0).find("read") != std::string::npos);
  CHECK(denied.texts.at(0).find("change_vm") != std::string::npos);
  CHECK_FALSE(denied.rule.empty());
  CHECK(r.events() == std::vector<std::string>{"refused", "refused"});
  CHECK(r.connection.count() == 0);
}

TEST_CASE("call: READ_ONLY refuses every changing tool, whatever the role") {
  Rig r({}, true);
  r.plan.run["change_vm"] = power_on();
  CHECK(r.call("change_vm", {{"vm_id", "alpha"}}).code == Code::denied);
  CHECK_FALSE(r.call("look", {{"vm_id", "alpha"}}).is_error);
  CHECK(r.connection.count() == 0);
}

TEST_CASE("call: bad arguments, an unknown host and an unknown object each get their own words") {
  Rig r;
  const auto missing = r.call("look", Json::object());
  CHECK(missing.code == Code::invalid_argument);
  CHECK(missing.texts.at(0).find("vm_id") != std::string::npos);
  const auto host = r.call("look", {{"vm_id", "alpha"}, {"hostname", "other.example"}});
  CHECK(host.texts.at(0).find("not in allowed set") != std::string::npos);
  const auto object = r.call("look", {{"vm_id", "gamma"}});
  CHECK(object.code == Code::not_found);
  const auto token = r.call("look", {{"vm_id", "alpha"}, {"token", "cAnArY-0123456789"}});
  CHECK(token.code == Code::invalid_argument);
  CHECK(token.texts.at(0).find("Authorization") != std::string::npos);
  CHECK(token.texts.at(0).find("cAnArY") == std::string::npos);
  for (const Json& line : r.lines()) {
    CHECK(line["event"] == "refused");
    CHECK(line.dump().find("cAnArY") == std::string::npos);
  }
}

TEST_CASE("call: what needs confirm is refused without it, runs with it, and previews without it") {
  Rig r;
  r.plan.run["destroy_vm"] = power_on();
  const auto refused = r.call("destroy_vm", {{"vm_id", "alpha"}});
  CHECK(refused.code == Code::needs_confirm);
  CHECK(refused.texts.at(0).find("confirm=true") != std::string::npos);
  CHECK(refused.texts.at(0).find("alpha") != std::string::npos);
  CHECK(r.connection.count() == 0);
  const auto plain = r.call("destroy_vm", {{"vm_id", "alpha"}, {"dry_run", true}});
  CHECK_FALSE(plain.is_error);
  CHECK(plain.structured.find("\"dry_run\":true") != std::string::npos);
  CHECK(plain.structured.find("vm-1") != std::string::npos);
  CHECK(r.connection.count() == 0);
  CHECK_FALSE(r.call("destroy_vm", {{"vm_id", "alpha"}, {"confirm", true}}).is_error);
  CHECK(r.connection.count() == 1);
  CHECK(r.events() == std::vector<std::string>{"refused", "outcome", "intent", "outcome"});
}

TEST_CASE("call: a preview that tries to change something is stopped and named") {
  Rig r;
  r.plan.preview["destroy_vm"] = power_on();
  const auto answer = r.call("destroy_vm", {{"vm_id", "alpha"}, {"dry_run", true}});
  CHECK(answer.code == Code::denied);
  CHECK(answer.texts.at(0).find("org.example.rig") != std::string::npos);
  CHECK(r.connection.count() == 0);
}

TEST_CASE("call: a plugin that touches another object than the authorised one is stopped and named") {
  Rig r;
  r.plan.run["change_vm"] = power_on("vm-2");
  const auto answer = r.call("change_vm", {{"vm_id", "alpha"}});
  CHECK(answer.is_error);
  CHECK(answer.rule == "plugin violation");
  CHECK(answer.texts.at(0).find("org.example.rig") != std::string::npos);
  CHECK(r.connection.count() == 0);
  const auto lines = r.lines();
  CHECK(lines.back()["event"] == "outcome");
  CHECK(lines.back()["ok"] == false);
  CHECK(lines.back()["rule"] == "plugin violation");
}

TEST_CASE("call: a task is awaited between rounds, recorded as accepted, and its info reaches the plugin") {
  Rig r;
  r.plan.run["change_vm"] = [](const vmcp_host* host, vmcp_call* call, std::string_view) -> vmcp_status {
    const auto* c = call_table(host);
    if (c->round(call) == 0) {
      std::string reply;
      const vmcp_sink sink{
          &reply, [](void* ctx, vmcp_str b) { static_cast<std::string*>(ctx)->assign(b.ptr, b.len); }};
      const auto* vim = table<vmcp_vim_1>(host, VMCP_IFACE_VIM);
      REQUIRE(vim->call(call, str("VirtualMachine"), str("vm-1"), str("CreateSnapshot_Task"),
                        str(R"({"name":"a","memory":false,"quiesce":false})"), sink) == VMCP_OK);
      CHECK(reply.find("task-1") != std::string::npos);
      c->set_state(call, str("kept"));
      c->await_task(call, str("task-1"));
      return VMCP_SUSPENDED;
    }
    const vmcp_str state = c->state(call);
    CHECK(std::string_view(state.ptr, state.len) == "kept");
    std::string info;
    const vmcp_sink sink{&info,
                         [](void* ctx, vmcp_str b) { static_cast<std::string*>(ctx)->assign(b.ptr, b.len); }};
    REQUIRE(c->input(call, str("task"), sink) == VMCP_OK);
    CHECK(info.find("success") != std::string::npos);
    return c->set_json(call, str(R"({"ok":true})"));
  };
  const auto answer = r.call("change_vm", {{"vm_id", "alpha"}});
  CHECK_MESSAGE(!answer.is_error, answer.texts.at(0));
  CHECK(r.events() == std::vector<std::string>{"intent", "accepted", "outcome"});
  CHECK(r.lines()[1]["task"] == "task-1");
}

TEST_CASE("call: one target that may not be used refuses all of them") {
  Rig r;
  r.plan.run["change_many"] = power_on();
  const auto answer = r.call("change_many", {{"vm_ids", {"alpha", "unusable"}}});
  CHECK(answer.code == Code::denied);
  CHECK(answer.rule == "invisible target");
  CHECK(r.lines().at(0)["step"] == "authorise_targets");
  CHECK(r.connection.count() == 0);
  CHECK_FALSE(r.call("change_many", {{"vm_ids", {"alpha", "beta"}}}).is_error);
  CHECK(r.lines().back()["targets"] == Json::array({"vm:vm-1", "vm:vm-2"}));
}

TEST_CASE("call: the number of targets is bounded, in one list before they are looked up, and in all") {
  pipeline::Settings settings;
  settings.max_targets = 2;
  Rig r(settings);
  r.plan.run["change_many"] = power_on();
  const auto list = r.call("change_many", {{"vm_ids", {"alpha", "beta", "alpha"}}});
  CHECK(list.code == Code::invalid_argument);
  CHECK(list.texts.at(0).find("at most 2") != std::string::npos);
  CHECK(r.inventory.resolves == 0);
  const auto both = r.call("change_many", {{"vm_ids", {"alpha", "beta"}}, {"vm_id", "alpha"}});
  CHECK(both.code == Code::invalid_argument);
  CHECK(both.texts.at(0).find("At most 2") != std::string::npos);
  CHECK(r.connection.count() == 0);
  CHECK_FALSE(r.call("change_many", {{"vm_ids", {"alpha", "beta"}}}).is_error);
}

TEST_CASE("list: filtered by what the caller may use, paged, stable, with a cursor of ours only") {
  Rig r;
  const auto reader = r.admitted("token-of-reader-0001");
  auto page = r.pipeline->list_tools(*reader, {}, 10);
  REQUIRE(page.ok());
  REQUIRE(page->tools.size() == 2);
  CHECK(page->tools[0]->name == "echo");
  CHECK(page->tools[1]->name == "look");
  CHECK(page->next_cursor.empty());
  const auto boss = r.admitted();
  std::vector<std::string> names;
  std::string cursor;
  do {
    page = r.pipeline->list_tools(*boss, cursor, 3);
    REQUIRE(page.ok());
    for (const auto& t : page->tools) names.push_back(t->name);
    cursor = page->next_cursor;
  } while (!cursor.empty());
  CHECK(names ==
        std::vector<std::string>{"echo", "look", "change_vm", "destroy_vm", "change_many", "report"});
  CHECK_FALSE(r.pipeline->list_tools(*boss, "bm9uZQ==", 3).ok());
  CHECK_FALSE(r.pipeline->list_tools(*boss, "???", 3).ok());
  CHECK(r.pipeline->find_tool(*reader, "change_vm") == nullptr);
  CHECK(r.pipeline->find_tool(*boss, "change_vm") != nullptr);
}

TEST_CASE("admit: refusals before authentication are recorded without an identity") {
  Rig r;
  const pipeline::Ingress ingress{"192.0.2.7", "Bearer wrong-token-000000", 1,
                                  "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"};
  auto context = r.pipeline->open(ingress);
  CHECK(context->trace_id == "0af7651916cd43dd8448eb211c80319c");
  auto admitted = r.pipeline->admit(*context, ingress);
  REQUIRE_FALSE(admitted.ok());
  CHECK(admitted.error().code == Code::unauthenticated);
  const auto lines = r.lines();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["event"] == "refused");
  CHECK(lines[0]["step"] == "authenticate");
  CHECK(lines[0].dump().find("wrong-token") == std::string::npos);
}

TEST_CASE("sanitise: a long answer arrives whole, masked where it must be, its pictures untouched") {
  rig::Rig r;
  const std::string long_text(50'000, 'x'), picture = base64_encode(std::string(9'000, '\x07'));
  r.plan.run["echo"] = [&](const vmcp_host* host, vmcp_call* call, std::string_view) {
    const auto* table = rig::call_table(host);
    const std::string image = Json{{"type", "image"}, {"mimeType", "image/png"}, {"data", picture}}.dump();
    const std::string text = Json{{"type", "text"}, {"text", long_text + " password=hunter2"}}.dump();
    const std::string structured = Json{{"long", long_text}, {"note", "password=hunter2"}}.dump();
    table->add_content(call, rig::str(image));
    table->add_content(call, rig::str(text));
    return table->set_json(call, rig::str(structured));
  };
  const pipeline::ToolAnswer answer = r.call("echo", Json::object());
  REQUIRE(answer.blocks.size() == 2);
  CHECK(Json::parse(answer.blocks[0])["data"] == picture);
  const std::string text = Json::parse(answer.blocks[1])["text"];
  CHECK(text.starts_with(long_text));
  CHECK(text.find("hunter2") == std::string::npos);
  const Json structured = Json::parse(answer.structured);
  CHECK(structured["long"] == long_text);
  CHECK(structured["note"].get<std::string>().find("hunter2") == std::string::npos);
}

TEST_CASE("call: the caller's trace reaches the vCenter, an invalid one goes nowhere") {
  for (const bool valid : {true, false}) {
    Rig r;
    r.plan.run["change_vm"] = power_on();
    const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    auto context = r.admitted();
    r.pipeline->trace(*context, valid ? trace : "00-nonsense");
    r.pipeline->call_tool(context, {"change_vm", {{"vm_id", "alpha"}}, ""}, std::make_shared<FakeExchange>(),
                          [](pipeline::ToolAnswer&& answer) { CHECK_FALSE(answer.is_error); });
    CHECK(r.connection.traceparent == (valid ? trace : ""));
  }
}
