// Attempts to get past the guard chain. Each is sent from a loopback address of its own, so that the audit
// counts no two of them into one line, and must be refused for its own reason at its own step.
#pragma once

#include <string>
#include <vector>

#include "e2e/wire.h"
#include "support/server_process.h"

namespace vmcp::testing {

// One request, but for the headers that every request has.
struct Sent {
  std::string body;
  std::string token = "demo-admin";  // empty: no Authorization
  Fields more = {};
  std::string target = "/mcp";
  std::string method = "POST";
};

// JSON as text, so that an attempt can write what no serialiser would. A call without headers of its own is
// one of 2025-03-26.
std::string call_body(const std::string& tool, const std::string& arguments, const std::string& more = {});
// A request of 2026-07-28 with the headers that it must have; `params` as in wire.h.
Sent modern_sent(const std::string& method, Json params, const std::string& token = "demo-admin");
Sent modern_tool(const std::string& tool, const Json& arguments, const std::string& token = "demo-admin");
// The same request with this value of a header; nothing: without it.
Sent with_header(Sent sent, const std::string& name, const std::string* value);

struct Heard {
  int status = 0;
  std::string peer;        // whence it was sent
  std::string request_id;  // the server's
  std::string head, body;
  Json message;  // null: no JSON

  bool refused() const;
  bool works() const;  // not refused, and not asked for anything either
};

struct Attempt {
  const char* name;
  const char* says;  // what the refusal must name: refused for another reason is no proof
  const char* step;  // where the journal must say that it ended
  Sent sent;
};

// The real server over the embedded vCenter, and what was tried on it.
class Corpus {
 public:
  explicit Corpus(const ServerOptions& options) : server_(options) {}

  const ServerProcess& server() const { return server_; }
  std::string vcenter() const { return "127.0.0.1:" + std::to_string(server_.simulator_port()); }

  Heard send(const Sent& sent);
  // Sends it; it must be refused.
  void attempt(const Attempt& attempt);
  // What has been sent is one; `part`: the place in a batch, from 1.
  void attempt(const std::string& name, const std::string& says, const std::string& step, const Heard& heard,
               std::size_t part = 0);
  std::size_t attempts() const { return attempts_.size(); }

  // The embedded vCenter's own word.
  Json vm(const std::string& id_or_name) const;
  void change_vm(const std::string& id, const Json& to) const;  // somebody else renames or moves it there
  void add_fault(const Json& rule) const;
  int changing() const;  // requests that change something, since it began or forget_requests()
  void forget_requests() const;

  // Each attempt has its line in the journal, at its step and with its own id, and the journal is whole.
  void check_journal() const;

 private:
  struct Tried {
    std::string name, step, peer, request_id;
  };
  std::string next_address();

  ServerProcess server_;
  std::vector<Tried> attempts_;
  unsigned sent_ = 0;
};

}  // namespace vmcp::testing
