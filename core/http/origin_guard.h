// Step 0 for browsers: Origin and Host. A page from elsewhere must not reach a server on this machine or in
// this network (DNS rebinding); MCP requires the check on every connection (spec: Transports, security
// warning).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vmcp::http {

class OriginGuard {
 public:
  // `allowed_origins`: further ones, "https://app.example"; loopback origins are always allowed.
  // `allowed_hosts`: Host header values without port; empty: loopback names when `loopback_only`, else any.
  OriginGuard(std::vector<std::string> allowed_origins, std::vector<std::string> allowed_hosts,
              bool loopback_only);

  // `origin` and `host` are raw header values; data()==nullptr = absent (an absent Origin is fine: no
  // browser).
  Result<void> check(std::string_view origin, std::string_view host) const;

 private:
  std::vector<std::string> origins_, hosts_;
  bool loopback_only_;
};

}  // namespace vmcp::http
