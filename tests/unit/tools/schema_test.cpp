#include "tools/schema.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

using namespace vmcp;
using vmcp::tools::Schema;

namespace {

std::shared_ptr<const Schema> must_compile(std::string_view text) {
  auto schema = Schema::compile(text, "tool t: input schema");
  CAPTURE(text);
  if (!schema) FAIL(schema.error().text);
  return *schema;
}

std::string refusal(std::string_view text) {
  auto schema = Schema::compile(text, "tool t: input schema");
  CAPTURE(text);
  REQUIRE_FALSE(schema.ok());
  CHECK(schema.error().code == Code::malformed);
  CHECK(schema.error().text.starts_with("tool t: input schema: "));
  return schema.error().text;
}

// The violations, or "" when the value fits.
std::string verdict(const Schema& schema, std::string_view value) {
  auto parsed = parse_trusted_json(value);
  CAPTURE(value);
  REQUIRE(parsed.ok());
  auto result = schema.check(*parsed);
  if (result) return "";
  CHECK(result.error().code == Code::invalid_argument);
  return result.error().text;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* kResize = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "properties": {
    "vm_id": {"type": "string", "minLength": 1, "x-vmcp-kind": "vm", "description": "which"},
    "cpu_count": {"type": "integer", "minimum": 1, "maximum": 768},
    "memory_gb": {"type": "number", "minimum": 1},
    "mode": {"enum": ["fast", "safe"], "default": "safe"},
    "confirm": {"type": "boolean"},
    "hosts": {"type": "array", "items": {"type": "string", "maxLength": 8}, "maxItems": 3, "uniqueItems": true},
    "hostname": {"type": ["string", "null"], "pattern": "^[a-z0-9.-]+$"}
  },
  "required": ["vm_id"],
  "additionalProperties": false
})";

}  // namespace

TEST_CASE("Schema: what fits, fits") {
  auto s = must_compile(kResize);
  CHECK(verdict(*s, R"({"vm_id":"vm-1"})") == "");
  CHECK(verdict(*s, R"({"vm_id":"vm-1","cpu_count":4,"memory_gb":1.5,"mode":"fast","confirm":true,
                        "hosts":["a","b"],"hostname":null})") == "");
  CHECK(verdict(*s, R"({"vm_id":"vm-1","cpu_count":4.0,"hostname":"vc.example"})") == "");
  CHECK(verdict(*s, R"({"vm_id":"ä","hosts":["€€€€€€€€"]})") == "");
}

TEST_CASE("Schema: a violation names the place, what was expected and what came") {
  auto s = must_compile(kResize);
  CHECK(verdict(*s, R"({"vm_id":"v","memory_gb":"lots"})") ==
        "/memory_gb: expected a number of at least 1, got \"lots\"");
  CHECK(verdict(*s, R"({"vm_id":"v","memory_gb":0.5})") ==
        "/memory_gb: expected a number of at least 1, got 0.5");
  CHECK(verdict(*s, R"({"vm_id":"v","cpu_count":2.5})") ==
        "/cpu_count: expected an integer from 1 to 768, got 2.5");
  CHECK(verdict(*s, R"({"vm_id":"v","mode":"quick"})") ==
        "/mode: expected one of \"fast\" or \"safe\", got \"quick\"");
  CHECK(verdict(*s, R"({"vm_id":"v","confirm":"true"})") == "/confirm: expected true or false, got \"true\"");
  CHECK(verdict(*s, R"({"vm_id":"v","hosts":["a","b","c","d"]})") ==
        "/hosts: expected at most 3 items, got 4");
  CHECK(verdict(*s, R"({"vm_id":"v","hosts":["a","a"]})") ==
        "/hosts: expected items that differ, got \"a\" twice");
  CHECK(verdict(*s, R"({"vm_id":"v","hosts":["a","123456789"]})") ==
        "/hosts/1: expected a string of at most 8 characters, got \"123456789\"");
  CHECK(verdict(*s, R"({"vm_id":"v","hostname":"A B"})") ==
        "/hostname: expected a string matching ^[a-z0-9.-]+$ or null, got \"A B\"");
  CHECK(verdict(*s, R"({"vm_id":""})") == "/vm_id: expected a string of at least 1 character, got \"\"");
  CHECK(verdict(*s, R"({})") == "/vm_id: required but missing; expected a string of at least 1 character");
  CHECK(verdict(*s, R"([])") == "/: expected an object, got an array");
}

TEST_CASE("Schema: an unknown property names the nearest known one and the list") {
  auto s = must_compile(kResize);
  const std::string text = verdict(*s, R"({"vm_id":"v","cpu":4})");
  CHECK(text ==
        "/cpu: unknown property; did you mean \"cpu_count\"? Known: confirm, cpu_count, hostname, hosts, "
        "memory_gb, "
        "mode, vm_id");
  CHECK(has(verdict(*s, R"({"vm_id":"v","memoryGb":4})"), "did you mean \"memory_gb\"?"));
  CHECK_FALSE(has(verdict(*s, R"({"vm_id":"v","zzzzzzzzzz":4})"), "did you mean"));
  CHECK(has(verdict(*must_compile(R"({"type":"object","additionalProperties":false})"), R"({"a":1})"),
            "/a: unknown property; none is allowed here"));
}

TEST_CASE("Schema: at most five violations, and says that there are more") {
  auto s = must_compile(kResize);
  const std::string text =
      verdict(*s, R"({"cpu_count":0,"memory_gb":0,"mode":1,"confirm":1,"hosts":1,"hostname":1,"a":1})");
  CHECK(std::count(text.begin(), text.end(), '\n') == 5);
  CHECK(has(text, "\n(and more)"));
}

TEST_CASE("Schema: values under a secret's name and credentials in values are not repeated") {
  auto s = must_compile(
      R"({"type":"object","properties":{"password":{"type":"integer"},"note":{"type":"integer"},
          "auth":{"type":"object","properties":{"api_key":{"type":"array","items":{"type":"integer"}}}}}})");
  const std::string text =
      verdict(*s, R"({"password":"CANARY","auth":{"api_key":["CANARY"]},"note":"Bearer CANARY1234567"})");
  CHECK_FALSE(has(text, "CANARY"));
  CHECK(has(text, "/password: expected an integer, got a string (not shown)"));
}

TEST_CASE("Schema: long values are cut at a character's boundary") {
  auto s = must_compile(R"({"type":"object","properties":{"a":{"type":"integer"}}})");
  std::string euros;
  for (int i = 0; i < 100; ++i) euros += "€";
  const std::string text = verdict(*s, R"({"a":")" + euros + "\"}");
  CHECK(text.size() < 130);
  CHECK(parse_json(dump_json(Json(text))).ok());
  CHECK(dump_json(Json(text)).find("\uFFFD") == std::string::npos);
}

TEST_CASE("Schema: strings are measured in characters, also beyond a NUL") {
  auto s = must_compile(R"({"type":"string","maxLength":3})");
  CHECK(verdict(*s, R"("€€€")") == "");
  CHECK(verdict(*s, R"("a\u0000bc")") != "");
  auto any = must_compile(R"({"anyOf":[{"type":"string","maxLength":3},{"type":"integer"}]})");
  CHECK(verdict(*any, R"("€€€")") == "");
  CHECK(verdict(*any, R"("a\u0000bc")") != "");
}

TEST_CASE("Schema: references, anchors, allOf and recursion over the value's own depth") {
  auto s = must_compile(
      R"({"type":"object","properties":{"address":{"$ref":"#/$defs/a~1b"},"home":{"$ref":"#spot"}},
      "$defs":{"a/b":{"$anchor":"spot","type":"object","required":["street"],"properties":{"street":{"type":"string"}}}}})");
  CHECK(verdict(*s, R"({"address":{"street":"x"}})") == "");
  CHECK(has(verdict(*s, R"({"address":{"street":1}})"), "/address/street: expected a string, got 1"));
  CHECK(has(verdict(*s, R"({"home":{}})"), "/home/street: required but missing; expected a string"));
  auto tree = must_compile(R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object","required":["id"],
      "properties":{"id":{"type":"integer"},"children":{"type":"array","items":{"$ref":"#/$defs/node"}}}}}})");
  CHECK(verdict(*tree, R"({"id":1,"children":[{"id":2,"children":[{"id":3}]}]})") == "");
  CHECK(has(verdict(*tree, R"({"id":1,"children":[{"id":2,"children":[{}]}]})"),
            "/children/0/children/0/id: required"));
  auto beside = must_compile(
      R"({"type":"object","properties":{"a":{"$ref":"#/$defs/i","maximum":5}},"$defs":{"i":{"type":"integer"}}})");
  CHECK(verdict(*beside, R"({"a":5})") == "");
  CHECK(verdict(*beside, R"({"a":6})") != "");
  CHECK(verdict(*beside, R"({"a":"x"})") != "");
}

TEST_CASE("Schema: doubly recursive schemas are bounded in work") {
  auto s = must_compile(R"({"$ref":"#/$defs/n","$defs":{"n":{"allOf":[
      {"properties":{"c":{"$ref":"#/$defs/n"}}},{"properties":{"c":{"$ref":"#/$defs/n"}}}]}}})");
  std::string deep;
  for (int i = 0; i < 60; ++i) deep += R"({"c":)";
  deep += "1" + std::string(60, '}');
  CHECK(has(verdict(*s, deep), "too large or too deep"));
}

TEST_CASE("Schema: keywords that valijson enforces") {
  auto s = must_compile(R"({"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",
    "$defs":{"address":{"$anchor":"addressDef","type":"object","properties":{"street":{"type":"string"}}}},
    "properties":{"name":{"type":"string"},"address":{"$ref":"#/$defs/address"},
      "contactMethod":{"type":"string","enum":["phone","email"]},"phone":{"type":"string"},"email":{"type":"string"}},
    "allOf":[{"anyOf":[{"required":["phone"]},{"required":["email"]}]}],
    "if":{"properties":{"contactMethod":{"const":"phone"}},"required":["contactMethod"]},
    "then":{"required":["phone"]},"else":{"required":["email"]},"additionalProperties":false})");
  CHECK(verdict(*s, R"({"contactMethod":"phone","phone":"1"})") == "");
  CHECK(verdict(*s, R"({"email":"x"})") == "");
  CHECK(has(verdict(*s, R"({"contactMethod":"phone","email":"x"})"), "phone"));
  CHECK(verdict(*s, R"({"phone":"1"})") != "");
  CHECK(has(verdict(*s, R"({"email":"x","address":{"street":1}})"),
            "/address/street: expected a string, got 1"));
}

TEST_CASE("Schema: 2020-12 keywords that valijson would ignore are enforced") {
  auto tuple =
      must_compile(R"({"type":"array","prefixItems":[{"type":"string"},{"type":"integer"}],"items":false})");
  CHECK(verdict(*tuple, R"(["a",1])") == "");
  CHECK(verdict(*tuple, R"(["a"])") == "");
  CHECK(verdict(*tuple, R"([1,1])") != "");
  CHECK(verdict(*tuple, R"(["a",1,2])") != "");
  auto open_tuple = must_compile(R"({"prefixItems":[{"type":"string"}]})");
  CHECK(verdict(*open_tuple, R"(["a",1,2])") == "");
  auto dependent = must_compile(R"({"type":"object","dependentRequired":{"a":["b"]},
      "dependentSchemas":{"a":{"required":["c"]}}})");
  CHECK(verdict(*dependent, R"({"a":1,"b":1,"c":1})") == "");
  CHECK(verdict(*dependent, R"({"x":1})") == "");
  CHECK(has(verdict(*dependent, R"({"a":1,"c":1})"), "b"));
  CHECK(has(verdict(*dependent, R"({"a":1,"b":1})"), "c"));
  auto beside = must_compile(R"({"properties":{"a":{"$ref":"#/$defs/i","maximum":5}},"not":{"required":["z"]},
      "$defs":{"i":{"type":"integer"}}})");
  CHECK(verdict(*beside, R"({"a":5.0})") == "");
  CHECK(verdict(*beside, R"({"a":6})") != "");
  CHECK(verdict(*beside, R"({"z":6})") != "");
}

TEST_CASE("Schema: patterns run on RE2, wherever they stand") {
  const std::string longest(60'000, 'a');
  auto flat = must_compile(R"({"type":"string","pattern":"^(a|b)*$"})");
  CHECK(verdict(*flat, "\"" + longest + "\"") == "");
  CHECK(verdict(*flat, "\"" + longest + "c\"") != "");
  auto any = must_compile(R"({"anyOf":[{"pattern":"^(a+)+$"},{"type":"integer"}]})");
  CHECK(verdict(*any, "\"" + longest + "\"") == "");
  CHECK(verdict(*any, "\"" + longest + "!\"") != "");
  auto negated = must_compile(R"({"not":{"pattern":"x"}})");
  CHECK(verdict(*negated, R"("abc")") == "");
  CHECK(verdict(*negated, R"("axc")") != "");
  auto named = must_compile(R"({"propertyNames":{"pattern":"^[a-z]+$","maxLength":3}})");
  CHECK(verdict(*named, R"({"abc":1})") == "");
  CHECK(verdict(*named, R"({"ABC":1})") != "");
  CHECK(verdict(*named, R"({"abcd":1})") != "");
}

TEST_CASE("Schema: what cannot be enforced is refused by name and place") {
  CHECK(has(refusal(R"({"type":"object","unevaluatedProperties":false})"),
            "root: \"unevaluatedProperties\" cannot be enforced; use"));
  CHECK(has(refusal(R"({"properties":{"a":{"patternProperties":{"x":{}}}}})"),
            "/properties/a: \"patternProperties\""));
  for (const char* keyword : {"unevaluatedItems", "$dynamicRef", "$dynamicAnchor", "$recursiveRef",
                              "maxContains", "additionalItems"}) {
    const std::string text = refusal("{\"" + std::string(keyword) + "\": 2}");
    CHECK(has(text, keyword));
  }
  CHECK(has(refusal(R"({"contains":{},"minContains":2})"), "minContains"));
  CHECK(has(refusal(R"({"minmum":1})"), "unknown keyword \"minmum\""));
  CHECK(has(refusal(R"~({"pattern":"(?=x)"})~"), "pattern"));
  CHECK(has(refusal(R"~({"pattern":"("})~"), "pattern"));
  CHECK(has(refusal(R"~({"anyOf":[{"pattern":"(a)\\1"}]})~"), "/anyOf/0: \"pattern\""));
  CHECK(has(refusal(R"({"$ref":"https://example.org/x.json"})"), "names no schema of this document"));
  CHECK(has(refusal(R"({"$ref":"#/nowhere"})"), "#/nowhere"));
  CHECK(has(refusal(R"({"$ref":"#/x-data","x-data":{"type":"string"}})"), "#/x-data"));
  CHECK(has(refusal(R"({"$ref":"#lost"})"), "#lost"));
  CHECK(has(refusal(R"({"$schema":"http://json-schema.org/draft-04/schema#"})"), "dialect"));
  CHECK(has(refusal(R"({"properties":{"a":{"$id":"https://example.org/a"}}})"), "$id"));
  CHECK(has(refusal(R"({"anyOf":[{"uniqueItems":true}]})"), "uniqueItems"));
  CHECK(
      has(refusal(R"({"not":{"$ref":"#/$defs/n"},"$defs":{"n":{"properties":{"a":{"$ref":"#/$defs/n"}}}}})"),
          "recursive"));
}

TEST_CASE("Schema: malformed keyword values are refused") {
  for (const char* text : {R"([])",
                           R"("x")",
                           R"(true)",
                           R"({"type":"strin"})",
                           R"({"type":[]})",
                           R"({"type":7})",
                           R"({"minimum":"3"})",
                           R"({"maximum":9007199254740994})",
                           R"({"minimum":-1e300})",
                           R"({"enum":[]})",
                           R"({"enum":[9007199254740994]})",
                           R"({"const":{"a":[9007199254740994]}})",
                           R"({"minLength":-1})",
                           R"({"maxItems":1.5})",
                           R"({"multipleOf":0})",
                           R"({"required":"a"})",
                           R"({"required":["a","a"]})",
                           R"({"properties":[]})",
                           R"({"properties":{"a":1}})",
                           R"({"items":[{}]})",
                           R"({"items":3})",
                           R"({"allOf":[]})",
                           R"({"allOf":[1]})",
                           R"({"anyOf":{}})",
                           R"({"additionalProperties":1})",
                           R"({"uniqueItems":1})",
                           R"({"$defs":{"a":5}})",
                           R"({"title":1})",
                           R"({"properties":{"a\u0000b":{}}})",
                           R"({"dependentRequired":{"a":"b"}})",
                           R"({"type":"object")",
                           "",
                           R"({"type":"object","type":"object"})",
                           R"({"$anchor":"a","$defs":{"x":{"$anchor":"a"}}})"})
    CHECK(refusal(text).size() > 25);
}

TEST_CASE("Schema: reference rings are refused, whatever they go through") {
  for (const char* text :
       {R"({"$ref":"#"})",
        R"({"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}})",
        R"({"allOf":[{"$ref":"#"}]})", R"({"anyOf":[{"$ref":"#"},{"type":"string"}]})",
        R"({"not":{"$ref":"#"}})", R"({"if":{"$ref":"#"}})", R"({"dependentSchemas":{"a":{"$ref":"#"}}})",
        // The ring x → y → x is in place, but the walk meets y first by way of a property.
        R"({"properties":{"p":{"$ref":"#/$defs/x"}},"$defs":{"x":{"properties":{"q":{"$ref":"#/$defs/y"}},
            "allOf":[{"$ref":"#/$defs/y"}]},"y":{"allOf":[{"$ref":"#/$defs/x"}]}}})"})
    CHECK(has(refusal(text), "refers to itself"));
}

TEST_CASE("Schema: bombs are refused") {
  // Each level refers twice to the next: 2^40 when written out.
  std::string bomb = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 40; ++i) {
    const std::string next = "#/$defs/d" + std::to_string(i + 1);
    bomb +=
        "\"d" + std::to_string(i) + R"(":{"allOf":[{"$ref":")" + next + R"("},{"$ref":")" + next + "\"}]},";
  }
  bomb += R"("d40":{"type":"string"}}})";
  CHECK(has(refusal(bomb), "too complex"));
  std::string chain = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 1'000; ++i)
    chain += "\"d" + std::to_string(i) + R"(":{"$ref":"#/$defs/d)" + std::to_string(i + 1) + "\"},";
  chain += R"("d1000":{}}})";
  CHECK(has(refusal(chain), "deeper"));
  std::string many = R"({"anyOf":[)";
  for (int i = 0; i < 3'000; ++i) many += "{},";
  CHECK(has(refusal(many + "{}]}"), "subschemas"));
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += R"({"not":)";
  CHECK(refusal(deep + "{}" + std::string(200, '}')).size() > 10);
  CHECK(has(refusal("{\"description\":\"" + std::string(300'000, 'x') + "\"}"), "bytes"));
}

TEST_CASE("Schema: annotations and x- keywords pass") {
  auto s = must_compile(
      R"({"title":"t","description":"d","$comment":"c","default":1,"examples":[1],"deprecated":true,
     "readOnly":true,"writeOnly":false,"format":"date-time","contentEncoding":"base64","x-vmcp-kind":"vm","x-anything":{},
     "$id":"https://example.org/s","type":["string","object","integer"]})");
  CHECK(verdict(*s, "\"no date at all\"") == "");
}

TEST_CASE("Schema: one schema serves many threads at once") {
  auto s = must_compile(R"({"type":"object","properties":{"a":{"type":"string","pattern":"^[a-z]+$"}},
      "anyOf":[{"required":["a"]},{"required":["b"]}]})");
  const Json good = {{"a", "abc"}}, bad = {{"c", 1}};
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) wrong += (s->check(good).ok() ? 0 : 1) + (s->check(bad).ok() ? 1 : 0);
    });
  for (auto& t : threads) t.join();
  CHECK(wrong == 0);
}
