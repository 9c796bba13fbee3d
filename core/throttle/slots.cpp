// Step 10. One mutex for all places: it is held for a few map look-ups, and a call that needs a place is
// about to wait for a vCenter anyway.
#include <algorithm>
#include <condition_variable>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "throttle/limiter.h"

namespace vmcp::throttle {
namespace {

constexpr milliseconds kCancelPoll{50};  // CancelFlag has no notification
constexpr std::int64_t kBusyRetryMs = 1000;
constexpr std::size_t kMaxIdlePlaces = 1024;

// One tool or one vCenter. Lives while somebody runs or waits in it, and idle until the table needs room.
struct Place {
  std::string name;
  std::size_t limit = 0;
  std::size_t running = 0;
  std::size_t waiting = 0;

  bool free() const { return running < limit; }
  bool idle() const { return running == 0 && waiting == 0; }
};

enum class Fate { waiting, granted, displaced };

struct Waiter {
  Place* tool;
  Place* vcenter;  // null: none needed
  std::string identity;
  Fate verdict = Fate::waiting;
  std::condition_variable wake;

  bool wants(const Place* place) const { return tool == place || vcenter == place; }
};

Error busy(const std::string& what) {
  Error error = make_error(Code::throttled, "busy: " + what + "; wait a second, then repeat");
  error.retry_after_ms = kBusyRetryMs;
  error.rule = "concurrency";
  return error;
}

std::string running_text(const Place& place, bool is_tool) {
  const std::string n = std::to_string(place.running);
  return is_tool ? n + " calls of this tool are running" : n + " calls to this vCenter are running";
}

}  // namespace

struct Slots::Impl {
  explicit Impl(Settings s) : settings(s) {}

  const Settings settings;
  std::mutex mutex;
  std::unordered_map<std::string, Place> tools, vcenters;  // node-based: a Place never moves
  // Waiters by identity, each in order of arrival. `turn` is the identity that was served last.
  std::map<std::string, std::list<Waiter*>, std::less<>> queues;
  std::string turn;

  Place* place(std::unordered_map<std::string, Place>& table, std::string_view name, std::size_t limit) {
    if (table.size() > kMaxIdlePlaces)
      std::erase_if(table, [](const auto& item) { return item.second.idle(); });
    Place& found = table[std::string(name)];
    found.name = name;
    found.limit = std::max<std::size_t>(1, limit);
    return &found;
  }
  Place* tool_place(std::string_view tool, std::size_t limit) {
    return place(tools, tool, limit == 0 ? settings.tool_parallel : limit);
  }
  Place* vcenter_place(std::string_view vcenter) {
    return vcenter.empty() ? nullptr : place(vcenters, vcenter, settings.vcenter_parallel);
  }

  static bool can_run(const Place* tool, const Place* vcenter) {
    return tool->free() && (!vcenter || vcenter->free());
  }
  static void occupy(Place* tool, Place* vcenter) {
    ++tool->running;
    if (vcenter) ++vcenter->running;
  }

  void enqueue(Waiter& waiter) {
    queues[waiter.identity].push_back(&waiter);
    ++waiter.tool->waiting;
    if (waiter.vcenter) ++waiter.vcenter->waiting;
  }

  void dequeue(Waiter& waiter) {
    const auto queue = queues.find(waiter.identity);
    queue->second.remove(&waiter);
    if (queue->second.empty()) queues.erase(queue);
    --waiter.tool->waiting;
    if (waiter.vcenter) --waiter.vcenter->waiting;
  }

  void settle(Waiter& waiter, Fate verdict) {
    dequeue(waiter);
    waiter.verdict = verdict;
    waiter.wake.notify_one();
  }

  // The first waiter of this identity whose places are free. Others are passed over: who waits for a vCenter
  // that hangs must not hold up calls to another one.
  static Waiter* first_that_can_run(const std::list<Waiter*>& queue) {
    for (Waiter* waiter : queue)
      if (can_run(waiter->tool, waiter->vcenter)) return waiter;
    return nullptr;
  }

  // Gives free places to waiters, one per identity and round.
  void serve() {
    bool served = true;
    while (served) {
      served = false;
      auto it = queues.upper_bound(turn);
      for (std::size_t i = 0, n = queues.size(); i < n; ++i, ++it) {
        if (it == queues.end()) it = queues.begin();
        Waiter* waiter = first_that_can_run(it->second);
        if (!waiter) continue;
        turn = it->first;
        occupy(waiter->tool, waiter->vcenter);
        settle(*waiter, Fate::granted);  // may erase `it`: start over behind `turn`
        served = true;
        break;
      }
    }
  }

  // Makes room in a full queue by sending away the newest waiter of the identity that has the most there, if
  // the newcomer's identity has at least two fewer: one greedy identity cannot keep the others out of the
  // queue.
  bool displace_for(std::string_view identity, const Place* place) {
    const std::list<Waiter*>* longest = nullptr;
    std::size_t most = 0, own = 0;
    for (const auto& [name, queue] : queues) {
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

  Result<void> make_room(std::string_view identity, const Place* place, bool is_tool) {
    if (!place || place->waiting < settings.queue_per_slot || displace_for(identity, place)) return {};
    return busy(running_text(*place, is_tool) + " and " + std::to_string(place->waiting) + " wait");
  }

  void release(Place* tool, Place* vcenter) {
    const std::scoped_lock lock(mutex);
    --tool->running;
    if (vcenter) --vcenter->running;
    serve();
  }
};

struct Slots::Permit::State {
  State(std::shared_ptr<Slots::Impl> owner, Place* t, Place* v)
      : impl(std::move(owner)), tool(t), vcenter(v) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { impl->release(tool, vcenter); }

  std::shared_ptr<Slots::Impl> impl;  // a permit may outlive the Slots
  Place* tool;
  Place* vcenter;
};

Slots::Permit::Permit(Permit&&) noexcept = default;
Slots::Permit& Slots::Permit::operator=(Permit&&) noexcept = default;
Slots::Permit::~Permit() = default;

Slots::Slots(Settings settings) : impl_(std::make_shared<Impl>(settings)) {}
Slots::~Slots() = default;

Result<Slots::Permit> Slots::acquire(std::string_view identity, std::string_view tool, std::size_t tool_limit,
                                     std::string_view vcenter, const CallLimits& limits) {
  Impl& impl = *impl_;
  std::unique_lock lock(impl.mutex);
  Waiter waiter{
      impl.tool_place(tool, tool_limit), impl.vcenter_place(vcenter), std::string(identity), {}, {}};
  const auto granted = [&]() -> Permit {
    Permit permit;
    permit.state_ = std::make_shared<Permit::State>(impl_, waiter.tool, waiter.vcenter);
    return permit;
  };
  const auto what_is_full = [&] {
    return waiter.tool->free() && waiter.vcenter ? running_text(*waiter.vcenter, false)
                                                 : running_text(*waiter.tool, true);
  };

  if (limits.cancel.cancelled())
    return make_error(Code::cancelled, "the caller went away before the call ran");
  // Whoever waits cannot run at this moment, or serve() would have let him: a newcomer overtakes nobody.
  if (impl.can_run(waiter.tool, waiter.vcenter)) {
    impl.occupy(waiter.tool, waiter.vcenter);
    return granted();
  }
  if (SteadyTime::clock::now() >= limits.deadline) return busy(what_is_full());
  if (auto room = impl.make_room(identity, waiter.tool, true); !room) return room.error();
  if (auto room = impl.make_room(identity, waiter.vcenter, false); !room) return room.error();
  impl.enqueue(waiter);
  while (waiter.verdict == Fate::waiting) {
    const SteadyTime now = SteadyTime::clock::now();
    if (limits.cancel.cancelled() || now >= limits.deadline) break;
    waiter.wake.wait_until(lock, std::min(limits.deadline, now + kCancelPoll));
  }
  if (waiter.verdict == Fate::granted) return granted();
  if (waiter.verdict == Fate::displaced)  // its places may be gone by now
    return busy("the queue for this tool or vCenter is full and most of it is yours");
  impl.dequeue(waiter);
  if (limits.cancel.cancelled())
    return make_error(Code::cancelled, "the caller went away before the call ran");
  return busy(what_is_full() + " and no place became free in time");
}

Result<Slots::Permit> Slots::try_acquire(std::string_view tool, std::size_t tool_limit,
                                         std::string_view vcenter) {
  const std::scoped_lock lock(impl_->mutex);
  Place* const tool_place = impl_->tool_place(tool, tool_limit);
  Place* const vcenter_place = impl_->vcenter_place(vcenter);
  if (!impl_->can_run(tool_place, vcenter_place))
    return busy(tool_place->free() ? running_text(*vcenter_place, false) : running_text(*tool_place, true));
  impl_->occupy(tool_place, vcenter_place);
  Permit permit;
  permit.state_ = std::make_shared<Permit::State>(impl_, tool_place, vcenter_place);
  return permit;
}

std::size_t Slots::waiting() const {
  const std::scoped_lock lock(impl_->mutex);
  std::size_t sum = 0;
  for (const auto& [identity, queue] : impl_->queues) sum += queue.size();
  return sum;
}

}  // namespace vmcp::throttle
