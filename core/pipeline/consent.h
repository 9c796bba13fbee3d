// Consent of the person at the client (Consent::elicit) or of a second person (Consent::approve), before and
// behind the wait for a slot.
#pragma once

#include "pipeline/walk.h"

namespace vmcp::pipeline {

// Step 9. Fine when this very call was approved; else notes it down, with a preview of live state, and
// refuses with what to do: Code::needs_confirm, or Code::denied when it was denied.
Result<void> need_approval(Services&, Walk&);
// Whether the host can ask the person at the client itself: a tool's call, of a client that shows forms.
bool may_ask_client(const Walk&);
// Step 9. Fine when the person has agreed to this very call, with its targets as they are now; else puts a
// form with a preview into the answer, which ends the walk, or refuses with Code::denied when the person did
// not agree.
Result<void> ask_client(Services&, Walk&);
// End of step 10: looks at the targets once more and takes the approval, which is then gone. What has changed
// since it was given has no approval.
Result<void> use_approval(Services&, Walk&);

// The key of the host's own question among those of a round.
inline constexpr const char* kConsentKey = "vmcp_consent";

// "approved", "denied by …", "waits as …" or that it would be asked. Changes nothing.
std::string state_of_approval(Services&, const Walk&);

}  // namespace vmcp::pipeline
