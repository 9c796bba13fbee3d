// The property collector: which objects a set of filters selects, and the pages in which they are answered.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "simulator/vim.h"
#include "simulator/vim_nodes.h"

namespace vmcp::simulator {

// One property asked for, resolved for one kind of object.
struct WantedProperty {
  std::string name;
  Path path;
};

// What a filter wants of each kind; a kind that is absent is not reported.
class PropertyPlan {
 public:
  // `prop_set`: PropertySpec[]. A fault when a type or a path does not exist.
  std::optional<Failure> compile(const Json& prop_set);
  const std::vector<WantedProperty>* wanted(Kind kind) const;

 private:
  std::optional<Failure> compile_one(const Json& spec);
  std::map<Kind, std::vector<WantedProperty>> by_kind_;
};

// Appends what the filters' object sets select to `out`, each object once per filter.
std::optional<Failure> select_objects(VimCall& call, const Json& specs,
                                      const std::vector<PropertyPlan>& plans,
                                      std::vector<std::pair<std::string, std::size_t>>& out);

}  // namespace vmcp::simulator
