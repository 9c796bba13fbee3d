// The real server: plugins replaced on disk and loaded anew by SIGHUP, under load; processes killed; what
// clients are told of it.
#include <doctest/doctest.h>
#include <signal.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "lifecycle/versioned_site.h"
#include "support/rounds.h"
#include "support/server_process.h"
#include "unit/http/raw_client.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

using Site = VersionedSite;

bool answers(const ServerProcess& server, const std::string& build) {
  return wait_until([&] { return build_of(server).starts_with("build " + build); }, 20'000);
}

std::size_t count(const std::string& text, const std::string& words) {
  std::size_t out = 0;
  for (auto at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) ++out;
  return out;
}

// A call on a connection that stays open: new ones by the thousand would use up the machine's ports.
std::string build_by(http::test::RawClient& client, const std::string& text) {
  const std::string body =
      dump_json(Json{{"jsonrpc", "2.0"},
                     {"id", 1},
                     {"method", "tools/call"},
                     {"params",
                      {{"name", "which_build"},
                       {"arguments", {{"text", text}}},
                       {"_meta",
                        {{"io.modelcontextprotocol/protocolVersion", "2026-07-28"},
                         {"io.modelcontextprotocol/clientCapabilities", Json::object()},
                         {"io.modelcontextprotocol/clientInfo", {{"name", "load"}, {"version", "1"}}}}}}}});
  const bool sent = client.send(
      "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer demo-admin\r\n"
      "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
      "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: "
      "which_build\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  const auto answer = sent ? client.answer(milliseconds(60'000)) : std::nullopt;
  if (!answer) return "no answer";
  const auto json = parse_trusted_json(answer->body);
  if (!json || !json->contains("result") || (*json)["result"].value("isError", false)) return answer->body;
  return (*json)["result"]["content"].at(0).value("text", "");
}

// 16 clients that call for as long as this lives, and what became of their calls.
class Load {
 public:
  explicit Load(const ServerProcess& server) {
    for (int caller = 0; caller < 16; ++caller)
      callers_.emplace_back([this, &server, caller] {
        http::test::RawClient client(server.port());
        for (int i = 0; !over_; ++i) one(client, std::to_string(caller) + "-" + std::to_string(i));
      });
  }
  ~Load() { stop(); }
  void stop() {
    over_ = true;
    for (std::thread& caller : callers_)
      if (caller.joinable()) caller.join();
  }
  bool goes_on(int calls) {
    const int before = answered;
    return wait_until([&] { return answered >= before + calls; }, 30'000);
  }
  std::atomic<int> answered{0}, lost{0}, failed{0};
  std::string first_failure() {
    const std::lock_guard lock(mutex_);
    return first_failure_;
  }

 private:
  void one(http::test::RawClient& client, const std::string& text) {
    const std::string answer = build_by(client, text), said = R"( {"text":")" + text + R"("})";
    if (answer == "build 1.0.0" + said || answer == "build 2.0.0" + said) {
      ++answered;
    } else if (answer.find("signal 9") != std::string::npos) {
      ++lost;
    } else {
      ++failed;
      const std::lock_guard lock(mutex_);
      if (first_failure_.empty()) first_failure_ = answer;
    }
  }
  std::atomic<bool> over_{false};
  std::mutex mutex_;
  std::string first_failure_;
  std::vector<std::thread> callers_;
};

// The process that holds the plugin: the last that was started and is there. -1 between two.
int runner_pid(const ServerProcess& server) {
  const std::string log = server.log(), mark = "plugin process started";
  for (auto line = log.rfind(mark); line != std::string::npos && line > 0; line = log.rfind(mark, line - 1)) {
    const int pid = std::atoi(log.c_str() + log.find(" pid=", line) + 5);
    if (::kill(pid, 0) == 0) return pid;
  }
  return -1;
}

}  // namespace

TEST_CASE("upgrade: hot upgrades and failed ones under 16 connections cost no call") {
  Site site;
  ServerProcess server(site.options());
  Load load(server);
  const int upgrades = rounds(20);
  for (int i = 0; i < upgrades; ++i) {
    const bool second = i % 2 == 0;
    site.folder.put(second ? "2" : "1");
    ::kill(server.pid(), SIGHUP);
    CHECK(answers(server, second ? "2.0.0" : "1.0.0"));
    if (i % 5 == 4) {
      const std::size_t before = count(server.log(), "plugin keeps its generation");
      site.folder.put("bad");
      ::kill(server.pid(), SIGHUP);
      CHECK(wait_until([&] { return count(server.log(), "plugin keeps its generation") > before; }, 20'000));
    }
    CHECK(load.goes_on(16));
  }
  load.stop();
  CHECK_MESSAGE(load.failed == 0, load.first_failure());
  CHECK(load.lost == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("upgrade: kill -9 of the plugin's process costs the calls that it ran, and no wrong answer") {
  Site site;
  ServerProcess server(site.options());
  Load load(server);
  // A thousand in a long run.
  const int kills = rounds(1) > 1 ? 100 * rounds(1) : 50;
  for (int i = 0; i < kills; ++i) {
    CHECK(load.goes_on(32));
    int pid = -1;
    REQUIRE(wait_until([&] { return (pid = runner_pid(server)) > 1; }, 30'000));
    ::kill(pid, SIGKILL);
    // Five within a minute switch the plugin off; the operator's word switches it on again.
    if (i % 4 == 3) {
      site.folder.put(i % 8 == 3 ? "2" : "1");
      ::kill(server.pid(), SIGHUP);
      CHECK(answers(server, i % 8 == 3 ? "2.0.0" : "1.0.0"));
    }
    CHECK(wait_until([&] { return runner_pid(server) != pid; }, 30'000));
  }
  CHECK(load.goes_on(32));
  load.stop();
  CHECK_MESSAGE(load.failed == 0, load.first_failure());
  CHECK(load.lost <= 16 * kills);
  CHECK(server.stop() == 0);
}

TEST_CASE("upgrade: clients are told that the list of tools has changed, and see the new one") {
  Site site;
  ServerProcess server(site.options());
  site.write("prefix = \"site_\"\n");
  ::kill(server.pid(), SIGHUP);
  CHECK(wait_until(
      [&] {
        return modern(server.port(), "demo-admin", "tools/list", Json::object())
                   .body.find("site_which_build") != std::string::npos;
      },
      20'000));
  // A file with an error keeps what is served, and says what is wrong.
  site.write("prefix = 7\nfrobnicate = true\n");
  ::kill(server.pid(), SIGHUP);
  CHECK(wait_until([&] { return server.log().find("reload refused") != std::string::npos; }, 20'000));
  CHECK(server.log().find("frobnicate") != std::string::npos);
  CHECK(
      call_tool(server.port(), "demo-admin", "site_which_build", {{"text", "x"}}).body.find("build 1.0.0") !=
      std::string::npos);
  CHECK(server.stop() == 0);
}

TEST_CASE("upgrade: --watch loads a new build when its files have come to rest") {
  Site site;
  ServerProcess server(site.options({"--watch"}));
  CHECK(build_of(server).starts_with("build 1.0.0"));
  site.folder.put("2");
  CHECK(answers(server, "2.0.0"));
  CHECK(server.stop() == 0);
}

TEST_CASE("upgrade: the audit names plugin, version, bytes and generation of each call") {
  Site site;
  ServerProcess server(site.options());
  build_of(server, "first");
  site.folder.put("2");
  ::kill(server.pid(), SIGHUP);
  CHECK(answers(server, "2.0.0"));
  CHECK(server.stop() == 0);
  std::string first, last;
  for (const Json& line : server.audit()) {
    if (line.value("tool", "") != "which_build" || line.value("event", "") != "outcome") continue;
    const std::string who = line.value("plugin", "") + " " + line.value("plugin_version", "") + " " +
                            std::to_string(line.value("plugin_generation", 0));
    if (first.empty()) first = who;
    last = who;
    CHECK(line.value("plugin_sha256", "").size() == 64);
  }
  CHECK(first == "org.vmcp.fixture.versioned 1.0.0 1");
  CHECK(last == "org.vmcp.fixture.versioned 2.0.0 2");
}

TEST_CASE("upgrade: in safe mode third-party plugins stay out") {
  Site site;
  for (const char* ending : {".so", ".vmcp.json"})
    std::filesystem::copy_file(std::string(VMCP_PLUGINS "/vm") + ending, site.folder.path + "/vm" + ending);
  std::ofstream(site.config) << "[plugins]\ndir = \"" << site.folder.path << "\"\ntrust = \"dev\"\n"
                             << "[[plugin]]\nid = \"org.vmcp.fixture.versioned\"\n";
  ServerProcess server(site.options({"--safe-mode"}));
  CHECK(modern(server.port(), "demo-admin", "tools/list", Json::object()).body.find("which_build") ==
        std::string::npos);
  CHECK(server.stop() == 0);
}
