// The real program as a child process, for end-to-end tests: started with its own state folder and audit file
// on free ports, waited for, stopped by its own pid.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"

namespace vmcp::testing {

struct ServerOptions {
  std::vector<std::string> arguments = {"serve", "--demo", "--listen", "127.0.0.1:0"};
  std::map<std::string, std::string> environment;
  bool record =
      true;  // the exchanges with its vCenter, for the contract check; not where its files cannot grow
};

class ServerProcess {
 public:
  explicit ServerProcess(
      const ServerOptions& options = {});  // fails the test when it does not come up in time
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  std::uint16_t port() const { return port_; }
  std::uint16_t simulator_port() const { return simulator_port_; }
  int pid() const { return pid_; }
  const std::string& folder() const { return folder_; }
  std::string log() const;          // its stderr so far
  std::vector<Json> audit() const;  // the audit view's lines so far
  std::string audit_text() const;
  std::string everything_written() const;  // stdout, stderr, audit view, journal: for canaries
  // SIGTERM, waits; gives the exit code (128 + signal when killed).
  int stop();
  void kill();  // SIGKILL: as if the machine went down

 private:
  int pid_ = -1;
  std::uint16_t port_ = 0, simulator_port_ = 0;
  std::string folder_;
};

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  Json json() const;  // null when the body is no JSON
};

// One HTTP exchange on a connection of its own.
Answer send(std::uint16_t port, const std::string& method, const std::string& path,
            const std::vector<std::pair<std::string, std::string>>& headers, const std::string& body,
            int timeout_s = 30);

// A 2026-07-28 tools/call with everything that it needs; gives the whole answer.
Answer call_tool(std::uint16_t port, const std::string& token, const std::string& tool, const Json& arguments,
                 int timeout_s = 30);
// A modern request of any method; the client can nothing unless params._meta says so.
Answer modern(std::uint16_t port, const std::string& token, const std::string& method, Json params,
              int timeout_s = 30);

// Waits until `condition` holds; false after `limit_ms`.
template <class F>
bool wait_until(F&& condition, int limit_ms);

}  // namespace vmcp::testing

#include <chrono>
#include <thread>

template <class F>
bool vmcp::testing::wait_until(F&& condition, int limit_ms) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}
