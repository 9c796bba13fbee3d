#include "pipeline/steps.h"

namespace vmcp::pipeline {
namespace {

constexpr Step kSteps[] = {
    {0, "transport", nullptr,
     "http/: bytes, time and connection caps cost nothing and protect all the rest; Origin and Host before "
     "anything "
     "that a browser page could use"},
    {1, "context", nullptr,
     "Pipeline::open: the id, the clock and the cancel flag exist before any verdict, so that 401, 403 and "
     "429 are "
     "recorded too"},
    {2, "address", nullptr,
     "Pipeline::admit: before authentication, so that guessing tokens is slow; by address, because a new "
     "random "
     "token must not be a new bucket"},
    {3, "authenticate", nullptr,
     "Pipeline::admit: everything after it knows who calls; nothing of the body is read yet"},
    {4, "parse", nullptr,
     "mcp/: one message, guarded; only after authentication, so that strangers cost little"},
    {5, "throttle", throttle_call,
     "before authorisation: a caller that probes what it may do pays for each try"},
    {6, "authorise", authorise_tool,
     "before the arguments are looked at: a refused caller learns nothing about objects; the same function "
     "filters "
     "tools/list"},
    {7, "resolve", validate_and_resolve,
     "before the arguments are judged: rules must see the object that will be acted on, not the name that "
     "was used"},
    {8, "authorise_targets", authorise_targets, "on resolved objects; one denial refuses all"},
    {9, "confirm", confirm, "after authorisation: nobody is asked to agree to what is refused anyway"},
    {10, "slot", take_slot,
     "before INTENT: a call that waits in a queue and gives up leaves no orphan behind"},
    {11, "intent", write_intent,
     "last before the plugin: on disk before the first changing request can leave; cannot be written = "
     "refused"},
    {12, "execute", execute, "the plugin, through host services only"},
    {13, "sanitise", sanitise, "before anything leaves: size, output schema, masking"},
    {14, "outcome", write_outcome, "written whatever the client does; then the answer leaves"},
};

}  // namespace

std::span<const Step> steps() {
  return kSteps;
}

}  // namespace vmcp::pipeline
