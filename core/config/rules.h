// [[policy.rule]]: what a call must be like, read into plain values.
#pragma once

#include <vector>

#include "config/node.h"
#include "config/settings.h"

namespace vmcp::config {

// Adds to `out`; a problem for each rule that is not right. Whether its roles exist, its patterns and its
// zone can be used is policy's to say.
void read_rules(const Node& node, std::vector<Rule>& out, Problems& problems);

}  // namespace vmcp::config
