#include "http/origin_guard.h"

#include <algorithm>

namespace vmcp::http {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

// "127.0.0.1:8000" → "127.0.0.1", "[::1]:8000" → "[::1]"; empty when there is anything else behind the host.
std::string_view without_port(std::string_view authority) {
  const std::size_t from = authority.starts_with('[') ? authority.find(']') : 0;
  if (from == std::string_view::npos) return {};
  const auto colon = authority.find(':', from);
  if (colon == std::string_view::npos) return authority;
  const std::string_view port = authority.substr(colon + 1);
  const bool digits = !port.empty() && port.size() <= 5 &&
                      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits ? authority.substr(0, colon) : std::string_view{};
}

bool is_loopback_name(std::string_view host) {
  return host == "127.0.0.1" || host == "localhost" || host == "[::1]";
}

}  // namespace

OriginGuard::OriginGuard(std::vector<std::string> allowed_origins, std::vector<std::string> allowed_hosts,
                         bool loopback_only)
    : loopback_only_(loopback_only) {
  for (const std::string& o : allowed_origins) origins_.push_back(lower(o));
  for (const std::string& h : allowed_hosts) hosts_.push_back(lower(h));
}

Result<void> OriginGuard::check(std::string_view origin, std::string_view host) const {
  const std::string host_name = lower(without_port(host));
  const bool host_fine = hosts_.empty() ? (!loopback_only_ || is_loopback_name(host_name))
                                        : std::find(hosts_.begin(), hosts_.end(), host_name) != hosts_.end();
  if (!host_fine)
    return make_error(Code::denied, "This Host is not served here. Set server.allowed_hosts to allow it.");
  if (origin.data() == nullptr) return {};
  const std::string o = lower(origin);
  if (std::find(origins_.begin(), origins_.end(), o) != origins_.end()) return {};
  for (const std::string_view scheme : {std::string_view("http://"), std::string_view("https://")})
    if (o.starts_with(scheme) && is_loopback_name(without_port(std::string_view(o).substr(scheme.size()))))
      return {};
  return make_error(Code::denied, "This Origin may not call. Set server.allowed_origins to allow it.");
}

}  // namespace vmcp::http
