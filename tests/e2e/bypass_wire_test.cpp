// Bypass corpus, the wire: headers that say something else than the body, calls hidden in a batch, sessions
// of somebody else, credentials where none belong.
#include <doctest/doctest.h>

#include "base/crypto.h"
#include "e2e/corpus.h"
#include "e2e/site.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

constexpr const char* kOpen = "vm-1012";  // which admin may switch off, and nobody else

Sent switch_off(const std::string& token = "demo-admin") {
  return modern_tool("power_off_vm", {{"vm_id", kOpen}}, token);
}

Sent headed(const std::string& name, const std::string& value, Sent sent = switch_off()) {
  return with_header(std::move(sent), name, &value);
}

Sent without(const std::string& name, Sent sent = switch_off()) {
  return with_header(std::move(sent), name, nullptr);
}

Sent twice(const std::string& name, const std::string& value, Sent sent = switch_off()) {
  sent.more.emplace_back(name, value);
  return sent;
}

std::string wrapped(const std::string& text) {
  return "=?base64?" + base64_encode(text) + "?=";
}

Sent body_with(const std::string& what, const std::string& by) {
  Sent sent = switch_off();
  const std::size_t at = sent.body.find(what);
  REQUIRE(at != std::string::npos);
  sent.body.replace(at, what.size(), by);
  return sent;
}

std::vector<Attempt> header_attempts() {
  const char* const named = "the Mcp-Name header differs from params.name";
  const char* const methods = "the Mcp-Method header differs from the request's method";
  const char* const sentinel = "the Mcp-Name header is not valid base64";
  const std::string right = base64_encode("power_off_vm");
  return {
      {"no Mcp-Method", "the Mcp-Method header is missing", "parse", without("Mcp-Method")},
      {"Mcp-Method of a list", methods, "parse", headed("Mcp-Method", "tools/list")},
      {"Mcp-Method in another case", methods, "parse", headed("Mcp-Method", "Tools/Call")},
      {"Mcp-Method as base64", methods, "parse", headed("Mcp-Method", wrapped("tools/call"))},
      {"Mcp-Method twice, alike", "occurs more than once", "parse", twice("Mcp-Method", "tools/call")},
      {"Mcp-Method twice, once in capitals", "occurs more than once", "parse",
       twice("MCP-METHOD", "tools/list")},
      {"Mcp-Method as a list", methods, "parse", headed("Mcp-Method", "tools/list, tools/call")},
      {"no Mcp-Name", "the Mcp-Name header is missing", "parse", without("Mcp-Name")},
      {"Mcp-Name of a reading tool", named, "parse", headed("Mcp-Name", "get_vm_details")},
      {"Mcp-Name in another case", named, "parse", headed("Mcp-Name", "Power_Off_Vm")},
      {"empty Mcp-Name", named, "parse", headed("Mcp-Name", "")},
      {"Mcp-Name twice", "occurs more than once", "parse", twice("Mcp-Name", "get_vm_details")},
      {"Mcp-Name percent-encoded", named, "parse", headed("Mcp-Name", "power%5Foff_vm")},
      {"Mcp-Name: another tool as base64", named, "parse", headed("Mcp-Name", wrapped("get_vm_details"))},
      {"Mcp-Name: base64 with a NUL behind it", named, "parse",
       headed("Mcp-Name", wrapped(std::string("power_off_vm\0", 13)))},
      {"Mcp-Name: base64 in base64", named, "parse", headed("Mcp-Name", wrapped(wrapped("power_off_vm")))},
      {"Mcp-Name: an empty sentinel", named, "parse", headed("Mcp-Name", "=?base64?\?=")},
      {"Mcp-Name: the sentinel in capitals is a text", named, "parse",
       headed("Mcp-Name", "=?BASE64?" + right + "?=")},
      {"Mcp-Name: the sentinel without its end is a text", named, "parse",
       headed("Mcp-Name", "=?base64?" + right)},
      {"Mcp-Name: the padding is wrong", sentinel, "parse", headed("Mcp-Name", "=?base64?" + right + "=?=")},
      {"Mcp-Name: no base64", sentinel, "parse", headed("Mcp-Name", "=?base64?power_off_vm!?=")},
      {"Mcp-Name: a blank in the base64", sentinel, "parse",
       headed("Mcp-Name", "=?base64?" + right.substr(0, 4) + " " + right.substr(4) + "?=")},
      {"Mcp-Name: the sentinel of RFC 2047", named, "parse", headed("Mcp-Name", "=?utf-8?B?" + right + "?=")},
      {"no version header", "the MCP-Protocol-Version header is missing", "parse",
       without("MCP-Protocol-Version")},
      {"the version header of the era before", "header differs from the version in _meta", "parse",
       headed("MCP-Protocol-Version", "2025-11-25")},
      {"two version headers", "occurs more than once", "parse", twice("MCP-Protocol-Version", "2025-11-25")},
      {"two version headers without _meta",
       "params._meta must carry",
       "parse",
       {call_body("power_off_vm", R"({"vm_id":"vm-1012"})"),
        "demo-admin",
        {{"MCP-Protocol-Version", "2026-07-28"}, {"MCP-Protocol-Version", "2025-11-25"}}}},
      {"two version headers of the era before",
       "occurs more than once",
       "parse",
       {call_body("power_off_vm", R"({"vm_id":"vm-1012"})"),
        "demo-admin",
        {{"MCP-Protocol-Version", "2025-11-25"}, {"MCP-Protocol-Version", "2025-06-18"}}}},
      {"a version that is none", "header differs from the version in _meta", "parse",
       body_with("\"2026-07-28\"", "\"2027-01-01\"")},
      {"a version that is none, in both", "Unsupported protocol version", "parse",
       headed("MCP-Protocol-Version", "2027-01-01", body_with("\"2026-07-28\"", "\"2027-01-01\""))},
      {"the version as a number", "protocolVersion (a string)", "parse",
       body_with("\"2026-07-28\"", "20260728")},
      {"no capabilities", "clientCapabilities (an object)", "parse",
       body_with("clientCapabilities\":{}", "clientCapabilities\":null")},
      {"_meta twice", "duplicate key", "parse", body_with("\"_meta\":{", "\"_meta\":{},\"_meta\":{")},
      {"method twice", "duplicate key", "parse",
       body_with("\"method\":", "\"method\":\"tools/list\",\"method\":")},
      {"params twice", "duplicate key", "parse", body_with("\"params\":{", "\"params\":{},\"params\":{")},
      {"Params beside params", "differ only in case", "parse",
       body_with("\"params\":{", "\"Params\":{},\"params\":{")},
      {"another type of content", "Unsupported media type", "parse", headed("Content-Type", "text/plain")},
      {"two types of content", "Unsupported media type", "parse",
       twice("Content-Type", "application/json", twice("Content-Type", "text/plain"))},
      {"two types of content, the other way round", "Unsupported media type", "parse",
       twice("Content-Type", "text/plain", twice("Content-Type", "application/json"))},
      {"another charset", "Unsupported media type", "parse",
       headed("Content-Type", "application/json; charset=utf-7")},
  };
}

// The same of methods whose Mcp-Name is another member.
std::vector<Attempt> other_name_attempts(const std::string& vcenter) {
  const std::string root = "vsphere://" + vcenter + "/vm/";
  const auto read = [&](const std::string& header) {
    return headed("Mcp-Name", header, modern_sent("resources/read", {{"uri", root + "vm-1007"}}));
  };
  const char* const uri = "the Mcp-Name header differs from params.uri";
  Json task{{"taskId", std::string(32, '0')}};
  task["_meta"]["io.modelcontextprotocol/clientCapabilities"]["extensions"]["io.modelcontextprotocol/tasks"] =
      Json::object();
  return {
      {"resources/read: Mcp-Name of another object", uri, "parse", read(root + kOpen)},
      {"resources/read: Mcp-Name of another object as base64", uri, "parse", read(wrapped(root + kOpen))},
      {"resources/read: Mcp-Name encoded otherwise", uri, "parse", read(root + "%76m-1007")},
      {"resources/read: no Mcp-Name", "the Mcp-Name header is missing", "parse",
       without("Mcp-Name", modern_sent("resources/read", {{"uri", root + "vm-1007"}}))},
      {"prompts/get: Mcp-Name of another prompt", "the Mcp-Name header differs from params.name", "parse",
       headed("Mcp-Name", "safe_resize",
              modern_sent("prompts/get",
                          {{"name", "what_happened_to_vm"}, {"arguments", {{"vm", "dns-lb-01"}}}}))},
      {"tasks/get: Mcp-Name of another task", "the Mcp-Name header differs from params.taskId", "parse",
       headed("Mcp-Name", std::string(32, '1'), modern_sent("tasks/get", task))},
      {"tasks/cancel: no Mcp-Name", "the Mcp-Name header is missing", "parse",
       without("Mcp-Name", modern_sent("tasks/cancel", task))},
  };
}

std::vector<Attempt> credential_attempts() {
  const Fields none;
  const auto plain = [](const std::string& token, const Fields& more, const std::string& target = "/mcp") {
    Sent sent = switch_off(token);
    sent.more.insert(sent.more.end(), more.begin(), more.end());
    sent.target = target;
    return sent;
  };
  const char* const nobody = "Authentication required";
  const char* const reader = "role 'read' may not call 'power_off_vm'";
  const auto meta = [](const std::string& member) {
    Sent sent = switch_off("demo-read");
    const std::string mark = "\"_meta\":{";
    sent.body.insert(sent.body.find(mark) + mark.size(), member + ",");
    return sent;
  };
  return {
      {"token in the query", nobody, "authenticate", plain("", none, "/mcp?access_token=demo-admin")},
      {"a better token in the query", reader, "authorise",
       plain("demo-read", none, "/mcp?access_token=demo-admin")},
      {"a better token in the path's user", reader, "authorise",
       plain("demo-read", {{"X-Authorization", "Bearer demo-admin"}})},
      {"two Authorization headers", "occurs more than once", "authenticate",
       plain("demo-read", {{"Authorization", "Bearer demo-admin"}})},
      {"two Authorization headers, one in capitals", "occurs more than once", "authenticate",
       plain("demo-read", {{"AUTHORIZATION", "Bearer demo-admin"}})},
      {"two Authorization headers alike", "occurs more than once", "authenticate",
       plain("demo-admin", {{"Authorization", "Bearer demo-admin"}})},
      {"two tokens in one header", "", "authenticate", plain("demo-read, Bearer demo-admin", none)},
      {"two tokens in one header, the better one first", "", "authenticate",
       plain("demo-admin, Bearer demo-read", none)},
      {"the token as a Basic credential", "", "authenticate",
       plain("", {{"Authorization", "Basic " + base64_encode("demo-admin:demo-admin")}})},
      {"the token without a scheme", "", "authenticate", plain("", {{"Authorization", "demo-admin"}})},
      {"an empty token", "", "authenticate", plain("", {{"Authorization", "Bearer "}})},
      {"the token in another case", "", "authenticate", plain("Demo-Admin", none)},
      {"the token with a padding", "", "authenticate", plain("demo-admin=", none)},
      {"Proxy-Authorization", reader, "authorise",
       plain("demo-read", {{"Proxy-Authorization", "Bearer demo-admin"}})},
      {"a user by header", reader, "authorise",
       plain("demo-read", {{"X-Forwarded-User", "demo-admin"}, {"X-Remote-User", "demo-admin"}})},
      {"a role by header", reader, "authorise",
       plain("demo-read", {{"Mcp-Role", "admin"}, {"Mcp-Identity", "demo-admin"}})},
      {"a token in _meta", reader, "authorise", meta(R"("authorization":"Bearer demo-admin")")},
      {"another client's name in _meta", reader, "authorise",
       meta(R"("io.modelcontextprotocol/clientInfo":{"name":"demo-admin","version":"1"})")},
      {"a token as an argument, by who may call", "Do not send 'token' as an argument", "resolve",
       modern_tool("power_off_vm", {{"vm_id", kOpen}, {"token", "demo-admin"}})},
      {"a token in capitals as an argument", "/Token:", "resolve",
       modern_tool("power_off_vm", {{"vm_id", kOpen}, {"Token", "demo-admin"}})},
  };
}

// A session of the handshake era, opened by `token`.
std::string open_session(Corpus& corpus, const std::string& token, const std::string& version) {
  return LegacySession(corpus.server().port(), token, version).id();
}

Sent in_session(const std::string& session, const std::string& version, const std::string& body,
                const std::string& token) {
  Fields fields = {{"Mcp-Session-Id", session}};
  if (!version.empty()) fields.emplace_back("MCP-Protocol-Version", version);
  return {body, token, fields};
}

std::string off_body(int id, const std::string& vm = kOpen) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
         R"(,"method":"tools/call","params":{"name":"power_off_vm","arguments":{"vm_id":")" + vm + "\"}}}";
}

std::string look_body(int id) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
         R"(,"method":"tools/call","params":{"name":"get_vm_details","arguments":{"vm_id":"vm-1012"}}})";
}

// One element of a batch's answer, as if it had been one of its own.
Heard part_of(const Heard& batch, const Json& id) {
  Heard part = batch;
  part.message = Json();
  if (!batch.message.is_array()) return part;
  for (const Json& one : batch.message)
    if (one.value("id", Json()) == id) part.message = one, part.body = dump_json(one);
  return part;
}

}  // namespace

TEST_CASE("bypass: what a header says beside the body opens nothing") {
  const Site site({"everything"});
  Corpus corpus(site.options());
  // A reader's version of the same call and each right way to write the header work.
  CHECK(corpus.send(modern_tool("get_vm_details", {{"vm_id", kOpen}}, "demo-read")).works());
  CHECK(corpus.send(headed("Mcp-Name", wrapped("power_off_vm"))).works());
  CHECK(corpus.changing() == 1);
  CHECK(corpus.send(modern_tool("power_on_vm", {{"vm_id", kOpen}})).works());
  CHECK(corpus.send(modern_sent("resources/read", {{"uri", "vsphere://" + corpus.vcenter() + "/vm/vm-1007"}}))
            .works());
  corpus.forget_requests();
  for (const Attempt& attempt : header_attempts()) corpus.attempt(attempt);
  for (const Attempt& attempt : other_name_attempts(corpus.vcenter())) corpus.attempt(attempt);
  // An argument that the schema wants in a header.
  const auto param = [](const Fields& more) {
    Sent sent = modern_tool("test_x_mcp_header", {{"region", "north"}});
    sent.more.insert(sent.more.end(), more.begin(), more.end());
    return sent;
  };
  CHECK(corpus.send(param({{"Mcp-Param-Region", "north"}})).works());
  CHECK(corpus.send(param({{"mcp-param-REGION", wrapped("north")}})).works());
  const char* const differs = "header differs from the argument";
  corpus.attempt({"no Mcp-Param", "mcp-param-region header is missing", "parse", param({})});
  corpus.attempt({"Mcp-Param of another value", differs, "parse", param({{"Mcp-Param-Region", "south"}})});
  corpus.attempt({"Mcp-Param as base64 of another value", differs, "parse",
                  param({{"Mcp-Param-Region", wrapped("south")}})});
  corpus.attempt({"Mcp-Param twice", "occurs more than once", "parse",
                  param({{"Mcp-Param-Region", "north"}, {"Mcp-Param-Region", "south"}})});
  CHECK(corpus.changing() == 0);
  CHECK(corpus.vm(kOpen).value("power", "") == "POWERED_ON");
  corpus.check_journal();
}

TEST_CASE("bypass: a credential counts in the one header only, and one is enough") {
  const Site site({});
  Corpus corpus(site.options());
  CHECK(corpus.send(modern_tool("get_vm_details", {{"vm_id", kOpen}}, "demo-read")).works());
  for (const Attempt& attempt : credential_attempts()) corpus.attempt(attempt);
  CHECK(corpus.changing() == 0);
  CHECK(corpus.send(switch_off()).works());
  CHECK(corpus.changing() == 1);
  CHECK(corpus.server().everything_written().find("demo-admin=") == std::string::npos);
  corpus.check_journal();
}

TEST_CASE("bypass: a denied call among allowed ones of a batch is denied, and other eras have no batches") {
  const Site site({});
  Corpus corpus(site.options());
  const std::string old = "2025-03-26";
  const std::string reader = open_session(corpus, "demo-read", old);
  const std::string batch = "[" + look_body(1) + "," + off_body(2) + "," + look_body(3) + "]";
  const Heard mixed = corpus.send(in_session(reader, old, batch, "demo-read"));
  CHECK(part_of(mixed, 1).works());
  CHECK(part_of(mixed, 3).works());
  corpus.attempt("denied between allowed ones", "role 'read' may not call 'power_off_vm'", "authorise",
                 part_of(mixed, 2), 2);
  const Heard alike =
      corpus.send(in_session(reader, old, "[" + look_body(1) + "," + off_body(1) + "]", "demo-read"));
  REQUIRE(alike.message.size() == 2);
  Heard second = alike;
  for (const Json& one : alike.message)
    if (one["result"].value("isError", false)) second.message = one, second.body = dump_json(one);
  corpus.attempt("denied under the id of an allowed one", "may not call 'power_off_vm'", "authorise", second,
                 2);
  const Sent inside = switch_off();
  const Heard modern_inside =
      corpus.send(in_session(reader, old, "[" + look_body(7) + "," + inside.body + "]", "demo-read"));
  CHECK(part_of(modern_inside, 7).works());
  corpus.attempt("a message of 2026-07-28 in a batch", "this message may not stand in a batch", "parse",
                 part_of(modern_inside, 1), 2);
  const Heard nested =
      corpus.send(in_session(reader, old, "[" + look_body(7) + ",[" + off_body(8) + "]]", "demo-read"));
  CHECK(part_of(nested, 7).works());
  CHECK(nested.body.find("must be one JSON-RPC 2.0 object") != std::string::npos);
  corpus.attempt(
      {"duplicate keys in a batch", "duplicate key", "parse",
       in_session(reader, old, "[" + look_body(1) + R"(,{"id":2,"id":3,)" + off_body(2).substr(1) + "]",
                  "demo-read")});
  const char* const no_batch = "the body must be one JSON-RPC object";
  for (const char* version : {"2025-11-25", "2025-06-18"}) {
    const std::string own = open_session(corpus, "demo-admin", version);
    corpus.attempt({"a batch in a session of an era without", no_batch, "parse",
                    in_session(own, version, "[" + off_body(1) + "]", "demo-admin")});
    corpus.attempt({"the same without the header", no_batch, "parse",
                    in_session(own, "", "[" + off_body(1) + "]", "demo-admin")});
    corpus.attempt({"a batch without session",
                    no_batch,
                    "parse",
                    {"[" + off_body(1) + "]", "demo-admin", {{"MCP-Protocol-Version", version}}}});
  }
  Sent modern_batch = switch_off();
  modern_batch.body = "[" + modern_batch.body + "]";
  corpus.attempt({"a batch of 2026-07-28", no_batch, "parse", modern_batch});
  std::string many = off_body(0);
  for (int i = 1; i < 51; ++i) many += "," + off_body(i);
  corpus.attempt({"51 calls in a batch", "batches, of 1 to 50 messages", "parse",
                  in_session(open_session(corpus, "demo-admin", old), old, "[" + many + "]", "demo-admin")});
  CHECK(corpus.changing() == 0);
  // By who may, in the very same batch.
  const Heard allowed =
      corpus.send(in_session(open_session(corpus, "demo-admin", old), old, batch, "demo-admin"));
  CHECK(part_of(allowed, 2).works());
  CHECK(corpus.changing() == 1);
  corpus.check_journal();
}

TEST_CASE("bypass: a session is its owner's, gives no right, and ends") {
  const Site site({});
  Corpus corpus(site.options());
  const std::string version = "2025-11-25";
  const std::string admin = open_session(corpus, "demo-admin", version),
                    reader = open_session(corpus, "demo-read", version);
  const char* const none = "Session not found";
  CHECK(corpus.send(in_session(reader, version, look_body(1), "demo-read")).works());
  corpus.attempt({"a reader in the administrator's session", none, "parse",
                  in_session(admin, version, off_body(1), "demo-read")});
  corpus.attempt({"the administrator in a reader's session", none, "parse",
                  in_session(reader, version, off_body(1), "demo-admin")});
  corpus.attempt({"a reader in a session of its own", "role 'read' may not call 'power_off_vm'", "authorise",
                  in_session(reader, version, off_body(1), "demo-read")});
  corpus.attempt({"a session without a token", "Authentication required", "authenticate",
                  in_session(admin, version, off_body(1), "")});
  corpus.attempt({"a session that nobody opened", none, "parse",
                  in_session(std::string(32, '0'), version, off_body(1), "demo-admin")});
  corpus.attempt({"an empty session", none, "parse", in_session("", version, off_body(1), "demo-admin")});
  Sent both = in_session(admin, version, off_body(1), "demo-read");
  both.more.emplace_back("Mcp-Session-Id", reader);
  corpus.attempt({"two sessions, the administrator's first", none, "parse", both});
  Sent stream = in_session(admin, version, "", "demo-read");
  stream.method = "GET";
  stream.more.emplace_back("Accept", "text/event-stream");
  corpus.attempt({"a reader at the administrator's stream", none, "parse", stream});
  stream.more.emplace_back("Last-Event-ID", "1-0");
  corpus.attempt({"a reader resumes the administrator's stream", none, "parse", stream});
  Sent end = in_session(admin, version, "", "demo-read");
  end.method = "DELETE";
  corpus.attempt({"a reader ends the administrator's session", none, "parse", end});
  CHECK(corpus.changing() == 0);
  CHECK(corpus.send(in_session(admin, version, off_body(1), "demo-admin")).works());
  CHECK(corpus.changing() == 1);
  corpus.forget_requests();
  end.token = "demo-admin";
  CHECK(corpus.send(end).status == 204);
  corpus.attempt(
      {"a session that was ended", none, "parse", in_session(admin, version, off_body(1), "demo-admin")});
  CHECK(corpus.changing() == 0);
  corpus.check_journal();
}
