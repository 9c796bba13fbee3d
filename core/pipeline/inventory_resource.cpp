#include "pipeline/inventory_resource.h"

#include <algorithm>
#include <array>

namespace vmcp::pipeline {
namespace {

constexpr std::string_view kScheme = "vsphere://";
constexpr std::size_t kMaxValues = 100;

// What is told of each kind, as vim25 property paths.
struct Kind {
  std::string_view name;
  std::vector<std::string> properties;
};

const std::array<Kind, 5>& kinds() {
  static const std::array<Kind, 5> all = {{
      {"datacenter", {"overallStatus"}},
      {"cluster",
       {"overallStatus", "summary.totalCpu", "summary.totalMemory", "summary.numHosts",
        "summary.numEffectiveHosts"}},
      {"host",
       {"runtime.connectionState", "runtime.powerState", "runtime.inMaintenanceMode", "summary.overallStatus",
        "summary.hardware.vendor", "summary.hardware.model", "summary.hardware.cpuMhz",
        "summary.hardware.numCpuCores", "summary.hardware.memorySize", "summary.config.product.fullName",
        "summary.quickStats.overallCpuUsage", "summary.quickStats.overallMemoryUsage"}},
      {"vm",
       {"runtime.powerState", "runtime.host", "overallStatus", "summary.config.numCpu",
        "summary.config.memorySizeMB", "summary.config.guestFullName", "summary.storage.committed",
        "guest.ipAddress", "guest.hostName", "guest.toolsRunningStatus", "summary.quickStats.overallCpuUsage",
        "summary.quickStats.guestMemoryUsage"}},
      {"datastore",
       {"summary.type", "summary.capacity", "summary.freeSpace", "summary.accessible", "overallStatus"}},
  }};
  return all;
}

const Kind* find_kind(std::string_view name) {
  const auto it =
      std::find_if(kinds().begin(), kinds().end(), [&](const Kind& kind) { return kind.name == name; });
  return it == kinds().end() ? nullptr : &*it;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool decode(std::string_view text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return false;
    const int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return false;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

Error no_resource() {
  return make_error(
      Code::not_found,
      "Resource not found. Readable are vsphere://{vcenter}/ and vsphere://{vcenter}/{kind}/{object} with "
      "kind datacenter, cluster, host, vm or datastore; see resources/templates/list.");
}

void add_contents(plugin_host::Invocation& invocation, std::string_view uri, const std::string& json) {
  std::string& block = invocation.blocks.emplace_back("{");
  append_json_key(block, "uri");
  append_json_string(block, uri);
  block += R"(,"mimeType":"application/json","text":)";
  append_json_string(block, json);
  block += '}';
}

std::string completion_json(std::vector<std::string> values, std::size_t total) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  const bool more = values.size() > kMaxValues || total > values.size();
  if (values.size() > kMaxValues) values.resize(kMaxValues);
  return dump_json(
      Json{{"total", std::max(total, values.size())}, {"hasMore", more}, {"values", std::move(values)}});
}

}  // namespace

Result<InventoryUri> read_inventory_uri(std::string_view uri) {
  if (!uri.starts_with(kScheme)) return no_resource();
  uri.remove_prefix(kScheme.size());
  const std::size_t slash = uri.find('/');
  if (slash == 0 || slash == std::string_view::npos) return no_resource();
  InventoryUri out;
  if (!decode(uri.substr(0, slash), out.vcenter)) return no_resource();
  const std::string_view rest = uri.substr(slash + 1);
  if (rest.empty()) return out;
  const std::size_t next = rest.find('/');
  if (next == std::string_view::npos || find_kind(rest.substr(0, next)) == nullptr) return no_resource();
  out.kind = rest.substr(0, next);
  const std::string_view object = rest.substr(next + 1);
  // A raw slash, a query or a fragment has no meaning here: an inventory path is percent-encoded.
  if (object.empty() || object.find_first_of("/?#") != std::string_view::npos || !decode(object, out.object))
    return no_resource();
  return out;
}

std::string plain_uri(std::string_view uri) {
  const auto read = read_inventory_uri(uri);
  if (!read) return std::string(uri);
  return std::string(kScheme) + read->vcenter + "/" +
         (read->kind.empty() ? std::string() : read->kind + "/" + read->object);
}

Result<vcenter::Connection*> vcenter_of(vcenter::Fleet& fleet, const InventoryUri& uri) {
  auto connection = fleet.find(uri.vcenter);
  // Not "not allowed": what cannot be reached from here does not exist as a resource.
  if (!connection || (*connection)->name() != uri.vcenter)
    return make_error(Code::not_found, "Resource not found: no vCenter of that name is configured.");
  return connection;
}

Result<void> read_inventory_resource(Services& services, vcenter::Connection& connection,
                                     const InventoryUri& uri, std::string_view text,
                                     plugin_host::Invocation& invocation) {
  if (uri.kind.empty()) {
    const auto about = connection.about(invocation.limits);
    if (!about) return about.error();
    add_contents(invocation, text,
                 dump_json(Json{{"vcenter", connection.name()},
                                {"version", about->version},
                                {"build", about->build},
                                {"full_name", about->full_name},
                                {"instance_uuid", about->instance_uuid}}));
    return {};
  }
  auto json = services.inventory.get(connection, uri.kind, invocation.targets.front().object.id,
                                     find_kind(uri.kind)->properties, invocation.visible, invocation.limits);
  if (!json) return json.error();
  add_contents(invocation, text, *json);
  return {};
}

Result<std::string> inventory_state(inventory::Inventory& inventory, vcenter::Connection& connection,
                                    const InventoryUri& uri, const inventory::Visible& visible,
                                    const CallLimits& limits) {
  if (uri.kind.empty()) {
    const auto about = connection.about(limits);
    if (!about) return about.error();
    return about->version + " " + about->build + " " + about->instance_uuid;
  }
  const auto object = inventory.resolve(connection, uri.kind, uri.object, visible, limits);
  if (!object) return object.error();
  std::vector<std::string> steady;
  for (const std::string& property : find_kind(uri.kind)->properties)
    if (property.find(".quickStats.") == std::string::npos) steady.push_back(property);
  return inventory.get(connection, uri.kind, object->id, steady, visible, limits);
}

Result<std::string> complete_inventory(Services& services, vcenter::Connection* connection,
                                       std::string_view kind, std::string_view typed,
                                       const plugin_host::Invocation& invocation) {
  std::vector<std::string> values;
  if (kind == "vcenter") {
    for (const std::string& name : services.fleet.names())
      if (std::string_view(name).starts_with(typed)) values.push_back(name);
    const std::size_t total = values.size();
    return completion_json(std::move(values), total);
  }
  if (find_kind(kind) == nullptr || connection == nullptr) return completion_json({}, 0);
  std::string pattern;
  for (const char c : typed.substr(0, 256))
    pattern += c == '*' || c == '?' || c == '[' || c == '\\' ? '?' : c;
  const Json query{{"kind", kind}, {"where", {{"names", {pattern + "*"}}}}, {"limit", kMaxValues}};
  const auto answer = services.inventory.list(*connection, query, invocation.visible, invocation.limits);
  if (!answer) return answer.error();
  const auto found = parse_trusted_json(*answer);
  if (!found) return found.error();
  for (const Json& object : (*found)["objects"]) values.push_back(object.value("name", ""));
  std::size_t total = found->value("total", values.size());
  if (typed.empty()) return completion_json(std::move(values), total);
  // Who types an id gets the id.
  const auto by_id = services.inventory.find(*connection, kind, typed, invocation.visible, invocation.limits);
  if (by_id) values.push_back(by_id->id), ++total;
  return completion_json(std::move(values), total);
}

}  // namespace vmcp::pipeline
