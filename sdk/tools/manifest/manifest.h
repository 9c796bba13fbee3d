// What a library declares, as the text of its manifest.
#pragma once

#include <string>

#include "library.h"

namespace vmcp::manifest_tool {

// JSON, indented, always the same bytes for the same library. Throws std::runtime_error with words for the
// plugin's author when a declaration is not fit to be one.
std::string manifest_of(const Library& library);

}  // namespace vmcp::manifest_tool
