#include "vcenter/endpoint.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace vmcp::vcenter {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_';
}

Error bad(std::string_view text, std::string_view why) {
  std::string shown;
  for (char c : text.substr(0, 253)) shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return make_error(Code::invalid_argument, "Hostname '" + shown + "' is not a host name (" +
                                                std::string(why) +
                                                "); give host, host:port or [ipv6]:port, without https://");
}

// True and canonical text if `host` is an IP literal.
bool canonical_ip(std::string& host, bool& loopback) {
  unsigned char raw[16];
  char text[INET6_ADDRSTRLEN];
  if (inet_pton(AF_INET, host.c_str(), raw) == 1) {
    loopback = raw[0] == 127;
    host = inet_ntop(AF_INET, raw, text, sizeof text);
    return true;
  }
  if (inet_pton(AF_INET6, host.c_str(), raw) == 1) {
    loopback = std::all_of(raw, raw + 15, [](unsigned char b) { return b == 0; }) && raw[15] == 1;
    host = inet_ntop(AF_INET6, raw, text, sizeof text);
    return true;
  }
  return false;
}

}  // namespace

std::string Endpoint::authority(std::uint16_t default_port) const {
  std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != default_port) out += ":" + std::to_string(port);
  return out;
}

Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) {
  Endpoint out;
  const std::string_view all = trim(text);
  out.name = std::string(all);
  out.port = default_port;
  if (all.empty()) return bad(all, "it is empty");
  if (all.size() > 260) return bad(all, "it is too long");
  std::string_view host = all, port;
  bool has_port = false;
  if (all.front() == '[') {
    const std::size_t end = all.find(']');
    if (end == std::string_view::npos) return bad(all, "']' is missing");
    host = all.substr(1, end - 1);
    port = all.substr(end + 1);
    if (host.find(':') == std::string_view::npos) return bad(all, "brackets are for IPv6");
    if (!port.empty() && port.front() != ':') return bad(all, "unexpected text after ']'");
    has_port = !port.empty();
    if (has_port) port.remove_prefix(1);
  } else if (std::count(all.begin(), all.end(), ':') == 1) {
    const std::size_t colon = all.find(':');
    host = all.substr(0, colon);
    port = all.substr(colon + 1);
    has_port = true;
  }
  if (has_port) {
    unsigned value = 0;
    const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), value);
    if (port.empty() || ec != std::errc() || end != port.data() + port.size() || value == 0 ||
        value > 65535) {
      return bad(all, "the port is not a number from 1 to 65535");
    }
    out.port = static_cast<std::uint16_t>(value);
  }
  if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
  out.host = std::string(host);
  std::transform(out.host.begin(), out.host.end(), out.host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  out.literal = canonical_ip(out.host, out.loopback);
  if (!out.literal) {
    if (out.host.empty()) return bad(all, "the name is empty");
    if (!std::all_of(out.host.begin(), out.host.end(), name_byte))
      return bad(all, "it holds a character that names cannot");
    out.loopback = out.host == "localhost";
  }
  return out;
}

}  // namespace vmcp::vcenter
