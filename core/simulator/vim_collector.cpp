#include "simulator/vim_collector.h"

#include <algorithm>

namespace vmcp::simulator {
namespace {

constexpr std::size_t kMostCursors = 256;  // of all sessions; the oldest go first

// {"_typeName":"ObjectContent","obj":…,"propSet":[…],"missingSet":[…]}
void put_object(std::string& out, const User& user, const Subject& subject,
                const std::vector<WantedProperty>& wanted) {
  out += R"({"_typeName":"ObjectContent","obj":)";
  put_moref(out, subject.entity);
  const bool may_read = allowed(user, subject.entity, "System.Read");
  std::string missing;
  const std::size_t before = out.size();
  bool first = true;
  for (const WantedProperty& property : wanted) {
    if (!may_read && !property.path.front()->view_only) {
      missing += missing.empty() ? "" : ",";
      missing += R"({"_typeName":"MissingProperty","path":)";
      put(missing, property.name);
      missing +=
          R"(,"fault":)" + dump_json(localized_fault(no_permission(subject.entity, "System.Read"))) + '}';
      continue;
    }
    const std::size_t start = out.size();
    out += first ? R"(,"propSet":[{"_typeName":"DynamicProperty","name":)"
                 : R"(,{"_typeName":"DynamicProperty","name":)";
    put(out, property.name);
    out += R"(,"val":)";
    if (!write_any(out, property.path, subject)) {
      out.resize(start);
      continue;
    }
    out += '}';
    first = false;
  }
  if (out.size() != before) out += ']';
  if (!missing.empty()) out += R"(,"missingSet":[)" + missing + ']';
  out += '}';
}

std::optional<Failure> compile(const Json& specs, std::vector<PropertyPlan>& plans) {
  for (const Json& spec : specs) {
    if (!spec.is_object()) return invalid_argument("specSet", "Each PropertyFilterSpec must be an object.");
    PropertyPlan plan;
    if (auto failure = plan.compile(spec.value("propSet", Json()))) return failure;
    plans.push_back(std::move(plan));
  }
  return std::nullopt;
}

const Entity* find_object(const World& world, const std::string& id) {
  const auto view = world.views.find(id);
  return view != world.views.end() ? view->second.get() : world.model.find(id);
}

// One page; what is left stays behind under a new token.
VimAnswer next_page(VimCall& call, Cursor cursor, const std::vector<PropertyPlan>& plans) {
  std::string objects;
  std::size_t count = 0;
  while (cursor.next < cursor.objects.size() && count < cursor.page) {
    const auto& [id, filter] = cursor.objects[cursor.next++];
    const Entity* entity = find_object(call.world, id);
    if (entity == nullptr) continue;  // deleted since the first page
    if (count++ > 0) objects += ',';
    put_object(objects, call.user(), {*entity, call.world}, *plans[filter].wanted(entity->kind));
  }
  std::string out = R"({"_typeName":"RetrieveResult",)";
  if (cursor.next < cursor.objects.size()) {
    const std::string token = std::to_string(call.world.next_cursor++);
    out += R"("token":)";
    put(out, token);
    out += ',';
    if (call.world.cursors.size() >= kMostCursors) call.world.cursors.erase(call.world.cursors.begin());
    call.world.cursors.emplace(token, std::move(cursor));
  }
  out += R"("objects":[)" + objects + "]}";
  return VimAnswer::text(std::move(out));
}

Cursor* find_cursor(VimCall& call) {
  const auto it = call.world.cursors.find(call.body.value("token", ""));
  return it != call.world.cursors.end() && it->second.session_key == call.session->key ? &it->second
                                                                                       : nullptr;
}

}  // namespace

VimAnswer vim_retrieve(VimCall& call) {
  const Json& specs = call.body["specSet"];
  std::vector<PropertyPlan> plans;
  if (auto failure = compile(specs, plans)) return VimAnswer::fault(*failure);
  Cursor cursor;
  if (auto failure = select_objects(call, specs, plans, cursor.objects)) return VimAnswer::fault(*failure);
  if (cursor.objects.empty()) return VimAnswer::nothing();
  cursor.session_key = call.session->key;
  cursor.page = call.world.settings.page_size;
  const auto most = call.body["options"].find("maxObjects");
  if (most != call.body["options"].end() && most->is_number_integer() && most->get<std::int64_t>() > 0) {
    // The server's own page size wins over a larger wish, as vCenter does it.
    cursor.page = std::min(cursor.page, static_cast<std::size_t>(most->get<std::int64_t>()));
  }
  if (cursor.objects.size() > cursor.page) cursor.specs = specs;
  return next_page(call, std::move(cursor), plans);
}

VimAnswer vim_continue(VimCall& call) {
  Cursor* found = find_cursor(call);
  if (found == nullptr)
    return VimAnswer::fault(invalid_argument("token", "The token is not valid (any more)."));
  Cursor cursor = std::move(*found);
  call.world.cursors.erase(call.body.value("token", ""));
  std::vector<PropertyPlan> plans;
  if (auto failure = compile(cursor.specs, plans)) return VimAnswer::fault(*failure);
  return next_page(call, std::move(cursor), plans);
}

VimAnswer vim_cancel_retrieve(VimCall& call) {
  if (find_cursor(call) == nullptr) {
    return VimAnswer::fault(invalid_argument("token", "The token is not valid (any more)."));
  }
  call.world.cursors.erase(call.body.value("token", ""));
  return VimAnswer::nothing();
}

}  // namespace vmcp::simulator
