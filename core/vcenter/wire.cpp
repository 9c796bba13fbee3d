#include "vcenter/wire.h"

#include <algorithm>

namespace vmcp::vcenter {
namespace {

constexpr std::size_t kMaxTarget = 8192;

bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

bool dot_segment(std::string_view segment) {
  int dots = 0;
  while (!segment.empty()) {
    if (segment.front() == '.') {
      segment.remove_prefix(1);
    } else if (segment.starts_with("%2e") || segment.starts_with("%2E")) {
      segment.remove_prefix(3);
    } else {
      return false;
    }
    ++dots;
  }
  return dots == 1 || dots == 2;
}

}  // namespace

HttpRequest json_request(std::string method, std::string target) {
  HttpRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers = {{"Accept", "application/json"}, {"User-Agent", "vsphere-mcp-pro/" VMCP_VERSION}};
  if (request.method != "GET" && request.method != "DELETE") {
    request.headers.emplace_back("Content-Type", "application/json");
  }
  return request;
}

std::string percent_encode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    if (unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

bool sound_target(std::string_view target, std::string_view prefix) {
  if (!target.starts_with(prefix) || target.size() > kMaxTarget) return false;
  if (!std::all_of(target.begin(), target.end(),
                   [](char c) { return c > 0x20 && c < 0x7f && c != '#' && c != '\\'; })) {
    return false;
  }
  std::string_view path = target.substr(0, target.find('?'));
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = path.find('/');
    const std::string_view segment = path.substr(0, end);
    if (segment.empty() || dot_segment(segment)) return false;
    path = end == std::string_view::npos ? std::string_view() : path.substr(end);
  }
  return true;
}

bool json_answer(const HttpResponse& response) {
  const std::string_view type = response.header("content-type");
  return response.body.empty() || type.empty() || type.find("json") != std::string_view::npos;
}

}  // namespace vmcp::vcenter
