// What happens before a message is read, and that it happens before.
#include <doctest/doctest.h>

#include "fakes.h"
#include "mcp/header_check.h"

using namespace vmcp;
using namespace vmcp::mcp;
using namespace vmcp::mcp::fakes;

namespace {

// An error without an id, in JSON.
Json refused(const Answer& answer, int status) {
  CHECK(answer.status == status);
  CHECK(answer.content_type == "application/json");
  auto parsed = parse_json(answer.body);
  REQUIRE(parsed.ok());
  CHECK_FALSE(parsed->contains("id"));
  CHECK((*parsed)["error"]["code"].is_number_integer());
  CHECK(header_of(answer, "X-Request-Id") == "req-1");
  return *parsed;
}

}  // namespace

TEST_CASE("admission: without a token 401 asks for one, with a bad one it says so") {
  Rig rig;
  rig.pipeline.admission =
      make_error(Code::unauthenticated, "Authentication needed: send Authorization: Bearer <token>.");
  Json body = refused(rig.send(legacy_body("ping").dump()), 401);
  CHECK(header_of(rig.inbound->answers[0], "WWW-Authenticate") == "Bearer realm=\"vsphere-mcp-pro\"");
  CHECK(body["error"]["code"] == -31401);
  // The pipeline audited it: not twice.
  CHECK(rig.pipeline.refusals.empty());
  CHECK_FALSE(rig.pipeline.saw_authorization);

  Settings settings = Rig::settings();
  settings.public_url = "https://mcp.example";
  settings.authorization_servers = {"https://login.example"};
  settings.scopes = {"read", "ops"};
  Rig other(settings);
  other.pipeline.admission = rig.pipeline.admission;
  refused(other.send(legacy_body("ping").dump(), {{"Authorization", "Bearer CANARY"}}), 401);
  CHECK(other.pipeline.saw_authorization);
  const std::string challenge = header_of(other.inbound->answers[0], "WWW-Authenticate");
  CHECK(challenge ==
        "Bearer realm=\"vsphere-mcp-pro\", "
        "resource_metadata=\"https://mcp.example/.well-known/oauth-protected-resource/mcp\", "
        "scope=\"read\", error=\"invalid_token\", "
        "error_description=\"The token is unknown, expired or revoked\"");
  CHECK(other.inbound->answers[0].body.find("CANARY") == std::string::npos);
}

TEST_CASE("admission: each kind of refusal has its status") {
  struct Row {
    Code code;
    int status;
    int rpc;
  };
  for (const Row& row : {Row{Code::throttled, 429, -31429}, Row{Code::denied, 403, -31403},
                         Row{Code::unavailable, 503, -31503}, Row{Code::malformed, 400, -32600},
                         Row{Code::internal, 500, -32603}, Row{Code::not_found, 403, -32602}}) {
    Rig rig;
    Error error = make_error(row.code, "Refused, for a reason.", "secret detail");
    error.retry_after_ms = row.code == Code::throttled ? 1 : 0;
    if (row.code == Code::throttled) error.quota = {200, 0, 4000};
    rig.pipeline.admission = error;
    const Json body = refused(rig.send(legacy_body("ping").dump()), row.status);
    CHECK(body["error"]["code"] == row.rpc);
    CHECK(body.dump().find("secret") == std::string::npos);
    CHECK(header_of(rig.inbound->answers[0], "WWW-Authenticate") == "(absent)");
    CHECK(header_of(rig.inbound->answers[0], "Retry-After") ==
          (row.code == Code::throttled ? "1" : "(absent)"));
    if (row.code == Code::throttled)
      CHECK(body["error"]["data"] ==
            Json{{"retry_after_ms", 1}, {"limit", 200}, {"remaining", 0}, {"reset_ms", 4000}});
  }
}

TEST_CASE("admission: comes before the body, the content type and the HTTP method") {
  Rig rig;
  rig.pipeline.admission = make_error(Code::unauthenticated, "no");
  CHECK(rig.send("not json").status == 401);
  rig.inbound = std::make_shared<FakeInbound>();
  rig.inbound->http_method = "GET";
  rig.inbound->headers.clear();
  CHECK(rig.send_prepared("").status == 401);
}

TEST_CASE("transport: GET, DELETE and others are 405 with Allow") {
  for (const char* method : {"GET", "DELETE", "PUT", "OPTIONS", "HEAD", "post", ""}) {
    Rig rig;
    rig.inbound->http_method = method;
    refused(rig.send_prepared(legacy_body("ping").dump()), 405);
    CHECK(header_of(rig.inbound->answers[0], "Allow") == "POST");
    CHECK(rig.pipeline.refusals.size() == 1);
  }
}

TEST_CASE("transport: the content type must be JSON, in UTF-8") {
  for (const char* good :
       {"application/json", "Application/JSON", "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"", "application/json ; x=y", "application/json;"})
    CHECK(is_json_content(good));
  for (const char* bad :
       {"", "text/plain", "application/jsonx", "application/json-rpc", "application/json, text/html",
        "application/json; charset=latin1", "application/x-www-form-urlencoded", "json"})
    CHECK_FALSE(is_json_content(bad));
  for (const Headers& headers :
       {Headers{}, Headers{{"content-type", "text/plain"}},
        Headers{{"content-type", "application/json"}, {"content-type", "application/json"}}}) {
    Rig rig;
    rig.inbound->headers = headers;
    refused(rig.send_prepared(legacy_body("ping").dump()), 415);
    CHECK(rig.pipeline.refusals.size() == 1);
  }
}

TEST_CASE("transport: a client that takes no JSON is told so, every other may leave Accept as it likes") {
  CHECK(accepts_json({}));
  for (const char* good : {"*/*", "application/json", "text/event-stream, application/json",
                           "application/*;q=0.5", "text/html,*/*;q=0.1", "APPLICATION/JSON"})
    CHECK(accepts_json(good));
  for (const char* bad : {"text/html", "text/event-stream", "application/jsonl", ""})
    CHECK_FALSE(accepts_json(bad));
  Rig rig;
  rig.inbound->headers = {{"content-type", "application/json"}, {"accept", "text/html"}};
  refused(rig.send_prepared(legacy_body("ping").dump()), 406);
}

TEST_CASE("endpoint: an exception of a collaborator is one answer with status 500") {
  Rig rig;
  rig.pipeline.admission_throws = true;
  const Answer& answer = rig.send(legacy_body("ping").dump());
  CHECK(answer.status == 500);
  CHECK(rig.inbound->answers.size() == 1);
  CHECK(answer.body.find("boom") == std::string::npos);
  CHECK((*parse_json(answer.body))["error"]["code"] == -32603);
}

TEST_CASE("admission: a body is read up to the limit of the transport, and no byte further") {
  Settings settings = Rig::settings();
  settings.max_body_bytes = 3u << 20;
  std::string body = modern_body("tools/call", {{"name", "echo"}, {"arguments", {{"text", ""}}}}).dump();
  const std::size_t room = settings.max_body_bytes - body.size();
  body.insert(body.find(R"("text":")") + 8, std::string(room, 'x'));
  Rig rig(settings);
  CHECK(rig.send(body, modern_headers("tools/call", "echo")).status == 200);
  REQUIRE(rig.pipeline.calls.size() == 1);
  CHECK(rig.pipeline.calls[0].call.arguments["text"].get_ref<const std::string&>().size() == room);

  Rig other(settings);
  Json fault = refused(other.send(body + " ", modern_headers("tools/call", "echo")), 400);
  CHECK(fault["error"].value("code", 0) == -32700);
  CHECK(other.pipeline.calls.empty());
}
