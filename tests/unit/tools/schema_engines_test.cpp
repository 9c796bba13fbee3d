// The two engines behind Schema must agree: whatever the fast one says of a flat schema, valijson says too.
#include <doctest/doctest.h>

#include <random>
#include <string>

#include "support/rounds.h"
#include "tools/schema_draft7.h"
#include "tools/schema_gate.h"
#include "tools/schema_node.h"

using namespace vmcp;
using namespace vmcp::tools;

namespace {

class Maker {
 public:
  explicit Maker(std::uint32_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  bool chance(std::size_t percent) { return below(100) < percent; }

  Json schema(int depth) {
    if (chance(4)) return chance(50);
    Json s = Json::object();
    if (chance(70)) s["type"] = type();
    if (chance(10)) s["type"] = Json::array({"integer", "string"});
    if (chance(8)) s["const"] = value(1);
    if (chance(12)) s["enum"] = Json::array({value(1), value(1), value(0), 1, "a"});
    if (chance(15)) s["minimum"] = static_cast<int>(below(5)) - 2;
    if (chance(15)) s["maximum"] = static_cast<double>(below(10)) / 2;
    if (chance(8)) s["exclusiveMinimum"] = static_cast<int>(below(3));
    if (chance(8)) s["exclusiveMaximum"] = static_cast<int>(below(6));
    if (chance(10)) s["multipleOf"] = chance(50) ? Json(2) : Json(0.5);
    if (chance(12)) s["minLength"] = below(3);
    if (chance(12)) s["maxLength"] = below(4);
    if (chance(12)) s["pattern"] = chance(50) ? "^a" : "[b€]";
    if (chance(10)) s["minItems"] = below(3);
    if (chance(10)) s["minProperties"] = below(3);
    if (chance(10)) s["maxProperties"] = below(4);
    if (chance(20)) s["maxItems"] = below(4);
    if (chance(20) && s.contains("maxItems")) s["uniqueItems"] = true;
    if (depth <= 0) return s;
    if (chance(60))
      for (std::size_t i = below(4); i > 0; --i) s["properties"][name()] = schema(depth - 1);
    if (chance(30)) s["required"] = chance(50) ? Json::array({name()}) : Json::array({"a", "b"});
    if (chance(30)) s["additionalProperties"] = chance(60) ? Json(false) : schema(depth - 1);
    if (chance(40)) s["items"] = schema(depth - 1);
    if (chance(15)) s["allOf"] = Json::array({schema(depth - 1), schema(depth - 1)});
    if (chance(10)) s["$ref"] = "#/$defs/shared";
    return s;
  }

  Json value(int depth) {
    switch (below(depth > 0 ? 10 : 7)) {
      case 0:
        return nullptr;
      case 1:
        return chance(50);
      case 2:
        return static_cast<int>(below(9)) - 3;
      case 3:
        return static_cast<double>(below(12)) / 4 - 1;
      case 4:
        return 2.0;
      case 5:
        return name();
      case 6:
        return chance(50) ? "ab€" : "";
      case 7: {
        Json list = Json::array();
        for (std::size_t i = below(4); i > 0; --i) list.push_back(value(depth - 1));
        return list;
      }
      default: {
        Json object = Json::object();
        for (std::size_t i = below(4); i > 0; --i) object[name()] = value(depth - 1);
        return object;
      }
    }
  }

 private:
  Json type() {
    static const char* kTypes[] = {"object",  "object", "object",  "array", "string",
                                   "integer", "number", "boolean", "null"};
    return kTypes[below(std::size(kTypes))];
  }
  std::string name() {
    static const char* kNames[] = {"a", "b", "ab", "c/d", "~"};
    return kNames[below(std::size(kNames))];
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("schema engines: both judge 60,000 random values of random flat schemas alike") {
  Maker maker(20260728);
  std::size_t valid = 0, invalid = 0;
  for (int round = 0; round < vmcp::testing::rounds(2'000); ++round) {
    Json schema = maker.schema(3);
    if (!schema.is_object()) continue;
    schema["$defs"]["shared"] = {{"type", Json::array({"object", "array", "integer"})}, {"maxProperties", 2}};
    auto gated = gate_schema(schema.dump());
    if (!gated) {  // `$ref` beside a recursion is not made here: nothing else may be refused
      CAPTURE(schema.dump());
      FAIL(gated.error().text);
    }
    REQUIRE((*gated)->flat);
    const SchemaTree tree(**gated);
    auto engine = Draft7::compile(**gated);
    if (!engine) {
      CAPTURE(schema.dump());
      FAIL(engine.error().text);
    }
    for (int i = 0; i < 30; ++i) {
      const Json value = maker.value(3);
      Violations mine, theirs;
      tree.check(value, mine);
      (*engine)->check(value, theirs);
      if (mine.lines.empty() != theirs.lines.empty()) {
        CAPTURE(schema.dump());
        CAPTURE(value.dump());
        CAPTURE((mine.lines.empty() ? theirs : mine).lines.front());
        FAIL("the engines differ");
      }
      ++(mine.lines.empty() ? valid : invalid);
    }
  }
  // Neither answer may be so rare that agreement says nothing.
  CHECK(valid > 5'000);
  CHECK(invalid > 5'000);
}

TEST_CASE("schema engines: what the fast one refuses of a schema that is not flat, valijson refuses too") {
  Maker maker(42);
  for (int round = 0; round < vmcp::testing::rounds(500); ++round) {
    Json schema = maker.schema(2);
    if (!schema.is_object()) continue;
    schema["$defs"]["shared"] = {{"minLength", 1}};
    schema["anyOf"] = Json::array({maker.schema(1), maker.schema(1)});
    if (maker.chance(30)) schema["prefixItems"] = Json::array({maker.schema(1)});
    auto gated = gate_schema(schema.dump());
    REQUIRE(gated.ok());
    const SchemaTree tree(**gated);
    auto engine = Draft7::compile(**gated);
    REQUIRE(engine.ok());
    for (int i = 0; i < 30; ++i) {
      const Json value = maker.value(3);
      Violations mine, theirs;
      tree.check(value, mine);
      (*engine)->check(value, theirs);
      CAPTURE(schema.dump());
      CAPTURE(value.dump());
      if (!mine.lines.empty()) CHECK_FALSE(theirs.lines.empty());
    }
  }
}
