// Tags in the Automation API: what the server reads to hold rules on tags, and what a test needs to set up.
#include <algorithm>

#include "simulator/automation.h"

namespace vmcp::simulator {
namespace {

constexpr std::size_t kMostTags = 10'000;  // categories and tags together

bool reads_tags(const Call& call) {
  return holds(call.user(), "System.Read");
}

Answer tagging_denied(const Call& call, std::string_view privilege) {
  return unauthorized(call.world.model.root(), privilege);
}

// The members of a creation: /rest wraps them.
const Json& create_spec(const Call& call) {
  if (call.dialect == Dialect::api) return call.body;
  static const Json kNone;
  return call.body.is_object() && call.body.contains("create_spec") ? call.body["create_spec"] : kNone;
}

// Null when there is no body, no object or no such member.
Json member_of(const Json& body, const char* name) {
  return body.is_object() ? body.value(name, Json()) : Json();
}

const std::string* text_of(const Json& body, const char* name) {
  if (!body.is_object()) return nullptr;
  const auto found = body.find(name);
  return found != body.end() && found->is_string() ? &found->get_ref<const std::string&>() : nullptr;
}

Answer field_missing(const char* name) {
  return invalid_argument_answer("The field '" + std::string(name) + "' is missing or of a wrong type.",
                                 {name});
}

Answer already_exists(const char* what, const std::string& name) {
  return Answer::error("ALREADY_EXISTS", {"com.vmware.cis.tagging.already_exists",
                                          std::string(what) + " '" + name + "' exists already.",
                                          {name}});
}

Answer created(std::string id) {
  Answer answer = Answer::of(std::move(id));
  answer.kind = Answer::Kind::created;
  return answer;
}

// Null: `refusal` holds the answer.
InventoryTag* find_tag(Call& call, const char* privilege, Answer& refusal) {
  auto& tags = call.world.tagging.tags;
  const auto found = tags.find(call.ids[0]);
  if (found == tags.end()) {
    refusal = not_found("Tag", "tag", call.ids[0]);
    return nullptr;
  }
  if (!holds(call.user(), privilege)) {
    refusal = tagging_denied(call, privilege);
    return nullptr;
  }
  return &found->second;
}

// The object that the body names, if the account may read it. Null: `refusal` holds the answer.
Entity* find_object(Call& call, Answer& refusal) {
  const Json object = member_of(call.body, "object_id");
  const std::string *type = text_of(object, "type"), *id = text_of(object, "id");
  Entity* found = id != nullptr ? call.world.model.find(*id) : nullptr;
  if (type == nullptr || found == nullptr || *type != type_name(found->kind)) {
    refusal = invalid_argument_answer("The field 'object_id' names no object.", {"object_id"});
    return nullptr;
  }
  if (!allowed(call.user(), *found, "System.Read")) {
    refusal = unauthorized(*found, "System.Read");
    return nullptr;
  }
  return found;
}

// Why the tag may not be attached; empty when it may.
std::string not_eligible(const Tagging& tagging, const InventoryTag& tag, const Entity& object) {
  const TagCategory& category = tagging.categories.at(tag.category);
  const auto& types = category.types;
  if (!types.empty() && std::find(types.begin(), types.end(), type_name(object.kind)) == types.end())
    return "The tag's category cannot be attached to this type of object.";
  for (const auto& [id, other] : tagging.tags) {
    if (!category.multiple && other.category == tag.category && id != tag.id &&
        other.objects.count(object.id) != 0)
      return "The object already has a tag of this category, which allows only one.";
  }
  return {};
}

template <class Map>
Answer list_ids(const Call& call, const Map& all) {
  Json out = Json::array();
  // Who may not read them is told of none.
  for (const auto& [id, item] : all) {
    if (reads_tags(call)) out.push_back(id);
  }
  return Answer::of(std::move(out));
}

}  // namespace

Answer category_list(Call& call) {
  return list_ids(call, call.world.tagging.categories);
}

Answer category_get(Call& call) {
  const auto& all = call.world.tagging.categories;
  const auto found = all.find(call.ids[0]);
  if (found == all.end()) return not_found("Category", "category", call.ids[0]);
  if (!reads_tags(call)) return tagging_denied(call, "System.Read");
  const TagCategory& category = found->second;
  return Answer::of({{"id", category.id},
                     {"name", category.name},
                     {"description", category.description},
                     {"cardinality", category.multiple ? "MULTIPLE" : "SINGLE"},
                     {"associable_types", category.types},
                     {"used_by", Json::array()}});
}

Answer category_create(Call& call) {
  if (!holds(call.user(), "InventoryService.Tagging.CreateCategory"))
    return tagging_denied(call, "InventoryService.Tagging.CreateCategory");
  const Json& spec = create_spec(call);
  const std::string *name = text_of(spec, "name"), *description = text_of(spec, "description"),
                    *cardinality = text_of(spec, "cardinality");
  if (name == nullptr || name->empty()) return field_missing("name");
  if (description == nullptr) return field_missing("description");
  if (cardinality == nullptr || (*cardinality != "SINGLE" && *cardinality != "MULTIPLE"))
    return field_missing("cardinality");
  std::vector<std::string> types;
  const Json wanted = member_of(spec, "associable_types");
  if (!wanted.is_array()) return field_missing("associable_types");
  for (const Json& type : wanted) {
    if (!type.is_string()) return field_missing("associable_types");
    types.push_back(type.get<std::string>());
  }
  Tagging& tagging = call.world.tagging;
  for (const auto& [id, category] : tagging.categories) {
    if (category.name == *name) return already_exists("The category", *name);
  }
  if (tagging.categories.size() + tagging.tags.size() >= kMostTags)
    return invalid_argument_answer("There are too many categories and tags.");
  return created(tagging
                     .add_category(*name, *description, *cardinality == "MULTIPLE", std::move(types),
                                   call.world.settings.seed)
                     .id);
}

Answer tag_list(Call& call) {
  return list_ids(call, call.world.tagging.tags);
}

Answer tag_get(Call& call) {
  Answer refusal;
  const InventoryTag* tag = find_tag(call, "System.Read", refusal);
  if (tag == nullptr) return refusal;
  return Answer::of({{"id", tag->id},
                     {"category_id", tag->category},
                     {"name", tag->name},
                     {"description", tag->description},
                     {"used_by", Json::array()}});
}

Answer tag_create(Call& call) {
  if (!holds(call.user(), "InventoryService.Tagging.CreateTag"))
    return tagging_denied(call, "InventoryService.Tagging.CreateTag");
  const Json& spec = create_spec(call);
  const std::string *name = text_of(spec, "name"), *description = text_of(spec, "description"),
                    *category = text_of(spec, "category_id");
  if (name == nullptr || name->empty()) return field_missing("name");
  if (description == nullptr) return field_missing("description");
  if (category == nullptr) return field_missing("category_id");
  Tagging& tagging = call.world.tagging;
  const auto home = tagging.categories.find(*category);
  if (home == tagging.categories.end()) return not_found("Category", "category", *category);
  for (const auto& [id, tag] : tagging.tags) {
    if (tag.category == *category && tag.name == *name) return already_exists("The tag", *name);
  }
  if (tagging.categories.size() + tagging.tags.size() >= kMostTags)
    return invalid_argument_answer("There are too many categories and tags.");
  return created(tagging.add_tag(home->second, *name, *description, call.world.settings.seed).id);
}

Answer tags_of_category(Call& call) {
  // /rest has the category in the path, /api in the body.
  const std::string* named = text_of(call.body, "category_id");
  if (call.dialect == Dialect::rest) named = &call.ids[0];
  if (named == nullptr) return field_missing("category_id");
  if (call.world.tagging.categories.count(*named) == 0) return not_found("Category", "category", *named);
  if (!reads_tags(call)) return tagging_denied(call, "System.Read");
  Json out = Json::array();
  for (const auto& [id, tag] : call.world.tagging.tags) {
    if (tag.category == *named) out.push_back(id);
  }
  return Answer::of(std::move(out));
}

Answer tag_attach(Call& call) {
  Answer refusal;
  InventoryTag* tag = find_tag(call, "InventoryService.Tagging.AttachTag", refusal);
  if (tag == nullptr) return refusal;
  const Entity* object = find_object(call, refusal);
  if (object == nullptr) return refusal;
  if (std::string why = not_eligible(call.world.tagging, *tag, *object); !why.empty())
    return invalid_argument_answer(std::move(why), {"object_id"});
  tag->objects.insert(object->id);
  return {};
}

Answer tag_detach(Call& call) {
  Answer refusal;
  InventoryTag* tag = find_tag(call, "InventoryService.Tagging.AttachTag", refusal);
  if (tag == nullptr) return refusal;
  const Entity* object = find_object(call, refusal);
  if (object == nullptr) return refusal;
  tag->objects.erase(object->id);
  return {};
}

Answer objects_of_tags(Call& call) {
  const Json ids = member_of(call.body, "tag_ids");
  if (!ids.is_array()) return field_missing("tag_ids");
  Json out = Json::array();
  for (const Json& id : ids) {
    if (!id.is_string()) return field_missing("tag_ids");
    const auto found = call.world.tagging.tags.find(id.get_ref<const std::string&>());
    if (found == call.world.tagging.tags.end() || !reads_tags(call)) continue;
    Json objects = Json::array();
    for (const std::string& moref : found->second.objects) {
      const Entity* object = call.world.model.find(moref);
      if (object != nullptr && allowed(call.user(), *object, "System.Read"))
        objects.push_back({{"id", moref}, {"type", type_name(object->kind)}});
    }
    out.push_back({{"tag_id", id}, {"object_ids", std::move(objects)}});
  }
  return Answer::of(std::move(out));
}

}  // namespace vmcp::simulator
