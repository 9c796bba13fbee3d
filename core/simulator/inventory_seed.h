// Makes the inventory: deterministic by seed (names, ids, sizes, power, snapshots); only the boot times and
// creation times are counted back from `now`.
#pragma once

#include "simulator/model.h"

namespace vmcp::simulator {

struct SeedPlan {
  std::size_t vms = 120;
  std::uint64_t seed = 1;
  Millis now = 0;
};

void seed_inventory(Model& model, const SeedPlan& plan);

// One round of splitmix64: the only randomness of the simulator, so that a seed means the same everywhere.
std::uint64_t mix(std::uint64_t x);

}  // namespace vmcp::simulator
