// The MCP endpoint: one HTTP request in, one answer out, both eras. Knows the protocol; decides nothing about
// who may do what (pipeline/ does) and nothing about sockets (http/ does).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/exchange.h"
#include "base/log.h"
#include "base/peer_certificate.h"
#include "pipeline/background.h"
#include "pipeline/pipeline.h"
#include "plugin_host/host_api.h"
#include "tasks/task_store.h"

namespace vmcp::mcp {

struct Answer {
  int status = 200;
  std::string content_type;  // empty: no body
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// Where messages go besides (and after them) the answer of one request. Over HTTP an event stream, over stdio
// the common output. [any thread], never blocks.
class MessageStream {
 public:
  virtual ~MessageStream() = default;
  // One JSON-RPC message; `event_id` (may be empty) is what a client sends back as Last-Event-ID. False: the
  // client is gone, or was dropped because it reads too slowly.
  virtual bool send(std::string_view message, std::string_view event_id) = 0;
  virtual void finish() = 0;
  // Called once when the client goes away before finish(); at once when it is gone already. Must not block.
  virtual void on_gone(std::function<void()> gone) = 0;
};
using MessageStreamPtr = std::shared_ptr<MessageStream>;

struct StreamHead {
  std::vector<std::pair<std::string, std::string>> headers;
  milliseconds keep_alive{15'000};
  std::string prime_id;   // an event with this id and no data comes first (legacy resumption); empty = none
  milliseconds retry{0};  // tells the client how long to wait before it comes again; 0 = nothing said
};

// One request as a transport hands it over. Views live as long as the object; header values are raw bytes
// with outer white space trimmed.
class Inbound : public Exchange {
 public:
  virtual std::string_view method() const = 0;                       // HTTP method
  virtual std::string_view header(std::string_view name) const = 0;  // first; data()==nullptr when absent
  virtual std::size_t header_count(std::string_view name) const = 0;
  // All headers whose name starts with `prefix` (case-insensitive), e.g. "mcp-param-".
  virtual std::vector<std::pair<std::string_view, std::string_view>> headers_with(
      std::string_view prefix) const = 0;
  // Does this transport repeat parts of the message in headers, which then must agree with it? Only HTTP
  // does.
  virtual bool mirrors_headers() const { return true; }
  virtual std::string_view body() const = 0;
  virtual std::string_view peer() const = 0;
  // The client's, verified; null when it showed none.
  virtual const PeerCertificate* certificate() const { return nullptr; }
  virtual bool answer(Answer answer) = 0;  // first wins; false when too late. [any thread]
  // Answers with an open stream of messages instead. Null when too late. [any thread]
  virtual MessageStreamPtr open_stream(StreamHead /*head*/) { return nullptr; }
};
using InboundPtr = std::shared_ptr<Inbound>;

struct Settings {
  std::string server_name = "vsphere-mcp-pro";  // SERVER_NAME
  std::string server_version;
  std::string instructions;   // a short text for the model; may be empty
  std::string path = "/mcp";  // of this endpoint
  std::string public_url;     // "https://mcp.example.org"; empty: what the Host header says
  bool tls = false;           // … over TLS
  // OAuth: who gives out tokens, and what can be asked for, the least first. Empty: nobody is sent anywhere.
  std::vector<std::string> authorization_servers, scopes;
  std::size_t page_size = 50;             // tools/list
  std::size_t max_body_bytes = 4u << 20;  // what the transport lets through must also be read
  std::int64_t list_ttl_ms = 60'000;
  bool resumable_answers = false;          // sessions get their answers as streams, always
  std::size_t max_sessions = 10'000;       // of the handshake era
  milliseconds session_idle{3'600'000};    // unused for that long: closed
  std::size_t max_subscriptions = 20'000;  // open listen streams
};

// What a plugin, or the host itself, says that changed.
using Change = plugin_host::Change;

class Endpoint {
 public:
  // All but the settings outlive the endpoint.
  Endpoint(Settings settings, pipeline::Pipeline& pipeline, pipeline::Background& background,
           pipeline::Background& task_background, tasks::TaskStore& tasks, Log& log);
  ~Endpoint();
  // On a worker. Answers before it returns or keeps `inbound` and answers later. Throws nothing.
  void handle(const InboundPtr& inbound);
  // Tells everyone who listens for it. [any thread]
  void changed(const Change& change);
  // What /.well-known/oauth-protected-resource says to a client that called us `host`; empty: nothing is
  // there.
  std::string protected_resource(std::string_view host) const;
  // Tasks that an earlier process left unfinished go on. Before the first request. Gives the request ids of
  // those calls whose OUTCOME will be written by what goes on.
  std::vector<std::string> go_on();
  // The server stops: sessions and subscriptions end, so that their streams do.
  void drain();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmcp::mcp
