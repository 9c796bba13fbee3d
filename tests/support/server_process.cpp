#include "support/server_process.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

extern char** environ;

namespace vmcp::testing {
namespace {

namespace fs = std::filesystem;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::uint16_t number_behind(const std::string& text, const std::string& mark) {
  const auto at = text.find(mark);
  if (at == std::string::npos) return 0;
  return static_cast<std::uint16_t>(std::strtoul(text.c_str() + at + mark.size(), nullptr, 10));
}

[[noreturn]] void become(const ServerOptions& options, const std::string& folder) {
  const int out = ::open((folder + "/stdout").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int err = ::open((folder + "/stderr").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  std::vector<char*> argv{const_cast<char*>(VMCP_PROGRAM)};
  for (const std::string& a : options.arguments) argv.push_back(const_cast<char*>(a.c_str()));
  // Every exchange with the demo's vCenter is kept; the contract test checks all of them at the end of the
  // suite.
  std::string record;
  if (const char* records = ::getenv("VMCP_RECORD_DIR"); options.record && records != nullptr) {
    record = std::string(records) + "/e2e-" + std::to_string(::getpid()) + ".jsonl";
    argv.push_back(const_cast<char*>("--simulator-record"));
    argv.push_back(record.data());
  }
  argv.push_back(nullptr);
  for (const auto& [name, value] : options.environment) ::setenv(name.c_str(), value.c_str(), 1);
  if (!options.environment.contains("STATE_DIR")) ::setenv("STATE_DIR", (folder + "/state").c_str(), 1);
  if (!options.environment.contains("AUDIT_LOG_PATH"))
    ::setenv("AUDIT_LOG_PATH", (folder + "/audit.jsonl").c_str(), 1);
  if (::chdir(folder.c_str()) == 0) ::execv(VMCP_PROGRAM, argv.data());
  ::_exit(127);
}

}  // namespace

ServerProcess::ServerProcess(const ServerOptions& options) {
  std::string pattern = (fs::temp_directory_path() / "vmcp-e2e-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
  pid_ = ::fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) become(options, folder_);
  const bool up = wait_until(
      [&] {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
          pid_ = -1;
          return true;
        }
        port_ = number_behind(log(), " at http://127.0.0.1:");
        if (port_ == 0) port_ = number_behind(log(), " at https://127.0.0.1:");
        if (port_ == 0) port_ = number_behind(log(), "VMs on http://127.0.0.1:");  // a simulator
        return port_ != 0;
      },
      60'000);
  REQUIRE_MESSAGE((up && pid_ > 0), log());
  simulator_port_ = number_behind(log(), "embedded vCenter on 127.0.0.1:");
}

ServerProcess::~ServerProcess() {
  if (pid_ > 0) stop();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

int ServerProcess::stop() {
  if (pid_ <= 0) return -1;
  ::kill(pid_, SIGTERM);
  int status = 0;
  const bool ended = wait_until([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, 45'000);
  if (!ended) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status, 0);
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void ServerProcess::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string ServerProcess::log() const {
  return read_file(folder_ + "/stderr");
}
std::string ServerProcess::audit_text() const {
  return read_file(folder_ + "/audit.jsonl");
}

std::vector<Json> ServerProcess::audit() const {
  std::vector<Json> out;
  std::istringstream in(audit_text());
  for (std::string line; std::getline(in, line);)
    if (auto parsed = parse_trusted_json(line)) out.push_back(*parsed);
  return out;
}

std::string ServerProcess::everything_written() const {
  std::string out;
  for (const auto& entry : fs::recursive_directory_iterator(folder_))
    if (entry.is_regular_file() && entry.path().string().find("/keys/") == std::string::npos)
      out += read_file(entry.path().string());
  return out;
}

Json Answer::json() const {
  auto parsed = parse_trusted_json(body);
  return parsed ? *parsed : Json();
}

Answer send(std::uint16_t port, const std::string& method, const std::string& path,
            const std::vector<std::pair<std::string, std::string>>& headers, const std::string& body,
            int timeout_s) {
  Answer answer;
  try {
    Poco::Net::HTTPClientSession session("127.0.0.1", port);
    session.setTimeout(Poco::Timespan(timeout_s, 0));
    Poco::Net::HTTPRequest request(method, path, "HTTP/1.1");
    for (const auto& [name, value] : headers) request.add(name, value);
    if (!body.empty() || method == "POST") request.setContentLength64(static_cast<Poco::Int64>(body.size()));
    session.sendRequest(request) << body;
    Poco::Net::HTTPResponse response;
    std::istream& in = session.receiveResponse(response);
    answer.status = response.getStatus();
    for (const auto& [name, value] : response) {
      std::string lower = name;
      for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      answer.headers[lower] = value;
    }
    Poco::StreamCopier::copyToString(in, answer.body);
  } catch (const Poco::Exception& e) {
    answer.body = e.displayText();
  }
  return answer;
}

Answer modern(std::uint16_t port, const std::string& token, const std::string& method, Json params,
              int timeout_s) {
  Json& meta = params["_meta"];
  meta["io.modelcontextprotocol/protocolVersion"] = "2026-07-28";
  if (!meta.contains("io.modelcontextprotocol/clientCapabilities"))
    meta["io.modelcontextprotocol/clientCapabilities"] = Json::object();
  const Json body = {{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}};
  std::vector<std::pair<std::string, std::string>> headers = {
      {"Content-Type", "application/json"},
      {"Accept", "application/json, text/event-stream"},
      {"MCP-Protocol-Version", "2026-07-28"},
      {"Mcp-Method", method}};
  for (const char* member : {"name", "uri", "taskId"})
    if (params.contains(member)) headers.emplace_back("Mcp-Name", params[member].get<std::string>());
  if (!token.empty()) headers.emplace_back("Authorization", "Bearer " + token);
  return send(port, "POST", "/mcp", headers, dump_json(body), timeout_s);
}

Answer call_tool(std::uint16_t port, const std::string& token, const std::string& tool, const Json& arguments,
                 int timeout_s) {
  return modern(port, token, "tools/call", {{"name", tool}, {"arguments", arguments}}, timeout_s);
}

}  // namespace vmcp::testing
