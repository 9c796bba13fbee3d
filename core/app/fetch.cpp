#include "app/fetch.h"

#include "vcenter/poco_transport.h"

namespace vmcp::app {
namespace {

constexpr milliseconds kTimeout{10'000};
constexpr std::size_t kMaxBytes = 256u << 10;

Error failed(const std::string& url, const std::string& why, std::string detail = {}) {
  return make_error(Code::unavailable, url + ": " + why, std::move(detail));
}

}  // namespace

Result<std::string> fetch(const std::string& url, Log& log) {
  const bool plain = url.starts_with("http://");
  if (!plain && !url.starts_with("https://")) return failed(url, "no http or https URL");
  const std::size_t host = url.find("://") + 3, path = url.find('/', host);
  auto endpoint = vcenter::parse_endpoint(url.substr(host, path - host), plain ? 80 : 443);
  if (!endpoint) return failed(url, endpoint.error().text);
  if (plain && !endpoint->loopback) return failed(url, "plain http is for this machine only; use https");
  vcenter::TransportOptions options;
  options.plain_http = plain;
  options.timeout = kTimeout;
  options.max_connections = 1;
  options.max_answer_bytes = kMaxBytes;
  const auto transport = vcenter::make_poco_transport(*endpoint, options, log);
  if (!transport) return failed(url, transport.error().text);
  vcenter::HttpRequest request;
  request.method = "GET";
  request.target = path == std::string::npos ? "/" : url.substr(path);
  request.headers.emplace_back("Accept", "application/json");
  request.idempotent = true;
  const auto outcome =
      (*transport)->send(request, {std::chrono::steady_clock::now() + kTimeout, CancelFlag()});
  if (const auto* failure = std::get_if<vcenter::TransportFailure>(&outcome))
    return failed(url, "it does not answer", failure->detail);
  const auto& response = std::get<vcenter::HttpResponse>(outcome);
  if (response.status != 200) return failed(url, "HTTP " + std::to_string(response.status));
  return response.body;
}

}  // namespace vmcp::app
