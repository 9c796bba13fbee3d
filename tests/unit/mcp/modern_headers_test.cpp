// The modern era (2026-07-28): every rule for the headers that repeat the body.
#include "unit/mcp/modern_checks.h"

using namespace vmcp;
using namespace vmcp::mcp;
using namespace vmcp::mcp::fakes;

TEST_CASE("modern: the version header is there once and equal, and the version is one that is served") {
  Rig rig;
  const std::string body = call_body().dump();
  check_error(rig, rig.send(body, without(call_headers(), "MCP-Protocol-Version")), 400, -32020, 1);
  for (const char* other : {"2025-11-25", "2026-07-2", "2026-07-28, 2026-07-28", "", "2026-07-28\x01"}) {
    Headers headers = call_headers();
    set(headers, "MCP-Protocol-Version", other);
    check_error(rig, rig.send(body, headers), 400, -32020, 1);
  }
  Headers twice = call_headers();
  twice.emplace_back("mcp-protocol-version", kModern);
  check_error(rig, rig.send(body, twice), 400, -32020, 1);

  Json future = call_body();
  future["params"]["_meta"][kVersionKey] = "v999.0.0";
  // Header and body differ: that comes first.
  check_error(rig, rig.send(future.dump(), call_headers()), 400, -32020, 1);
  Headers headers = call_headers();
  set(headers, "MCP-Protocol-Version", "v999.0.0");
  const Json answer = check_error(rig, rig.send(future.dump(), headers), 400, -32022, 1);
  CHECK(answer["error"]["data"] == Json{{"supported", {"2026-07-28"}}, {"requested", "v999.0.0"}});
  // A handshake revision inside _meta is none of this era.
  future["params"]["_meta"][kVersionKey] = "2025-11-25";
  set(headers, "MCP-Protocol-Version", "2025-11-25");
  check_error(rig, rig.send(future.dump(), headers), 400, -32022, 1);
}

TEST_CASE("modern: Mcp-Method and Mcp-Name repeat the body, by value and case") {
  Rig rig;
  const std::string body = call_body().dump();
  check_error(rig, rig.send(body, without(call_headers(), "Mcp-Method")), 400, -32020, 1);
  check_error(rig, rig.send(body, without(call_headers(), "Mcp-Name")), 400, -32020, 1);
  const auto with = [&](const char* name, const char* value) -> const Answer& {
    Headers headers = call_headers();
    set(headers, name, value);
    return rig.send(body, headers);
  };
  for (const char* value : {"tools/Call", "tools/list", "", "tools/call\x7f", "=?base64?dG9vbHMvY2FsbA==?="})
    check_error(rig, with("Mcp-Method", value), 400, -32020, 1);
  for (const char* value : {"Echo", "second", "", "ech\xc3\xb6", "echo echo"})
    check_error(rig, with("Mcp-Name", value), 400, -32020, 1);
  for (const char* name : {"Mcp-Method", "Mcp-Name"}) {
    Headers twice = call_headers();
    twice.emplace_back(name, name == std::string("Mcp-Name") ? "echo" : "tools/call");
    check_error(rig, rig.send(body, twice), 400, -32020, 1);
  }
  CHECK(rig.pipeline.calls.empty());
  // Header names in any case and order, white space around values.
  check_result(rig, rig.send(body, {{"mcp-NAME", " echo\t"},
                                    {"MCP-METHOD", "tools/call "},
                                    {"mcp-protocol-version", kModern}}));
  // Methods that name nothing need no Mcp-Name; the other naming methods need theirs before they are unknown.
  check_result(rig, rig.send(modern_body("tools/list").dump(), modern_headers("tools/list")));
  check_error(rig,
              rig.send(modern_body("prompts/get", {{"name", "p"}}).dump(), modern_headers("prompts/get")),
              400, -32020, 1);
  check_error(
      rig,
      rig.send(modern_body("resources/read", {{"uri", "u"}}).dump(), modern_headers("resources/read", "u")),
      200, -32602, 1);
}

TEST_CASE("modern: the base64 sentinel is decoded strictly") {
  Rig rig;
  rig.pipeline.tools.push_back(make_tool("größe"));
  rig.pipeline.tools.push_back(make_tool("=?base64?x"));
  const auto send = [&](const char* name, const char* header) -> const Answer& {
    return rig.send(call_body(nullptr, name).dump(), call_headers(header));
  };
  check_result(rig, send("echo", "=?base64?ZWNobw==?="));
  check_result(rig, send("größe", "=?base64?Z3LDtsOfZQ==?="));
  for (const char* bad : {"=?base64?ZWNobw=?=", "=?base64?ZWNobw?=", "=?base64?ZWNobw===?=",
                          "=?base64?ZWN obw==?=", "=?base64?ZWNo_w==?=", "=?base64?ZWNobx==?=",
                          "=?base64?"
                          "?=",
                          "=?base64?=", "=?BASE64?ZWNobw==?=", "=?Base64?ZWNobw==?=", "=?base64?ZWNobw==",
                          "ZWNobw==?=", "ZWNobw==", "=?base64?c2Vjb25k?="}) {
    CAPTURE(bad);
    check_error(rig, send("echo", bad), 400, -32020, 1);
  }
  // What looks like the sentinel is never taken literally, not even when it equals the body.
  check_error(rig, send("=?base64?!?=", "=?base64?!?="), 400, -32020, 1);
  // Without the suffix the value is a literal.
  check_result(rig, send("=?base64?x", "=?base64?x"));
}

TEST_CASE("modern: Mcp-Param headers repeat the arguments that the tool's schema marks") {
  Rig rig;
  rig.pipeline.tools = {make_tool("echo", R"({"type":"object","properties":{
      "region":{"type":"string","x-mcp-header":"Region"},"level":{"type":"integer","x-mcp-header":"Level"},
      "dry":{"type":"boolean","x-mcp-header":"Dry"},
      "opt":{"type":"object","properties":{"zone":{"type":"string","x-mcp-header":"Zone"}}}}})")};
  const auto send = [&](Json arguments, Headers extra) -> const Answer& {
    Headers headers = call_headers();
    headers.insert(headers.end(), extra.begin(), extra.end());
    return rig.send(call_body(std::move(arguments)).dump(), headers);
  };
  struct Row {
    Json arguments;
    Headers headers;
    bool good;
  };
  const Row rows[] = {
      {Json::object(), {}, true},
      {{{"region", nullptr}}, {}, true},
      {Json::object(), {{"Mcp-Param-Region", "stray"}}, true},
      {{{"region", nullptr}}, {{"Mcp-Param-Region", "stray"}}, true},
      {{{"region", "eu"}}, {{"Mcp-Param-Region", "eu"}}, true},
      {{{"region", "eu"}}, {{"mcp-param-REGION", " eu "}}, true},
      {{{"region", "eu"}}, {}, false},
      {{{"region", "eu"}}, {{"Mcp-Param-Region", "EU"}}, false},
      {{{"region", "eu"}}, {{"Mcp-Param-Region", "eu"}, {"Mcp-Param-Region", "eu"}}, false},
      {{{"region", ""}}, {{"Mcp-Param-Region", ""}}, true},
      {{{"region", "Héllo"}}, {{"Mcp-Param-Region", "=?base64?SMOpbGxv?="}}, true},
      {{{"region", "Héllo"}}, {{"Mcp-Param-Region", "Héllo"}}, false},
      {{{"region", "x"}}, {{"Mcp-Param-Region", "=?base64?eA?="}}, false},
      {{{"region", "=?base64?eA=="}}, {{"Mcp-Param-Region", "=?base64?eA=="}}, true},
      {{{"level", 42}}, {{"Mcp-Param-Level", "42"}}, true},
      {{{"level", 42}}, {{"Mcp-Param-Level", "42.0"}}, true},
      {{{"level", 42}}, {{"Mcp-Param-Level", "4.2e1"}}, true},
      {{{"level", 42.0}}, {{"Mcp-Param-Level", "42"}}, true},
      {{{"level", 42}}, {{"Mcp-Param-Level", "=?base64?NDI=?="}}, true},
      {{{"level", 42}}, {{"Mcp-Param-Level", "43"}}, false},
      {{{"level", 42}}, {{"Mcp-Param-Level", "42x"}}, false},
      {{{"level", 42}}, {{"Mcp-Param-Level", ""}}, false},
      {{{"level", 42}}, {{"Mcp-Param-Level", "inf"}}, false},
      {{{"level", -9007199254740991}}, {{"Mcp-Param-Level", "-9007199254740991"}}, true},
      {{{"level", 9007199254740993}}, {{"Mcp-Param-Level", "9007199254740992"}}, false},
      {{{"dry", true}}, {{"Mcp-Param-Dry", "true"}}, true},
      {{{"dry", false}}, {{"Mcp-Param-Dry", "false"}}, true},
      {{{"dry", true}}, {{"Mcp-Param-Dry", "True"}}, false},
      {{{"dry", false}}, {{"Mcp-Param-Dry", "0"}}, false},
      {{{"opt", {{"zone", "a"}}}}, {{"Mcp-Param-Zone", "a"}}, true},
      {{{"opt", {{"zone", "a"}}}}, {{"Mcp-Param-Zone", "b"}}, false},
      {{{"opt", "no object"}}, {}, true},  // the schema will say so
  };
  for (const Row& row : rows) {
    CAPTURE(row.arguments.dump());
    const std::size_t before = rig.pipeline.calls.size();
    const Answer& answer = send(row.arguments, row.headers);
    if (row.good)
      check_result(rig, answer);
    else
      check_error(rig, answer, 400, -32020, 1);
    CHECK(rig.pipeline.calls.size() == before + (row.good ? 1 : 0));
  }
}

TEST_CASE("modern: a header mismatch does not repeat what the header said") {
  Rig rig;
  Headers headers = call_headers();
  set(headers, "Mcp-Name", "CANARY");
  CHECK(rig.send(call_body().dump(), headers).body.find("CANARY") == std::string::npos);
  for (const auto& [step, error] : rig.pipeline.refusals)
    CHECK(error.text.find("CANARY") == std::string::npos);
}
