// The configuration as people read it: the errors, the effective values, the reference page.
#pragma once

#include <string>

#include "config/load.h"

namespace vmcp::config {

// "site.toml:3:8: what\n    fix: …\n" for every problem.
std::string problems_text(const Problems& problems);

// Every setting with its value in TOML syntax and, as a comment, where it came from. Secrets are masked.
std::string effective_text(const Loaded& loaded);

// The reference page in Markdown, made from table().
std::string reference_markdown();

// Pieces of the effective print.
std::string toml_text(const Row& row, const Value& value);
std::string tree_text(const Row& row, const Settings& settings);

}  // namespace vmcp::config
