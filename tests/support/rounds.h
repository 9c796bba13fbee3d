// How long randomised and racing tests go on.
#pragma once

#include <algorithm>
#include <cstdlib>

namespace vmcp::testing {

// `normal`, times VMCP_TEST_ROUNDS (1 to 1000) where that is set: packaging/test --long sets it. The random
// numbers of the first `normal` rounds stay the same.
inline int rounds(int normal) {
  const char* times = std::getenv("VMCP_TEST_ROUNDS");
  return normal * (times == nullptr ? 1 : std::clamp(std::atoi(times), 1, 1000));
}

}  // namespace vmcp::testing
