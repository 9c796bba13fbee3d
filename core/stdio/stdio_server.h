// One MCP client on standard input and output.
#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "base/secret.h"
#include "mcp/endpoint.h"
#include "pipeline/background.h"

namespace vmcp::stdio {

class StdioServer {
 public:
  // `token` is what a client over HTTP would send as its bearer token; empty: none. The descriptors are not
  // owned. `endpoint`, `background` and `log` outlive this.
  StdioServer(mcp::Endpoint& endpoint, pipeline::Background& background, Secret token, int output, Log& log);
  ~StdioServer();

  // Reads lines from `input` until it ends or `stop` (a descriptor, -1 = none) becomes readable; then waits
  // up to `grace` for the calls that run. True when all were answered.
  bool run(int input, int stop, std::size_t max_line_bytes, milliseconds grace);

  struct Impl;

 private:
  const std::shared_ptr<Impl> impl_;
};

}  // namespace vmcp::stdio
