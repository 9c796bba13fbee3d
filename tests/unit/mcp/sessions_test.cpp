// Sessions of the handshake era: their streams, the questions of the bridge, and what is watched for them and
// for listeners.
#include <doctest/doctest.h>

#include "unit/mcp/fakes.h"

using namespace vmcp;
using namespace vmcp::mcp;
using namespace vmcp::mcp::fakes;

namespace {

// A client of the handshake era, after its handshake.
struct Client {
  explicit Client(Rig& of, const char* version = "2025-11-25", Json capabilities = Json::object()) : rig(of) {
    const Json body =
        legacy_body("initialize", {{"protocolVersion", version}, {"capabilities", capabilities}});
    session = header_of(rig.send(body.dump()), "Mcp-Session-Id");
    headers = {{"Mcp-Session-Id", session}, {"MCP-Protocol-Version", version}};
  }
  const Answer& post(const Json& body) { return rig.send(body.dump(), headers); }
  // Opens or resumes a stream.
  const Answer& get(Headers extra = {}) {
    rig.inbound = std::make_shared<FakeInbound>();
    rig.inbound->http_method = "GET";
    extra.insert(extra.end(), headers.begin(), headers.end());
    return rig.send_prepared("", std::move(extra));
  }
  const Answer& end() {
    rig.inbound = std::make_shared<FakeInbound>();
    rig.inbound->http_method = "DELETE";
    return rig.send_prepared("", headers);
  }
  Rig& rig;
  std::string session;
  Headers headers;
};

template <class F>
bool soon(F condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition())
    if (std::chrono::steady_clock::now() > until) return false;
  return true;
}

}  // namespace

TEST_CASE("sessions: of another identity, ended or unknown look the same") {
  Rig rig;
  Client client(rig);
  CHECK(client.post(legacy_body("ping")).status == 200);
  client.headers[0].second = std::string(32, 'a');
  CHECK(client.post(legacy_body("ping")).status == 404);
  client.headers[0].second = client.session;
  CHECK(client.end().status == 204);
  CHECK(client.post(legacy_body("ping")).status == 404);
  CHECK(client.end().status == 404);
  CHECK(client.get().status == 404);
  // A modern request is whole by itself: the session that it drags along means nothing.
  Headers headers = modern_headers("tools/list");
  headers.emplace_back("Mcp-Session-Id", "gone");
  CHECK(rig.send(modern_body("tools/list").dump(), headers).status == 200);
}

TEST_CASE("sessions: one stream of their own at a time, which tells what changed") {
  Rig rig;
  Client client(rig);
  rig.endpoint.changed({Change::Kind::tools, {}});
  client.get();
  const std::shared_ptr<FakeStream> stream = rig.inbound->stream;
  REQUIRE(stream);
  // What was said before the stream was opened waited for it.
  REQUIRE(stream->messages.size() == 1);
  CHECK(client.get().status == 409);
  rig.endpoint.changed({Change::Kind::resources, {}});
  REQUIRE(stream->messages.size() == 2);
  CHECK(stream->messages[1]["method"] == "notifications/resources/list_changed");
  stream->leave();
  rig.endpoint.changed({Change::Kind::prompts, {}});
  client.get({{"Last-Event-ID", stream->ids[0]}});
  REQUIRE(rig.inbound->stream);
  // Everything after the event that the client saw last.
  REQUIRE(rig.inbound->stream->messages.size() == 2);
  CHECK(rig.inbound->stream->messages[0]["method"] == "notifications/resources/list_changed");
  CHECK(rig.inbound->stream->messages[1]["method"] == "notifications/prompts/list_changed");
  CHECK(client.get({{"Last-Event-ID", "99-1"}}).status == 400);
  CHECK(client.get({{"Last-Event-ID", "nonsense"}}).status == 400);
}

TEST_CASE("sessions: a cut call's result waits until the client comes back for it") {
  Rig rig;
  Client client(rig);
  client.post(legacy_body("logging/setLevel", {{"level", "debug"}}));
  pipeline::Done done;
  rig.pipeline.on_call = [&](FakePipeline::Call& call) {
    call.call.client_side.on_log("info", "", R"("started")");
    done = std::move(call.done);
  };
  client.post(legacy_body("tools/call", {{"name", "echo"}}, 5));
  const std::shared_ptr<FakeStream> stream = rig.inbound->stream;
  REQUIRE(stream);
  CHECK_FALSE(stream->head.prime_id.empty());
  REQUIRE(stream->ids.size() == 1);
  stream->leave();
  // Leaving is no cancellation in this era.
  CHECK_FALSE(rig.pipeline.calls.back().context->cancel.cancelled());
  pipeline::ToolAnswer answer;
  answer.texts.push_back("late");
  done(std::move(answer));
  client.get({{"Last-Event-ID", stream->ids[0]}});
  REQUIRE(rig.inbound->stream);
  REQUIRE(rig.inbound->stream->messages.size() == 1);
  CHECK(rig.inbound->stream->messages[0]["id"] == 5);
  CHECK(rig.inbound->stream->messages[0]["result"]["content"][0]["text"] == "late");
  CHECK(rig.inbound->stream->finished.load());
}

TEST_CASE("sessions: with resumable answers even a reply that comes alone can be fetched again") {
  Settings settings = Rig::settings();
  settings.resumable_answers = true;
  Rig rig(settings);
  Client client(rig);
  client.post(legacy_body("tools/list", nullptr, 3));
  const std::shared_ptr<FakeStream> stream = rig.inbound->stream;
  REQUIRE(stream);
  CHECK(rig.inbound->answers.empty());
  REQUIRE(stream->messages.size() == 1);
  client.get({{"Last-Event-ID", stream->head.prime_id}});
  REQUIRE(rig.inbound->stream);
  REQUIRE(rig.inbound->stream->messages.size() == 1);
  CHECK(rig.inbound->stream->messages[0] == stream->messages[0]);
}

TEST_CASE("sessions: notifications/cancelled cancels the call that it names") {
  Rig rig;
  Client client(rig);
  rig.pipeline.on_call = [](FakePipeline::Call&) {};
  client.post(legacy_body("tools/call", {{"name", "echo"}}, "c-1"));
  const CancelFlag cancel = rig.pipeline.calls.back().context->cancel;
  Json note = legacy_body("notifications/cancelled", {{"requestId", "other"}});
  note.erase("id");
  client.post(note);
  CHECK_FALSE(cancel.cancelled());
  note["params"]["requestId"] = "c-1";
  CHECK(client.post(note).status == 202);
  CHECK(cancel.cancelled());
}

TEST_CASE("bridge: a plugin's question becomes a request on the call's stream, and its rounds go on") {
  Rig rig;
  Client client(rig, "2025-11-25", {{"elicitation", Json::object()}});
  std::mutex mutex;
  int rounds = 0;
  rig.pipeline.on_call = [&](FakePipeline::Call& call) {
    const std::lock_guard lock(mutex);
    ++rounds;
    if (call.call.inputs.empty()) {
      CHECK(call.call.client_side.can.contains("elicitation.form"));
      pipeline::ToolAnswer answer;
      answer.requests["who"] = R"({"method":"elicitation/create","params":{"message":"Who?"}})";
      answer.request_state = "sealed";
      return call.done(std::move(answer));
    }
    CHECK(call.call.request_state == "sealed");
    answer_text(call, call.call.inputs.at("who").c_str());
  };
  client.post(legacy_body("tools/call", {{"name", "echo"}}, 9));
  const std::shared_ptr<FakeStream> stream = rig.inbound->stream;
  REQUIRE(stream);
  REQUIRE(stream->messages.size() == 1);
  CHECK(stream->messages[0]["method"] == "elicitation/create");
  const Json answer{
      {"jsonrpc", "2.0"}, {"id", stream->messages[0]["id"]}, {"result", {{"action", "decline"}}}};
  CHECK(client.post(answer).status == 202);
  REQUIRE(soon([&] { return stream->finished.load(); }));
  REQUIRE(stream->messages.size() == 2);
  CHECK(stream->messages[1]["id"] == 9);
  CHECK(stream->messages[1]["result"]["content"][0]["text"] == R"({"action":"decline"})");
  CHECK(rounds == 2);
}

TEST_CASE("bridge: a page to open gets an id of its own, which 2025-11-25 wants, and a form gets none") {
  Rig rig;
  Client client(rig, "2025-11-25", {{"elicitation", {{"form", Json::object()}, {"url", Json::object()}}}});
  rig.pipeline.on_call = [&](FakePipeline::Call& call) {
    CHECK(call.call.client_side.can.contains("elicitation.url"));
    pipeline::ToolAnswer answer;
    const Json url{{"mode", "url"}, {"message", "Häi"}, {"url", "https://consent.example/"}};
    Json named = url;
    named["elicitationId"] = "the plugin's";
    const Json form{{"mode", "form"}, {"message", "url"}, {"requestedSchema", {{"type", "object"}}}};
    const auto request = [](const Json& params) {
      return dump_json({{"method", "elicitation/create"}, {"params", params}});
    };
    answer.requests = {{"a", request(url)}, {"b", request(url)}, {"c", request(named)}, {"d", request(form)}};
    call.done(std::move(answer));
  };
  client.post(legacy_body("tools/call", {{"name", "echo"}}));
  const std::shared_ptr<FakeStream> stream = rig.inbound->stream;
  REQUIRE(stream);
  REQUIRE(stream->messages.size() == 4);
  Json first = stream->messages[0]["params"];
  const std::string id = first.value("elicitationId", "");
  CHECK(id.size() == 32);
  first.erase("elicitationId");
  CHECK(first == Json{{"mode", "url"}, {"message", "Häi"}, {"url", "https://consent.example/"}});
  CHECK(stream->messages[1]["params"].value("elicitationId", id) != id);
  CHECK(stream->messages[2]["params"]["elicitationId"] == "the plugin's");
  CHECK_FALSE(stream->messages[3]["params"].contains("elicitationId"));
  for (const Json& message : stream->messages) CHECK(message["method"] == "elicitation/create");
  CHECK(client.end().status == 204);  // which lets go of what waits for answers
}

TEST_CASE("bridge: who cannot open a page, by declaration or by revision, is not said to") {
  Rig rig;
  rig.pipeline.on_call = [](FakePipeline::Call& call) { answer_text(call); };
  const Json both{{"elicitation", {{"form", Json::object()}, {"url", Json::object()}}}};
  const Json form{{"elicitation", {{"form", Json::object()}}}};
  for (const auto& [version, declared] : {std::pair("2025-06-18", both), std::pair("2025-11-25", form)}) {
    Client client(rig, version, declared);
    client.post(legacy_body("tools/call", {{"name", "echo"}}));
    CHECK(rig.pipeline.calls.back().call.client_side.can ==
          std::set<std::string, std::less<>>{"elicitation.form"});
  }
}

TEST_CASE("bridge: a client that answers with an error, or whose session ends, ends the call with a reason") {
  Rig rig;
  Client client(rig, "2025-06-18", {{"sampling", Json::object()}});
  rig.pipeline.on_call = [&](FakePipeline::Call& call) {
    pipeline::ToolAnswer answer;
    answer.requests["m"] = R"({"method":"sampling/createMessage","params":{}})";
    call.done(std::move(answer));
  };
  client.post(legacy_body("tools/call", {{"name", "echo"}}, 1));
  std::shared_ptr<FakeStream> stream = rig.inbound->stream;
  REQUIRE(stream);
  CHECK(stream->head.prime_id.empty());  // that came with 2025-11-25
  client.post(
      {{"jsonrpc", "2.0"}, {"id", stream->messages[0]["id"]}, {"error", {{"code", -1}, {"message", "no"}}}});
  REQUIRE(stream->messages.size() == 2);
  CHECK(stream->messages[1]["result"]["isError"] == true);
  client.post(legacy_body("tools/call", {{"name", "echo"}}, 2));
  stream = rig.inbound->stream;
  CHECK(client.end().status == 204);
  REQUIRE(stream->messages.size() == 2);
  CHECK(stream->messages[1]["result"]["isError"] == true);
}

TEST_CASE("bridge: without a session nobody can be asked, and the call says so") {
  Rig rig;
  rig.pipeline.on_call = [](FakePipeline::Call& call) {
    CHECK(call.call.client_side.can.empty());
    pipeline::ToolAnswer answer;
    answer.requests["m"] = R"({"method":"roots/list"})";
    call.done(std::move(answer));
  };
  const Json result = Json::parse(
      rig.send(legacy_body("tools/call", {{"name", "echo"}}).dump(), {{"MCP-Protocol-Version", "2025-11-25"}})
          .body)["result"];
  CHECK(result["isError"] == true);
  CHECK(result["_meta"]["io.github.vsphere-mcp-pro/refusal"]["code"] == "client_lacks");
}

TEST_CASE(
    "sessions: a subscription fires for its URI only, ends when it is taken back, and needs the right to "
    "read") {
  Rig rig;
  Client client(rig);
  const auto ask = [&](const char* method, const char* uri) {
    return Json::parse(client.post(legacy_body(method, {{"uri", uri}})).body);
  };
  CHECK(ask("resources/subscribe", "x://a")["result"] == Json::object());
  CHECK(ask("resources/subscribe", "secret://b")["error"]["code"] == -32602);
  client.get();
  const std::shared_ptr<FakeStream> stream = rig.inbound->stream;
  REQUIRE(stream);
  rig.endpoint.changed({Change::Kind::updated, "secret://b"});
  rig.endpoint.changed({Change::Kind::updated, "x://a"});
  REQUIRE(stream->messages.size() == 1);
  CHECK(stream->messages[0]["params"]["uri"] == "x://a");
  CHECK(ask("resources/unsubscribe", "x://a")["result"] == Json::object());
  rig.endpoint.changed({Change::Kind::updated, "x://a"});
  CHECK(stream->messages.size() == 1);
}

TEST_CASE("watch: a listener hears of the object it named, on its own stream, until it leaves") {
  Rig rig;
  const Json wanted{
      {"notifications",
       {{"resourceSubscriptions", {"vsphere://a/vm/vm-1", "vsphere://a/vm/vm-2", "secret://x"}}}}};
  rig.send(modern_body("subscriptions/listen", wanted, "sub-1").dump(),
           modern_headers("subscriptions/listen"));
  const std::shared_ptr<FakeStream> stream = rig.inbound->stream;
  REQUIRE(stream);
  REQUIRE(rig.pipeline.watched.size() == 2);
  const auto& object = *rig.pipeline.watched.find("vsphere://a/vm/vm-2");
  {
    const auto changed = object.second.lock();
    REQUIRE(changed);
    (*changed)();
  }
  REQUIRE(stream->messages.size() == 2);
  CHECK(stream->messages[1]["method"] == "notifications/resources/updated");
  CHECK(stream->messages[1]["params"]["uri"] == "vsphere://a/vm/vm-2");
  CHECK(stream->messages[1]["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == "sub-1");
  stream->leave();
  CHECK(object.second.expired());
}

TEST_CASE("watch: what cannot be watched is not acknowledged, and refused to a session") {
  Rig rig;
  rig.pipeline.watch_error = make_error(Code::unavailable, "Too many objects are watched.");
  rig.send(
      modern_body("subscriptions/listen",
                  {{"notifications", {{"resourceSubscriptions", {"vsphere://a/vm/vm-1", "x://y"}}}}}, "s")
          .dump(),
      modern_headers("subscriptions/listen"));
  REQUIRE(rig.inbound->stream);
  CHECK(rig.inbound->stream->messages[0]["params"]["notifications"] ==
        Json{{"resourceSubscriptions", {"x://y"}}});
  Client client(rig);
  const Json answer =
      Json::parse(client.post(legacy_body("resources/subscribe", {{"uri", "vsphere://a/vm/vm-1"}})).body);
  CHECK(answer["error"]["message"].get<std::string>().find("Too many objects") == 0);
}

TEST_CASE("watch: a session hears of its objects, and lets them go when it unsubscribes or ends") {
  Rig rig;
  Client client(rig);
  for (const char* uri : {"vsphere://a/vm/vm-1", "vsphere://a/vm/vm-2"})
    client.post(legacy_body("resources/subscribe", {{"uri", uri}}));
  REQUIRE(rig.pipeline.watched.size() == 2);
  const auto first = rig.pipeline.watched.find("vsphere://a/vm/vm-1")->second;
  const auto second = rig.pipeline.watched.find("vsphere://a/vm/vm-2")->second;
  client.get();
  const std::shared_ptr<FakeStream> stream = rig.inbound->stream;
  REQUIRE(stream);
  (*first.lock())();
  REQUIRE(stream->messages.size() == 1);
  CHECK(stream->messages[0]["params"]["uri"] == "vsphere://a/vm/vm-1");
  client.post(legacy_body("resources/unsubscribe", {{"uri", "vsphere://a/vm/vm-1"}}));
  CHECK(first.expired());
  CHECK_FALSE(second.expired());
  rig.endpoint.drain();
  CHECK(second.expired());
}
