#include "plugin_host/abi_check.h"

#include <doctest/doctest.h>

#include <cstring>

using namespace vmcp::plugin_host;

namespace {

vmcp_status open_it(const vmcp_host*, const vmcp_plugin**) {
  return VMCP_OK;
}
const void* query_it(const vmcp_plugin*, const char*) {
  return nullptr;
}
vmcp_status start_it(const vmcp_plugin*, vmcp_str) {
  return VMCP_OK;
}
vmcp_status quiesce_it(const vmcp_plugin*) {
  return VMCP_OK;
}
void close_it(const vmcp_plugin*) {}
uint32_t count_it(const vmcp_plugin*) {
  return 0;
}
const vmcp_tool* at_it(const vmcp_plugin*, uint32_t) {
  return nullptr;
}
vmcp_status run_it(const vmcp_plugin*, uint32_t, vmcp_call*, vmcp_str) {
  return VMCP_OK;
}
const char* schema_of(const vmcp_plugin*) {
  return "{}";
}

vmcp_entry good_entry() {
  return {sizeof(vmcp_entry), VMCP_ABI_MAJOR, VMCP_ABI_MINOR, "org.example.good", "1.2.3", open_it};
}
vmcp_plugin good_plugin() {
  return {sizeof(vmcp_plugin), 0, nullptr, query_it, start_it, quiesce_it, close_it};
}
vmcp_tools_1 good_tools() {
  return {sizeof(vmcp_tools_1), 0, count_it, at_it, run_it};
}
vmcp_tool good_tool() {
  vmcp_tool t{};
  t.size = sizeof t;
  t.effect = VMCP_EFFECT_READ;
  t.name = "hello";
  t.title = "Hello";
  t.description = "Greets.";
  t.input_schema = R"({"type":"object"})";
  return t;
}

// Every refusal must name something that the author can act on.
template <class R>
void refused_with(const R& result, const char* word) {
  REQUIRE_FALSE(result.ok());
  CHECK_MESSAGE(result.error().text.find(word) != std::string::npos, result.error().text);
}

}  // namespace

TEST_CASE("check_entry: accepts a good entry and copies it") {
  vmcp_entry e = good_entry();
  auto r = check_entry(&e);
  REQUIRE(r.ok());
  CHECK(r->id == "org.example.good");
  CHECK(r->version == "1.2.3");
  CHECK((r->open == open_it));
}

TEST_CASE("check_entry: one spoiled member per case") {
  refused_with(check_entry(nullptr), "null");
  vmcp_entry e = good_entry();
  e.size = 8;
  refused_with(check_entry(&e), "size");
  e = good_entry();
  e.size = offsetof(vmcp_entry, open);
  refused_with(check_entry(&e), "size");
  e = good_entry();
  e.abi_major = VMCP_ABI_MAJOR + 1;
  refused_with(check_entry(&e), "rebuild");
  e = good_entry();
  e.abi_minor = VMCP_ABI_MINOR + 1;
  refused_with(check_entry(&e), "upgrade the host");
  e = good_entry();
  e.open = nullptr;
  refused_with(check_entry(&e), "open");
  for (const char* id :
       {static_cast<const char*>(nullptr), "", "nodots", "Org.Upper", "a b.c", "org/example"}) {
    e = good_entry();
    e.id = id;
    refused_with(check_entry(&e), "id");
  }
  const std::string long_id = "a." + std::string(200, 'x');
  e = good_entry();
  e.id = long_id.c_str();
  refused_with(check_entry(&e), "id");
  e = good_entry();
  e.version = nullptr;
  refused_with(check_entry(&e), "version");
  e = good_entry();
  e.version = "";
  refused_with(check_entry(&e), "version");
}

TEST_CASE("check_plugin and check_tools: one null function per case") {
  vmcp_plugin p = good_plugin();
  CHECK(check_plugin(&p).ok());
  refused_with(check_plugin(nullptr), "no plugin");
  p.size = 16;
  refused_with(check_plugin(&p), "size");
  p = good_plugin();
  p.query = nullptr;
  refused_with(check_plugin(&p), "query");
  p = good_plugin();
  p.start = nullptr;
  refused_with(check_plugin(&p), "start");
  p = good_plugin();
  p.quiesce = nullptr;
  refused_with(check_plugin(&p), "quiesce");
  p = good_plugin();
  p.close = nullptr;
  refused_with(check_plugin(&p), "close");

  vmcp_tools_1 t = good_tools();
  CHECK(check_tools(&t).ok());
  refused_with(check_tools(nullptr), "no vmcp.tools/1");
  t.size = 12;
  refused_with(check_tools(&t), "size");
  t = good_tools();
  t.count = nullptr;
  refused_with(check_tools(&t), "null");
  t = good_tools();
  t.at = nullptr;
  refused_with(check_tools(&t), "null");
  t = good_tools();
  t.run = nullptr;
  refused_with(check_tools(&t), "null");
}

TEST_CASE("check_plugin: a larger table of a newer SDK is read up to what this host knows") {
  struct Newer {
    vmcp_plugin known;
    void* added;
  } newer{good_plugin(), nullptr};
  newer.known.size = sizeof newer;
  auto r = check_plugin(&newer.known);
  REQUIRE(r.ok());
  CHECK((r->close == close_it));
}

TEST_CASE("check_preview and check_config: absent is fine, half is not") {
  auto none = check_preview(nullptr);
  REQUIRE(none.ok());
  CHECK((none->run == nullptr));
  vmcp_preview_1 p{sizeof(vmcp_preview_1), 0, nullptr};
  refused_with(check_preview(&p), "run");
  p.run = run_it;
  CHECK(check_preview(&p).ok());
  p.size = 8;
  refused_with(check_preview(&p), "run");
  vmcp_config_1 c{sizeof(vmcp_config_1), 0, nullptr};
  refused_with(check_config(&c), "schema");
  c.schema = schema_of;
  CHECK(check_config(&c).ok());
}

TEST_CASE("check_tool: one spoiled member per case") {
  vmcp_tool t = good_tool();
  auto r = check_tool(&t);
  REQUIRE(r.ok());
  CHECK(r->name == "hello");
  CHECK(r->cost == 1);
  refused_with(check_tool(nullptr), "null");
  t.size = 16;
  refused_with(check_tool(&t), "small");
  for (const char* name : {static_cast<const char*>(nullptr), "", "with blank", "slash/", "ünicode"}) {
    t = good_tool();
    t.name = name;
    refused_with(check_tool(&t), "name");
  }
  const std::string long_name(65, 'a');
  t = good_tool();
  t.name = long_name.c_str();
  refused_with(check_tool(&t), "name");
  t = good_tool();
  t.description = "";
  refused_with(check_tool(&t), "description");
  t = good_tool();
  t.input_schema = nullptr;
  refused_with(check_tool(&t), "input schema");
  t = good_tool();
  t.effect = 3;
  refused_with(check_tool(&t), "effect");
  const std::string endless(300 * 1024, 'x');
  t = good_tool();
  t.input_schema = endless.c_str();
  refused_with(check_tool(&t), "too long");
}
