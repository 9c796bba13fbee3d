// Which path leads where: the MCP endpoint, health; and the adapter between the transport and mcp/.
#pragma once

#include <string>

#include "admin/health.h"
#include "http/message.h"
#include "http/origin_guard.h"
#include "mcp/endpoint.h"
#include "pipeline/pipeline.h"

namespace vmcp::http {

class Routes {
 public:
  // References outlive the routes.
  Routes(std::string mcp_path, OriginGuard guard, mcp::Endpoint& endpoint, pipeline::Pipeline& pipeline,
         const admin::Health& health);
  void handle(const HttpExchangePtr& exchange) const;  // [any worker]

 private:
  void handle_mcp(const HttpExchangePtr& exchange) const;
  bool handle_metadata(const HttpExchangePtr& exchange) const;  // false: it is something else
  std::string mcp_path_;
  OriginGuard guard_;
  mcp::Endpoint& endpoint_;
  pipeline::Pipeline& pipeline_;
  const admin::Health& health_;
};

}  // namespace vmcp::http
