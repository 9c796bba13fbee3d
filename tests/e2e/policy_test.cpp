// Rules of a site on the real server, over the embedded vCenter: what is seen, what is refused and why, and a
// policy that is replaced while it serves.
#include <doctest/doctest.h>
#include <signal.h>

#include <fstream>
#include <iterator>
#include <set>

#include "e2e/site.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

Json result_under(const Answer& answer) {
  const Json body = answer.json();
  REQUIRE_MESSAGE(body.contains("result"), answer.body);
  return body["result"];
}

Json call_as(const ServerProcess& server, const char* token, const char* tool, const Json& arguments) {
  return result_under(call_tool(server.port(), token, tool, arguments));
}

std::string words_of(const Json& result) {
  return result["content"].at(0).value("text", "");
}

std::string tools_for(const ServerProcess& server, const char* token) {
  std::string out;
  const Json result = result_under(modern(server.port(), token, "tools/list", Json::object()));
  for (const Json& tool : result["tools"]) out += tool.value("name", "") + " ";
  return out;
}

// The view is written behind the answer.
bool is_audited(const ServerProcess& server, const std::string& part) {
  return wait_until([&] { return server.audit_text().find(part) != std::string::npos; }, 5'000);
}

void rewrite(const std::string& file, const std::string& text) {
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("policy: a role of rules sees and changes only what they open") {
  const Site site({},
                  "[auth.role.ops]\n[[policy.rule]]\nname = \"small-test\"\neffect = \"allow\"\n"
                  "roles = [\"ops\"]\ntools = [\"list_vms\", \"get_vm_details\", \"modify_vm_resources\"]\n"
                  "targets = { tags = [\"env/test\"] }\narguments = { cpu_count = { max = 8 } }\n");
  const ServerProcess server(site.options());
  const Json all = call_as(server, "demo-admin", "list_vms", {{"limit", 1000}})["structuredContent"]["vms"];
  const Json some = call_as(server, "demo-ops", "list_vms", {{"limit", 1000}})["structuredContent"]["vms"];
  REQUIRE(some.size() > 3);
  CHECK(some.size() < all.size());
  CHECK(tools_for(server, "demo-ops") == "list_vms get_vm_details modify_vm_resources ");
  // By name, by id and by path: what is not seen is not there.
  std::set<std::string> seen;
  for (const Json& vm : some) seen.insert(vm.value("vm", ""));
  Json hidden;
  for (const Json& vm : all)
    if (!seen.contains(vm.value("vm", ""))) hidden = vm;
  for (const Json& by : {hidden["vm"], hidden["name"]}) {
    const Json refused = call_as(server, "demo-ops", "get_vm_details", {{"vm_id", by}});
    CHECK(refused["isError"] == true);
    CHECK(words_of(refused).find("There is no virtual machine") == 0);
  }
  const Json large = call_as(server, "demo-ops", "modify_vm_resources",
                             {{"vm_id", some[0]["vm"]}, {"cpu_count", 16}, {"confirm", true}});
  CHECK(large["isError"] == true);
  CHECK(words_of(large).find("/cpu_count must be at most 8") != std::string::npos);
  CHECK(is_audited(server, "\"step\":\"authorise_targets\""));
  // Resources are the same inventory.
  const std::string vcenter = "127.0.0.1:" + std::to_string(server.simulator_port());
  const Json read = modern(server.port(), "demo-ops", "resources/read",
                           {{"uri", "vsphere://" + vcenter + "/vm/" + hidden.value("vm", "")}})
                        .json();
  CHECK(read.contains("error"));
}

TEST_CASE("policy: another one holds from the next call on, and a broken one changes nothing") {
  const Site site({});
  ServerProcess server(site.options());
  const std::string before = [&] {
    std::ifstream in(site.config);
    return std::string((std::istreambuf_iterator<char>(in)), {});
  }();
  const auto may = [&] {
    return !call_as(server, "demo-read", "list_hosts", Json::object()).value("isError", false);
  };
  CHECK(may());
  rewrite(site.config,
          before + "[[policy.rule]]\nname = \"no-hosts\"\neffect = \"deny\"\ntools = [\"list_hosts\"]\n");
  REQUIRE(::kill(server.pid(), SIGHUP) == 0);
  REQUIRE(wait_until([&] { return server.log().find("policy reloaded") != std::string::npos; }, 10'000));
  CHECK_FALSE(may());
  CHECK(is_audited(server, "rule 'no-hosts'"));
  rewrite(site.config, before + "[[policy.rule]]\nname = \"odd\"\neffect = \"permit\"\ntools = [\"*\"]\n");
  REQUIRE(::kill(server.pid(), SIGHUP) == 0);
  REQUIRE(wait_until([&] { return server.log().find("reload refused") != std::string::npos; }, 10'000));
  CHECK(server.log().find("the effects are allow, deny") != std::string::npos);
  CHECK_FALSE(may());
  rewrite(site.config, before);
  REQUIRE(::kill(server.pid(), SIGHUP) == 0);
  REQUIRE(wait_until([&] { return may(); }, 10'000));
}
