// What is said besides the reply to a modern request: progress, log lines, questions, listeners.
#include <doctest/doctest.h>

#include "mcp/subscriptions.h"

#include "unit/mcp/fakes.h"

using namespace vmcp;
using namespace vmcp::mcp;
using namespace vmcp::mcp::fakes;

namespace {

Json modern_call(Json meta = Json::object(), Json params = Json::object()) {
  params["name"] = "echo";
  Json body = modern_body("tools/call", std::move(params));
  body["params"]["_meta"].update(meta);
  return body;
}

Headers of_call() {
  return modern_headers("tools/call", "echo");
}

}  // namespace

TEST_CASE("streams: without anything to say the answer is one JSON object") {
  Rig rig;
  rig.pipeline.on_call = [](FakePipeline::Call& call) { answer_text(call); };
  CHECK(rig.send(modern_call({{"progressToken", 7}}).dump(), of_call()).content_type == "application/json");
  CHECK(rig.inbound->stream == nullptr);
}

TEST_CASE("streams: progress goes before the result, on the request's own stream, with its token") {
  Rig rig;
  rig.pipeline.on_call = [](FakePipeline::Call& call) {
    REQUIRE(call.call.client_side.on_progress);
    call.call.client_side.on_progress(0, 100, "");
    call.call.client_side.on_progress(0, 100, "does not grow");
    call.call.client_side.on_progress(100, 100, "almost \"there\"");
    answer_text(call);
    call.call.client_side.on_progress(200, 200, "too late");
  };
  rig.send(modern_call({{"progressToken", "p-1"}}).dump(), of_call());
  REQUIRE(rig.inbound->stream);
  const std::vector<Json>& said = rig.inbound->stream->messages;
  REQUIRE(said.size() == 3);
  CHECK(said[0] == Json{{"jsonrpc", "2.0"},
                        {"method", "notifications/progress"},
                        {"params", {{"progressToken", "p-1"}, {"progress", 0.0}, {"total", 100.0}}}});
  CHECK(said[1]["params"]["message"] == "almost \"there\"");
  CHECK(said[2]["result"]["resultType"] == "complete");
  CHECK(rig.inbound->stream->finished.load());
  CHECK(rig.inbound->answers.empty());
  CHECK(rig.inbound->stream->head.prime_id.empty());
}

TEST_CASE("streams: who takes no event stream hears nothing before the answer") {
  Rig rig;
  rig.pipeline.on_call = [](FakePipeline::Call& call) {
    call.call.client_side.on_progress(1, 2, "");
    answer_text(call);
  };
  rig.inbound = std::make_shared<FakeInbound>();
  rig.inbound->headers = {{"content-type", "application/json"}, {"accept", "application/json"}};
  CHECK(rig.send_prepared(modern_call({{"progressToken", 1}}).dump(), of_call()).status == 200);
  CHECK(rig.inbound->stream == nullptr);
}

TEST_CASE("streams: log lines only when this request asks for them, at its level or above, masked") {
  Rig rig;
  bool listened = false;
  rig.pipeline.on_call = [&](FakePipeline::Call& call) {
    listened = static_cast<bool>(call.call.client_side.on_log);
    if (listened) {
      call.call.client_side.on_log("info", "org.example", R"("below")");
      call.call.client_side.on_log("error", "org.example", R"({"password":"hunter2","what":"x"})");
    }
    answer_text(call);
  };
  rig.send(modern_call().dump(), of_call());
  CHECK_FALSE(listened);
  rig.send(modern_call({{"io.modelcontextprotocol/logLevel", "warning"}}).dump(), of_call());
  REQUIRE(rig.inbound->stream);
  REQUIRE(rig.inbound->stream->messages.size() == 2);
  const Json& line = rig.inbound->stream->messages[0];
  CHECK(line["method"] == "notifications/message");
  CHECK(line["params"]["level"] == "error");
  CHECK(line["params"]["logger"] == "org.example");
  CHECK(line["params"]["data"]["what"] == "x");
  CHECK(line.dump().find("hunter2") == std::string::npos);
  const Answer& bad = rig.send(modern_call({{"io.modelcontextprotocol/logLevel", "loud"}}).dump(), of_call());
  CHECK(Json::parse(bad.body)["error"]["code"] == -32602);
}

TEST_CASE("streams: what the client can be asked is what this request declares") {
  Rig rig;
  std::set<std::string, std::less<>> can;
  rig.pipeline.on_call = [&](FakePipeline::Call& call) {
    can = call.call.client_side.can;
    answer_text(call);
  };
  Json body = modern_call();
  Json& declared = body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
  rig.send(body.dump(), of_call());
  CHECK(can.empty());
  declared = {{"elicitation", Json::object()}, {"roots", Json::object()}};
  rig.send(body.dump(), of_call());
  CHECK(can == std::set<std::string, std::less<>>{"elicitation.form", "roots"});
  declared = {{"elicitation", {{"url", Json::object()}}},
              {"sampling", {{"tools", Json::object()}}},
              {"extensions", {{"io.modelcontextprotocol/tasks", Json::object()}}}};
  rig.send(body.dump(), of_call());
  CHECK(can == std::set<std::string, std::less<>>{"elicitation.url", "sampling", "sampling.tools", "tasks"});
}

TEST_CASE("rounds: a call that waits for input answers input_required, and its answers come back") {
  Rig rig;
  rig.pipeline.on_call = [](FakePipeline::Call& call) {
    if (call.call.inputs.empty()) {
      pipeline::ToolAnswer answer;
      answer.requests["who"] = R"({"method":"elicitation/create","params":{"message":"Who?"}})";
      answer.request_state = "sealed";
      return call.done(std::move(answer));
    }
    answer_text(call, call.call.inputs.at("who").c_str());
  };
  const Json first = Json::parse(rig.send(modern_call().dump(), of_call()).body)["result"];
  CHECK(first["resultType"] == "input_required");
  CHECK(first["inputRequests"]["who"]["params"]["message"] == "Who?");
  CHECK(first["requestState"] == "sealed");
  CHECK_FALSE(first.contains("content"));
  const Json params{{"requestState", "sealed"},
                    {"inputResponses", {{"who", {{"action", "accept"}}}, {"odd", 5}}}};
  const Json second =
      Json::parse(rig.send(modern_call(Json::object(), params).dump(), of_call()).body)["result"];
  CHECK(second["content"][0]["text"] == R"({"action":"accept"})");
  CHECK(rig.pipeline.calls.back().call.request_state == "sealed");
  CHECK_FALSE(rig.pipeline.calls.back().call.inputs.contains("odd"));
  const Answer& bad = rig.send(modern_call(Json::object(), {{"inputResponses", "x"}}).dump(), of_call());
  CHECK(Json::parse(bad.body)["error"]["code"] == -32602);
}

TEST_CASE("rounds: a client that lacks what a call needs gets -32021 with an object of objects") {
  Rig rig;
  rig.pipeline.on_call = [](FakePipeline::Call& call) {
    pipeline::ToolAnswer answer;
    answer.protocol = make_error(Code::client_lacks, "needs sampling");
    answer.protocol->rule = "sampling,elicitation.url";
    call.done(std::move(answer));
  };
  const Answer& answer = rig.send(modern_call().dump(), of_call());
  CHECK(answer.status == 400);
  const Json error = Json::parse(answer.body)["error"];
  CHECK(error["code"] == -32021);
  CHECK(error["data"]["requiredCapabilities"] ==
        Json{{"sampling", Json::object()}, {"elicitation", {{"url", Json::object()}}}});
}

TEST_CASE("listen: acknowledged first, told only what was asked for, ended gracefully") {
  Rig rig;
  const Json wanted{{"notifications",
                     {{"toolsListChanged", true},
                      {"promptsListChanged", false},
                      {"resourceSubscriptions", {"vsphere://a/vm/vm-1", "secret://x"}},
                      {"unknown", 1}}}};
  rig.send(modern_body("subscriptions/listen", wanted, "sub-1").dump(),
           modern_headers("subscriptions/listen"));
  REQUIRE(rig.inbound->stream);
  const std::shared_ptr<FakeStream> stream = rig.inbound->stream;
  REQUIRE(stream->messages.size() == 1);
  CHECK(stream->messages[0]["method"] == "notifications/subscriptions/acknowledged");
  CHECK(stream->messages[0]["params"]["notifications"] ==
        Json{{"toolsListChanged", true}, {"resourceSubscriptions", {"vsphere://a/vm/vm-1"}}});
  rig.endpoint.changed({Change::Kind::prompts, {}});
  rig.endpoint.changed({Change::Kind::updated, "vsphere://a/vm/vm-2"});
  CHECK(stream->messages.size() == 1);
  rig.endpoint.changed({Change::Kind::tools, {}});
  rig.endpoint.changed({Change::Kind::updated, "vsphere://a/vm/vm-1"});
  REQUIRE(stream->messages.size() == 3);
  CHECK(stream->messages[1]["method"] == "notifications/tools/list_changed");
  CHECK(stream->messages[2]["params"]["uri"] == "vsphere://a/vm/vm-1");
  rig.endpoint.drain();
  REQUIRE(stream->messages.size() == 5);
  CHECK(stream->messages[3]["id"] == "sub-1");
  CHECK(stream->messages[3]["result"]["resultType"] == "complete");
  CHECK(stream->messages[4]["method"] == "notifications/cancelled");
  CHECK(stream->finished.load());
  for (const Json& message : stream->messages) {
    const Json& holder = message.contains("result") ? message["result"] : message["params"];
    if (message.value("method", "") != "notifications/cancelled")
      CHECK(holder["_meta"]["io.modelcontextprotocol/subscriptionId"] == "sub-1");
  }
}

TEST_CASE("listen: a client that left is told nothing, a malformed wish and no event stream are refused") {
  Rig rig;
  const Headers headers = modern_headers("subscriptions/listen");
  const auto body = [](Json notifications) {
    return modern_body("subscriptions/listen", {{"notifications", std::move(notifications)}}).dump();
  };
  rig.send(body({{"toolsListChanged", true}}), headers);
  const std::shared_ptr<FakeStream> stream = rig.inbound->stream;
  REQUIRE(stream);
  stream->leave();
  rig.endpoint.changed({Change::Kind::tools, {}});
  CHECK(stream->messages.size() == 1);
  for (const Json& bad : {Json(1), Json{{"toolsListChanged", "yes"}}, Json{{"resourceSubscriptions", "x"}},
                          Json{{"resourceSubscriptions", {1}}}})
    CHECK(Json::parse(rig.send(body(bad), headers).body)["error"]["code"] == -32602);
  CHECK(Json::parse(rig.send(modern_body("subscriptions/listen").dump(), headers).body)["error"]["code"] ==
        -32602);
  rig.inbound = std::make_shared<FakeInbound>();
  rig.inbound->headers = {{"content-type", "application/json"}, {"accept", "application/json"}};
  CHECK(rig.send_prepared(body({{"toolsListChanged", true}}), headers).status == 406);
}

TEST_CASE("streams: a listener that may not hear any more is told so and let go, and the others hear on") {
  Subscriptions subscriptions(4);
  const auto barred = std::make_shared<FakeStream>(), open = std::make_shared<FakeStream>();
  bool may = true;
  Interest tools;
  tools.tools = true;
  REQUIRE(subscriptions.add(Interest{}, "1", barred, {}, [&] { return may; }));
  REQUIRE(subscriptions.add(tools, "2", open, {}, [] { return true; }));
  const auto publish = [&] {
    subscriptions.publish([](const Interest& i) { return i.tools; }, "notifications/tools/list_changed",
                          Json::object());
  };
  publish();
  CHECK(subscriptions.size() == 2);
  CHECK(open->messages.size() == 2);
  may = false;
  publish();  // of what the first one did not even ask for
  CHECK(subscriptions.size() == 1);
  CHECK(barred->finished);
  CHECK(barred->messages.back()["method"] == "notifications/cancelled");
  CHECK(barred->messages.back()["params"]["requestId"] == 1);
  CHECK(open->messages.size() == 3);
  CHECK_FALSE(open->finished);
}
