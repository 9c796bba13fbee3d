// The list of steps. steps.cpp is the one place to read what happens to a call, and why in this order.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "pipeline/walk.h"

namespace vmcp::pipeline {

struct Step {
  int position;
  std::string_view name;  // as in the audit's "step"
  // Null: the step is taken elsewhere (see `why`), and stands here so that the list is whole.
  Result<void> (*run)(Services&, Walk&);
  // What a call does here that goes on after it was parked (parking.h).
  Result<void> (*again)(Services&, Walk&);
  std::string_view why;
};

std::span<const Step> steps();

// How the rules of a role name what is asked for: a tool by its name, others as "resource/<URI>",
// "prompt/<name>".
std::string policy_name(Feature feature, std::string_view name);

// The steps' functions, one file each family.
Result<void> throttle_call(Services&, Walk&);         // step_admission.cpp
Result<void> throttle_targets(Services&, Walk&);      // step_admission.cpp
Result<void> authorise_tool(Services&, Walk&);        // step_admission.cpp
Result<void> validate_and_resolve(Services&, Walk&);  // step_arguments.cpp
Result<void> authorise_targets(Services&, Walk&);     // step_targets.cpp; only judges, as explain does
Result<void> admit_targets(Services&, Walk&);         // step_targets.cpp; judges, then charges
Result<void> confirm(Services&, Walk&);               // step_consent.cpp
Result<void> take_slot(Services&, Walk&);             // step_consent.cpp
Result<void> write_intent(Services&, Walk&);          // step_record.cpp
Result<void> execute(Services&, Walk&);               // step_execute.cpp
Result<void> sanitise(Services&, Walk&);              // step_sanitise.cpp
Result<void> write_outcome(Services&, Walk&);         // step_record.cpp

// Sets walk.invocation.visible: what this caller sees of walk.connection's inventory.
Result<void> look(Services&, Walk&);  // step_targets.cpp
// Step 8's verdict on a walk that was resolved; `notes` for explain.
Result<policy::Judgement> judge_walk(Services&, const Walk&, policy::Notes* notes);  // step_targets.cpp

}  // namespace vmcp::pipeline
