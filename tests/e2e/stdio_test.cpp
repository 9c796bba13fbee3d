// The real program as a desktop client starts it: pipes, one JSON-RPC message a line.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "support/server_process.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

class Child {
 public:
  explicit Child(const char* token, const char* state_dir = nullptr) {
    int in[2], out[2];
    // Not for the next child: it would hold this one's input open.
    REQUIRE(::pipe2(in, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      for (const int fd : {in[0], in[1], out[0], out[1]}) ::close(fd);
      ::setenv("RATE_LIMIT", "false", 1);
      ::setenv("VMCP__LOG__LEVEL", "error", 1);
      ::setenv("AUDIT_LOG_PATH", "/dev/null", 1);
      if (token != nullptr) ::setenv("VMCP_TOKEN", token, 1);
      if (state_dir != nullptr) ::setenv("STATE_DIR", state_dir, 1);
      ::execl(VMCP_PROGRAM, VMCP_PROGRAM, "stdio", "--demo", nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    to_ = in[1];
    from_ = out[0];
  }
  ~Child() {
    close_input();
    ::close(from_);
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  void say(const Json& message) { say_text(dump_json(message) + "\n"); }
  void say_text(const std::string& text) {
    REQUIRE(::write(to_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  // The next line; every line must be a JSON-RPC message. Null at the end of the output.
  Json hear(int limit_ms = 30'000) {
    while (true) {
      if (const std::size_t end = buffer_.find('\n'); end != std::string::npos) {
        const auto message = parse_trusted_json(buffer_.substr(0, end));
        buffer_.erase(0, end + 1);
        REQUIRE_MESSAGE(message.ok(), "not the protocol on standard output");
        CHECK((*message)["jsonrpc"] == "2.0");
        return *message;
      }
      pollfd watched{from_, POLLIN, 0};
      REQUIRE(::poll(&watched, 1, limit_ms) > 0);
      char chunk[4096];
      const ssize_t n = ::read(from_, chunk, sizeof chunk);
      if (n <= 0) return nullptr;
      buffer_.append(chunk, static_cast<std::size_t>(n));
    }
  }
  Json answer_to(const Json& id) {
    while (true) {
      Json message = hear();
      if (message.is_null() || message.value("id", Json()) == id) return message;
    }
  }
  void close_input() {
    if (to_ >= 0) ::close(to_);
    to_ = -1;
  }
  int wait() {
    int status = 0;
    const bool ended = wait_until([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, 45'000);
    if (!ended) return -1;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  int pid() const { return pid_; }

 private:
  int pid_ = -1, to_ = -1, from_ = -1;
  std::string buffer_;
};

Json request(int id, const char* method, Json params = Json::object()) {
  return {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}};
}

Json modern_request(int id, const char* method, Json params = Json::object()) {
  params["_meta"] = {{"io.modelcontextprotocol/protocolVersion", "2026-07-28"},
                     {"io.modelcontextprotocol/clientCapabilities", Json::object()}};
  return request(id, method, std::move(params));
}

void shake_hands(Child& child) {
  child.say(request(1, "initialize",
                    {{"protocolVersion", "2025-11-25"},
                     {"capabilities", Json::object()},
                     {"clientInfo", {{"name", "desktop"}, {"version", "1"}}}}));
  CHECK(child.answer_to(1)["result"]["protocolVersion"] == "2025-11-25");
  child.say({{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}});
}

}  // namespace

TEST_CASE("stdio: both eras on one pipe, under the same roles as over HTTP, and a clean end") {
  Child child("demo-read");
  shake_hands(child);
  child.say(request(2, "tools/list"));
  const Json tools = child.answer_to(2)["result"]["tools"];
  CHECK(tools.size() == 9);
  child.say(request(3, "tools/call", {{"name", "list_vms"}, {"arguments", {{"limit", 2}}}}));
  CHECK(child.answer_to(3)["result"]["structuredContent"]["count"] == 2);
  child.say(request(4, "tools/call", {{"name", "power_off_vm"}, {"arguments", {{"vm_id", "vm-1030"}}}}));
  CHECK(child.answer_to(4)["result"]["isError"] == true);
  child.say(modern_request(5, "server/discover"));
  CHECK(child.answer_to(5)["result"]["supportedVersions"][0] == "2026-07-28");
  child.say(modern_request(6, "tools/call", {{"name", "list_hosts"}, {"arguments", Json::object()}}));
  CHECK(child.answer_to(6)["result"]["resultType"] == "complete");
  // Many at once: each is answered, in whatever order.
  for (int id = 10; id < 60; ++id) child.say(modern_request(id, "tools/list"));
  std::set<int> answered;
  while (answered.size() < 50) {
    const Json message = child.hear();
    REQUIRE_FALSE(message.is_null());
    if (message.contains("id")) answered.insert(message["id"].get<int>());
  }
  child.close_input();
  CHECK(child.wait() == 0);
}

TEST_CASE("stdio: rubbish costs an error, a cancelled subscription ends, SIGTERM ends the program cleanly") {
  Child child(nullptr);  // the demo's token
  child.say_text("this is not JSON\n\n[1,2\n");
  CHECK(child.hear()["error"]["code"] == -32700);
  CHECK(child.hear()["error"]["code"] == -32700);
  child.say_text("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"" + std::string(5u << 20, 'x') + "\"}\n");
  CHECK(child.hear()["error"]["code"] == -32600);
  child.say(modern_request(8, "subscriptions/listen", {{"notifications", {{"toolsListChanged", true}}}}));
  CHECK(child.hear()["method"] == "notifications/subscriptions/acknowledged");
  child.say({{"jsonrpc", "2.0"}, {"method", "notifications/cancelled"}, {"params", {{"requestId", 8}}}});
  child.say(modern_request(9, "tools/list"));
  CHECK(child.answer_to(9)["result"]["tools"].size() == 16);
  ::kill(child.pid(), SIGTERM);
  CHECK(child.wait() == 0);
}

TEST_CASE("stdio: a wrong token is refused by each answer, as over HTTP") {
  Child child("no-such-token-0000");
  child.say(modern_request(1, "tools/list"));
  CHECK(child.hear().contains("error"));
  child.close_input();
  CHECK(child.wait() == 0);
}

TEST_CASE("stdio: several desktop clients of one person each get a program, and a journal of its own") {
  namespace fs = std::filesystem;
  std::string folder = (fs::temp_directory_path() / "vmcp-stdio-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  const std::string state = folder + "/state";
  {
    Child first("demo-ops", state.c_str());
    shake_hands(first);
    Child second("demo-ops", (state + "/").c_str());
    shake_hands(second);
    CHECK(fs::exists(state + "/journal.jsonl"));
    CHECK(fs::exists(state + "-2/journal.jsonl"));
    for (Child* child : {&first, &second}) {
      child->close_input();
      CHECK(child->wait() == 0);
    }
    // Who comes next takes the first that is free again.
    Child third("demo-ops", state.c_str());
    shake_hands(third);
    CHECK_FALSE(fs::exists(state + "-3"));
  }
  fs::remove_all(folder);
}
