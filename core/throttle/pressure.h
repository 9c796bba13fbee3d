// How many places a vCenter keeps while it says that it has too much to do: half of them at once, one back
// after some successes (as TCP does it), and none at all for as long as it asked for. Not synchronised.
#pragma once

#include "throttle/fair_queue.h"

namespace vmcp::throttle {

inline constexpr std::size_t kSuccessesPerPlace = 10;
// Many requests that were under way together are refused together: that is one cut.
inline constexpr milliseconds kBetweenCuts{1'000};
// One answer does not close a vCenter for longer.
inline constexpr milliseconds kLongestRest{60'000};

// True when its allowance became smaller or a rest began.
bool overloaded(Place& vcenter, milliseconds retry_after, SteadyTime now);
// True when it got a place back.
bool succeeded(Place& vcenter);
// True when its rest is over with this look.
bool end_rest(Place& vcenter, SteadyTime now);

}  // namespace vmcp::throttle
