#include "mcp/authorization.h"

namespace vmcp::mcp {
namespace {

constexpr const char* kMetadataPath = "/.well-known/oauth-protected-resource";

// name="value" of a challenge (RFC 9110, section 11.2).
void append_parameter(std::string& out, std::string_view name, std::string_view value) {
  if (out.back() != ' ') out += ", ";
  out.append(name).append("=\"");
  for (const char c : value) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) continue;
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

// Without a trailing slash.
std::string base_url(const Settings& settings, std::string_view host) {
  if (!settings.public_url.empty()) return settings.public_url;
  return (settings.tls ? "https://" : "http://") + std::string(host);
}

void append_metadata(std::string& out, const Settings& settings, std::string_view host) {
  if (settings.authorization_servers.empty()) return;
  append_parameter(out, "resource_metadata", base_url(settings, host) + kMetadataPath + settings.path);
}

}  // namespace

std::string protected_resource_json(const Settings& settings, std::string_view host) {
  if (settings.authorization_servers.empty()) return {};
  return dump_json(Json{{"resource", base_url(settings, host) + settings.path},
                        {"resource_name", settings.server_name},
                        {"authorization_servers", settings.authorization_servers},
                        {"scopes_supported", settings.scopes},
                        {"bearer_methods_supported", {"header"}}});
}

std::string unauthenticated_challenge(const Settings& settings, std::string_view host, bool token_sent) {
  std::string out = "Bearer ";
  append_parameter(out, "realm", settings.server_name);
  append_metadata(out, settings, host);
  // The least that is of any use; what a call needs beyond it is said when it is refused.
  if (!settings.authorization_servers.empty() && !settings.scopes.empty())
    append_parameter(out, "scope", settings.scopes.front());
  if (token_sent) {
    append_parameter(out, "error", "invalid_token");
    append_parameter(out, "error_description", "The token is unknown, expired or revoked");
  }
  return out;
}

bool WiderToken::offer(std::string_view scope, Fault& fault) const {
  if (host.empty() || scope.empty() || settings->authorization_servers.empty()) return false;
  std::string challenge = "Bearer ";
  append_parameter(challenge, "realm", settings->server_name);
  append_parameter(challenge, "error", "insufficient_scope");
  append_parameter(challenge, "scope", scope);
  append_metadata(challenge, *settings, host);
  fault.status = 403;
  fault.headers.emplace_back("WWW-Authenticate", std::move(challenge));
  return true;
}

}  // namespace vmcp::mcp
