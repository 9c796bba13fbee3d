#include "inventory/traversal.h"

#include <algorithm>

namespace vmcp::inventory {
namespace {

// vCenter may give fewer; more only makes a page heavier.
constexpr int kPage = 1000;
// For giving a view back although the call's own time is over.
constexpr milliseconds kCleanup{2'000};

Json reference(std::string_view type, const std::string& id) {
  return {{"_typeName", "ManagedObjectReference"}, {"type", type}, {"value", id}};
}

Json property_set(const std::vector<TypeProperties>& what) {
  Json set = Json::array();
  for (const auto& entry : what)
    set.push_back({{"_typeName", "PropertySpec"}, {"type", entry.type}, {"pathSet", entry.paths}});
  return set;
}

std::string retrieval(const std::vector<TypeProperties>& what, Json object_set) {
  Json filter = {{"_typeName", "PropertyFilterSpec"},
                 {"propSet", property_set(what)},
                 {"objectSet", std::move(object_set)}};
  Json request = {{"specSet", Json::array({std::move(filter)})},
                  {"options", {{"_typeName", "RetrieveOptions"}, {"maxObjects", kPage}}}};
  return dump_json(request);
}

Result<Json> parse_page(const vcenter::Reply& reply, const Limits& limits) {
  if (reply.body.empty()) return Json();
  auto parsed = parse_trusted_json(reply.body, limits.max_reply_bytes);
  if (!parsed)
    return make_error(Code::unavailable,
                      "vCenter's answer about its inventory cannot be read; look into the server's log",
                      parsed.error().text);
  return parsed;
}

class Retrieval {
 public:
  Retrieval(vcenter::Connection& vc, const vcenter::About& about, const Limits& limits,
            const CallLimits& call)
      : vc_(vc), about_(about), limits_(limits), call_(call) {}

  Result<void> run(const std::string& request, const OnObject& on_object) {
    std::string member = "RetrievePropertiesEx", parameters = request;
    std::size_t count = 0;
    while (true) {
      auto reply = ask("PropertyCollector", about_.property_collector, member, parameters);
      if (!reply.ok()) return *reply.error;
      auto page = parse_page(reply, limits_);
      if (!page) return page.error();
      if (page->is_null()) return {};
      if (auto objects = page->find("objects");
          page->is_object() && objects != page->end() && objects->is_array()) {
        count += objects->size();
        if (count > limits_.max_objects) return too_many(*page);
        for (Json& content : *objects) on_object(content);
      }
      auto token = page->is_object() ? page->find("token") : page->end();
      if (token == page->end() || !token->is_string() || token->get_ref<const std::string&>().empty())
        return {};
      member = "ContinueRetrievePropertiesEx";
      parameters = dump_json(Json{{"token", *token}});
    }
  }

  vcenter::Reply ask(std::string_view type, std::string_view id, std::string_view member,
                     std::string_view parameters) {
    return vc_.vim({type, id, member, false, parameters}, call_);
  }

 private:
  Error too_many(const Json& page) {
    if (page.contains("token"))
      ask("PropertyCollector", about_.property_collector, "CancelRetrievePropertiesEx",
          dump_json(Json{{"token", page["token"]}}));
    return make_error(Code::unavailable,
                      "vCenter holds more than " + std::to_string(limits_.max_objects) +
                          " objects of these kinds, which is more than this server reads at once");
  }

  vcenter::Connection& vc_;
  const vcenter::About& about_;
  const Limits& limits_;
  const CallLimits& call_;
};

Result<std::string> create_view(vcenter::Connection& vc, const vcenter::About& about,
                                const std::vector<TypeProperties>& what, const CallLimits& call) {
  Json types = Json::array();
  for (const auto& entry : what) types.push_back(entry.type);
  Json request = {
      {"container", reference("Folder", about.root_folder)}, {"type", std::move(types)}, {"recursive", true}};
  std::string parameters = dump_json(request);
  auto reply = vc.vim({"ViewManager", about.view_manager, "CreateContainerView", false, parameters}, call);
  if (!reply.ok()) return *reply.error;
  auto view = parse_trusted_json(reply.body);
  if (view && view->is_object() && view->contains("value") && (*view)["value"].is_string())
    return (*view)["value"].get<std::string>();
  return make_error(Code::unavailable, "vCenter made no view of its inventory; look into the server's log",
                    reply.body.substr(0, 200));
}

// Nothing can be done about a failure: the view ends with the session.
void destroy_view(vcenter::Connection& vc, const std::string& view, const CallLimits& call) {
  CallLimits own;
  own.deadline = std::max(call.deadline, std::chrono::steady_clock::now() + kCleanup);
  vc.vim({"ContainerView", view, "DestroyView", false, "{}"}, own);
}

}  // namespace

Result<void> read_all(vcenter::Connection& vc, const std::vector<TypeProperties>& what, const Limits& limits,
                      const CallLimits& call, const OnObject& on_object) {
  auto about = vc.about(call);
  if (!about) return about.error();
  auto view = create_view(vc, *about, what, call);
  if (!view) return view.error();
  Json path = {{"_typeName", "TraversalSpec"},
               {"name", "view"},
               {"type", "ContainerView"},
               {"path", "view"},
               {"skip", false}};
  Json objects = Json::array({{{"_typeName", "ObjectSpec"},
                               {"obj", reference("ContainerView", *view)},
                               {"skip", true},
                               {"selectSet", Json::array({std::move(path)})}}});
  // The view holds what is below its container, not the container.
  bool folders =
      std::any_of(what.begin(), what.end(), [](const auto& entry) { return entry.type == "Folder"; });
  if (folders)
    objects.push_back(
        {{"_typeName", "ObjectSpec"}, {"obj", reference("Folder", about->root_folder)}, {"skip", false}});
  auto done = Retrieval(vc, *about, limits, call).run(retrieval(what, std::move(objects)), on_object);
  destroy_view(vc, *view, call);
  return done;
}

Result<void> read_some(vcenter::Connection& vc, const std::vector<TypeProperties>& what,
                       const std::vector<Reference>& asked, const Limits& limits, const CallLimits& call,
                       const OnObject& on_object) {
  if (asked.empty()) return {};
  auto about = vc.about(call);
  if (!about) return about.error();
  Json objects = Json::array();
  for (const Reference& one : asked)
    objects.push_back({{"_typeName", "ObjectSpec"}, {"obj", reference(one.type, one.id)}, {"skip", false}});
  return Retrieval(vc, *about, limits, call).run(retrieval(what, std::move(objects)), on_object);
}

Result<void> read_one(vcenter::Connection& vc, const std::vector<TypeProperties>& what, std::string_view type,
                      const std::string& id, const Limits& limits, const CallLimits& call,
                      const OnObject& on_object) {
  return read_some(vc, what, {{std::string(type), id}}, limits, call, on_object);
}

}  // namespace vmcp::inventory
