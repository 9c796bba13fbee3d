// Globs of roles and filters: '*' any run, '?' one character of UTF-8, everything else literal. Linear time.
#pragma once

#include <string_view>

namespace vmcp {

bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace vmcp
