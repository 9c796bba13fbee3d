// Consent of a second person (Consent::approve), before and behind the wait for a slot.
#pragma once

#include "pipeline/walk.h"

namespace vmcp::pipeline {

// Step 9. Fine when this very call was approved; else notes it down, with a preview of live state, and
// refuses with what to do: Code::needs_confirm, or Code::denied when it was denied.
Result<void> need_approval(Services&, Walk&);
// End of step 10: looks at the targets once more and takes the approval, which is then gone. What has changed
// since it was given has no approval.
Result<void> use_approval(Services&, Walk&);

// "approved", "denied by …", "waits as …" or that it would be asked. Changes nothing.
std::string state_of_approval(Services&, const Walk&);

}  // namespace vmcp::pipeline
