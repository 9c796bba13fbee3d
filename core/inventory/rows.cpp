#include "inventory/rows.h"

#include <algorithm>

#include "base/glob.h"
#include "inventory/traversal.h"
#include "inventory/values.h"

namespace vmcp::inventory {
namespace {

// The property that tells the hosts of an object; a host and a cluster are found by their place in the tree.
std::string_view host_property(std::string_view kind) {
  if (kind == "vm") return "runtime.host";
  if (kind == "datastore" || kind == "network") return "host";
  return "";
}

// One reference (VM), an array of references (network) or of mounts with the host as key (datastore).
void read_hosts(const Json& value, std::vector<std::string>& out) {
  Json plain = value;
  unbox(plain);
  if (!plain.is_array()) plain = Json::array({std::move(plain)});
  for (const Json& entry : plain) {
    const Json& reference = entry.is_object() && entry.contains("key") ? entry["key"] : entry;
    if (std::string id = reference_value(reference); !id.empty()) out.push_back(std::move(id));
  }
}

bool asked_for(const RowsWanted& wanted, const std::string& path) {
  return std::find(wanted.asked.begin(), wanted.asked.end(), path) != wanted.asked.end();
}

void read_property(const RowsWanted& wanted, Json& property, Row& row) {
  if (!property.is_object() || !property.contains("name") || !property["name"].is_string() ||
      !property.contains("val"))
    return;
  const auto& path = property["name"].get_ref<const std::string&>();
  Json& value = property["val"];
  if (wanted.hosts && path == host_property(wanted.kind->name)) read_hosts(value, row.hosts);
  if (wanted.power && path == "runtime.powerState") row.power = power_word(text_value(value));
  if (!asked_for(wanted, path)) return;
  unbox(value);
  append_json_key(row.properties, path);
  row.properties += dump_json(value);
}

void read_missing(const RowsWanted& wanted, const Json& missing, Row& row) {
  if (!missing.is_object() || !missing.contains("path") || !missing["path"].is_string()) return;
  const auto& path = missing["path"].get_ref<const std::string&>();
  if (!asked_for(wanted, path) && path != "name") return;
  if (row.unavailable.empty()) row.unavailable = "{";
  append_json_key(row.unavailable, path);
  append_json_string(row.unavailable, missing_reason(missing));
}

template <class F>
void each_in(Json& content, const char* member, F f) {
  auto found = content.find(member);
  if (found == content.end() || !found->is_array()) return;
  for (Json& entry : *found) f(entry);
}

// False for an ObjectContent that names no object of the kind.
bool read_content(const std::string& vcenter, const RowsWanted& wanted, Json& content, Row& row) {
  if (!content.is_object()) return false;
  Node node = read_node(content);
  const Kind* kind = kind_of_type(node.type);
  if (node.id.empty() || kind != wanted.kind) return false;
  row.object = {std::string(kind->name),
                std::move(node.type),
                vcenter,
                std::move(node.id),
                std::move(node.name),
                {},
                {}};
  row.parent = std::move(node.parent);
  row.in_vapp = node.in_vapp;
  row.properties = "{";
  each_in(content, "propSet", [&](Json& property) { read_property(wanted, property, row); });
  each_in(content, "missingSet", [&](Json& missing) { read_missing(wanted, missing, row); });
  row.properties += '}';
  if (!row.unavailable.empty()) row.unavailable += '}';
  return true;
}

bool any_in(const std::vector<std::string>& values, const Query::Ids& ids) {
  return std::any_of(values.begin(), values.end(), [&](const auto& v) { return ids.contains(v); });
}

// The parent of a host is its cluster (or the compute resource of a standalone host).
bool any_host_in_cluster(const std::vector<std::string>& hosts, const Query::Ids& clusters,
                         const Tree& tree) {
  return std::any_of(hosts.begin(), hosts.end(), [&](const auto& id) {
    const Node* host = tree.find(id);
    return host && clusters.contains(host->parent);
  });
}

bool matches_hosts(const Row& row, const Query& query, const Tree& tree) {
  std::string_view kind = row.object.kind;
  if (kind == "cluster") {
    bool holds_host = std::any_of(query.hosts.begin(), query.hosts.end(), [&](const auto& id) {
      const Node* host = tree.find(id);
      return host && host->parent == row.object.id;
    });
    return (query.hosts.empty() || holds_host) &&
           (query.clusters.empty() || query.clusters.contains(row.object.id));
  }
  if (kind == "host")
    return (query.hosts.empty() || query.hosts.contains(row.object.id)) &&
           (query.clusters.empty() || query.clusters.contains(row.parent));
  return (query.hosts.empty() || any_in(row.hosts, query.hosts)) &&
         (query.clusters.empty() || any_host_in_cluster(row.hosts, query.clusters, tree));
}

bool inside_any(const Row& row, const Query::Ids& places, const Tree& tree) {
  return std::any_of(places.begin(), places.end(), [&](const auto& place) {
    return row.object.id == place || tree.inside(row.parent, place);
  });
}

}  // namespace

std::string RowsWanted::key() const {
  std::string out(kind->name);
  for (const auto& path : asked) out += '\n' + path;
  if (hosts) out += "\n#hosts";
  if (power) out += "\n#power";
  return out;
}

Result<RowsWanted> plan_rows(const Kind& kind, const std::vector<std::string>& asked, bool hosts,
                             bool power) {
  RowsWanted out;
  out.kind = &kind;
  out.hosts = hosts && !host_property(kind.name).empty();
  out.power = power;
  for (const auto& path : asked) {
    if (!asked_for(out, path)) out.asked.push_back(path);
  }
  std::vector<std::string> always = {"name", "parent"};
  if (kind.name == "vm") always.push_back("parentVApp");
  if (out.hosts) always.emplace_back(host_property(kind.name));
  if (power) always.push_back("runtime.powerState");
  auto spread = spread_properties(kind, out.asked, always);
  if (!spread) return spread.error();
  out.properties = std::move(*spread);
  return out;
}

Result<std::shared_ptr<Rows>> read_rows(vcenter::Connection& vc, const RowsWanted& wanted,
                                        const Limits& limits, const CallLimits& call) {
  auto out = std::make_shared<Rows>();
  auto done = read_all(vc, wanted.properties, limits, call, [&](Json& content) {
    Row row;
    if (read_content(vc.name(), wanted, content, row)) out->rows.push_back(std::move(row));
  });
  if (!done) return done.error();
  std::sort(out->rows.begin(), out->rows.end(), [](const Row& a, const Row& b) {
    int names = a.object.name.compare(b.object.name);
    return names != 0 ? names < 0 : a.object.id < b.object.id;
  });
  return out;
}

Result<std::shared_ptr<Rows>> read_row(vcenter::Connection& vc, const RowsWanted& wanted,
                                       const std::string& type, const std::string& id, const Limits& limits,
                                       const CallLimits& call) {
  std::vector<TypeProperties> what;
  for (const auto& entry : wanted.properties) {
    if (entry.type == wanted.kind->base || entry.type == type) what.push_back(entry);
  }
  auto out = std::make_shared<Rows>();
  auto done = read_one(vc, what, type, id, limits, call, [&](Json& content) {
    Row row;
    if (read_content(vc.name(), wanted, content, row)) out->rows.push_back(std::move(row));
  });
  if (!done) return done.error();
  return out;
}

void place_rows(Rows& rows, std::shared_ptr<const Tree> tree) {
  rows.tree = std::move(tree);
  rows.unknown_parents = rows.unknown_vapps = false;
  for (Row& row : rows.rows) {
    if (row.object.id == rows.tree->root) {
      row.object.path = "/";
      continue;
    }
    const Node* parent = rows.tree->find(row.parent);
    Tree::place(row.object, parent);
    if (!parent) (row.in_vapp ? rows.unknown_vapps : rows.unknown_parents) = true;
  }
}

std::shared_ptr<const Rows> rows_of_tree(const std::string& vcenter, const Kind& kind,
                                         std::shared_ptr<const Tree> tree) {
  auto out = std::make_shared<Rows>();
  out->tree = std::move(tree);
  for (const Node& node : out->tree->nodes()) {
    if (kind_of_type(node.type) != &kind) continue;
    Row row;
    row.object = {std::string(kind.name), node.type, vcenter, node.id, node.name, node.path, {}};
    row.object.datacenter = node.datacenter;
    row.object.cluster = node.cluster;
    row.parent = node.parent;
    row.properties = "{}";
    out->rows.push_back(std::move(row));
  }
  std::sort(out->rows.begin(), out->rows.end(), [](const Row& a, const Row& b) {
    int names = a.object.name.compare(b.object.name);
    return names != 0 ? names < 0 : a.object.id < b.object.id;
  });
  return out;
}

bool matches(const Row& row, const Query& query, const Tree& tree) {
  if (!query.ids.empty() && !query.ids.contains(row.object.id)) return false;
  if (!query.power_states.empty() && !query.power_states.contains(row.power)) return false;
  bool named =
      query.names.empty() || std::any_of(query.names.begin(), query.names.end(),
                                         [&](const auto& glob) { return glob_match(glob, row.object.name); });
  if (!named || !matches_hosts(row, query, tree)) return false;
  if (!query.datacenters.empty() && !inside_any(row, query.datacenters, tree)) return false;
  return query.folders.empty() || inside_any(row, query.folders, tree);
}

void append_row(std::string& out, const Row& row) {
  const Object& object = row.object;
  out += '{';
  for (const auto& [key, text] : {std::pair<std::string_view, const std::string&>{"id", object.id},
                                  {"kind", object.kind},
                                  {"type", object.type},
                                  {"name", object.name},
                                  {"path", object.path}}) {
    append_json_key(out, key);
    append_json_string(out, text);
  }
  append_json_key(out, "properties");
  out += row.properties;
  if (!row.unavailable.empty()) {
    append_json_key(out, "unavailable");
    out += row.unavailable;
  }
  out += '}';
}

}  // namespace vmcp::inventory
