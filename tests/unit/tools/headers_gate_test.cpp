#include "tools/headers_gate.h"

#include <doctest/doctest.h>

#include "tools/schema.h"

using namespace vmcp;
using namespace vmcp::tools;

namespace {

Result<std::vector<HeaderParam>> read(const char* text) {
  auto json = parse_trusted_json(text);
  REQUIRE(json.ok());
  return header_params_of(*json);
}

}  // namespace

TEST_CASE("x-mcp-header: what may be a header is found with its path and type") {
  auto found = read(R"({"type":"object","properties":{
      "region":{"type":"string","x-mcp-header":"Region"},
      "opt":{"type":"object","properties":{"a/b":{"type":"integer","maximum":5,"x-mcp-header":"Level"}}},
      "dry":{"type":"boolean","x-mcp-header":"Dry-Run"}}})");
  REQUIRE(found.ok());
  REQUIRE(found->size() == 3);
  CHECK((*found)[0].header == "mcp-param-dry-run");
  CHECK((*found)[0].type == HeaderParam::Type::boolean);
  CHECK((*found)[1].path == std::vector<std::string>{"opt", "a/b"});
  CHECK((*found)[1].type == HeaderParam::Type::integer);
  CHECK((*found)[2].header == "mcp-param-region");
}

TEST_CASE("x-mcp-header: what a client would drop the tool for is refused") {
  for (
      const char* text : {
          R"({"properties":{"a":{"type":"string","x-mcp-header":""}}})",
          R"({"properties":{"a":{"type":"string","x-mcp-header":"a b"}}})",
          R"({"properties":{"a":{"type":"string","x-mcp-header":"a:b"}}})",
          R"({"properties":{"a":{"type":"string","x-mcp-header":5}}})",
          R"({"properties":{"a":{"type":"number","x-mcp-header":"A"}}})",
          R"({"properties":{"a":{"type":["string","null"],"x-mcp-header":"A"}}})",
          R"({"properties":{"a":{"x-mcp-header":"A"}}})",
          R"({"properties":{"a":{"type":"object","x-mcp-header":"A"}}})",
          R"({"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}})",
          R"({"properties":{"a":{"type":"array","items":{"type":"string","x-mcp-header":"A"}}}})",
          R"({"anyOf":[{"properties":{"a":{"type":"string","x-mcp-header":"A"}}}]})",
          R"({"$defs":{"d":{"type":"string","x-mcp-header":"A"}},"properties":{"a":{"$ref":"#/$defs/d"}}})",
          R"({"type":"string","x-mcp-header":"A"})",
          R"({"properties":{"a":{"type":"integer","maximum":9007199254740992,"x-mcp-header":"A"}}})",
          R"({"properties":{"password":{"type":"string","x-mcp-header":"A"}}})",
      }) {
    CAPTURE(text);
    auto found = read(text);
    CHECK_FALSE(found.ok());
    if (!found) CHECK(found.error().text.find("x-mcp-header") != std::string::npos);
    CHECK_FALSE(Schema::compile(text, "t").ok());
  }
}

TEST_CASE("x-mcp-header: a compiled schema knows its header arguments") {
  auto schema =
      Schema::compile(R"({"properties":{"region":{"type":"string","x-mcp-header":"Region"}}})", "t");
  REQUIRE(schema.ok());
  REQUIRE((*schema)->header_params().size() == 1);
  CHECK((*schema)->header_params()[0].header == "mcp-param-region");
}
