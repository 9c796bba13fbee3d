// What would become of a call, said by the steps themselves: they are run up to the point where something
// would happen, and each says its verdict. Nothing is changed, charged, noted down or consumed.
#pragma once

#include <string>

#include "base/json.h"
#include "base/principal.h"
#include "pipeline/services.h"

namespace vmcp::pipeline {

struct Question {
  Principal who;
  std::string tool;
  Json arguments = Json::object();
};

// {"would":"run"|"be refused"|"need consent", "policy":VERSION, "caller":{…},
//  "steps":[{"step","verdict","rule"?,"why"?}], "rules":[{"rule","origin","effect","verdict","why"}],
//  "targets":[…], "consent":{…}}. Reads vCenter to resolve names, so it may block. [any thread]
Json explain(Services& services, const Question& question);

}  // namespace vmcp::pipeline
