// The snippets of sdk/README.md, each where it says that it belongs, and what it says that comes out.
#include <doctest/doctest.h>

#include <vmcp/testing.hpp>

#include "tool.inc"  // a whole library's source: defines vmcp_entry_v1, which test.inc runs
#include "typed.inc"

namespace {

template <class Plugin>
const vmcp_entry* entry_of() {
  static constexpr vmcp_entry kEntry{sizeof(vmcp_entry),   VMCP_ABI_MAJOR, VMCP_ABI_MINOR,
                                     "org.example.readme", "1.0.0",        &vmcp::plugin_entry<Plugin>::open};
  return &kEntry;
}

struct StartsTask : vmcp::plugin {
  StartsTask() {
    tool("consolidate")
        .describe("Removes all snapshots.")
        .changes()
        .input(R"({"type":"object","properties":{"vm_id":{"type":"string","x-vmcp-kind":"vm"}},
                   "required":["vm_id"]})")
#include "task.inc"
        ;
  }
};

struct Asks : vmcp::plugin {
  Asks() {
    tool("keep")
        .describe("Asks why a VM is kept.")
        .input(R"({"type":"object","properties":{"vm_id":{"type":"string"}},"required":["vm_id"]})")
#include "asks.inc"
        ;
  }
};

std::string note(const std::string& id) {
  return "note " + id;
}
std::vector<std::string> ids_that_begin_with(std::string_view text) {
  return text == "a" ? std::vector<std::string>{"a1", "a2"} : std::vector<std::string>{};
}

namespace offers {
struct Hello : vmcp::plugin {
#include "offers.inc"
};
}  // namespace offers

}  // namespace

TEST_CASE("sdk/README: a tool, and its test") {
#include "test.inc"
  CHECK(answer.ok());
  CHECK(answer.json == R"({"count":3})");
}

TEST_CASE("sdk/README: arguments as a struct") {
  vmcp::testing::host host;
  vmcp::testing::plugin plugin(host, entry_of<Snapshots>());
  CHECK(plugin.run("list_old_snapshots", R"({"vm_id":"vm-1"})").text() == "Older than 14 days in vm-1");
  CHECK(plugin.run("list_old_snapshots", R"({"vm_id":"vm-1","days":3})").text() ==
        "Older than 3 days in vm-1");
}

TEST_CASE("sdk/README: a tool that starts a task") {
  vmcp::testing::host host;
  host.on_vim("vm-1", "RemoveAllSnapshots_Task", R"({"type":"Task","value":"task-7"})");
  vmcp::testing::plugin plugin(host, entry_of<StartsTask>());
  vmcp::testing::conditions when;
  when.inputs["task"] = R"({"key":"task-7","state":"success"})";
  const auto answer = plugin.run("consolidate", R"({"vm_id":"vm-1"})", when);
  CHECK(answer.rounds == 2);
  CHECK(answer.json == R"({"state":"done","task":"task-7"})");
}

TEST_CASE("sdk/README: a tool that asks") {
  vmcp::testing::host host;
  vmcp::testing::plugin plugin(host, entry_of<Asks>());
  vmcp::testing::conditions when;
  when.client_can = {"elicitation.form"};
  when.inputs["why"] = R"({"action":"accept","content":{"why":"evidence"}})";
  CHECK(plugin.run("keep", R"({"vm_id":"vm-1"})", when).text() == "Noted: evidence");
  when.inputs["why"] = R"({"action":"decline"})";
  CHECK(plugin.run("keep", R"({"vm_id":"vm-1"})", when).text() == "No reason was given.");
}

TEST_CASE("sdk/README: resources, prompts and completion") {
  vmcp::testing::host host;
  vmcp::testing::plugin plugin(host, entry_of<offers::Hello>());
  const auto text_of = [](const vmcp::testing::answer& answer, const char* pointer) {
    REQUIRE(answer.blocks.size() == 1);
    return vmcp::json::parse(answer.blocks[0]).at(vmcp::json::json_pointer(pointer)).get<std::string>();
  };
  CHECK(text_of(plugin.read("org.example.hello://note/n1"), "/text") == "note n1");
  CHECK(text_of(plugin.prompt("review", R"({"id":"n1"})"), "/content/text") == "Review note n1.");
  const std::string review = R"({"type":"ref/prompt","name":"review"})";
  CHECK(plugin.complete(review, "id", "a").json.find(R"(["a1","a2"])") != std::string::npos);
  CHECK(plugin.complete(review, "other", "a").json.find("a1") == std::string::npos);
}
