// Step 10. One mutex for all places: it is held for a few map look-ups, and a call that needs a place is
// about to wait for a vCenter anyway.
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>

#include "throttle/limiter.h"
#include "throttle/pressure.h"

namespace vmcp::throttle {
namespace {

constexpr milliseconds kCancelPoll{50};  // CancelFlag has no notification
constexpr std::int64_t kBusyRetryMs = 1000;

Error busy(const std::string& what) {
  Error error = make_error(Code::throttled, "busy: " + what + "; wait a second, then repeat");
  error.retry_after_ms = kBusyRetryMs;
  error.rule = "concurrency";
  return error;
}

Error rests(const Place& vcenter, SteadyTime now) {
  const auto left =
      std::max<std::int64_t>(1, std::chrono::ceil<milliseconds>(vcenter.rest_until - now).count());
  Error error = make_error(Code::throttled, "busy: vCenter '" + vcenter.name +
                                                "' has too much to do and asked to be left alone; wait " +
                                                std::to_string((left + 999) / 1000) + " s, then repeat");
  error.retry_after_ms = left;
  error.rule = "vcenter overload";
  return error;
}

std::string running_text(const Place& place, bool is_tool) {
  const std::string n = std::to_string(place.running);
  return is_tool ? n + " calls of this tool are running" : n + " calls to this vCenter are running";
}

}  // namespace

struct Slots::Impl {
  Impl(const Settings& s, const Clock* c) : settings(s), queue(s.queue_per_slot), clock(c ? c : &own_clock) {}

  const Settings settings;
  std::mutex mutex;
  FairQueue queue;
  const SystemClock own_clock;
  const Clock* const clock;

  Waiter waiter(std::string_view identity, std::string_view tool, std::size_t limit,
                std::string_view vcenter) {
    return {queue.tool(tool, limit == 0 ? settings.tool_parallel : limit),
            vcenter.empty() ? nullptr : queue.vcenter(vcenter, settings.vcenter_parallel),
            std::string(identity)};
  }

  // Nothing wakes at the end of a rest: everyone who comes or waits looks.
  void look_at_rest(Place* vcenter) {
    if (vcenter && vcenter->resting() && end_rest(*vcenter, clock->now())) queue.serve();
  }

  void release(Place* tool, Place* vcenter) {
    const std::scoped_lock lock(mutex);
    queue.release(tool, vcenter);
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

Slots::Slots(Settings settings, const Clock* clock) : impl_(std::make_shared<Impl>(settings, clock)) {}
Slots::~Slots() = default;

Result<Slots::Permit> Slots::acquire(std::string_view identity, std::string_view tool, std::size_t tool_limit,
                                     std::string_view vcenter, const CallLimits& limits) {
  Impl& impl = *impl_;
  std::unique_lock lock(impl.mutex);
  Waiter waiter = impl.waiter(identity, tool, tool_limit, vcenter);
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
  impl.look_at_rest(waiter.vcenter);
  // Whoever waits cannot run at this moment, or serve() would have let him: a newcomer overtakes nobody.
  if (FairQueue::can_run(waiter.tool, waiter.vcenter)) {
    FairQueue::occupy(waiter.tool, waiter.vcenter);
    return granted();
  }
  const SteadyTime asked_at = impl.clock->now();
  if (waiter.vcenter && waiter.vcenter->rest_until - asked_at >= limits.deadline - SteadyTime::clock::now() &&
      waiter.vcenter->resting())
    return rests(*waiter.vcenter, asked_at);
  if (SteadyTime::clock::now() >= limits.deadline) return busy(what_is_full());
  const Place* full = nullptr;
  if (!impl.queue.make_room(waiter, &full))
    return busy(running_text(*full, full == waiter.tool) + " and " + std::to_string(full->waiting) + " wait");
  impl.queue.enqueue(waiter);
  while (waiter.fate == Fate::waiting) {
    const SteadyTime now = SteadyTime::clock::now();
    if (limits.cancel.cancelled() || now >= limits.deadline) break;
    waiter.wake.wait_until(lock, std::min(limits.deadline, now + kCancelPoll));
    if (waiter.fate == Fate::waiting) impl.look_at_rest(waiter.vcenter);
  }
  if (waiter.fate == Fate::granted) return granted();
  if (waiter.fate == Fate::displaced)  // its places may be gone by now
    return busy("the queue for this tool or vCenter is full and most of it is yours");
  impl.queue.dequeue(waiter);
  if (limits.cancel.cancelled())
    return make_error(Code::cancelled, "the caller went away before the call ran");
  if (waiter.vcenter && waiter.vcenter->resting()) return rests(*waiter.vcenter, impl.clock->now());
  return busy(what_is_full() + " and no place became free in time");
}

Result<Slots::Permit> Slots::try_acquire(std::string_view tool, std::size_t tool_limit,
                                         std::string_view vcenter) {
  const std::scoped_lock lock(impl_->mutex);
  const Waiter wanted = impl_->waiter({}, tool, tool_limit, vcenter);
  impl_->look_at_rest(wanted.vcenter);
  if (!FairQueue::can_run(wanted.tool, wanted.vcenter)) {
    if (wanted.vcenter && wanted.vcenter->resting()) return rests(*wanted.vcenter, impl_->clock->now());
    return busy(wanted.tool->free() ? running_text(*wanted.vcenter, false)
                                    : running_text(*wanted.tool, true));
  }
  FairQueue::occupy(wanted.tool, wanted.vcenter);
  Permit permit;
  permit.state_ = std::make_shared<Permit::State>(impl_, wanted.tool, wanted.vcenter);
  return permit;
}

void Slots::answered(std::string_view vcenter) {
  const std::scoped_lock lock(impl_->mutex);
  if (succeeded(*impl_->queue.vcenter(vcenter, impl_->settings.vcenter_parallel))) impl_->queue.serve();
}

std::size_t Slots::overloaded(std::string_view vcenter, milliseconds retry_after) {
  const std::scoped_lock lock(impl_->mutex);
  Place& place = *impl_->queue.vcenter(vcenter, impl_->settings.vcenter_parallel);
  return throttle::overloaded(place, retry_after, impl_->clock->now()) ? place.allowed() : 0;
}

std::size_t Slots::allowed(std::string_view vcenter) const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->queue.vcenter(vcenter, impl_->settings.vcenter_parallel)->allowed();
}

std::size_t Slots::waiting() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->queue.waiting();
}

}  // namespace vmcp::throttle
