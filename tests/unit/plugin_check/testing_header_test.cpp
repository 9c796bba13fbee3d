// vmcp/testing.hpp, the host that authors test against, with fixtures as the plugins.
#include <dlfcn.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vmcp/testing.hpp>

using vmcp::testing::conditions;

namespace {

const vmcp_entry* entry_of(const std::string& fixture) {
  void* const library =
      ::dlopen((VMCP_FIXTURE_DIRECTORY "/fixture_" + fixture + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
  REQUIRE_MESSAGE(library != nullptr, ::dlerror());
  const auto entry = reinterpret_cast<const vmcp_entry* (*)()>(::dlsym(library, VMCP_ENTRY_SYMBOL));
  REQUIRE(bool(entry != nullptr));
  return entry();
}

}  // namespace

TEST_CASE("testing.hpp: an answer is kept as it was given") {
  vmcp::testing::host host;
  vmcp::testing::plugin plugin(host, entry_of("plain"));
  const auto answer = plugin.run("plain", R"({"value":3})");
  CHECK(answer.ok());
  CHECK(answer.json == R"({"value":3})");
  CHECK(answer.rounds == 1);
  CHECK_THROWS_WITH(plugin.run("absent"), "the plugin does not declare absent");
  CHECK_THROWS(plugin.read("org.example://x"));
}

TEST_CASE("testing.hpp: rounds go on as long as there are answers, with the state of the round before") {
  vmcp::testing::host host;
  vmcp::testing::plugin plugin(host, entry_of("needs_input"));
  CHECK(plugin.run("needs_input").status == vmcp::status::unsupported);

  conditions when;
  when.client_can = {"elicitation.form"};
  auto answer = plugin.run("needs_input", "{}", when);
  CHECK(answer.status == vmcp::status::suspended);
  CHECK(answer.asked.count("name") == 1);
  when.inputs["name"] = R"({"action":"accept","content":{"name":"Ada"}})";
  answer = plugin.run("needs_input", "{}", when);
  CHECK(answer.status == vmcp::status::suspended);
  CHECK(answer.state == "Ada");
  when.inputs["colour"] = R"({"action":"accept","content":{"colour":"green"}})";
  answer = plugin.run("needs_input", "{}", when);
  CHECK(answer.ok());
  CHECK(answer.rounds == 3);
  CHECK(answer.json == R"({"name":"Ada","colour":"green"})");
}

TEST_CASE(
    "testing.hpp: a call is cancelled at the callback that the test names, or when its time is used up") {
  vmcp::testing::host host;
  vmcp::testing::plugin plugin(host, entry_of("slow"));
  conditions when;
  when.cancel_at = 3;
  auto answer = plugin.run("slow", R"({"ms":600000})", when);
  CHECK(answer.status == vmcp::status::cancelled);
  CHECK(answer.callbacks == 4);  // the third says so, the fourth is fail()
  when.cancel_at = 0;
  when.remaining_ms = 10;
  when.callback_ms = 5;
  answer = plugin.run("slow", R"({"ms":600000})", when);
  CHECK(answer.status == vmcp::status::cancelled);
  CHECK(answer.callbacks == 3);
  CHECK(plugin.run("slow", R"({"ms":0})").ok());
}

TEST_CASE("testing.hpp: an answer over the host's bounds is refused and remembered") {
  vmcp::testing::host host;
  vmcp::testing::plugin plugin(host, entry_of("oversized"));
  for (const char* as : {R"({"as":"text"})", R"({"as":"json"})", R"({"as":"blocks"})"}) {
    const auto answer = plugin.run("oversized", as);
    CHECK(answer.over_limit);
    CHECK_FALSE(answer.ok());
  }
}

TEST_CASE("testing.hpp: vCenter answers what the test scripted, and nothing else") {
  vmcp::testing::host host;
  vmcp::testing::plugin plugin(host, entry_of("changes_other_vm"));
  const char* const arguments = R"({"vm_id":"vm-1","other":"vm-2"})";
  const auto unscripted = plugin.run("changes_other_vm", arguments);
  REQUIRE_FALSE(host.heard().empty());
  CHECK(host.heard().back() == "POST /api/vcenter/vm/vm-2/power?action=stop");
  CHECK(unscripted.json.find("not told what to answer to: POST") != std::string::npos);
  host.on_request("POST", "/api/vcenter/vm/vm-2/power?action=stop", "", 204);
  CHECK(plugin.run("changes_other_vm", arguments).ok());
  host.refuse("POST /api/vcenter/vm/vm-2/power?action=stop", vmcp::status::denied, "Not that one.");
  CHECK(plugin.run("changes_other_vm", arguments).json.find("Not that one.") != std::string::npos);
}

TEST_CASE("testing.hpp: a plugin that cannot be opened or started is an exception") {
  vmcp::testing::host host;
  CHECK_THROWS(vmcp::testing::plugin(host, nullptr));
  CHECK_THROWS(vmcp::testing::plugin(host, entry_of("refuses_start")));
  CHECK_THROWS(vmcp::testing::plugin(host, entry_of("throws_open")));
  CHECK(std::count(host.log().begin(), host.log().end(), "open failed: thrown on purpose") == 1);
}
