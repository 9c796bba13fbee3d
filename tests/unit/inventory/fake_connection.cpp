#include "unit/inventory/fake_connection.h"

#include <algorithm>

namespace vmcp::inventory {
namespace {

bool is_a(const std::string& type, const std::string& wanted) {
  static const std::map<std::string, std::string> kParents = {{"DistributedVirtualPortgroup", "Network"},
                                                              {"OpaqueNetwork", "Network"},
                                                              {"ClusterComputeResource", "ComputeResource"},
                                                              {"StoragePod", "Folder"},
                                                              {"VirtualApp", "ResourcePool"}};
  if (type == wanted) return true;
  auto parent = kParents.find(type);
  return parent != kParents.end() && is_a(parent->second, wanted);
}

Json content_of(const FakeObject& object, const Json& property_sets) {
  Json content = {{"_typeName", "ObjectContent"}, {"obj", ref(object.type, object.id)}};
  std::vector<std::string> done;
  for (const Json& set : property_sets) {
    if (!is_a(object.type, set["type"])) continue;
    for (const Json& path : set["pathSet"]) {
      if (std::find(done.begin(), done.end(), path.get<std::string>()) != done.end()) continue;
      done.push_back(path);
      if (auto value = object.properties.find(path); value != object.properties.end()) {
        content["propSet"].push_back(
            {{"_typeName", "DynamicProperty"}, {"name", path}, {"val", value->second}});
      } else if (auto fault = object.missing.find(path); fault != object.missing.end()) {
        Json inner = {{"_typeName", fault->second}, {"privilegeId", "System.Read"}};
        Json outer = {{"_typeName", "LocalizedMethodFault"}, {"fault", inner}};
        content["missingSet"].push_back({{"_typeName", "MissingProperty"}, {"path", path}, {"fault", outer}});
      }
    }
  }
  return content;
}

}  // namespace

vcenter::Reply FakeConnection::vim(const vcenter::VimRequest& request, const CallLimits& limits) {
  std::string member(request.member);
  int count = 0;
  {
    const std::lock_guard lock(mutex_);
    count = ++calls_[member];
  }
  if (before) before(member);
  if (limits.cancel.cancelled()) return fail(make_error(Code::cancelled, "cancelled"));
  if (failing) {
    if (auto error = failing(member, count)) return fail(*error);
  }
  if (request.property) {
    auto found = snapshots.find(std::string(request.moref));
    return good(found == snapshots.end() ? "null" : found->second);
  }
  Json parameters = Json::parse(request.params);
  const std::lock_guard lock(mutex_);
  if (member == "CreateContainerView") {
    std::string id = "session[1]" + std::to_string(++counter_);
    auto& view = views_[id];
    for (const auto& object : objects) {
      bool wanted = std::any_of(parameters["type"].begin(), parameters["type"].end(),
                                [&](const Json& type) { return is_a(object.type, type); });
      if (wanted && object.id != root) view.push_back(object.id);
    }
    ++open_views_;
    return good(ref("ContainerView", id).dump());
  }
  if (member == "DestroyView") {
    if (views_.erase(std::string(request.moref)) == 1) --open_views_;
    return good("");
  }
  if (member == "RetrievePropertiesEx") return retrieve(parameters);
  if (member == "ContinueRetrievePropertiesEx") return next_page(parameters["token"]);
  if (member == "CancelRetrievePropertiesEx") return good("");
  return fail(make_error(Code::internal, "unexpected member " + member));
}

vcenter::Reply FakeConnection::retrieve(const Json& parameters) {
  retrievals_.push_back(parameters);
  const Json& filter = parameters["specSet"][0];
  std::vector<std::string> ids;
  for (const Json& set : filter["objectSet"]) {
    std::string id = set["obj"]["value"];
    auto view = views_.find(id);
    if (view != views_.end())
      ids.insert(ids.end(), view->second.begin(), view->second.end());
    else
      ids.push_back(id);
  }
  Json contents = Json::array();
  std::map<std::string, const FakeObject*> by_id;
  for (const auto& object : objects) by_id[object.id] = &object;
  for (const auto& id : ids) {
    if (auto object = by_id.find(id); object != by_id.end())
      contents.push_back(content_of(*object->second, filter["propSet"]));
    else
      return fail(make_error(Code::not_found, "ManagedObjectNotFound"));
  }
  if (contents.empty()) return good("");
  std::vector<std::string> pages;
  std::string token = "t" + std::to_string(++counter_);
  for (std::size_t at = 0; at < contents.size(); at += page) {
    Json result = {{"_typeName", "RetrieveResult"}, {"objects", Json::array()}};
    for (std::size_t i = at; i < std::min(at + page, contents.size()); ++i)
      result["objects"].push_back(std::move(contents[i]));
    if (at + page < contents.size()) result["token"] = token;
    pages.push_back(result.dump());
  }
  std::reverse(pages.begin(), pages.end());
  pending_[token] = std::move(pages);
  return next_page(token);
}

vcenter::Reply FakeConnection::next_page(const std::string& token) {
  auto& pages = pending_[token];
  std::string body = std::move(pages.back());
  pages.pop_back();
  return good(std::move(body));
}

}  // namespace vmcp::inventory
