#include "plugin_host/manifest.h"

#include <doctest/doctest.h>

using namespace vmcp;
using namespace vmcp::plugin_host;

namespace {

Json good() {
  return Json::parse(R"({"manifest":0,"id":"org.example.a","version":"1.0.0","abi":{"major":0,"minor":1},
    "previews":false,"tools":[{"name":"t","title":"T","description":"d","effect":"change","idempotent":true,
    "open_world":false,"no_upstream":false,"needs_confirm":true,"cost":2,"max_parallel":3,"time_hint_ms":4,
    "privileges":["A.B","C.D"],"input_schema":{"type":"object","properties":{"a":{"type":"string"}}}}]})");
}

struct Fixture {
  Manifest manifest = *parse_manifest(good().dump());
  CheckedEntry entry{"org.example.a", "1.0.0", nullptr};
  std::vector<Declaration> tools = manifest.tools;
  std::string diff() { return difference(manifest, entry, tools, manifest.offers, false); }
};

}  // namespace

TEST_CASE("manifest: reads what the manifest tool writes") {
  auto m = parse_manifest(good().dump());
  REQUIRE(m.ok());
  REQUIRE(m->tools.size() == 1);
  const Declaration& d = m->tools[0];
  CHECK(d.effect == VMCP_EFFECT_CHANGE);
  CHECK(d.flags == (VMCP_TOOL_IDEMPOTENT | VMCP_TOOL_NEEDS_CONFIRM));
  CHECK(d.privileges == "A.B,C.D");
}

TEST_CASE("manifest: says what is wrong") {
  for (const char* text : {"", "[]", "{}", R"({"id":"a.b"})", R"({"id":"a.b","version":"1","tools":[]})",
                           R"({"id":"a.b","version":"1","abi":{"major":0}})",
                           R"({"id":"a.b","version":"1","abi":{},"tools":[1]})",
                           R"({"id":"a.b","version":"1","abi":{},"tools":[{"effect":"explode"}]})"}) {
    CAPTURE(text);
    auto m = parse_manifest(text);
    REQUIRE_FALSE(m.ok());
    CHECK(m.error().text.find("manifest") != std::string::npos);
  }
}

TEST_CASE("manifest: the truth gives no difference, also with schemas spelled otherwise") {
  Fixture f;
  CHECK(f.diff().empty());
  f.tools[0].input_schema = R"({ "properties": {"a": {"type":"string"}}, "type": "object" })";
  f.tools[0].privileges = "A.B, C.D";
  CHECK(f.diff().empty());
}

TEST_CASE("manifest: each lie is found") {
  const auto lie = [](auto change) {
    Fixture f;
    change(f);
    CHECK_FALSE(f.diff().empty());
  };
  lie([](Fixture& f) { f.entry.id = "org.example.b"; });
  lie([](Fixture& f) { f.entry.version = "1.0.1"; });
  lie([](Fixture& f) { f.tools.push_back(f.tools[0]); });
  lie([](Fixture& f) { f.tools[0].name = "u"; });
  lie([](Fixture& f) { f.tools[0].title = "other"; });
  lie([](Fixture& f) { f.tools[0].description = "other"; });
  lie([](Fixture& f) { f.tools[0].effect = VMCP_EFFECT_DESTROY; });
  lie([](Fixture& f) { f.tools[0].flags = VMCP_TOOL_IDEMPOTENT; });
  lie([](Fixture& f) { f.tools[0].cost = 1; });
  lie([](Fixture& f) { f.tools[0].max_parallel = 0; });
  lie([](Fixture& f) { f.tools[0].time_hint_ms = 0; });
  lie([](Fixture& f) { f.tools[0].privileges = "A.B"; });
  lie([](Fixture& f) { f.tools[0].input_schema = R"({"type":"object"})"; });
  lie([](Fixture& f) { f.tools[0].output_schema = R"({"type":"object"})"; });
  Fixture f;
  CHECK_FALSE(difference(f.manifest, f.entry, f.tools, f.manifest.offers, true).empty());
}

TEST_CASE("manifest: grants the interfaces that it names, and vmcp.log to everybody") {
  Json json = good();
  CHECK(parse_manifest(json.dump())->grants(VMCP_IFACE_LOG));
  CHECK_FALSE(parse_manifest(json.dump())->grants(VMCP_IFACE_VCENTER));
  json["interfaces"] = {VMCP_IFACE_VCENTER, 7};
  const auto m = parse_manifest(json.dump());
  CHECK(m->grants(VMCP_IFACE_VCENTER));
  CHECK_FALSE(m->grants(VMCP_IFACE_VIM));
  CHECK_FALSE(m->grants("vmcp.vcenter/"));
  CHECK_FALSE(m->grants(""));
}

TEST_CASE("manifest: operations that are not declared are not limited, an empty list allows none") {
  Json json = good();
  auto m = parse_manifest(json.dump());
  CHECK(m->allows_request("DELETE", "/api/vcenter/vm/vm-1"));
  CHECK(m->allows_vim("VirtualMachine", "PowerOnVM_Task"));
  json["operations"] = Json::array();
  m = parse_manifest(json.dump());
  CHECK_FALSE(m->allows_request("GET", "/api/vcenter/vm"));
  CHECK_FALSE(m->allows_vim("VirtualMachine", "name"));
}

TEST_CASE("manifest: declared operations are matched segment by segment") {
  Json json = good();
  json["operations"] = {"GET /api/vcenter/vm/*", "POST /api/vcenter/vm/*/power", "* /api/cis/tasks/**",
                        "VirtualMachine.PowerO*_Task", "HostSystem.*"};
  const auto m = parse_manifest(json.dump());
  REQUIRE(m.ok());
  const auto request = [&](const char* method, const char* path) { return m->allows_request(method, path); };
  CHECK(request("GET", "/api/vcenter/vm/vm-1"));
  CHECK(request("GET", "/api/vcenter/vm/vm-1?names=a"));
  CHECK_FALSE(request("GET", "/api/vcenter/vm"));
  CHECK_FALSE(request("GET", "/api/vcenter/vm/vm-1/power"));
  CHECK_FALSE(request("DELETE", "/api/vcenter/vm/vm-1"));
  CHECK_FALSE(request("get", "/api/vcenter/vm/vm-1"));
  CHECK(request("POST", "/api/vcenter/vm/vm-1/power?action=start"));
  CHECK_FALSE(request("POST", "/api/vcenter/vm/vm-1/x/power"));
  CHECK_FALSE(request("POST", "/api/vcenter/vm/power"));
  CHECK_FALSE(request("POST", "/api/vcenter/vm/vm-1/power/more"));
  CHECK(request("GET", "/api/cis/tasks/a/b/c"));
  CHECK_FALSE(request("GET", "/api/cis/tasks"));
  CHECK_FALSE(request("GET", "/api/cis/tasks/"));
  CHECK_FALSE(request("GET", ""));
  CHECK_FALSE(request("GET", "api/vcenter/vm/vm-1"));
  CHECK(m->allows_vim("VirtualMachine", "PowerOnVM_Task"));
  CHECK_FALSE(m->allows_vim("VirtualMachine", "ResetVM_Task"));
  CHECK(m->allows_vim("HostSystem", "summary.runtime.powerState"));
  CHECK_FALSE(m->allows_vim("HostSystems", "summary"));
  // a request cannot pass for a method, nor the other way round
  CHECK_FALSE(m->allows_vim("GET /api/vcenter/vm/x", "y"));
}

TEST_CASE("manifest: a malformed operation is refused") {
  for (const char* operations : {"7", "{}", "[7]", R"([""])", R"(["GET"])", R"(["GET vcenter"])",
                                 R"([" /api"])", R"(["GET /a b"])", R"(["A.b\n"])"}) {
    CAPTURE(operations);
    Json json = good();
    json["operations"] = Json::parse(operations);
    const auto m = parse_manifest(json.dump());
    REQUIRE_FALSE(m.ok());
    CHECK(m.error().text.find("operation") != std::string::npos);
  }
  Json many = good();
  many["operations"] = std::vector<std::string>(1001, "A.b");
  CHECK_FALSE(parse_manifest(many.dump()).ok());
}
