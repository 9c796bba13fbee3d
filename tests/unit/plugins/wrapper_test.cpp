// What the C++ wrapper of the SDK promises, seen through the C ABI.
#include <vmcp/json.hpp>

#include "unit/plugins/support.h"

using namespace vmcp::test;

TEST_CASE("wrapper: a table is read by its size, and half a pointer is no pointer") {
  struct Foreign {
    vmcp_vim_1 table{};
    char beyond = 'x';
  } foreign;
  foreign.table.call = [](vmcp_call*, vmcp_str, vmcp_str, vmcp_str, vmcp_str, vmcp_sink) -> vmcp_status {
    return VMCP_OK;
  };
  foreign.table.get = [](vmcp_call*, vmcp_str, vmcp_str, vmcp_str, vmcp_sink) -> vmcp_status {
    return VMCP_OK;
  };

  foreign.table.size = sizeof(vmcp_vim_1) + 64;  // a newer, longer table
  CHECK((vmcp::detail::read_table<vmcp_vim_1>(&foreign.table).get != nullptr));
  foreign.table.size = offsetof(vmcp_vim_1, get) + sizeof(void*) - 1;
  CHECK((vmcp::detail::read_table<vmcp_vim_1>(&foreign.table).get == nullptr));
  CHECK((vmcp::detail::read_table<vmcp_vim_1>(&foreign.table).call != nullptr));
  foreign.table.size = 0;
  CHECK((vmcp::detail::read_table<vmcp_vim_1>(&foreign.table).call == nullptr));
  CHECK((vmcp::detail::read_table<vmcp_vim_1>(nullptr).call == nullptr));
}

TEST_CASE("wrapper: a host that offers nothing is survived, and the tool says what is missing") {
  const vmcp::detail::host_services nothing;
  vmcp::call c(nullptr, nothing);
  CHECK(!c.cancelled());
  CHECK(c.round() == 0);
  CHECK(c.state().empty());
  CHECK(!c.input("task"));
  CHECK(!c.target("/vm_id"));
  CHECK(c.text("x") == vmcp::status::unsupported);
  CHECK(c.wait_for("task-1") == vmcp::status::unsupported);
  CHECK(c.ask("k", "{}") == vmcp::status::unsupported);
  const vmcp::reply reply = c.vcenter().get("/api/vcenter/vm");
  CHECK(reply.status == vmcp::status::unsupported);
  CHECK(mentions(reply.error, VMCP_IFACE_VCENTER));
}

TEST_CASE("wrapper: paths escape their identifiers") {
  CHECK(vmcp::escape("vm-42") == "vm-42");
  CHECK(vmcp::escape("a/b?c#d%e f") == "a%2Fb%3Fc%23d%25e%20f");
  CHECK(vmcp::escape("\xC3\xA4") == "%C3%A4");
  CHECK(vmcp::path("/x/{}/y/{}?z", "a", "{}") == "/x/a/y/%7B%7D?z");
  CHECK(vmcp::path("/x/{}") == "/x/{}");
}

TEST_CASE("wrapper: an unknown interface is null, also one that begins like a known one") {
  const FakeHost host(plugin_file("vm"));
  CHECK(host.query(VMCP_IFACE_TOOLS) != nullptr);
  CHECK(host.query(VMCP_IFACE_PREVIEW) != nullptr);
  for (const char* id : {"", "vmcp.tools", "vmcp.tools/", "vmcp.tools/10", "vmcp.tools/0", "VMCP.TOOLS/1",
                         VMCP_IFACE_CONFIG, VMCP_IFACE_CALL}) {
    CAPTURE(id);
    CHECK(host.query(id) == nullptr);
  }
  CHECK(FakeHost(plugin_file("inventory")).query(VMCP_IFACE_PREVIEW) == nullptr);
}

TEST_CASE("wrapper: errors of both APIs are recognised") {
  vmcp::reply reply;
  reply.json = R"({"error_type":"NOT_FOUND","messages":[]})";
  CHECK(vmcp::error_type(reply) == "NOT_FOUND");
  reply.json = R"({"_typeName":"InvalidPowerState","faultstring":"x"})";
  CHECK(vmcp::error_type(reply) == "InvalidPowerState");
  reply.json = "<html>";
  CHECK(vmcp::error_type(reply).empty());
  reply.json = "";
  CHECK(vmcp::error_type(reply).empty());
}

TEST_CASE("wrapper: an exception in a tool or a preview ends that call alone, with its text") {
  FakeHost runs(fixture_file("throws_run"));
  const Outcome run = runs.call("throws", Json::object());
  CHECK(run.status == VMCP_E_FAULT);
  CHECK(mentions(run.failure, "The tool throws has a defect (thrown on purpose)"));
  CHECK(runs.preview("throws", Json::object()).status == VMCP_OK);

  FakeHost previews(fixture_file("throws_preview"));
  CHECK(previews.preview("throws", Json::object()).status == VMCP_E_FAULT);
  CHECK(previews.call("throws", Json::object()).texts == std::vector<std::string>{"fine"});
}

TEST_CASE("wrapper: an exception in open, start, quiesce or close does not pass the border") {
  CHECK_THROWS_WITH(FakeHost(fixture_file("throws_open")), "open() failed");
  CHECK_THROWS_WITH(FakeHost(fixture_file("throws_start")),
                    "start() failed: start failed: thrown on purpose");
  for (const char* hook : {"throws_quiesce", "throws_close"}) {
    FakeHost host(fixture_file(hook));
    CHECK(host.call("throws", Json::object()).status == VMCP_OK);
  }  // quiesced and closed here: surviving it is the check
}

TEST_CASE("wrapper: arguments that the schema should have stopped are a defect, not a crash") {
  FakeHost host(fixture_file("slow"));
  const Outcome outcome = host.call("slow", {{"ms", "soon"}});
  CHECK(outcome.status == VMCP_E_FAULT);
  CHECK(mentions(outcome.failure, "Tell the operator"));
}

TEST_CASE("wrapper: a plugin in plain C works like one in C++") {
  FakeHost host(fixture_file("plain"));
  CHECK(host.call("plain", {{"value", 7}}).json == Json{{"value", 7}});
  CHECK_THROWS_WITH(FakeHost(fixture_file("refuses_start")), "start() failed: ");
}

TEST_CASE("wrapper: a client that cannot be asked is told so") {
  FakeHost host(fixture_file("needs_input"));
  const Outcome outcome = host.call("needs_input", Json::object());
  CHECK(outcome.status == VMCP_E_UNSUPPORTED);
  CHECK(mentions(outcome.failure, "cannot be asked"));
}
