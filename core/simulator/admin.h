// The admin path /simulator/…: the true state, what was received, and orders to misbehave. JSON, never
// recorded.
#pragma once

#include "simulator/virtual_clock.h"
#include "simulator/world.h"

namespace vmcp::simulator {

bool is_admin_path(const Request& request);
// `clock` is the one that POST /simulator/clock pushes; the caller holds the mutex and wakes the waiting.
Reply handle_admin(World& world, VirtualClock& clock, const Request& request);
// {"task":glob,"count":n,"fault":type,"message":text} or a FaultRule; the same JSON in Settings::faults.
Result<void> add_fault(World& world, const Json& json);

}  // namespace vmcp::simulator
