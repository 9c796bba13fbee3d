// Who runs next: places of tools and vCenters, and the waiters for them. Knows no threads and no clock, so
// that its fairness can be proved by counting; Slots puts a mutex around it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/result.h"

namespace vmcp::throttle {

// One tool or one vCenter. Lives while somebody runs or waits in it, and idle until the table needs room.
struct Place {
  std::string name;
  std::size_t limit = 0;
  std::size_t running = 0;
  std::size_t waiting = 0;

  // Of a vCenter that said that it has too much to do (pressure.h).
  std::size_t lost = 0;       // of `limit`; at least one is left
  std::size_t successes = 0;  // since the last change of `lost`
  SteadyTime cut_again{};     // another cut only from here on
  SteadyTime rest_until{};    // nobody begins before; not set: it does not rest

  std::size_t allowed() const { return lost < limit ? limit - lost : 1; }
  bool resting() const { return rest_until != SteadyTime(); }
  bool free() const { return running < allowed() && !resting(); }
  bool idle() const { return running == 0 && waiting == 0; }
};

enum class Fate { waiting, granted, displaced };

struct Waiter {
  Place* tool;
  Place* vcenter;  // null: none needed
  std::string identity;
  Fate fate = Fate::waiting;
  std::condition_variable wake = {};  // notified when `fate` changes

  bool wants(const Place* place) const { return tool == place || vcenter == place; }
};

// Round-robin over identities, each in order of arrival; who cannot run yet is passed over. Not synchronised.
class FairQueue {
 public:
  // `queue_per_place`: waiters for one place; beyond it make_room() refuses.
  explicit FairQueue(std::size_t queue_per_place) : queue_per_place_(queue_per_place) {}

  // A place never moves; it lives at least as long as somebody runs or waits in it.
  Place* tool(std::string_view name, std::size_t limit) { return place(tools_, name, limit); }
  Place* vcenter(std::string_view name, std::size_t limit) { return place(vcenters_, name, limit); }

  static bool can_run(const Place* tool, const Place* vcenter) {
    return tool->free() && (!vcenter || vcenter->free());
  }
  static void occupy(Place* tool, Place* vcenter);
  void release(Place* tool, Place* vcenter);  // and serves

  // False: the queue of one of them is full; `full` is that place.
  bool make_room(const Waiter& newcomer, const Place** full);
  void enqueue(Waiter& waiter);
  void dequeue(Waiter& waiter);  // gives up
  // Gives free places to waiters, one per identity and round.
  void serve();
  std::size_t waiting() const;

 private:
  using Places = std::unordered_map<std::string, Place>;  // node-based: a Place never moves
  static Place* place(Places& table, std::string_view name, std::size_t limit);
  bool displace_for(std::string_view identity, const Place* place);
  void settle(Waiter& waiter, Fate fate);

  const std::size_t queue_per_place_;
  Places tools_, vcenters_;
  // Waiters by identity, each in order of arrival. `turn_` is the identity that was served last.
  std::map<std::string, std::list<Waiter*>, std::less<>> queues_;
  std::string turn_;
};

}  // namespace vmcp::throttle
