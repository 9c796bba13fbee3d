#include "plugin_host/child/carrier.h"

#include <algorithm>
#include <chrono>

#include "plugin_host/offers.h"

namespace vmcp::plugin_host::child {
namespace {

SteadyTime steady_now() {
  return std::chrono::steady_clock::now();
}

milliseconds until(SteadyTime when) {
  return std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(when - steady_now()));
}

Error not_now(std::string text, milliseconds retry_after) {
  Error out = make_error(Code::unavailable, std::move(text));
  out.retry_after_ms = std::max<std::int64_t>(1, retry_after.count());
  return out;
}

vmcp_status fail(Invocation& invocation, Error error) {
  const vmcp_status status = status_of(error.code);
  invocation.failure = std::move(error);
  return status;
}

}  // namespace

ChildCarrier::ChildCarrier(Settings settings, std::string manifest_text, const Manifest& manifest, Log& log,
                           ChangeSink on_change)
    : settings_(std::move(settings)),
      id_(manifest.id),
      manifest_text_(std::move(manifest_text)),
      log_(log),
      host_(id_, log, std::move(on_change)) {
  host_.own_schemes(manifest.offers.schemes);
}

ChildCarrier::~ChildCarrier() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (keeper_.joinable()) keeper_.join();
  process_.reset();
  host_.live(false);
}

Result<void> ChildCarrier::start(const std::string& config_json) {
  config_json_ = config_json;
  host_.live(true);
  auto first = launch();
  if (!first) return first.error();
  {
    const std::lock_guard lock(mutex_);
    // It may have been lost already; then the keeper starts the next.
    if (number_ == 0)
      process_ = std::move(*first);
    else
      lost_.push_back(std::move(*first));
  }
  keeper_ = std::thread([this] { keep(); });
  return {};
}

Result<ChildCarrier::ProcessPtr> ChildCarrier::launch() {
  Listeners listeners;
  listeners.on_log = [this](int level, std::string_view message) { host_.log(level, message); };
  listeners.on_change = [this](Change::Kind kind, std::string_view uri) { (void)host_.changed(kind, uri); };
  listeners.on_output = [this](std::string_view text) { host_.log(VMCP_LOG_WARNING, text); };
  listeners.on_exit = [this, number = number_](const std::string& how) { lose(number, how); };
  auto out = Process::start(settings_.process, manifest_text_, config_json_, std::move(listeners));
  if (out)
    log_.info("plugin process started",
              {{"id", id_}, {"pid", std::to_string((*out)->pid())}, {"sandbox", (*out)->sandbox_report()}});
  return out;
}

bool ChildCarrier::usable() const {
  const std::lock_guard lock(mutex_);
  return switched_off_.empty();
}

pid_t ChildCarrier::pid() const {
  const std::lock_guard lock(mutex_);
  return process_ ? process_->pid() : -1;
}

milliseconds ChildCarrier::pause() const {
  milliseconds out = settings_.first_pause;
  for (std::size_t i = 1; i < crashes_.size() && out < settings_.longest_pause; ++i) out *= 2;
  return std::min(out, settings_.longest_pause);
}

void ChildCarrier::lose(std::uint64_t number, const std::string& how) {
  std::unique_lock lock(mutex_);
  if (number != number_ || stopping_ || !switched_off_.empty()) return;
  ++number_;
  if (process_) lost_.push_back(std::move(process_));
  process_.reset();
  const SteadyTime now = steady_now();
  while (!crashes_.empty() && now - crashes_.front() > settings_.crash_window) crashes_.pop_front();
  crashes_.push_back(now);
  next_start_ = now + pause();
  if (crashes_.size() >= settings_.most_crashes)
    switched_off_ = "Plugin " + id_ + " is switched off: its process failed " +
                    std::to_string(crashes_.size()) + " times within " +
                    std::to_string(settings_.crash_window.count() / 1000) +
                    " s. The operator's log says how; mend it, then load the plugins anew (SIGHUP).";
  const bool off = !switched_off_.empty();
  const std::string next = off ? "never" : std::to_string(pause().count()) + " ms";
  lock.unlock();
  changed_.notify_all();
  log_.error(off ? "plugin switched off" : "plugin process lost",
             {{"id", id_}, {"how", how}, {"next_start", next}});
  if (off && settings_.on_switched_off) settings_.on_switched_off(id_);
}

void ChildCarrier::keep() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !lost_.empty() || (!process_ && switched_off_.empty()); });
    std::vector<ProcessPtr> ended;
    ended.swap(lost_);
    lock.unlock();
    ended.clear();
    lock.lock();
    if (stopping_) return;
    if (process_ || !switched_off_.empty()) continue;
    if (changed_.wait_until(lock, next_start_, [&] { return stopping_; })) return;
    const std::uint64_t number = number_;
    lock.unlock();
    auto next = launch();
    if (!next) lose(number, next.error().text);
    lock.lock();
    // It may have been lost already, before it was here to be taken out of use.
    if (next && number == number_) process_ = std::move(*next);
    changed_.notify_all();
  }
}

Result<ChildCarrier::ProcessPtr> ChildCarrier::acquire(const Invocation& invocation) {
  std::unique_lock lock(mutex_);
  while (true) {
    if (!switched_off_.empty()) return make_error(Code::unavailable, switched_off_);
    if (process_) return process_;
    if (stopping_) return make_error(Code::unavailable, "Plugin " + id_ + " is being stopped.");
    const milliseconds wait = until(next_start_);
    if (wait > settings_.longest_wait || next_start_ >= invocation.limits.deadline)
      return not_now("The process of plugin " + id_ + " failed and is started again in " +
                         std::to_string(wait.count()) + " ms; repeat the call then.",
                     wait);
    if (changed_.wait_until(lock, invocation.limits.deadline) == std::cv_status::timeout)
      return not_now("The process of plugin " + id_ + " failed and is not ready again yet; repeat the call.",
                     settings_.first_pause);
  }
}

vmcp_status ChildCarrier::round(const Round& round, Invocation& invocation) {
  while (true) {
    auto process = acquire(invocation);
    if (!process) return fail(invocation, process.error());
    vmcp_status status = VMCP_E_FAULT;
    switch ((*process)->run(round, invocation, status)) {
      case Ended::answered:
        return status;
      case Ended::not_begun:
        // Nothing of the round has reached the plugin. Its loss is noticed by now, or is about to be.
        (*process)->ending(settings_.process.stop_within);
        if (steady_now() < invocation.limits.deadline) continue;
        return died(invocation, *process);
      case Ended::died:
        return died(invocation, *process);
      case Ended::hung:
        return hung(invocation, *process);
      case Ended::nonsense:
        return fail(invocation,
                    make_error(Code::internal, "Plugin " + id_ +
                                                   " answered what no plugin can answer; its process "
                                                   "was ended and is started again."));
      case Ended::no_lane:
        return fail(invocation,
                    not_now("Plugin " + id_ + " runs as many calls as it can; repeat the call later.",
                            settings_.first_pause));
    }
  }
}

vmcp_status ChildCarrier::died(Invocation& invocation, const ProcessPtr& process) {
  // Whether it is started again is decided elsewhere at this moment; who repeats the call is told.
  const std::string text = "The process of plugin " + id_ + " " +
                           process->ending(settings_.process.stop_within) + " while it ran this call.";
  if (!invocation.sent_change)
    return fail(invocation, not_now(text + " Nothing was sent to change anything; you may repeat the call.",
                                    settings_.first_pause));
  return fail(invocation,
              make_error(Code::internal, text + " It had sent a change to vCenter before: read the "
                                                "object's state, do not repeat the call blindly."));
}

vmcp_status ChildCarrier::hung(Invocation& invocation, const ProcessPtr& process) {
  process->retire();
  process->leave_to_others(settings_.leave_to_others);
  return fail(invocation, make_error(Code::timeout,
                                     "Plugin " + id_ +
                                         " did not come back from this call after its deadline; its process "
                                         "was ended and is started again."));
}

Result<Opened> open_in_child(Settings settings, std::string manifest_text, const Manifest& manifest, Log& log,
                             ChangeSink on_change) {
  if (auto r = check_offers(manifest.id, manifest.offers, manifest.tools); !r) return r.error();
  Opened out;
  out.id = manifest.id;
  out.version = manifest.version;
  out.manifest = std::make_shared<const Manifest>(manifest);
  out.tools = manifest.tools;
  out.offers = manifest.offers;
  out.previews = manifest.previews;
  out.carrier = std::make_unique<ChildCarrier>(std::move(settings), std::move(manifest_text), manifest, log,
                                               std::move(on_change));
  return out;
}

}  // namespace vmcp::plugin_host::child
