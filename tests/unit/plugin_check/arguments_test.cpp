#include "plugin_check/arguments.h"

#include <doctest/doctest.h>

#include <set>

#include "tools/schema.h"

using namespace vmcp;
using namespace vmcp::plugin_check;

namespace {

// The share of 200 generated values that the schema accepts.
double accepted(const std::string& text, std::set<std::string>* values = nullptr) {
  const auto schema = tools::Schema::compile(text, "schema");
  REQUIRE_MESSAGE(schema.ok(), schema.error().text);
  const Json json = *parse_json(text);
  Random random(1, "test");
  int fine = 0;
  for (int i = 0; i < 200; ++i) {
    const Json value = generate(json, json, random);
    if ((*schema)->check(value)) ++fine;
    if (values != nullptr) values->insert(dump_json(value));
  }
  return fine / 200.0;
}

}  // namespace

TEST_CASE("arguments: what is generated fits the schema") {
  CHECK(accepted(R"({"type":"object","properties":{"a":{"type":"integer","minimum":-3,"maximum":7},)"
                 R"("b":{"type":"string","minLength":2,"maxLength":5},"c":{"enum":[1,"x",null]},)"
                 R"("d":{"type":"array","items":{"type":"boolean"},"minItems":1,"maxItems":3},)"
                 R"("e":{"type":["number","null"],"minimum":0,"maximum":1}},)"
                 R"("required":["a","b"],"additionalProperties":false})") > 0.8);
  CHECK(accepted(R"({"type":"object","properties":{"a":{"$ref":"#/$defs/x"}},"required":["a"],)"
                 R"("$defs":{"x":{"const":"one"}}})") == 1.0);
  CHECK(accepted(R"({"type":"object","oneOf":[{"properties":{"a":{"const":1}},"required":["a"]},)"
                 R"({"properties":{"b":{"const":2}},"required":["b"]}]})") > 0.9);
  CHECK(accepted(R"({"type":"object","properties":{"n":{"type":"integer","exclusiveMinimum":0,)"
                 R"("exclusiveMaximum":2}},"required":["n"]})") == 1.0);
  CHECK(accepted(R"({"type":"object"})") == 1.0);
}

TEST_CASE("arguments: bounds, absence and presence all come up") {
  std::set<std::string> values;
  accepted(R"({"type":"object","properties":{"n":{"type":"integer","minimum":0,"maximum":2}}})", &values);
  CHECK(values == std::set<std::string>{"{}", R"({"n":0})", R"({"n":1})", R"({"n":2})"});
  values.clear();
  accepted(R"({"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]})", &values);
  CHECK(values.count(R"({"n":9007199254740991})") == 1);
  CHECK(values.count(R"({"n":-9007199254740991})") == 1);
}

TEST_CASE("arguments: the same seed gives the same values, another one others") {
  const Json schema =
      *parse_json(R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"]})");
  const auto row = [&](std::uint64_t seed, const char* what) {
    Random random(seed, what);
    std::string out;
    for (int i = 0; i < 20; ++i) out += dump_json(generate(schema, schema, random));
    return out;
  };
  CHECK(row(1, "a") == row(1, "a"));
  CHECK(row(1, "a") != row(2, "a"));
  CHECK(row(1, "a") != row(1, "b"));
}

TEST_CASE("arguments: a schema that contains itself comes to an end") {
  const Json schema = *parse_json(R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})");
  Random random(1, "test");
  CHECK(generate(schema, schema, random).is_object());
}

TEST_CASE("arguments: objects that there are get named where they are known") {
  const Json schema =
      *parse_json(R"({"type":"object","properties":{"vm_id":{"type":"string","x-vmcp-kind":"vm"},)"
                  R"("hosts":{"type":"array","minItems":1,"items":{"type":"string","x-vmcp-kind":"host"}}},)"
                  R"("required":["vm_id","hosts"]})");
  Random random(1, "test");
  int known = 0;
  for (int i = 0; i < 200; ++i) {
    const Json value = generate(schema, schema, random, {{"vm", {"vm-1001", "vm-1002"}}});
    if (value["vm_id"] == "vm-1001" || value["vm_id"] == "vm-1002") ++known;
    CHECK(value["hosts"][0].get<std::string>().starts_with("host-"));
  }
  CHECK(known > 120);
  CHECK(known < 200);  // what is not there comes too
}
