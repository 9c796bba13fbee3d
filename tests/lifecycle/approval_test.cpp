// A second person decides: over the admin API's commands, on the real server and the embedded vCenter.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "e2e/site.h"
#include "support/command_output.h"
#include "support/server_process.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

constexpr const char* kTwoPeople =
    "[[policy.rule]]\nname = \"two\"\neffect = \"approve\"\ntools = [\"delete_vm\"]\n";

std::pair<int, std::string> operator_says(const ServerProcess& server, const std::string& words) {
  return output_of(std::string(VMCP_PROGRAM) + " " + words + " --state-dir " + server.folder() + "/state");
}

Json delete_vm(const ServerProcess& server, const std::string& vm, const char* token = "demo-admin") {
  const Json body = call_tool(server.port(), token, "delete_vm", {{"vm_id", vm}, {"confirm", true}}).json();
  REQUIRE_MESSAGE(body.contains("result"), dump_json(body));
  return body["result"];
}

std::string said_in(const Json& result) {
  return result["content"].at(0).value("text", "");
}

// The id that a refusal names; empty when it names none.
std::string id_in(const std::string& text) {
  const auto at = text.find("It waits as ");
  return at == std::string::npos ? "" : text.substr(at + 12, 10);
}

std::string a_vm_that_is_off(const ServerProcess& server) {
  const Json all = call_tool(server.port(), "demo-admin", "list_vms", {{"limit", 1000}}).json();
  for (const Json& vm : all["result"]["structuredContent"]["vms"])
    if (vm.value("power_state", "") == "POWERED_OFF") return vm.value("vm", "");
  FAIL("no virtual machine is off");
  return {};
}

bool is_there(const ServerProcess& server, const std::string& vm) {
  const Json body = call_tool(server.port(), "demo-admin", "get_vm_details", {{"vm_id", vm}}).json();
  return !body["result"].value("isError", false);
}

}  // namespace

TEST_CASE("approval: nothing happens before, the identical call runs after, once") {
  const Site site({}, kTwoPeople);
  const ServerProcess server(site.options());
  const std::string vm = a_vm_that_is_off(server);
  const Json first = delete_vm(server, vm);
  CHECK(first["isError"] == true);
  const std::string id = id_in(said_in(first));
  REQUIRE_MESSAGE(!id.empty(), said_in(first));
  CHECK(id_in(said_in(delete_vm(server, vm))) == id);
  CHECK(is_there(server, vm));

  const auto [listed, text] = operator_says(server, "approvals");
  CHECK(listed == 0);
  for (const char* part : {"demo-admin", "delete_vm", "waiting", "preview", "rule 'two'"})
    CHECK_MESSAGE(text.find(part) != std::string::npos, part, "\n", text);
  CHECK(text.find(vm) != std::string::npos);

  const auto [approved, words] = operator_says(server, "approve " + id + " --reason CHG-812");
  CHECK_MESSAGE(approved == 0, words);
  const Json done = delete_vm(server, vm);
  CHECK_MESSAGE(!done.value("isError", false), said_in(done));
  CHECK_FALSE(is_there(server, vm));
  CHECK(wait_until(
      [&] { return server.audit_text().find("\"approver\":\"local-operator\"") != std::string::npos; },
      5'000));
  CHECK(operator_says(server, "approvals").second.find("nothing waits") == 0);
}

TEST_CASE("approval: another caller, another object and a changed object have none") {
  const Site site({}, "[auth.role.ops]\nallow = [\"*\"]\n" + std::string(kTwoPeople));
  const ServerProcess server(site.options());
  const std::string vm = a_vm_that_is_off(server);
  const std::string id = id_in(said_in(delete_vm(server, vm)));
  REQUIRE(operator_says(server, "approve " + id).first == 0);
  // Not another's: that asks on its own.
  const std::string other = id_in(said_in(delete_vm(server, vm, "demo-ops")));
  CHECK_FALSE(other.empty());
  CHECK(other != id);
  // Not for another state: it was switched on since.
  const Json on = call_tool(server.port(), "demo-admin", "power_on_vm", {{"vm_id", vm}}).json()["result"];
  REQUIRE_MESSAGE(!on.value("isError", false), dump_json(on));
  const Json refused = delete_vm(server, vm);
  CHECK(refused["isError"] == true);
  const std::string anew = id_in(said_in(refused));
  CHECK_MESSAGE(!anew.empty(), said_in(refused));
  CHECK(anew != id);
  CHECK(is_there(server, vm));
  // A denial is final for that call.
  REQUIRE(operator_says(server, "deny " + anew + " --reason \"not this week\"").first == 0);
  CHECK(said_in(delete_vm(server, vm)).find("not this week") != std::string::npos);
  CHECK(operator_says(server, "approve " + anew).second.find("denied already") != std::string::npos);
  CHECK(operator_says(server, "approve 0000000000").first == 1);
}

TEST_CASE("explain: the steps themselves say what would become of a call, and of one that was") {
  const Site site({}, "[auth.role.ops]\ninherits = [\"read\"]\n" + std::string(kTwoPeople) +
                          "[[policy.rule]]\nname = \"small\"\neffect = \"allow\"\nroles = [\"ops\"]\n"
                          "tools = [\"modify_vm_resources\"]\narguments = { cpu_count = { max = 8 } }\n");
  const ServerProcess server(site.options());
  const std::string vm = a_vm_that_is_off(server);
  const auto explained = [&](const std::string& words) {
    const auto [code, text] = operator_says(server, "explain " + words);
    CHECK_MESSAGE(code == 0, text);
    return text;
  };
  const auto says = [](const std::string& text, const std::vector<std::string>& parts) {
    for (const std::string& part : parts)
      CHECK_MESSAGE(text.find(part) != std::string::npos, part, "\n", text);
  };
  says(explained("delete_vm vm_id=" + vm + " --role admin"),
       {"would need consent", "rule 'two'", site.config + ":", "was not asked yet", vm});
  says(explained("delete_vm vm_id=" + vm + " --role read"), {"would be refused", "roles that may: admin"});
  says(explained("modify_vm_resources vm_id=" + vm + " cpu_count=9 --role ops"),
       {"would be refused", "does not match", "/cpu_count must be at most 8"});
  says(explained("modify_vm_resources vm_id=" + vm + " cpu_count=8 confirm=true --role ops"), {"would run"});
  // Nothing was noted down, charged or changed by that.
  CHECK(operator_says(server, "approvals").second.find("nothing waits") == 0);
  CHECK(is_there(server, vm));

  delete_vm(server, vm, "demo-admin");
  std::string request;
  REQUIRE(wait_until(
      [&] {
        for (const Json& line : server.audit())
          if (line.value("event", "") == "refused" && line.value("tool", Json("")) == "delete_vm")
            request = line.value("request_id", "");
        return !request.empty();
      },
      5'000));
  says(explained("--request " + request), {"demo-admin (role admin)", "it waits for approval as", "of now"});
  CHECK(operator_says(server, "explain --request 00000000").first == 1);
  CHECK(operator_says(server, "explain delete_vm").first != 0);
  CHECK(operator_says(server, "explain delete_vm nonsense --role ops").first == 2);
}
