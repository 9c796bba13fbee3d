// One HTTP exchange as the simulated vCenter sees it. Plain data, so that every rule of the simulator can be
// tested without a socket; only listener.cpp knows how these travel.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vmcp::simulator {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // "GET"
  std::string path;    // still percent-encoded, without the query
  std::string query;   // still percent-encoded, without '?'
  Pairs headers;       // names as received
  std::string body;
  std::string peer = "127.0.0.1";

  // The first header of that name, whatever its case; empty when absent.
  std::string_view header(std::string_view name) const;
  std::string target() const { return query.empty() ? path : path + '?' + query; }
};

struct Reply {
  int status = 200;
  Pairs headers;
  std::string body;
  bool cut = false;       // answer nothing: break the connection instead
  bool injected = false;  // made by a fault rule, so not held against the official documents
};

bool equals_ignoring_case(std::string_view a, std::string_view b);
// "%5B" → "["; '+' becomes a space only in queries. A broken escape stays as it is.
std::string percent_decoded(std::string_view text, bool plus_is_space);
// "a=1&b=2" → decoded pairs, in order; names may repeat.
Pairs parse_query(std::string_view query);
// "/api/vcenter/vm" → {"api","vcenter","vm"}, each decoded after the split, so that %2F stays inside.
std::vector<std::string> split_path(std::string_view path);

}  // namespace vmcp::simulator
