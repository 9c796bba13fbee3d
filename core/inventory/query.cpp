#include "inventory/query.h"

#include <algorithm>

#include "base/crypto.h"

namespace vmcp::inventory {
namespace {

constexpr std::size_t kMaxValues = 1'000;     // in one filter
constexpr std::size_t kMaxValueText = 1'024;  // of one value
constexpr std::size_t kDigestLength = 16;

Error bad(std::string text) {
  return make_error(Code::invalid_argument, "Bad inventory query: " + std::move(text));
}

Result<std::vector<std::string>> strings(const Json& value, const std::string& member, std::size_t max) {
  if (!value.is_array()) return bad("'" + member + "' must be an array of strings");
  if (value.size() > max) return bad("'" + member + "' has more than " + std::to_string(max) + " values");
  std::vector<std::string> out;
  for (const Json& entry : value) {
    if (!entry.is_string() || entry.get_ref<const std::string&>().empty())
      return bad("'" + member + "' must hold non-empty strings only");
    if (entry.get_ref<const std::string&>().size() > kMaxValueText)
      return bad("'" + member + "' holds a value of more than " + std::to_string(kMaxValueText) +
                 " characters");
    out.push_back(entry.get<std::string>());
  }
  return out;
}

// Which kinds a filter means something for; the others refuse it rather than silently match everything.
bool has_filter(std::string_view kind, std::string_view filter) {
  if (filter == "power_states") return kind == "vm" || kind == "host";
  if (filter == "hosts" || filter == "clusters") return kind != "datacenter" && kind != "folder";
  return true;
}

Query::Ids* id_filter(Query& query, std::string_view name) {
  if (name == "ids") return &query.ids;
  if (name == "power_states") return &query.power_states;
  if (name == "hosts") return &query.hosts;
  if (name == "clusters") return &query.clusters;
  if (name == "datacenters") return &query.datacenters;
  if (name == "folders") return &query.folders;
  return nullptr;
}

Result<void> read_where(const Json& where, Query& query) {
  if (!where.is_object()) return bad("'where' must be an object");
  for (const auto& [name, value] : where.items()) {
    Query::Ids* ids = id_filter(query, name);
    if (!ids && name != "names")
      return bad(
          "'where." + name +
          "' is unknown; there are names, ids, power_states, hosts, clusters, datacenters and folders");
    auto values = strings(value, "where." + name, kMaxValues);
    if (!values) return values.error();
    if (values->empty()) continue;
    if (!has_filter(query.kind->name, name))
      return bad("a " + std::string(query.kind->word) + " cannot be filtered by '" + name + "'");
    if (ids)
      ids->insert(values->begin(), values->end());
    else
      query.names = std::move(*values);
  }
  for (const auto& state : query.power_states) {
    if (state != "POWERED_ON" && state != "POWERED_OFF" && state != "SUSPENDED")
      return bad("'where.power_states' knows POWERED_ON, POWERED_OFF and SUSPENDED, not '" + state + "'");
  }
  return {};
}

std::string digest_of(const Json& query) {
  Json what = query;
  what.erase("limit");
  what.erase("cursor");
  return to_hex(sha256(dump_json(what))).substr(0, kDigestLength);
}

Result<void> read_cursor(const Json& cursor, Query& query) {
  std::string bytes;
  if (!cursor.is_string() || !base64_decode(cursor.get_ref<const std::string&>(), bytes))
    return bad("'cursor' is no \"next\" of an earlier answer");
  auto parts = parse_json(bytes);
  bool well_formed = parts && parts->is_array() && parts->size() == 3 &&
                     std::all_of(parts->begin(), parts->end(), [](const Json& p) { return p.is_string(); });
  if (!well_formed) return bad("'cursor' is no \"next\" of an earlier answer");
  if ((*parts)[0] != query.digest)
    return bad("'cursor' belongs to another query; repeat the query that gave it, or start without a cursor");
  query.after = Query::Position{(*parts)[1].get<std::string>(), (*parts)[2].get<std::string>()};
  return {};
}

Result<void> read_limit(const Json& limit, const Limits& limits, Query& query) {
  bool whole = limit.is_number_integer() && limit >= 1;
  if (!whole) return bad("'limit' must be a whole number of at least 1");
  query.limit = std::min<std::uint64_t>(limit.get<std::uint64_t>(), limits.max_listed);
  return {};
}

}  // namespace

Result<Query> parse_query(const Json& json, const Limits& limits) {
  if (!json.is_object()) return bad("an object is expected");
  auto kind = json.find("kind");
  Query query;
  query.limit = limits.max_listed;
  if (kind != json.end() && kind->is_string()) query.kind = find_kind(kind->get_ref<const std::string&>());
  if (!query.kind)
    return bad("'kind' must be one of vm, host, datastore, network, datacenter, cluster and folder");
  query.digest = digest_of(json);
  for (const auto& [name, value] : json.items()) {
    Result<void> read;
    if (name == "kind") continue;
    if (name == "properties") {
      auto paths = strings(value, name, limits.max_properties);
      if (!paths) return paths.error();
      query.properties = std::move(*paths);
    } else if (name == "where") {
      read = read_where(value, query);
    } else if (name == "limit") {
      read = read_limit(value, limits, query);
    } else if (name == "cursor") {
      read = read_cursor(value, query);
    } else {
      return bad("'" + name + "' is unknown; there are kind, properties, where, limit and cursor");
    }
    if (!read) return read.error();
  }
  return query;
}

std::string make_cursor(const Query& query, const Query::Position& last) {
  return base64_encode(dump_json(Json::array({query.digest, last.name, last.id})));
}

}  // namespace vmcp::inventory
