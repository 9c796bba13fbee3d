#pragma once

#include <cmath>

namespace vmcp::plugins {

// part of whole in percent, with one decimal; 0 of nothing is 0.
inline double percent(double part, double whole) {
  return whole > 0 ? std::round(part / whole * 1000) / 10 : 0;
}

}  // namespace vmcp::plugins
