// The operator's brake on the real server: by command and over the admin listener, on calls that come and on
// one that runs, over a restart.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <future>

#include "e2e/site.h"
#include "support/command_output.h"
#include "unit/http/raw_client.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

struct Told {
  int code = -1;
  std::string text;
};

Told command(const std::string& state, const std::string& words) {
  auto [code, text] = output_of(std::string(VMCP_PROGRAM) + " " + words + " --state-dir " + state);
  return {code, std::move(text)};
}

// The id that `lock` printed first.
std::string id_in(const Told& told) {
  return told.text.substr(0, told.text.find(' '));
}

Json slow_call(const ServerProcess& server, int ms, const std::string& token = "demo-admin") {
  return call_tool(server.port(), token, "slow", {{"ms", ms}}).json();
}

bool works(const Json& answer) {
  return answer.contains("result") && !answer["result"].value("isError", false);
}

std::vector<std::string> listed(const ServerProcess& server) {
  std::vector<std::string> out;
  const Json answer = modern(server.port(), "demo-admin", "tools/list", Json::object()).json();
  for (const Json& tool : answer["result"]["tools"]) out.push_back(tool["name"]);
  return out;
}

bool has(const std::vector<std::string>& all, const char* name) {
  return std::find(all.begin(), all.end(), name) != all.end();
}

struct Locked {
  Site site{{"slow"}};
  ServerOptions options() const {
    ServerOptions o = site.options("60");
    o.environment["STATE_DIR"] = site.folder + "/kept";
    o.environment["VMCP_SLOW_BEGUN"] = begun();
    return o;
  }
  std::string begun() const { return site.folder + "/begun"; }
  std::string state() const { return site.folder + "/kept"; }
};

}  // namespace

TEST_CASE("lock: it refuses the next call, stops the one that runs, survives a restart, and is lifted") {
  Locked here;
  std::string id;
  {
    ServerProcess server(here.options());
    REQUIRE_MESSAGE(works(slow_call(server, 1)), slow_call(server, 1).dump());
    std::filesystem::remove(here.begun());
    auto hangs = std::async(std::launch::async, [&] { return slow_call(server, 55'000); });
    REQUIRE(wait_until([&] { return std::filesystem::exists(here.begun()); }, 20'000));
    const auto begun = std::chrono::steady_clock::now();
    const Told set = command(here.state(), "lock identity demo-adm?n --reason 'runs away' --for 2h");
    REQUIRE_MESSAGE(set.code == 0, set.text);
    id = id_in(set);
    CHECK(id.size() == 8);
    const Json stopped = hangs.get();
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(10));
    CHECK(stopped.dump().find("runs away") != std::string::npos);
    const Answer refused = call_tool(server.port(), "demo-admin", "slow", {{"ms", 1}});
    CHECK(refused.status == 403);
    CHECK(refused.body.find("lock " + id) != std::string::npos);
    CHECK(modern(server.port(), "demo-admin", "tools/list", Json::object()).status == 403);
    CHECK(works(call_tool(server.port(), "demo-ops", "list_vms", {{"limit", 1}}).json()));
    const Told again = command(here.state(), "locks");
    CHECK(again.text.find("demo-adm?n") != std::string::npos);
    CHECK(again.text.find("local-operator") != std::string::npos);
    server.kill();
  }
  ServerProcess server(here.options());
  CHECK(call_tool(server.port(), "demo-admin", "slow", {{"ms", 1}}).status == 403);
  CHECK(command(here.state(), "unlock " + id).code == 0);
  CHECK(works(slow_call(server, 1)));
  CHECK(command(here.state(), "locks").text == "nothing is locked\n");
  const Told gone = command(here.state(), "unlock " + id);
  CHECK(gone.code == 1);
  CHECK(gone.text.find("There is no lock") != std::string::npos);
  std::vector<std::string> events;
  REQUIRE(wait_until(
      [&] {
        events.clear();
        for (const Json& line : server.audit())
          if (line.value("method", "").starts_with("admin/locks/"))
            events.push_back(line.value("method", "") + " " + line.value("event", "") + " " +
                             (line["ok"].is_null() ? "begun"
                              : line["ok"] == true ? "ok"
                                                   : "no") +
                             " " + line["args"].value("lock", ""));
        return events.size() == 4;
      },
      5'000));
  CHECK(events[0] == "admin/locks/lift intent begun " + id);
  CHECK(events[1] == "admin/locks/lift outcome ok " + id);
  CHECK(events[3] == "admin/locks/lift outcome no " + id);
}

TEST_CASE("lock: a locked tool is not listed, a locked folder is not touched, everything is everything") {
  Locked here;
  ServerProcess server(here.options());
  CHECK(has(listed(server), "slow"));
  const Told tool = command(here.state(), "lock tool slo? --reason maintenance");
  REQUIRE_MESSAGE(tool.code == 0, tool.text);
  CHECK_FALSE(has(listed(server), "slow"));
  CHECK(has(listed(server), "list_vms"));
  CHECK_FALSE(works(slow_call(server, 1)));
  CHECK(command(here.state(), "unlock " + id_in(tool)).code == 0);
  CHECK(works(slow_call(server, 1)));

  const Json vms = call_tool(server.port(), "demo-admin", "list_vms", {{"limit", 1}}).json();
  const std::string vm = vms["result"]["structuredContent"]["vms"][0]["vm"];
  const auto look = [&] {
    return call_tool(server.port(), "demo-admin", "get_vm_details", {{"vm_id", vm}}).json();
  };
  REQUIRE_MESSAGE(works(look()), look().dump());
  const Told folder = command(here.state(), "lock target / --reason 'nothing may be touched'");
  REQUIRE_MESSAGE(folder.code == 0, folder.text);
  CHECK_FALSE(works(look()));
  CHECK(look().dump().find("nothing may be touched") != std::string::npos);
  CHECK(works(slow_call(server, 1)));
  CHECK(command(here.state(), "unlock " + id_in(folder)).code == 0);
  const Told object = command(here.state(), "lock target '*:vm:" + vm + "' --reason 'this one not'");
  REQUIRE_MESSAGE(object.code == 0, object.text);
  CHECK_FALSE(works(look()));
  CHECK(command(here.state(), "unlock " + id_in(object)).code == 0);
  CHECK(works(look()));

  const Told all = command(here.state(), "lock everything --reason 'stop all' --json");
  REQUIRE_MESSAGE(all.code == 0, all.text);
  for (const char* method : {"tools/list", "tools/call", "resources/list", "prompts/list", "server/discover",
                             "completion/complete", "tasks/get", "subscriptions/listen", "no/such"}) {
    CAPTURE(method);
    const Answer answer = modern(server.port(), "demo-admin", method, {{"name", "slow"}});
    CHECK(answer.status == 403);
    CHECK(answer.body.find("stop all") != std::string::npos);
  }
  CHECK(send(server.port(), "GET", "/healthz", {}, "").status == 200);
  CHECK(command(here.state(), "unlock " + parse_trusted_json(all.text)->value("id", "")).code == 0);
  CHECK(works(slow_call(server, 1)));
}

TEST_CASE("lock: the open stream of a locked caller ends, the one of another goes on") {
  Locked here;
  ServerProcess server(here.options());
  const auto listen = [&](http::test::RawClient& client, const std::string& token) {
    const std::string body =
        dump_json(Json{{"jsonrpc", "2.0"},
                       {"id", "l"},
                       {"method", "subscriptions/listen"},
                       {"params",
                        {{"notifications", {{"toolsListChanged", true}}},
                         {"_meta",
                          {{"io.modelcontextprotocol/protocolVersion", "2026-07-28"},
                           {"io.modelcontextprotocol/clientCapabilities", Json::object()}}}}}});
    REQUIRE(client.send(
        "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: "
        "application/json, "
        "text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: subscriptions/listen\r\n"
        "Authorization: Bearer " +
        token + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
    const auto head = client.head();
    REQUIRE(head);
    REQUIRE(head->status == 200);
    const auto acknowledged = client.chunk();
    REQUIRE(acknowledged);
    CHECK(acknowledged->find("acknowledged") != std::string::npos);
  };
  http::test::RawClient locked(server.port()), other(server.port());
  listen(locked, "demo-admin");
  listen(other, "demo-read");
  REQUIRE(command(here.state(), "lock role admin --reason enough").code == 0);
  const auto rest = locked.chunked_body();
  REQUIRE(rest);
  CHECK(rest->find("locked by the operator") != std::string::npos);
  CHECK(rest->find("list_changed") == std::string::npos);
  const auto told = other.chunk();
  REQUIRE(told);
  CHECK(told->find("list_changed") != std::string::npos);
}

TEST_CASE("lock: what is no lock is refused by the command and by the API, and nothing is locked") {
  Locked here;
  ServerProcess server(here.options());
  CHECK(command(here.state(), "lock tool slow").code == 2);
  CHECK(command(here.state(), "lock vm x --reason r").code == 2);
  CHECK(command(here.state(), "lock tool slow --reason r --for soon").code == 2);
  CHECK(command(here.state(), "unlock ../plugins").code == 2);
  CHECK(command(here.state(), "lock tool --reason r").text.find("needs a value") != std::string::npos);
  CHECK(command(here.state(), "lock target vm-12 --reason r").text.find("VCENTER:KIND:MOREF") !=
        std::string::npos);
  CHECK(command(here.state(), "lock --help").text.find("Example:") != std::string::npos);

  std::ifstream in(here.state() + "/admin.json");
  const std::string url = Json::parse(in).value("url", "");
  const auto port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  std::string token;
  std::ifstream key(here.state() + "/keys/admin", std::ios::binary);
  for (char c = 0; key.get(c);) {
    token += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    token += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  const auto ask = [&](const char* method, const std::string& path, const std::string& body,
                       const std::string& bearer) {
    return send(port, method, path, {{"Authorization", "Bearer " + bearer}}, body);
  };
  const std::string locks = "/admin/v1/locks";
  for (const char* body :
       {"", "[]", "{", "null", R"({"scope":"tool","value":"x"})",
        R"({"scope":"tool","value":1,"reason":"r"})", R"({"scope":"everything","value":"x","reason":"r"})",
        R"({"scope":"tool","value":"x","reason":"r","by":"me"})",
        R"({"scope":"tool","value":"x","reason":"r","expires_s":0})",
        R"({"scope":"tool","value":"x","reason":"r","expires_s":1.5})",
        R"({"scope":"tool","value":"x","reason":"r","expires_s":999999999999})"}) {
    CAPTURE(body);
    CHECK(ask("POST", locks, body, token).status == 400);
  }
  CHECK(ask("POST", locks, R"({"scope":"tool","value":"x","reason":")" + std::string(20'000, 'r') + "\"}",
            token)
            .status == 400);
  CHECK(ask("DELETE", locks, "", token).status == 404);
  CHECK(ask("DELETE", locks + "/00000000", "", token).status == 404);
  CHECK(ask("PUT", locks, "", token).status == 404);
  CHECK(ask("GET", locks, "", token).json()["locks"].empty());
  // An agent's role, however wide, is no operator's.
  CHECK(ask("POST", locks, R"({"scope":"everything","reason":"r"})", "demo-admin").status == 403);
  CHECK(ask("POST", locks, R"({"scope":"everything","reason":"r"})", "wrong").status == 401);
  CHECK(works(slow_call(server, 1)));
}

TEST_CASE("lock: another administrator can be locked out, the operator's own key cannot") {
  Site site({"slow"},
            "[auth.role.admin]\nallow = [\"*\"]\n[auth.role.keeper]\nallow = [\"admin/locks\", \"slow\"]\n");
  std::ofstream(site.config, std::ios::app)
      << "[[auth.token]]\nname = \"night-shift\"\nrole = \"keeper\"\nhash = "
         "\"sha256:"
      << output_of("printf night-shift-token-1 | " + std::string(VMCP_PROGRAM) + " hash-token")
             .second.substr(7, 64)
      << "\"\n";
  ServerOptions options = site.options_without_vcenter();
  options.environment.erase("TOKENS_TO_ROLES");
  options.environment["STATE_DIR"] = site.folder + "/kept";
  ServerProcess server(options);
  const std::string state = site.folder + "/kept";
  std::ifstream in(state + "/admin.json");
  const std::string url = Json::parse(in).value("url", "");
  const auto port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  const auto ask = [&](const char* method, const std::string& path, const std::string& body) {
    return send(port, method, path, {{"Authorization", "Bearer night-shift-token-1"}}, body);
  };
  const Answer set = ask("POST", "/admin/v1/locks", R"({"scope":"everything","reason":"stop"})");
  REQUIRE_MESSAGE(set.status == 200, set.body);
  CHECK(set.json()["lock"]["by"] == "night-shift");
  CHECK(ask("GET", "/admin/v1/plugins", "").status == 403);
  // Who locked everything must be able to lift it.
  CHECK(ask("DELETE", "/admin/v1/locks/" + set.json()["lock"].value("id", ""), "").status == 200);
  const Told out = command(state, "lock identity '*' --reason 'nobody'");
  REQUIRE_MESSAGE(out.code == 0, out.text);
  CHECK(ask("GET", "/admin/v1/locks", "").status == 403);
  CHECK(command(state, "unlock " + id_in(out)).code == 0);
  CHECK(ask("GET", "/admin/v1/locks", "").status == 200);
}

TEST_CASE("lock: a list of locks that cannot be understood stops the start") {
  Locked here;
  { ServerProcess server(here.options()); }
  std::ofstream(here.state() + "/locks.json") << "{\"locks\":[{}]}";
  const auto [code, text] = output_of("STATE_DIR=" + here.state() + " " + VMCP_PROGRAM +
                                      " serve --demo --listen 127.0.0.1:0 --config " + here.site.config);
  CHECK(code == 1);
  CHECK_MESSAGE(
      text.find("the list of locks, " + here.state() + "/locks.json, is damaged") != std::string::npos, text);
}
