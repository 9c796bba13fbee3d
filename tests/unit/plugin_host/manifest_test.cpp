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
