// The modern era (2026-07-28): every row of its validation order but the headers', every result's shape.
#include "unit/mcp/modern_checks.h"

using namespace vmcp;
using namespace vmcp::mcp;
using namespace vmcp::mcp::fakes;

TEST_CASE("modern: server/discover says exactly what is served") {
  Settings settings = Rig::settings();
  settings.instructions = "Say \"please\".";
  Rig rig(settings);
  const Json result =
      check_result(rig, rig.send(modern_body("server/discover").dump(), modern_headers("server/discover")));
  CHECK(result["supportedVersions"] == Json::array({"2026-07-28"}));
  Json expected = capabilities();
  expected["extensions"]["io.modelcontextprotocol/tasks"] = Json::object();  // only this era has them
  CHECK(result["capabilities"] == expected);
  CHECK(result["instructions"] == "Say \"please\".");
  CHECK(result["ttlMs"] == 60'000);
  CHECK(result["cacheScope"] == "private");
  CHECK(rig.pipeline.throttled == std::vector<std::string>{"server/discover"});
}

TEST_CASE("modern: tools/list pages by opaque cursor") {
  Settings settings = Rig::settings();
  settings.page_size = 2;
  Rig rig(settings);
  rig.pipeline.tools.push_back(make_tool("third"));
  Json first = check_result(rig, rig.send(modern_body("tools/list").dump(), modern_headers("tools/list")));
  CHECK(first["tools"].size() == 2);
  CHECK(first["tools"][0]["title"] == "T");
  CHECK(first["nextCursor"] == "next");
  CHECK(first["ttlMs"] == 60'000);
  CHECK(first["cacheScope"] == "private");
  Json second = check_result(
      rig, rig.send(modern_body("tools/list", {{"cursor", "next"}}).dump(), modern_headers("tools/list")));
  CHECK(second["tools"].size() == 1);
  CHECK_FALSE(second.contains("nextCursor"));
  // The empty cursor is a valid one: the first page.
  CHECK(check_result(rig, rig.send(modern_body("tools/list", {{"cursor", ""}}).dump(),
                                   modern_headers("tools/list")))["tools"]
            .size() == 2);
  for (const Json& bad :
       {Json("nonsense"), Json(7), Json(nullptr), Json::array(), Json(std::string(2000, 'x'))})
    check_error(rig,
                rig.send(modern_body("tools/list", {{"cursor", bad}}).dump(), modern_headers("tools/list")),
                200, -32602, 1);
}

TEST_CASE("modern: tools/call hands over what came and answers with what the tool said") {
  Rig rig;
  rig.pipeline.on_call = [](FakePipeline::Call& c) {
    pipeline::ToolAnswer answer;
    answer.texts = {"zwei \"Zeilen\"\n", ""};
    answer.structured = R"({"ok":true,"n":[1,2]})";
    c.done(std::move(answer));
  };
  const Json result = check_result(
      rig,
      rig.send(
          modern_body("tools/call", {{"name", "echo"}, {"arguments", {{"a", Json::array({1, "x"})}}}}, "id-1")
              .dump(),
          call_headers()),
      "id-1");
  CHECK(result["content"] ==
        Json::array({{{"type", "text"}, {"text", "zwei \"Zeilen\"\n"}}, {{"type", "text"}, {"text", ""}}}));
  CHECK(result["structuredContent"] == Json{{"ok", true}, {"n", {1, 2}}});
  CHECK_FALSE(result.contains("isError"));
  REQUIRE(rig.pipeline.calls.size() == 1);
  const auto& call = rig.pipeline.calls[0];
  CHECK(call.call.name == "echo");
  CHECK(call.call.arguments == Json{{"a", {1, "x"}}});
  CHECK(call.call.client == "tester/1");
  CHECK(call.context->method == "tools/call");
  CHECK(call.context->principal->identity == "alice");
  CHECK(call.exchange == std::static_pointer_cast<Exchange>(rig.inbound));
  // The call charges its own cost: not throttled twice.
  CHECK(rig.pipeline.throttled.empty());
  CHECK(rig.pipeline.refusals.empty());
}

TEST_CASE("modern: arguments may be absent, and nothing but an object") {
  Rig rig;
  check_result(rig, rig.send(call_body().dump(), call_headers()));
  CHECK(rig.pipeline.calls.at(0).call.arguments == Json::object());
  for (const Json& bad : {Json(1), Json("x"), Json::array(), Json(true)})
    check_error(rig, rig.send(call_body(bad).dump(), call_headers()), 200, -32602, 1);
  Json null_arguments = call_body();
  null_arguments["params"]["arguments"] = nullptr;
  check_error(rig, rig.send(null_arguments.dump(), call_headers()), 200, -32602, 1);
  CHECK(rig.pipeline.calls.size() == 1);
}

TEST_CASE("modern: what a tools/call may carry besides is taken and ignored") {
  Rig rig;
  Json body = call_body();
  body["params"]["_meta"]["progressToken"] = "p-1";
  body["params"]["_meta"]["traceparent"] = "nonsense";
  body["params"]["task"] = {{"ttl", 5}};
  body["params"]["inputResponses"] = Json::object();
  body["extra"] = 1;
  check_result(rig, rig.send(body.dump(), call_headers()));
  // Whether a state was issued by this server is the pipeline's to say; whether it is one at all is not.
  body["params"]["requestState"] = "some state";
  check_result(rig, rig.send(body.dump(), call_headers()));
  CHECK(rig.pipeline.calls.back().call.request_state == "some state");
  for (const Json& bad : {Json(1), Json(""), Json::object()}) {
    body["params"]["requestState"] = bad;
    check_error(rig, rig.send(body.dump(), call_headers()), 200, -32602, 1);
  }
}

TEST_CASE("modern: a tools/call without a usable name is refused") {
  Rig rig;
  for (const Json& bad : {Json(nullptr), Json(1), Json(""), Json::object()}) {
    Json body = call_body();
    body["params"]["name"] = bad;
    check_error(rig, rig.send(body.dump(), call_headers("")), bad == "" ? 400 : 200,
                bad == "" ? -32020 : -32602, 1);
  }
  Json body = call_body();
  body["params"].erase("name");
  check_error(rig, rig.send(body.dump(), call_headers("")), 200, -32602, 1);
  const std::string longest(129, 'n');
  check_error(rig, rig.send(call_body(nullptr, longest).dump(), call_headers(longest)), 200, -32602, 1);
  CHECK(rig.pipeline.calls.empty());
}

TEST_CASE("modern: a refused call is a result that a model can act on") {
  Rig rig;
  rig.pipeline.on_call = [](FakePipeline::Call& c) {
    pipeline::ToolAnswer answer;
    answer.is_error = true;
    answer.code = Code::throttled;
    answer.rule = "rate \"ops\"";
    answer.retry_after_ms = 1200;
    answer.quota = {10, 3, 4000};
    answer.texts = {"Rate limit exceeded"};
    c.done(std::move(answer));
  };
  const Answer& answer = rig.send(call_body().dump(), call_headers());
  const Json result = check_result(rig, answer);
  CHECK(result["isError"] == true);
  CHECK_FALSE(result.contains("structuredContent"));
  CHECK(result["_meta"]["io.github.vsphere-mcp-pro/refusal"] == Json{{"code", "throttled"},
                                                                     {"rule", "rate \"ops\""},
                                                                     {"retryAfterMs", 1200},
                                                                     {"limit", 10},
                                                                     {"remaining", 3},
                                                                     {"resetMs", 4000},
                                                                     {"requestId", "req-1"}});
}

TEST_CASE("modern: an unknown tool and a server fault are protocol errors") {
  Rig rig;
  check_error(rig, rig.send(call_body(nullptr, "nobody").dump(), call_headers("nobody")), 200, -32602, 1);
  rig.pipeline.on_call = [](FakePipeline::Call& c) {
    pipeline::ToolAnswer answer;
    answer.protocol = make_error(Code::internal, "Something broke.", "secret detail");
    c.done(std::move(answer));
  };
  const Json body = check_error(rig, rig.send(call_body().dump(), call_headers()), 200, -32603, 1);
  CHECK(body.dump().find("secret detail") == std::string::npos);
  rig.pipeline.on_call = [](FakePipeline::Call&) { throw std::runtime_error("secret detail"); };
  const Json thrown = check_error(rig, rig.send(call_body().dump(), call_headers()), 200, -32603, 1);
  CHECK(thrown.dump().find("secret detail") == std::string::npos);
}

TEST_CASE("modern: an answer that comes after handle() returned still carries its id") {
  Rig rig;
  rig.pipeline.on_call = [](FakePipeline::Call&) {};
  rig.send(modern_body("tools/call", {{"name", "echo"}}, "late").dump(), call_headers());
  CHECK(rig.inbound->answers.empty());
  pipeline::ToolAnswer answer;
  answer.texts = {"at last"};
  rig.pipeline.calls[0].done(std::move(answer));
  CHECK(check_result(rig, rig.inbound->answers.at(0), "late")["content"][0]["text"] == "at last");
}

TEST_CASE("modern: going away cancels the call") {
  Rig rig;
  rig.pipeline.on_call = [](FakePipeline::Call&) {};
  rig.send(call_body().dump(), call_headers());
  CHECK_FALSE(rig.pipeline.calls[0].context->cancel.cancelled());
  rig.inbound->gone.cancel();
  CHECK(rig.pipeline.calls[0].context->cancel.cancelled());
}

TEST_CASE("modern: ids of both kinds come back as they were sent") {
  Rig rig;
  for (const Json& id : {Json(0), Json(-5), Json(9223372036854775807), Json(18446744073709551615u), Json(""),
                         Json("a\"\\\n€"), Json(std::string(256, 'i'))}) {
    const Json body =
        json_of(rig.send(modern_body("tools/list", Json::object(), id).dump(), modern_headers("tools/list")));
    CHECK(body["id"] == id);
    CHECK(body["id"].is_string() == id.is_string());
  }
}

TEST_CASE("modern: what is no request is refused with 400 and without an id that could not be read") {
  Rig rig;
  const auto send = [&](const Json& body) -> const Answer& {
    return rig.send(body.dump(), modern_headers("tools/list"));
  };
  for (const Json& bad_id :
       {Json(nullptr), Json(1.5), Json(true), Json::array(), Json::object(), Json(std::string(257, 'i'))})
    check_error(rig, send(modern_body("tools/list", Json::object(), bad_id)), 400, -32600);
  Json body = modern_body("tools/list");
  body["jsonrpc"] = "1.0";
  check_error(rig, send(body), 400, -32600, 1);
  body.erase("jsonrpc");
  check_error(rig, send(body), 400, -32600, 1);
  body = modern_body("tools/list");
  body["method"] = 5;
  check_error(rig, send(body), 400, -32600, 1);
  body["method"] = "";
  check_error(rig, send(body), 400, -32600, 1);
  body["method"] = std::string(129, 'm');
  check_error(rig, send(body), 400, -32600, 1);
  body.erase("method");
  check_error(rig, send(body), 400, -32600, 1);
  body = modern_body("tools/list");
  body["result"] = Json::object();
  check_error(rig, send(body), 400, -32600, 1);
  check_error(rig, send({{"jsonrpc", "2.0"}, {"id", 1}, {"result", Json::object()}}), 400, -32600);
  for (const char* text : {"[]", "1", "null", "\"x\"", "true"})
    check_error(rig, rig.send(text, modern_headers("tools/list")), 400, -32600);
  // A batch does not exist in this era, whatever is in it.
  check_error(rig, send(Json::array({modern_body("tools/list")})), 400, -32600);
  for (const auto& [step, error] : rig.pipeline.refusals) {
    CHECK(step == "parse");
    CHECK(error.code == Code::malformed);
  }
  CHECK(rig.pipeline.refusals.size() == static_cast<std::size_t>(rig.pipeline.opened));
}

TEST_CASE(
    "modern: what is no JSON is a parse error, and so is JSON that two readers could read differently") {
  Rig rig;
  const std::string good = call_body().dump();
  for (const std::string& bad :
       {std::string(), std::string(" "), std::string("{"), good + "x", good + good, std::string("\xff"),
        std::string("{\"a\":NaN}"), std::string(R"({"jsonrpc":"2.0","id":1,"id":2,"method":"tools/list"})"),
        std::string(R"({"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call"})"),
        std::string(R"({"jsonrpc":"2.0","id":1,"method":"tools/list","meth\u006fd":"tools/call"})"),
        std::string(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","NAME":"b"}})"),
        std::string(R"({"jsonrpc":"2.0","id":99999999999999999999,"method":"ping"})"), std::string(1000, '['),
        "\"" + std::string(Settings().max_body_bytes, 'x') + "\""})
    check_error(rig, rig.send(bad, call_headers()), 400, -32700);
  CHECK(rig.pipeline.calls.empty());
}

TEST_CASE("modern: _meta must be complete, and its absence is never taken for the legacy era") {
  Rig rig;
  const auto send = [&](Json body) -> const Answer& { return rig.send(body.dump(), call_headers()); };
  Json body = call_body();
  body["params"].erase("_meta");
  check_error(rig, send(body), 400, -32602, 1);
  body.erase("params");
  check_error(rig, send(body), 400, -32602, 1);
  for (const Json& bad : {Json(nullptr), Json::array(), Json("x"), Json(1)}) {
    body = call_body();
    body["params"]["_meta"] = bad;
    check_error(rig, send(body), 400, -32602, 1);
    body["params"] = bad;
    check_error(rig, send(body), 400, -32602, 1);
  }
  for (const char* key : {kVersionKey, kCapabilitiesKey}) {
    body = call_body();
    body["params"]["_meta"].erase(key);
    check_error(rig, send(body), 400, -32602, 1);
    body["params"]["_meta"][key] = 5;
    check_error(rig, send(body), 400, -32602, 1);
  }
  // The body decides: without the header it is modern all the same.
  body = call_body();
  body["params"]["_meta"].erase(kCapabilitiesKey);
  check_error(rig, rig.send(body.dump()), 400, -32602, 1);
  // clientInfo may be absent or odd.
  body = call_body();
  body["params"]["_meta"].erase("io.modelcontextprotocol/clientInfo");
  check_result(rig, send(body));
  body["params"]["_meta"]["io.modelcontextprotocol/clientInfo"] = "me";
  check_result(rig, send(body));
}

TEST_CASE("modern: an unknown revision in the header alone is never taken for the legacy era") {
  Rig rig;
  for (const char* version : {"2026-07-28", "2027-01-01", "v999.0.0", "", "2024-11-05"})
    check_error(rig, rig.send(legacy_body("tools/list").dump(), {{"MCP-Protocol-Version", version}}), 400,
                -32602, 1);
}

TEST_CASE("modern: unknown methods, and the legacy era's own, are 404 with a body") {
  Rig rig;
  for (const char* method : {"initialize", "ping", "logging/setLevel", "resources/subscribe", "nobody/knows",
                             "resources/unsubscribe", "tasks/list", "tasks/result", "Tools/list",
                             "tools/list ", "notifications/cancelled"}) {
    CAPTURE(method);
    const Headers headers = modern_headers(method);
    if (std::string(method) == "tools/list ")  // trimmed away by the transport, so it cannot be equal
      check_error(rig, rig.send(modern_body(method).dump(), headers), 400, -32020, 1);
    else
      check_error(rig, rig.send(modern_body(method).dump(), headers), 404, -32601, 1);
  }
}

TEST_CASE("modern: notifications are accepted without an answer, whatever their headers") {
  Rig rig;
  Json body = modern_body("notifications/cancelled", {{"requestId", 5}});
  body.erase("id");
  for (const Headers& headers :
       {Headers{}, modern_headers("notifications/cancelled"), Headers{{"MCP-Protocol-Version", kModern}}}) {
    const Answer& answer = rig.send(body.dump(), headers);
    CHECK(answer.status == 202);
    CHECK(answer.body.empty());
    CHECK(answer.content_type.empty());
    CHECK(rig.inbound->answers.size() == 1);
  }
  // Without _meta the header alone tells the era; a revision that nobody knows is refused.
  Json bare = legacy_body("notifications/initialized");
  bare.erase("id");
  CHECK(rig.send(bare.dump(), {{"MCP-Protocol-Version", kModern}}).status == 202);
  check_error(rig, rig.send(bare.dump(), {{"MCP-Protocol-Version", "2030-01-01"}}), 400, -32602);
  // A tools/call without an id is a notification: nothing runs.
  Json call = call_body();
  call.erase("id");
  CHECK(rig.send(call.dump(), call_headers()).status == 202);
  CHECK(rig.pipeline.calls.empty());
}

TEST_CASE("modern: a method over its limit is 429 with the wait, in seconds rounded up and in milliseconds") {
  Rig rig;
  Error error = make_error(Code::throttled, "Rate limit exceeded: wait 1.2 s.");
  error.retry_after_ms = 1200;
  error.rule = "identity";
  rig.pipeline.throttle = error;
  const Answer& answer = rig.send(modern_body("tools/list").dump(), modern_headers("tools/list"));
  const Json body = check_error(rig, answer, 429, -31429, 1);
  CHECK(header_of(answer, "Retry-After") == "2");
  CHECK(body["error"]["data"] == Json{{"retry_after_ms", 1200}, {"rule", "identity"}});
  // An unknown method costs too.
  CHECK(rig.send(modern_body("nonsense").dump(), modern_headers("nonsense")).status == 429);
  // The pipeline audited it already.
  CHECK(rig.pipeline.refusals.empty());
}
