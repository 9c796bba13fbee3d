#include "throttle/fair_queue.h"

#include <algorithm>

namespace vmcp::throttle {
namespace {

constexpr std::size_t kMaxIdlePlaces = 1024;

// The first waiter of this identity whose places are free. Others are passed over: who waits for a vCenter
// that hangs must not hold up calls to another one.
Waiter* first_that_can_run(const std::list<Waiter*>& queue) {
  for (Waiter* waiter : queue)
    if (FairQueue::can_run(waiter->tool, waiter->vcenter)) return waiter;
  return nullptr;
}

}  // namespace

Place* FairQueue::place(Places& table, std::string_view name, std::size_t limit) {
  if (table.size() > kMaxIdlePlaces)
    std::erase_if(table, [](const auto& item) { return item.second.idle() && item.second.lost == 0; });
  Place& found = table[std::string(name)];
  found.name = name;
  found.limit = std::max<std::size_t>(1, limit);
  return &found;
}

void FairQueue::occupy(Place* tool, Place* vcenter) {
  ++tool->running;
  if (vcenter) ++vcenter->running;
}

void FairQueue::release(Place* tool, Place* vcenter) {
  --tool->running;
  if (vcenter) --vcenter->running;
  serve();
}

void FairQueue::enqueue(Waiter& waiter) {
  queues_[waiter.identity].push_back(&waiter);
  ++waiter.tool->waiting;
  if (waiter.vcenter) ++waiter.vcenter->waiting;
}

void FairQueue::dequeue(Waiter& waiter) {
  const auto queue = queues_.find(waiter.identity);
  queue->second.remove(&waiter);
  if (queue->second.empty()) queues_.erase(queue);
  --waiter.tool->waiting;
  if (waiter.vcenter) --waiter.vcenter->waiting;
}

void FairQueue::settle(Waiter& waiter, Fate fate) {
  dequeue(waiter);
  waiter.fate = fate;
  waiter.wake.notify_one();
}

void FairQueue::serve() {
  bool served = true;
  while (served) {
    served = false;
    auto it = queues_.upper_bound(turn_);
    for (std::size_t i = 0, n = queues_.size(); i < n; ++i, ++it) {
      if (it == queues_.end()) it = queues_.begin();
      Waiter* waiter = first_that_can_run(it->second);
      if (!waiter) continue;
      turn_ = it->first;
      occupy(waiter->tool, waiter->vcenter);
      settle(*waiter, Fate::granted);  // may erase `it`: start over behind `turn_`
      served = true;
      break;
    }
  }
}

// Makes room in a full queue by sending away the newest waiter of the identity that has the most there, if
// the newcomer's identity has at least two fewer: one greedy identity cannot keep the others out of the
// queue.
bool FairQueue::displace_for(std::string_view identity, const Place* place) {
  const std::list<Waiter*>* longest = nullptr;
  std::size_t most = 0, own = 0;
  for (const auto& [name, queue] : queues_) {
    const auto n = static_cast<std::size_t>(
        std::count_if(queue.begin(), queue.end(), [&](const Waiter* w) { return w->wants(place); }));
    if (name == identity) own = n;
    if (n > most) {
      most = n;
      longest = &queue;
    }
  }
  if (!longest || most < own + 2) return false;
  const auto newest =
      std::find_if(longest->rbegin(), longest->rend(), [&](const Waiter* w) { return w->wants(place); });
  settle(**newest, Fate::displaced);
  return true;
}

bool FairQueue::make_room(const Waiter& newcomer, const Place** full) {
  for (const Place* place : {newcomer.tool, newcomer.vcenter}) {
    if (!place || place->waiting < queue_per_place_ || displace_for(newcomer.identity, place)) continue;
    *full = place;
    return false;
  }
  return true;
}

std::size_t FairQueue::waiting() const {
  std::size_t sum = 0;
  for (const auto& [identity, queue] : queues_) sum += queue.size();
  return sum;
}

}  // namespace vmcp::throttle
