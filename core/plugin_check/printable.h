// Text of somebody else's file, fit for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace vmcp::plugin_check {

// Control characters become '?': a name could otherwise move the cursor or rewrite lines above it.
inline std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return out;
}

}  // namespace vmcp::plugin_check
