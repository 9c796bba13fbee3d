#include <algorithm>

#include "vcenter/client.h"
#include "vcenter/poco_transport.h"
#include "vcenter/vcenter_connection.h"

namespace vmcp::vcenter {
namespace {

class RealFleet final : public Fleet {
 public:
  explicit RealFleet(std::vector<std::unique_ptr<VcenterConnection>> all, std::uint16_t default_port)
      : all_(std::move(all)), default_port_(default_port) {}

  Result<Connection*> find(std::string_view hostname) override {
    if (hostname.find_first_not_of(" \t") == std::string_view::npos)
      return static_cast<Connection*>(all_.front().get());
    const Result<Endpoint> wanted = parse_endpoint(hostname, default_port_);
    if (wanted) {
      for (const auto& one : all_) {
        if (one->endpoint().same_place(*wanted)) return static_cast<Connection*>(one.get());
      }
    }
    return not_allowed(hostname);
  }

  std::vector<std::string> names() const override {
    std::vector<std::string> out;
    for (const auto& one : all_) out.push_back(one->name());
    return out;
  }

  void close() override {
    for (const auto& one : all_) one->close();
  }

 private:
  Error not_allowed(std::string_view hostname) const {
    std::string shown;
    for (char c : hostname.substr(0, 100))
      shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    std::string known;
    for (const std::string& name : names()) {
      if (known.size() > 500) {
        known += ", …";
        break;
      }
      known += (known.empty() ? "" : ", ") + name;
    }
    return make_error(Code::invalid_argument, "Hostname '" + shown +
                                                  "' not in allowed set; fix: use one of: " + known +
                                                  " (the operator adds others in ALLOWED_VCENTER_HOSTS)");
  }

  const std::vector<std::unique_ptr<VcenterConnection>> all_;  // never empty
  const std::uint16_t default_port_;
};

}  // namespace

Result<std::unique_ptr<Fleet>> make_fleet(Settings settings, Log& log) {
  if (settings.hosts.empty()) {
    return make_error(Code::invalid_argument,
                      "no vCenter is configured; set VCENTER_HOST (and ALLOWED_VCENTER_HOSTS "
                      "for further ones), or use serve --demo");
  }
  const std::uint16_t default_port = settings.plain_http ? 80 : 443;
  std::vector<std::unique_ptr<VcenterConnection>> all;
  for (const std::string& host : settings.hosts) {
    Result<Endpoint> endpoint = parse_endpoint(host, default_port);
    if (!endpoint) return endpoint.error();
    if (settings.plain_http && !endpoint->loopback) {
      return make_error(Code::invalid_argument,
                        "vCenter '" + endpoint->name +
                            "' would be spoken to without TLS, which is for the embedded "
                            "vCenter on loopback only; remove the plain-HTTP setting");
    }
    const bool twice = std::any_of(all.begin(), all.end(),
                                   [&](const auto& one) { return one->endpoint().same_place(*endpoint); });
    if (twice) continue;  // VCENTER_HOST repeated in ALLOWED_VCENTER_HOSTS
    TransportOptions options;
    options.plain_http = settings.plain_http;
    options.verify_tls = settings.verify_tls;
    options.ca_bundle = settings.ca_bundle;
    options.connect_timeout = settings.connect_timeout;
    options.timeout = settings.timeout;
    options.max_connections = settings.max_connections;
    Result<std::unique_ptr<Transport>> transport = make_poco_transport(*endpoint, std::move(options), log);
    if (!transport) return transport.error();
    all.push_back(std::make_unique<VcenterConnection>(std::move(*endpoint), settings, std::move(*transport),
                                                      table_vim_reads, log));
  }
  return std::unique_ptr<Fleet>(std::make_unique<RealFleet>(std::move(all), default_port));
}

}  // namespace vmcp::vcenter
