// A configured vCenter address.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vmcp::vcenter {

struct Endpoint {
  std::string name;  // as configured, trimmed
  std::string host;  // lower case, without brackets; an IP literal in its canonical form
  std::uint16_t port = 443;
  bool literal = false;   // `host` is an IP address
  bool loopback = false;  // a loopback literal, or "localhost"

  std::string authority(std::uint16_t default_port) const;  // for the Host header
  bool same_place(const Endpoint& other) const { return host == other.host && port == other.port; }
};

// "vc.example", "vc.example:8443", "192.0.2.7", "[2001:db8::7]:443", "2001:db8::7". No scheme, path or user.
Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port);

}  // namespace vmcp::vcenter
