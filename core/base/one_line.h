// Text of others among our own words for people: on a terminal, or in a form that asks for consent.
#pragma once

#include <string>
#include <string_view>

namespace vmcp {

// With '?' for control characters, also those of two bytes (U+0080 to U+009F), and for the ones that turn
// text around: what a caller sent, or somebody named a VM, must neither steer the terminal nor look like a
// line of ours.
std::string one_line(std::string_view text);

}  // namespace vmcp
