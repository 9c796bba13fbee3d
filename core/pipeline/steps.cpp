#include "pipeline/steps.h"

#include "pipeline/parking.h"

namespace vmcp::pipeline {
namespace {

constexpr Step kSteps[] = {
    {0, "transport", nullptr, nullptr,
     "http/: bytes, time and connection caps cost nothing and protect all the rest; Origin and Host before "
     "anything "
     "that a browser page could use"},
    {1, "context", nullptr, nullptr,
     "Pipeline::open: the id, the clock and the cancel flag exist before any verdict, so that 401, 403 and "
     "429 are "
     "recorded too"},
    {2, "address", nullptr, nullptr,
     "Pipeline::admit: before authentication, so that guessing tokens is slow; by address, because a new "
     "random "
     "token must not be a new bucket"},
    {3, "authenticate", nullptr, nullptr,
     "Pipeline::admit: everything after it knows who calls; nothing of the body is read yet"},
    {4, "parse", nullptr, unpark,
     "mcp/: one message, guarded; only after authentication, so that strangers cost little"},
    {5, "throttle", throttle_call, nullptr,
     "before authorisation: a caller that probes what it may do pays for each try"},
    {6, "authorise", authorise_tool, authorise_again,
     "before the arguments are looked at: a refused caller learns nothing about objects; the same function "
     "filters "
     "tools/list"},
    {7, "resolve", validate_and_resolve, nullptr,
     "before the arguments are judged: rules must see the object that will be acted on, not the name that "
     "was used"},
    {8, "authorise_targets", admit_targets, nullptr,
     "on resolved objects; one denial refuses all; then the buckets of the objects and of the vCenter, which "
     "only now are known"},
    {9, "confirm", confirm, nullptr,
     "after authorisation: nobody is asked to agree to what is refused anyway"},
    {10, "slot", take_slot, nullptr,
     "before INTENT: a call that waits in a queue and gives up leaves no orphan behind"},
    {11, "intent", write_intent, nullptr,
     "last before the plugin: on disk before the first changing request can leave; cannot be written = "
     "refused"},
    {12, "execute", execute, execute, "the plugin, through host services only"},
    {13, "sanitise", sanitise, sanitise, "before anything leaves: size, output schema, masking"},
    {14, "outcome", write_outcome, write_outcome, "written whatever the client does; then the answer leaves"},
};

}  // namespace

std::span<const Step> steps() {
  return kSteps;
}

}  // namespace vmcp::pipeline
