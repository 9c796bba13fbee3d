#include "simulator/tagging.h"

#include <array>

#include "simulator/inventory_seed.h"
#include "simulator/seed_names.h"

namespace vmcp::simulator {
namespace {

constexpr std::uint64_t kTagSalt = 0x7461'6773;  // apart from what the inventory draws from the seed

std::string tagging_id(const char* what, std::uint64_t seed, std::uint64_t number) {
  const std::uint64_t first = mix(seed ^ kTagSalt) + number * 2;
  return std::string("urn:vmomi:InventoryService") + what + ":" + seed_uuid(mix(first), mix(first + 1)) +
         ":GLOBAL";
}

struct FolderTag {
  const char* folder;
  const char* tag;
  const char* description;
};
constexpr std::array kFolderTags = {
    FolderTag{"Production", "prod", "Serves customers; changes need a window"},
    FolderTag{"Staging", "test", "The last stop before production"},
    FolderTag{"Development", "dev", "May be broken at any time"},
};

bool stands_below(const Entity& entity, std::string_view folder) {
  for (const Entity* at = entity.parent; at != nullptr; at = at->parent) {
    if (at->kind == Kind::folder && at->name == folder) return true;
  }
  return false;
}

}  // namespace

TagCategory& Tagging::add_category(std::string name, std::string description, bool multiple,
                                   std::vector<std::string> types, std::uint64_t seed) {
  const std::string id = tagging_id("Category", seed, made++);
  return categories[id] = {id, std::move(name), std::move(description), multiple, std::move(types)};
}

InventoryTag& Tagging::add_tag(const TagCategory& category, std::string name, std::string description,
                               std::uint64_t seed) {
  const std::string id = tagging_id("Tag", seed, made++);
  return tags[id] = {id, std::move(name), std::move(description), category.id, {}};
}

void seed_tags(Tagging& tagging, const Model& model, std::uint64_t seed) {
  const TagCategory& env = tagging.add_category(
      "env", "What a machine is for", false, {"VirtualMachine", "HostSystem", "Datastore", "Folder"}, seed);
  for (const FolderTag& row : kFolderTags) {
    InventoryTag& tag = tagging.add_tag(env, row.tag, row.description, seed);
    for (const Vm* vm : model.vms()) {
      if (!vm->is_template && stands_below(*vm, row.folder)) tag.objects.insert(vm->id);
    }
  }
}

}  // namespace vmcp::simulator
