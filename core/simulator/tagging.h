// Tags: categories, their tags, and what each is attached to. Guarded by VCenter's mutex.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "simulator/model.h"

namespace vmcp::simulator {

struct TagCategory {
  std::string id;  // "urn:vmomi:InventoryServiceCategory:…:GLOBAL"
  std::string name, description;
  bool multiple = false;           // an object may have several of its tags
  std::vector<std::string> types;  // vim25 types that may have them; empty = all
};

struct InventoryTag {
  std::string id;  // "urn:vmomi:InventoryServiceTag:…:GLOBAL"
  std::string name, description;
  std::string category;                        // its id
  std::set<std::string, std::less<>> objects;  // MoRefs; may name what was deleted since
};

struct Tagging {
  std::map<std::string, TagCategory, std::less<>> categories;  // by id
  std::map<std::string, InventoryTag, std::less<>> tags;       // by id
  std::uint64_t made = 0;  // ids are counted, so that a seed means the same

  TagCategory& add_category(std::string name, std::string description, bool multiple,
                            std::vector<std::string> types, std::uint64_t seed);
  InventoryTag& add_tag(const TagCategory& category, std::string name, std::string description,
                        std::uint64_t seed);
};

// Category "env" with "prod", "test" and "dev" on the VMs of the folders Production, Staging and Development;
// templates have none.
void seed_tags(Tagging& tagging, const Model& model, std::uint64_t seed);

}  // namespace vmcp::simulator
