#include "simulator/vim_nodes.h"

namespace vmcp::simulator {
namespace {

bool is_entity(Kind kind) {
  return is_a(kind, "ManagedEntity");
}

std::span<const Node> own_nodes(Kind kind) {
  switch (kind) {
    case Kind::service:
      return service_nodes();
    case Kind::folder:
      return folder_nodes();
    case Kind::datacenter:
      return datacenter_nodes();
    case Kind::cluster:
      return cluster_nodes();
    case Kind::host:
      return host_nodes();
    case Kind::pool:
      return pool_nodes();
    case Kind::datastore:
      return datastore_nodes();
    case Kind::network:
      return network_nodes();
    case Kind::portgroup:
      return portgroup_nodes();
    case Kind::dvs:
      return dvs_nodes();
    case Kind::vm:
      return vm_nodes();
    case Kind::snapshot:
      return snapshot_nodes();
    case Kind::task:
      return task_nodes();
    case Kind::view:
      return view_nodes();
  }
  return {};
}

bool word_in(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const auto end = words.find(' ');
    if (words.substr(0, end) == word) return true;
    words = end == std::string_view::npos ? std::string_view() : words.substr(end + 1);
  }
  return false;
}

const Node* find_node(std::span<const Node> nodes, std::string_view name) {
  for (const Node& node : nodes) {
    if (node.is_absent ? word_in(node.name, name) : node.name == name) return &node;
  }
  return nullptr;
}

void write_fields(std::string& out, const Node& node, const Subject& subject);

bool write_node(std::string& out, const Node& node, const Subject& subject) {
  if (node.is_absent) return false;
  if (!node.is_struct) return node.write(out, subject);
  if (node.write != nullptr && !node.write(out, subject)) return false;
  write_fields(out, node, subject);
  return true;
}

void write_fields(std::string& out, const Node& node, const Subject& subject) {
  out += R"({"_typeName":")";
  out += node.subtype != nullptr ? std::string_view(node.subtype(subject)) : node.type;
  out += '"';
  for (const Node& field : node.fields) {
    if (field.is_absent) continue;
    const std::size_t before = out.size();
    out += ",\"";
    out += field.name;
    out += "\":";
    if (!write_node(out, field, subject)) out.resize(before);
  }
  out += '}';
}

bool outer_is_set(const Path& path, const Subject& subject) {
  std::string ignored;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    if (path[i]->write != nullptr && !path[i]->write(ignored, subject)) return false;
  }
  return true;
}

}  // namespace

Path find_path(Kind kind, std::string_view path) {
  Path out;
  std::span<const Node> nodes = own_nodes(kind);
  bool top = true;
  while (!path.empty()) {
    const auto dot = path.find('.');
    const std::string_view name = path.substr(0, dot);
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    const Node* node = find_node(nodes, name);
    if (node == nullptr && top && is_entity(kind)) node = find_node(entity_nodes(), name);
    if (node == nullptr) return {};
    out.push_back(node);
    if (node->is_absent) return out;  // whatever is asked below something unset is unset as well
    if (!path.empty() && !node->is_struct) return {};
    nodes = node->fields;
    top = false;
  }
  return out;
}

std::vector<const Node*> properties_of(Kind kind) {
  std::vector<const Node*> out;
  for (const Node& node : own_nodes(kind)) {
    if (!node.is_absent) out.push_back(&node);
  }
  if (!is_entity(kind)) return out;
  for (const Node& node : entity_nodes()) {
    if (!node.is_absent) out.push_back(&node);
  }
  return out;
}

bool write_value(std::string& out, const Path& path, const Subject& subject) {
  return outer_is_set(path, subject) && write_node(out, *path.back(), subject);
}

bool write_any(std::string& out, const Path& path, const Subject& subject) {
  std::string value;
  if (!write_value(value, path, subject)) return false;
  // A struct and a reference name their type themselves; everything else is boxed.
  if (value.front() == '{') {
    out += value;
    return true;
  }
  out += R"({"_typeName":")";
  out += path.back()->type;
  out += R"(","_value":)";
  out += value;
  out += '}';
  return true;
}

}  // namespace vmcp::simulator
