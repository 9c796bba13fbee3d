#include "config/checks.h"

#include <arpa/inet.h>
#include <unistd.h>
#include <optional>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "config/dotenv.h"
#include "config/files.h"

namespace vmcp::config {
namespace {

constexpr std::size_t kMaxName = 253;  // DNS

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool all_of(std::string_view text, std::string_view further) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_alnum(c) || further.find(c) != std::string_view::npos; });
}

bool is_ip(std::string_view text) {
  const std::string s(text);
  unsigned char out[16];
  return inet_pton(AF_INET, s.c_str(), out) == 1 || inet_pton(AF_INET6, s.c_str(), out) == 1;
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName && all_of(text, "-._") && text.front() != '.' &&
         text.front() != '-';
}

Fault host_port(std::string_view text) {
  if (text.find("://") != std::string_view::npos)
    return {in_quotes(text) + " is a URL", "write the name only, without https:// and path"};
  std::string_view host = text, port;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos || !is_ip(text.substr(1, close - 1)))
      return {in_quotes(text) + " is not an IPv6 address in brackets",
              "write [2001:db8::1] or [2001:db8::1]:443"};
    host = "v6";
    port = text.substr(close + 1);
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    if (text.find(':', colon + 1) != std::string_view::npos)
      return {in_quotes(text) + " has more than one colon", "put an IPv6 address in brackets: [2001:db8::1]"};
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (!port.empty()) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(port.data() + 1, port.data() + port.size(), number);
    if (port.front() != ':' || error != std::errc{} || end != port.data() + port.size() || number < 1 ||
        number > 65535)
      return {in_quotes(text) + " has no port from 1 to 65535 after the colon", "write host or host:port"};
  }
  if (!is_host_name(host))
    return {in_quotes(text) + " is not a host name or address",
            "write host or host:port; a comment after a value is read only in an .env file"};
  return {};
}

}  // namespace

Fault check_host_port(const Value& value) {
  return host_port(value.text);
}

Fault check_host_ports(const Value& value) {
  for (const auto& item : value.list)
    if (Fault fault = host_port(item); !fault.none()) return fault;
  return {};
}

namespace {
// What follows "http://" or "https://"; nothing for anything else.
std::optional<std::string_view> after_scheme(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (url.starts_with(scheme)) return url.substr(scheme.size());
  return std::nullopt;
}
}  // namespace

Fault check_origins(const Value& value) {
  for (const auto& item : value.list) {
    const std::string fix = "write scheme://host or scheme://host:port, as a browser sends it";
    const auto rest = after_scheme(item);
    if (!rest) return {in_quotes(item) + " is not an http or https origin", fix};
    if (!host_port(*rest).none()) return {in_quotes(item) + " is not an origin: no path, no wildcard", fix};
  }
  return {};
}

Fault check_base_url(const Value& value) {
  if (const auto rest = after_scheme(value.text); rest && host_port(*rest).none()) return {};
  return {in_quotes(value.text) + " is not the address of a server",
          "write https://host or https://host:port, without a path"};
}

Fault check_issuers(const Value& value) {
  for (const auto& item : value.list) {
    const auto rest = after_scheme(item);
    const bool plain = item.find_first_of(" \t\"?#") == std::string::npos;
    if (rest && plain && host_port(rest->substr(0, rest->find('/'))).none()) continue;
    return {in_quotes(item) + " is not the issuer of an authorization server",
            "write its URL, such as https://login.example.org/realm, without query and fragment"};
  }
  return {};
}

Fault check_listen_host(const Value& value) {
  std::string_view host = value.text;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (is_ip(host) || (is_host_name(host) && host.find(':') == std::string_view::npos)) return {};
  return {in_quotes(value.text) + " is not an address to listen on",
          "write an address such as 0.0.0.0, 127.0.0.1 or ::1; the port is server.port (SERVER_PORT)"};
}

Fault check_loopback(const Value& value) {
  if (is_loopback(value.text)) return {};
  return {in_quotes(value.text) + " is not an address of this machine alone",
          "write 127.0.0.1 or ::1; from elsewhere come through a tunnel, such as ssh -L"};
}

Fault check_path(const Value& value) {
  const std::string& path = value.text;
  const std::string fix = "write a path such as /mcp";
  if (!path.starts_with('/') || path.size() > 256 || !all_of(path, "/-._~"))
    return {in_quotes(path) + " is not a plain absolute path", fix};
  if (path.size() > 1 && path.ends_with('/')) return {in_quotes(path) + " ends with a slash", fix};
  if (path.find("//") != std::string::npos || path.find("/.") != std::string::npos)
    return {in_quotes(path) + " has an empty part or one that begins with a dot", fix};
  for (const char* taken : {"/", "/healthz", "/readyz"})
    if (path == taken) return {in_quotes(path) + " is the server's own", fix};
  return {};
}

Fault check_name(const Value& value) {
  const bool visible = std::all_of(value.text.begin(), value.text.end(),
                                   [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
  if (value.text.size() > 128 || !visible)
    return {"the name is longer than 128 bytes or has control characters", "write a short name"};
  return {};
}

Fault check_role_name(const Value& value) {
  if (is_role_name(value.text)) return {};
  return {in_quotes(value.text) + " is not a role's name", "use letters, digits, _ - and ., at most 64"};
}

Fault check_pem_file(const Value& value) {
  std::string text, why, fix;
  if (!read_config_file(value.text, 16u << 20, text, why, fix))
    return {"the file " + in_quotes(value.text) + " " + why, fix};
  if (text.find("-----BEGIN CERTIFICATE-----") == std::string::npos)
    return {"the file " + in_quotes(value.text) + " has no PEM certificate",
            "name a file with -----BEGIN CERTIFICATE----- blocks (DER: openssl x509 -inform der)"};
  return {};
}

Fault check_key_file(const Value& value) {
  std::string text, why, fix;
  if (!read_config_file(value.text, 1u << 20, text, why, fix))
    return {"the file " + in_quotes(value.text) + " " + why, fix};
  if (readable_by_all(value.text))
    return {"every user of this machine may read the key in " + in_quotes(value.text),
            "restrict it: chmod 600 " + value.text};
  if (text.find("PRIVATE KEY-----") == std::string::npos)
    return {"the file " + in_quotes(value.text) + " has no PEM key",
            "name a file with a -----BEGIN PRIVATE KEY----- block"};
  return {};
}

Fault check_file_path(const Value& value) {
  const std::string& path = value.text;
  const bool plain =
      std::all_of(path.begin(), path.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
  if (path.size() > 4000 || !plain)
    return {"the path is longer than 4000 bytes or has control characters", "write a plain path"};
  // Without this, a value that Docker's --env-file took with its comment would become a file of that name.
  if (path.starts_with('#') || path.find(" #") != std::string::npos)
    return {in_quotes(path) + " looks like a comment", "put the comment on a line of its own"};
  return {};
}

Fault check_filled_in(const Value& value) {
  if (value.text == "CHANGE_ME")
    return {"the value is still the placeholder CHANGE_ME", "fill in the real one"};
  return {};
}

bool is_role_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && all_of(text, "_-.");
}

bool is_loopback(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "localhost") return true;
  const std::string text(host);
  unsigned char bytes[16];
  if (inet_pton(AF_INET, text.c_str(), bytes) == 1) return bytes[0] == 127;
  if (inet_pton(AF_INET6, text.c_str(), bytes) != 1) return false;
  return std::all_of(bytes, bytes + 15, [](unsigned char b) { return b == 0; }) && bytes[15] == 1;
}

bool is_tool_pattern(std::string_view text) {
  return !text.empty() && text.size() <= 128 && all_of(text, "_-./*?");
}

bool is_plugin_id(std::string_view text) {
  return text.size() <= 128 && all_of(text, "-._") && text.find('.') != std::string_view::npos &&
         text.front() != '.' && text.back() != '.' && text.find("..") == std::string_view::npos;
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::vector<std::string> lower_case(std::vector<std::string> texts) {
  for (std::string& text : texts) text = lower_case(std::move(text));
  return texts;
}

Fault check_revoked(const Value& value) {
  for (const std::string& entry : value.list) {
    const std::string text = lower_case(entry);
    const auto colon = text.find(':');
    const std::string kind = text.substr(0, colon);
    if (colon == std::string::npos || (kind != "key" && kind != "sha256") ||
        !is_sha256(text.substr(colon + 1)))
      return {in_quotes(entry) + " revokes nothing",
              "write key: or sha256: and 64 hex digits, as `plugin "
              "verify` prints them"};
  }
  return {};
}

}  // namespace vmcp::config
