// What sends an OAuth client to its authorization server: the metadata of this resource (RFC 9728) and the
// challenges of 401 and 403 (RFC 6750, section 3). Which token means what is auth's business.
#pragma once

#include <string>
#include <string_view>

#include "mcp/endpoint.h"
#include "mcp/error_map.h"

namespace vmcp::mcp {

// The body of /.well-known/oauth-protected-resource; empty when no authorization server is configured. `host`
// is the request's Host header: it names this server unless Settings::public_url does.
std::string protected_resource_json(const Settings& settings, std::string_view host);

// Where the requests of one caller can be pointed to a wider token: over HTTP, with an authorization server.
struct WiderToken {
  const Settings* settings;
  std::string host;  // empty: nowhere
  // Adds the challenge to a refusal that a token of `scope` would lift, and makes it a 403. False: there is
  // none.
  bool offer(std::string_view scope, Fault& fault) const;
};

// WWW-Authenticate of a 401. `token_sent`: the request carried an Authorization header.
std::string unauthenticated_challenge(const Settings& settings, std::string_view host, bool token_sent);

}  // namespace vmcp::mcp
