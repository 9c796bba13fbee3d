// The keywords whose meaning both engines must share to the letter, because one of them is wrong about them.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

namespace vmcp::tools {

// Code points, as JSON Schema counts a string's length. The text is valid UTF-8 (the parser saw to it).
inline std::size_t code_points(std::string_view text) {
  std::size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

// 1.0 is an integer: some clients' number type writes integers like that.
inline bool integral(double v) {
  return std::isfinite(v) && std::trunc(v) == v;
}

inline bool multiple_of(double v, double divisor) {
  const double ratio = v / divisor;
  if (!std::isfinite(ratio)) return false;
  if (integral(v) && integral(divisor)) return std::fmod(v, divisor) == 0;
  return std::fabs(ratio - std::round(ratio)) <= 1e-9 * std::fmax(1.0, std::fabs(ratio));
}

}  // namespace vmcp::tools
