// The MCP endpoint: one HTTP request in, one answer out, both eras. Knows the protocol; decides nothing about
// who may do what (pipeline/ does) and nothing about sockets (http/ does).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/exchange.h"
#include "base/log.h"
#include "pipeline/pipeline.h"

namespace vmcp::mcp {

struct Answer {
  int status = 200;
  std::string content_type;  // empty: no body
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
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
  virtual std::string_view body() const = 0;
  virtual std::string_view peer() const = 0;
  virtual bool answer(Answer answer) = 0;  // first wins; false when too late. [any thread]
};
using InboundPtr = std::shared_ptr<Inbound>;

struct Settings {
  std::string server_name = "vsphere-mcp-pro";  // SERVER_NAME
  std::string server_version;
  std::string instructions;               // a short text for the model; may be empty
  std::string resource_metadata_url;      // for the 401 challenge; empty = left out
  std::size_t page_size = 50;             // tools/list
  std::size_t max_body_bytes = 4u << 20;  // what the transport lets through must also be read
  std::int64_t list_ttl_ms = 60'000;
};

class Endpoint {
 public:
  // `pipeline` and `log` outlive the endpoint.
  Endpoint(Settings settings, pipeline::Pipeline& pipeline, Log& log);
  ~Endpoint();
  // On a worker. Answers before it returns or keeps `inbound` and answers later. Throws nothing.
  void handle(const InboundPtr& inbound);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmcp::mcp
