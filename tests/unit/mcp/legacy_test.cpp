// The handshake era: 2025-11-25, 2025-06-18, 2025-03-26, without sessions.
#include <doctest/doctest.h>

#include "fakes.h"

using namespace vmcp;
using namespace vmcp::mcp;
using namespace vmcp::mcp::fakes;

namespace {

Json legacy_json(const Answer& answer) {
  CAPTURE(answer.body);
  auto parsed = parse_json(answer.body);
  REQUIRE(parsed.ok());
  return *parsed;
}

Headers version(const char* v) {
  return {{"MCP-Protocol-Version", v}};
}

Json initialize_body(Json params) {
  return legacy_body("initialize", std::move(params), "init");
}

}  // namespace

TEST_CASE("legacy: initialize echoes a revision that is served, else offers the latest") {
  Rig rig;
  for (const auto& [asked, given] :
       std::vector<std::pair<const char*, const char*>>{{"2025-11-25", "2025-11-25"},
                                                        {"2025-06-18", "2025-06-18"},
                                                        {"2025-03-26", "2025-03-26"},
                                                        {"2024-11-05", "2025-11-25"},
                                                        {"2026-07-28", "2025-11-25"},
                                                        {"1.0", "2025-11-25"}}) {
    const Answer& answer = rig.send(initialize_body({{"protocolVersion", asked},
                                                     {"capabilities", Json::object()},
                                                     {"clientInfo", {{"name", "c"}, {"version", "1"}}}})
                                        .dump());
    CHECK(answer.status == 200);
    CHECK(header_of(answer, "Mcp-Session-Id").size() == 32);
    CHECK(legacy_json(answer) ==
          Json{{"jsonrpc", "2.0"},
               {"id", "init"},
               {"result",
                {{"protocolVersion", given},
                 {"capabilities", capabilities()},
                 {"serverInfo", {{"name", "vsphere-mcp-pro"}, {"version", "0.1.0"}}}}}});
  }
  // Whatever the header says: the handshake negotiates in the body.
  CHECK(legacy_json(rig.send(initialize_body({{"protocolVersion", "2025-06-18"}}).dump(),
                             version("2026-07-28")))["result"]["protocolVersion"] == "2025-06-18");
  for (const Json& params : {Json(nullptr), Json::object(), Json{{"protocolVersion", 5}}}) {
    const Answer& answer = rig.send(initialize_body(params).dump());
    CHECK(answer.status == 200);
    CHECK(legacy_json(answer)["error"]["code"] == -32602);
  }
}

TEST_CASE("legacy: ping is exactly {}") {
  Rig rig;
  for (const Headers& headers :
       {Headers{}, version("2025-03-26"), version("2025-06-18"), version("2025-11-25")})
    CHECK(rig.send(legacy_body("ping").dump(), headers).body == R"({"jsonrpc":"2.0","id":1,"result":{}})");
}

TEST_CASE("legacy: tools/list speaks each revision's dialect and has none of the modern members") {
  Settings settings = Rig::settings();
  settings.page_size = 1;
  Rig rig(settings);
  for (const auto& [v, titled] : std::vector<std::pair<const char*, bool>>{
           {"2025-11-25", true}, {"2025-06-18", true}, {"2025-03-26", false}, {nullptr, false}}) {
    const Json body =
        legacy_json(rig.send(legacy_body("tools/list").dump(), v == nullptr ? Headers{} : version(v)));
    CHECK(body["result"].size() == 2);
    CHECK(body["result"]["nextCursor"] == "next");
    CHECK(body["result"]["tools"][0].contains("title") == titled);
  }
  const Answer& bad = rig.send(legacy_body("tools/list", {{"cursor", "?"}}).dump(), version("2025-11-25"));
  CHECK(bad.status == 200);
  CHECK(legacy_json(bad)["error"]["code"] == -32602);
}

TEST_CASE("legacy: tools/call, and structured content only for those who know it") {
  Rig rig;
  rig.pipeline.on_call = [](FakePipeline::Call& c) {
    pipeline::ToolAnswer answer;
    answer.texts = {"text"};
    answer.structured = R"({"ok":true})";
    c.done(std::move(answer));
  };
  for (const char* v : {"2025-11-25", "2025-06-18", "2025-03-26"}) {
    Json expected = {{"content", {{{"type", "text"}, {"text", "text"}}}}};
    if (std::string(v) != "2025-03-26") expected["structuredContent"] = {{"ok", true}};
    const Answer& answer =
        rig.send(legacy_body("tools/call", {{"name", "echo"}, {"task", {{"ttl", 1}}}}).dump(), version(v));
    CHECK(answer.status == 200);
    CHECK(legacy_json(answer)["result"] == expected);
  }
  // A host that gave no text block still answers readers of text.
  rig.pipeline.on_call = [](FakePipeline::Call& c) {
    pipeline::ToolAnswer answer;
    answer.structured = R"({"ok":true})";
    c.done(std::move(answer));
  };
  CHECK(legacy_json(
            rig.send(legacy_body("tools/call", {{"name", "echo"}}).dump()))["result"]["content"][0]["text"] ==
        R"({"ok":true})");
  for (const Json& params : {Json(nullptr), Json::object(), Json{{"name", 5}},
                             Json{{"name", "echo"}, {"arguments", Json::array()}}}) {
    const Answer& answer = rig.send(legacy_body("tools/call", params).dump(), version("2025-11-25"));
    CHECK(answer.status == 200);
    CHECK(legacy_json(answer)["error"]["code"] == -32602);
  }
}

TEST_CASE("legacy: a refused call carries its reason and the request's id in _meta") {
  Rig rig;
  rig.pipeline.on_call = [](FakePipeline::Call& c) {
    pipeline::ToolAnswer answer;
    answer.is_error = true;
    answer.code = Code::denied;
    answer.texts = {"no"};
    answer.structured = R"({"never":"shown"})";
    c.done(std::move(answer));
  };
  const Json result = legacy_json(
      rig.send(legacy_body("tools/call", {{"name", "echo"}}).dump(), version("2025-11-25")))["result"];
  CHECK(
      result ==
      Json{{"content", {{{"type", "text"}, {"text", "no"}}}},
           {"isError", true},
           {"_meta", {{"io.github.vsphere-mcp-pro/refusal", {{"code", "denied"}, {"requestId", "req-1"}}}}}});
}

TEST_CASE("legacy: an unknown tool is -32602, an unknown method -32601, both with status 200") {
  Rig rig;
  const Answer& tool =
      rig.send(legacy_body("tools/call", {{"name", "nobody"}}).dump(), version("2025-11-25"));
  CHECK(tool.status == 200);
  CHECK(legacy_json(tool)["error"]["code"] == -32602);
  // 404 would tell a client of this era that its session ended.
  for (const char* method : {"server/discover", "subscriptions/listen", "nonsense"}) {
    const Answer& answer = rig.send(legacy_body(method).dump(), version("2025-06-18"));
    CHECK(answer.status == 200);
    CHECK(legacy_json(answer)["error"]["code"] == -32601);
    CHECK(legacy_json(answer)["id"] == 1);
  }
}

TEST_CASE("legacy: modern headers on legacy requests mean nothing") {
  Rig rig;
  Headers headers = version("2025-11-25");
  headers.emplace_back("Mcp-Method", "something/else");
  headers.emplace_back("Last-Event-ID", "7");
  CHECK(legacy_json(rig.send(legacy_body("ping").dump(), headers))["result"] == Json::object());
  headers.emplace_back("MCP-Protocol-Version", "2025-06-18");
  const Answer& twice = rig.send(legacy_body("ping").dump(), headers);
  CHECK(twice.status == 400);
  CHECK(legacy_json(twice)["error"]["code"] == -32600);
}

TEST_CASE("legacy: notifications and posted responses are 202 and empty") {
  Rig rig;
  for (const char* method : {"notifications/initialized", "notifications/cancelled", "notifications/progress",
                             "notifications/roots/list_changed", "whatever"}) {
    Json body = legacy_body(method, Json{{"requestId", 1}});
    body.erase("id");
    for (const Headers& headers : {Headers{}, version("2025-11-25")}) {
      const Answer& answer = rig.send(body.dump(), headers);
      CHECK(answer.status == 202);
      CHECK(answer.body.empty());
    }
  }
  CHECK(rig.send(Json{{"jsonrpc", "2.0"}, {"id", 1}, {"result", Json::object()}}.dump()).status == 202);
  CHECK(rig.send(Json{{"jsonrpc", "2.0"}, {"id", 1}, {"error", {{"code", 1}, {"message", "m"}}}}.dump())
            .status == 202);
}

TEST_CASE("legacy: going away does not cancel the call") {
  Rig rig;
  rig.pipeline.on_call = [](FakePipeline::Call&) {};
  rig.send(legacy_body("tools/call", {{"name", "echo"}}).dump(), version("2025-11-25"));
  rig.inbound->gone.cancel();
  CHECK_FALSE(rig.pipeline.calls.at(0).context->cancel.cancelled());
}

TEST_CASE("legacy: ids that cannot be read are left out, never null") {
  Rig rig;
  for (const Json& id : {Json(nullptr), Json(1.5), Json::array()}) {
    const Answer& answer = rig.send(legacy_body("ping", nullptr, id).dump(), version("2025-11-25"));
    CHECK(answer.status == 400);
    CHECK(legacy_json(answer)["error"]["code"] == -32600);
    CHECK_FALSE(legacy_json(answer).contains("id"));
  }
}

TEST_CASE("batch: 2025-03-26 answers all requests of an array, in its order, and no others") {
  Rig rig;
  Json note = legacy_body("notifications/initialized");
  note.erase("id");
  const Json batch =
      Json::array({legacy_body("ping", nullptr, "a"), note, legacy_body("tools/call", {{"name", "echo"}}, 2),
                   legacy_body("nonsense", nullptr, 3), 7, legacy_body("tools/list", nullptr, 4)});
  for (const Headers& headers : {Headers{}, version("2025-03-26")}) {
    const Answer& answer = rig.send(batch.dump(), headers);
    CHECK(rig.inbound->answers.size() == 1);
    CHECK(answer.status == 200);
    const Json body = legacy_json(answer);
    REQUIRE(body.size() == 5);
    CHECK(body[0] == Json{{"jsonrpc", "2.0"}, {"id", "a"}, {"result", Json::object()}});
    CHECK(body[1]["result"]["content"][0]["text"] == "done");
    CHECK(body[2]["error"]["code"] == -32601);
    CHECK(body[3]["error"]["code"] == -32600);
    CHECK_FALSE(body[3].contains("id"));
    CHECK(body[4]["id"] == 4);
  }
  // One HTTP request, one admission; each call has an id of its own in the audit.
  CHECK(rig.pipeline.opened == 2);
  CHECK(rig.pipeline.calls.at(0).context->request_id == "req-1-3");
  CHECK(rig.pipeline.calls.at(1).context->request_id == "req-2-3");
}

TEST_CASE("batch: of notifications alone is 202") {
  Rig rig;
  Json note = legacy_body("notifications/initialized");
  note.erase("id");
  const Answer& answer = rig.send(Json::array({note, note}).dump());
  CHECK(answer.status == 202);
  CHECK(answer.body.empty());
}

TEST_CASE(
    "batch: not in other revisions, not empty, not endless, without initialize and without modern messages") {
  Rig rig;
  const Json one = Json::array({legacy_body("ping")});
  for (const char* v : {"2025-06-18", "2025-11-25", "2026-07-28", "nonsense"}) {
    const Answer& answer = rig.send(one.dump(), version(v));
    CHECK(answer.status == 400);
    CHECK(legacy_json(answer)["error"]["code"] == -32600);
    CHECK_FALSE(legacy_json(answer).contains("id"));
  }
  CHECK(rig.send("[]").status == 400);
  Json many = Json::array();
  for (int i = 0; i < 51; ++i) many.push_back(legacy_body("ping", nullptr, i));
  CHECK(rig.send(many.dump()).status == 400);
  many.erase(0);
  CHECK(rig.send(many.dump()).status == 200);
  const Json body =
      legacy_json(rig.send(Json::array({initialize_body({{"protocolVersion", "2025-03-26"}}),
                                        modern_body("tools/list"), legacy_body("ping", nullptr, 9)})
                               .dump()));
  CHECK(body[0]["error"]["code"] == -32600);
  CHECK(body[1]["error"]["code"] == -32600);
  CHECK(body[2]["result"] == Json::object());
}

TEST_CASE("batch: an overrun answers everything on time, once, and starts nothing more") {
  Rig rig;
  std::vector<std::function<void()>> stuck;
  rig.pipeline.on_call = [&](FakePipeline::Call& c) {
    auto done = c.done;
    c.exchange->answer_by({}, [done] {
      pipeline::ToolAnswer late;
      late.is_error = true;
      late.code = Code::timeout;
      late.texts = {"too late"};
      done(std::move(late));
    });
    if (c.call.name == "second") {
      rig.inbound->overrun();  // the watch thread, while this worker is stuck
      CHECK(rig.inbound->answers.size() == 1);
    }
    pipeline::ToolAnswer answer;
    answer.texts = {"in time"};
    done(std::move(answer));
  };
  const auto call = [](const char* name, int id) { return legacy_body("tools/call", {{"name", name}}, id); };
  const Json body =
      legacy_json(rig.send(Json::array({call("echo", 1), call("second", 2), call("echo", 3)}).dump()));
  CHECK(rig.inbound->answers.size() == 1);
  CHECK(rig.inbound->armed == 1);
  REQUIRE(body.size() == 3);
  CHECK(body[0]["result"]["content"][0]["text"] == "in time");
  CHECK(body[1]["result"]["content"][0]["text"] == "too late");
  CHECK(body[2]["error"]["message"].get<std::string>().find("did nothing") != std::string::npos);
  CHECK(body[2]["id"] == 3);
  CHECK(rig.pipeline.calls.size() == 2);
}

TEST_CASE("batch: calls that answer later complete it") {
  Rig rig;
  rig.pipeline.on_call = [](FakePipeline::Call&) {};
  rig.send(Json::array({legacy_body("tools/call", {{"name", "echo"}}, 1),
                        legacy_body("tools/call", {{"name", "echo"}}, 2)})
               .dump());
  CHECK(rig.inbound->answers.empty());
  for (const std::size_t i : {1u, 0u, 0u}) {  // the last one is a second answer: dropped
    pipeline::ToolAnswer answer;
    answer.texts = {std::to_string(i)};
    rig.pipeline.calls[i].done(std::move(answer));
  }
  REQUIRE(rig.inbound->answers.size() == 1);
  const Json body = legacy_json(rig.inbound->answers[0]);
  CHECK(body[0]["id"] == 1);
  CHECK(body[1]["result"]["content"][0]["text"] == "1");
}
