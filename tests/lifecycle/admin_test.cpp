// The operator of a server that runs: plugins switched, rolled back and loaded anew by the program's own
// commands and over the admin listener, each change in the audit.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>

#include "lifecycle/plugin_folder.h"
#include "lifecycle/versioned_site.h"
#include "support/command_output.h"
#include "support/server_process.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

struct Said {
  int code = -1;
  std::string text;
};

// `vsphere-mcp-pro plugin …` as this server's operator would type it.
Said plugin(const ServerProcess& server, const std::string& words) {
  auto [code, text] = output_of(std::string(VMCP_PROGRAM) + " plugin " + words + " --state-dir " +
                                server.folder() + "/state");
  return {code, std::move(text)};
}

std::string file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Operator {
  std::uint16_t port = 0;
  std::string token;
  explicit Operator(const ServerProcess& server) {
    const std::string url =
        parse_trusted_json(file_text(server.folder() + "/state/admin.json"))->value("url", "");
    port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
    static constexpr char kHex[] = "0123456789abcdef";
    for (const char c : file_text(server.folder() + "/state/keys/admin")) {
      token += kHex[static_cast<unsigned char>(c) >> 4];
      token += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
  Answer ask(const std::string& method, const std::string& path, const std::string& bearer,
             std::vector<std::pair<std::string, std::string>> more = {}) const {
    more.emplace_back("Authorization", "Bearer " + bearer);
    return send(port, method, path, more, "");
  }
};

std::vector<Json> of_method(const ServerProcess& server, const std::string& method) {
  std::vector<Json> out;
  for (const Json& line : server.audit())
    if (line.value("method", "") == method) out.push_back(line);
  return out;
}

const std::string kId = "org.vmcp.fixture.versioned";

}  // namespace

TEST_CASE(
    "admin: the commands switch, roll back and reload, and the audit has an intent and an outcome of each") {
  VersionedSite site;
  ServerProcess server(site.options());
  const Said status = plugin(server, "status");
  CHECK_MESSAGE(status.code == 0, status.text);
  CHECK(status.text.find(kId) != std::string::npos);
  CHECK(status.text.find("live") != std::string::npos);

  const Said off = plugin(server, "disable " + kId);
  CHECK_MESSAGE(off.code == 0, off.text);
  CHECK(off.text.find("switched off by local-operator") != std::string::npos);
  CHECK(build_of(server).starts_with("failed: "));
  CHECK(plugin(server, "reload").code == 0);
  CHECK(build_of(server).starts_with("failed: "));
  CHECK(plugin(server, "enable versioned").code == 0);
  CHECK(build_of(server).starts_with("build 1.0.0"));

  site.folder.put("2");
  CHECK(plugin(server, "reload").code == 0);
  CHECK(build_of(server).starts_with("build 2.0.0"));
  const Said back = plugin(server, "rollback " + kId + " --json");
  CHECK_MESSAGE(back.code == 0, back.text);
  const auto json = parse_trusted_json(back.text);
  REQUIRE(json.ok());
  CHECK((*json)["plugins"][0]["version"] == "1.0.0");
  CHECK((*json)["plugins"][0]["before"]["version"] == "2.0.0");
  CHECK(build_of(server).starts_with("build 1.0.0"));

  const Said unknown = plugin(server, "disable vms");
  CHECK(unknown.code == 1);
  CHECK(unknown.text.find("There is no plugin 'vms' here; there are " + kId) != std::string::npos);
  CHECK(plugin(server, "disable ../x").code == 2);

  REQUIRE(wait_until([&] { return of_method(server, "admin/plugins/disable").size() == 4; }, 5'000));
  const auto lines = of_method(server, "admin/plugins/disable");
  CHECK(lines[0]["event"] == "intent");
  CHECK(lines[0]["identity"] == "local-operator");
  CHECK(lines[0]["args"]["plugin"] == kId);
  CHECK(lines[1]["event"] == "outcome");
  CHECK(lines[1]["ok"] == true);
  CHECK(lines[1]["request_id"] == lines[0]["request_id"]);
  CHECK(lines[3]["ok"] == false);
  CHECK(lines[3]["code"] == "not_found");
  CHECK(of_method(server, "admin/plugins/rollback").size() == 2);
  CHECK(of_method(server, "admin/reload").size() == 4);

  const std::string folder = server.folder();
  CHECK(server.stop() == 0);
  CHECK_FALSE(std::filesystem::exists(folder + "/state/admin.json"));
}

TEST_CASE("admin: a configuration with errors changes nothing and says so to the operator") {
  VersionedSite site;
  ServerProcess server(site.options());
  site.write("nonsense = 1\n");
  const Said refused = plugin(server, "reload");
  CHECK(refused.code == 1);
  CHECK(refused.text.find("check-config") != std::string::npos);
  CHECK(build_of(server).starts_with("build 1.0.0"));
}

TEST_CASE(
    "admin: no credential, a client's, another Host and a page are refused, each refusal is in the audit") {
  VersionedSite site;
  ServerProcess server(site.options());
  const Operator op(server);
  const std::string disable = "/admin/v1/plugins/" + kId + "/disable";
  CHECK(op.ask("GET", "/admin/v1/plugins", op.token).status == 200);
  const Answer none = send(op.port, "POST", disable, {}, "");
  CHECK(none.status == 401);
  CHECK(none.headers.at("www-authenticate") == "Bearer");
  CHECK(op.ask("POST", disable, "wrong").status == 401);
  CHECK(op.ask("POST", disable, op.token + "0").status == 401);
  // The widest role of the demo has every tool, and nothing of the server.
  const Answer admin = op.ask("POST", disable, "demo-admin");
  CHECK(admin.status == 403);
  CHECK(admin.body.find("admin/plugins") != std::string::npos);
  CHECK(op.ask("POST", disable, op.token, {{"Origin", "https://evil.example"}}).status == 403);
  CHECK(op.ask("POST", disable, op.token, {{"Host", "evil.example"}}).status == 403);
  CHECK(op.ask("POST", disable, op.token, {{"Authorization", "Bearer " + op.token}}).status == 401);
  CHECK(op.ask("DELETE", "/admin/v1/plugins", op.token).status == 400);
  for (const char* path :
       {"/admin/v1/", "/admin/v1/plugins/", "/admin/v1/plugins/x/burn", "/mcp", "/admin/v1/users"}) {
    CAPTURE(path);
    CHECK(op.ask("POST", path, op.token).status == 404);
  }
  CHECK(op.ask("GET", "/healthz", op.token).status == 200);
  // And the clients' listener knows nothing of it.
  CHECK(send(server.port(), "POST", disable, {{"Authorization", "Bearer " + op.token}}, "").status == 404);
  CHECK(build_of(server).starts_with("build 1.0.0"));
  REQUIRE(wait_until([&] { return of_method(server, "admin/plugins").size() >= 2; }, 5'000));
  for (const Json& line : of_method(server, "admin/plugins")) {
    CHECK(line["event"] == "refused");
    CHECK(line["ok"] == false);
  }
  const auto lines = of_method(server, "admin/plugins");
  CHECK(std::any_of(lines.begin(), lines.end(), [](const Json& line) {
    return line["code"] == "denied" && line["identity"] == "demo-admin" && line["rule"] == "default deny";
  }));
  CHECK(server.everything_written().find(op.token) == std::string::npos);
}

TEST_CASE("admin: too many clients at his address do not keep the operator out") {
  VersionedSite site;
  ServerOptions options = site.options();
  options.environment = {
      {"RATE_LIMIT", "true"}, {"VMCP__LIMITS__ADDRESS_RPS", "0.1"}, {"VMCP__LIMITS__ADDRESS_BURST", "2"}};
  ServerProcess server(options);
  const Operator op(server);
  CHECK(wait_until([&] { return op.ask("GET", "/admin/v1/plugins", "wrong").status == 429; }, 10'000));
  CHECK(op.ask("GET", "/admin/v1/plugins", op.token).status == 200);
}

TEST_CASE("admin: what cannot be audited is not done") {
  VersionedSite site;
  ServerProcess server(site.options());
  const Operator op(server);
  std::filesystem::remove(server.folder() + "/state/journal.jsonl");
  std::filesystem::create_directory(server.folder() + "/state/journal.jsonl");
  const Answer refused = op.ask("POST", "/admin/v1/plugins/" + kId + "/disable", op.token);
  CHECK(refused.status == 503);
  CHECK(build_of(server).starts_with("build 1.0.0"));
}

TEST_CASE("admin: without a server the commands say what is missing") {
  const PluginFolder folder;
  const std::string ask = std::string(VMCP_PROGRAM) + " plugin status";
  const auto [code, text] = output_of(ask + " --state-dir " + folder.path);
  CHECK(code == 1);
  CHECK_MESSAGE(text.starts_with("No server runs with the state directory " + folder.path), text);
  // Nor do they ask for what only a server needs, such as its vCenter.
  const auto [bare, words] = output_of("cd " + folder.path + " && env -i HOME=" + folder.path + " " + ask);
  CHECK(bare == 1);
  CHECK_MESSAGE(words.starts_with("No server runs with the state directory "), words);
}
