#include "pipeline/object_watch.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/crypto.h"
#include "pipeline/inventory_resource.h"
#include "pipeline/sight.h"

namespace vmcp::pipeline {
namespace {

constexpr milliseconds kLookDeadline{10'000};

// One object as one caller sees it, and everybody who wants to hear of it.
struct Watched {
  InventoryUri uri;
  PrincipalPtr principal;
  std::map<std::uint64_t, std::function<void()>> subscribers;
  std::optional<std::string> seen;  // digest of what was there at the last look; "" = nothing
  SteadyTime next{};
};

}  // namespace

struct ObjectWatch::Impl {
  Impl(WatchSettings s, vcenter::Fleet& f, inventory::Inventory& i, const policy::CurrentPolicy& p, Log& l)
      : settings(s), fleet(f), inventory(i), policy(p), log(l) {}

  // Nothing: it cannot be told now, which is no change.
  std::optional<std::string> look(const InventoryUri& uri, const PrincipalPtr& principal) {
    const auto connection = vcenter_of(fleet, uri);
    if (!connection) return std::nullopt;
    const CallLimits limits{std::chrono::steady_clock::now() + kLookDeadline, cancel};
    const auto visible =
        sight(policy.now(), *principal, std::chrono::system_clock::now(), inventory, **connection, limits);
    if (!visible) return std::nullopt;
    const auto state = inventory_state(inventory, **connection, uri, *visible, limits);
    if (state) return to_hex(sha256(*state));
    if (state.error().code == Code::not_found || state.error().code == Code::invalid_argument) return "";
    return std::nullopt;
  }

  void run() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      auto due = watched.end();
      for (auto it = watched.begin(); it != watched.end(); ++it)
        if (due == watched.end() || it->second.next < due->second.next) due = it;
      const SteadyTime now = std::chrono::steady_clock::now();
      if (due == watched.end() || due->second.next > now) {
        fresh = false;
        const SteadyTime until = due == watched.end() ? now + std::chrono::hours(1) : due->second.next;
        wake.wait_until(lock, until, [&] { return stopping || fresh; });
        continue;
      }
      const std::string key = due->first;
      const InventoryUri uri = due->second.uri;
      const PrincipalPtr principal = due->second.principal;
      lock.unlock();
      const auto state = look(uri, principal);
      lock.lock();
      std::vector<std::function<void()>> told = note(key, state);
      lock.unlock();
      for (const auto& tell : told) tell();
      told.clear();
      lock.lock();
      wake.wait_for(lock, settings.pause, [&] { return stopping; });
    }
  }

  // With the lock held. Who is to be told.
  std::vector<std::function<void()>> note(const std::string& key, const std::optional<std::string>& state) {
    const auto it = watched.find(key);
    if (it == watched.end()) return {};  // everybody left meanwhile
    Watched& object = it->second;
    object.next = std::chrono::steady_clock::now() + settings.interval;
    if (!state) return {};
    const bool changed = object.seen && *object.seen != *state;
    object.seen = state;
    std::vector<std::function<void()>> told;
    if (changed)
      for (const auto& [number, tell] : object.subscribers) told.push_back(tell);
    return told;
  }

  void leave(const std::string& key, std::uint64_t number) {
    std::function<void()> last;  // destroyed without the lock
    const std::lock_guard lock(mutex);
    const auto it = watched.find(key);
    if (it == watched.end()) return;
    if (const auto own = it->second.subscribers.find(number); own != it->second.subscribers.end()) {
      last = std::move(own->second);
      it->second.subscribers.erase(own);
    }
    if (it->second.subscribers.empty()) watched.erase(it);
  }

  const WatchSettings settings;
  vcenter::Fleet& fleet;
  inventory::Inventory& inventory;
  const policy::CurrentPolicy& policy;
  Log& log;
  const CancelFlag cancel;
  std::mutex mutex;
  std::condition_variable wake;
  std::map<std::string, Watched> watched;  // by URI and caller
  std::uint64_t next_number = 1;
  bool stopping = false, fresh = false;
  std::thread thread;  // started with the first subscription
};

ObjectWatch::ObjectWatch(WatchSettings settings, vcenter::Fleet& fleet, inventory::Inventory& inventory,
                         const policy::CurrentPolicy& policy, Log& log)
    : impl_(std::make_shared<Impl>(settings, fleet, inventory, policy, log)) {}

ObjectWatch::~ObjectWatch() {
  stop();
}

Result<ObjectWatch::Handle> ObjectWatch::watch(const std::string& uri, const PrincipalPtr& principal,
                                               std::function<void()> changed) {
  auto parsed = read_inventory_uri(uri);
  if (!parsed) return parsed.error();
  std::string key = uri;
  key.append("\n").append(principal->identity).append("\n").append(principal->role);
  const std::lock_guard lock(impl_->mutex);
  if (impl_->stopping) return make_error(Code::unavailable, "The server is stopping.");
  auto it = impl_->watched.find(key);
  if (it == impl_->watched.end()) {
    if (impl_->watched.size() >= impl_->settings.max_objects)
      return make_error(
          Code::unavailable,
          "Too many objects are watched on this server; unsubscribe from some, or read them when "
          "they are needed.");
    it = impl_->watched.emplace(key, Watched{std::move(*parsed), principal, {}, std::nullopt, {}}).first;
  }
  const std::uint64_t number = impl_->next_number++;
  it->second.subscribers.emplace(number, std::move(changed));
  impl_->fresh = true;
  if (!impl_->thread.joinable()) {
    impl_->thread = std::thread([impl = impl_.get()] {
      try {
        impl->run();
      } catch (const std::exception& e) {
        impl->log.error("the watch over subscribed objects stopped", {{"why", e.what()}});
      }
    });
  }
  impl_->wake.notify_all();
  return Handle(impl_.get(), [weak = std::weak_ptr<Impl>(impl_), key = std::move(key), number](void*) {
    if (const auto impl = weak.lock()) impl->leave(key, number);
  });
}

void ObjectWatch::stop() {
  std::thread thread;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    thread.swap(impl_->thread);
  }
  impl_->cancel.cancel();
  impl_->wake.notify_all();
  if (thread.joinable()) thread.join();
}

}  // namespace vmcp::pipeline
