#include "pipeline/sight.h"

namespace vmcp::pipeline {

Result<inventory::Visible> sight(policy::PolicyPtr policy, const Principal& principal, WallTime now,
                                 inventory::Inventory& inventory, vcenter::Connection& vcenter,
                                 const CallLimits& limits) {
  std::shared_ptr<const inventory::FactTable> facts;
  if (const auto wanted = policy->facts_to_see(principal); !wanted.none()) {
    auto read = inventory.all_facts(vcenter, wanted, limits);
    if (!read) {
      Error error = read.error();
      error.text = "The policy must know more of the objects than could be read: " + error.text;
      error.rule = "facts of objects";
      return error;
    }
    facts = std::move(*read);
  }
  auto view = std::make_shared<const policy::Policy::View>(policy->view(principal, now));
  if (facts)
    if (const auto tag = view->hides_by(facts->absent_tags(), vcenter.name())) {
      Error error = make_error(
          Code::unavailable,
          "The policy hides objects by the tag '" + *tag +
              "', which this vCenter does not list to this server: "
              "nothing can be shown until it does, or until the operator's rule names other vCenters.");
      error.rule = "facts of objects";
      return error;
    }
  return inventory::Visible([policy = std::move(policy), view = std::move(view),
                             facts = std::move(facts)](const inventory::Object& object) {
    if (!facts) return view->sees({&object, nullptr});
    const inventory::Facts known = facts->of(object);
    return view->sees({&object, &known});
  });
}

}  // namespace vmcp::pipeline
