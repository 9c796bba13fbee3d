#include "base/crypto.h"
#include "simulator/vim.h"
#include "simulator/vim_nodes.h"

namespace vmcp::simulator {
namespace {

constexpr std::size_t kMostViews = 1000;  // of all sessions; a client that leaks them is told

const Node kView[] = {
    leaf("container", "ManagedObjectReference",
         [](std::string& o, const Subject& s) {
           const Entity* container = s.world.model.find(s.as<ContainerView>().container_id);
           return container != nullptr && put_moref(o, *container);
         }),
    leaf("type", "ArrayOfString",
         [](std::string& o, const Subject& s) { return put_json(o, s.as<ContainerView>().types); }),
    leaf("recursive", "boolean",
         [](std::string& o, const Subject& s) { return put(o, s.as<ContainerView>().recursive); }),
    leaf("view", "ArrayOfManagedObjectReference",
         [](std::string& o, const Subject& s) {
           return put_morefs(o, references(s.world, s.entity, "view"));
         }),
};

}  // namespace

std::span<const Node> view_nodes() {
  return kView;
}

VimAnswer vim_create_container_view(VimCall& call) {
  const Json& container = call.body["container"];
  if (auto failure = check_reference(call, container, "ManagedEntity")) return VimAnswer::fault(*failure);
  const Entity& entity = *call.world.model.find(reference_id(container));
  const bool can_contain = entity.kind == Kind::folder || entity.kind == Kind::datacenter ||
                           entity.kind == Kind::cluster || entity.kind == Kind::pool ||
                           entity.kind == Kind::host;
  if (!can_contain) return VimAnswer::fault(invalid_argument("container", "The object is no container."));
  if (call.world.views.size() >= kMostViews) {
    return VimAnswer::fault({"SystemError", "Too many views are open.", {{"reason", "too many views"}}});
  }
  auto view = std::make_unique<ContainerView>("session[" + call.session->key + "]" + random_id(), "view");
  view->session_key = call.session->key;
  view->container_id = entity.id;
  view->recursive = call.body.value("recursive", true);
  for (const Json& type : call.body.value("type", Json::array()))
    view->types.push_back(type.get<std::string>());
  const std::string id = view->id;
  call.world.views.emplace(id, std::move(view));
  return VimAnswer::of(moref("ContainerView", id));
}

VimAnswer vim_destroy_view(VimCall& call) {
  call.world.views.erase(call.id);
  return VimAnswer::nothing();
}

}  // namespace vmcp::simulator
