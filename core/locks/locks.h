// All locks of this server, and the calls in flight that one set now must still stop.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "locks/lock.h"

namespace vmcp::locks {

class Guard;

class Locks {
 public:
  // `clock` outlives this.
  explicit Locks(const Clock& clock) : clock_(clock) {}
  Locks(const Locks&) = delete;
  Locks& operator=(const Locks&) = delete;

  // From and to `file`, which need not be there. Error: it cannot be understood, so that nobody knows what
  // must stand still. Before the first request.
  Result<void> keep_in(const std::string& file);
  // Called after a lock was set or lifted, on the thread that did it. Before the first request.
  void on_change(std::function<void()> changed) { changed_ = std::move(changed); }

  // In force, oldest first. [any]
  std::vector<Lock> all() const;
  // In force, on the disk, and every call in flight that it hits told to stop, when it returns; an error
  // changes nothing. A disk that takes nothing is none: the lock holds and is not `lasting`, and is written
  // with the next change that can be (core/decisions/0008). `id` and `at` are filled in here. Code::conflict:
  // there are a thousand already. [any]
  Result<Lock> set(Lock draft);
  // Code::not_found; Code::unavailable: it cannot be written down, and the lock holds. [any]
  Result<void> lift(const std::string& id);

  // Verdicts: Code::denied with the rule "lock ID". One load when nothing is locked. [any]
  Result<void> caller(const Principal& principal) const;  // identity, role, everything
  // As caller(), but for everything: an administrator must be able to lift that one.
  Result<void> administrator(const Principal& principal) const;
  Result<void> tool(std::string_view name) const;  // as the rules of roles name it
  Result<void> object(const inventory::Object& object) const;

 private:
  friend class Guard;
  using Set = std::vector<Lock>;
  std::shared_ptr<const Set> now() const;
  const Lock* first(const Set& set, const std::function<bool(const Lock&)>& hit) const;
  Result<void> write(const Set& next) const;
  void publish(Set next);
  void stop_calls(const Lock& lock);

  const Clock& clock_;
  std::function<void()> changed_;
  std::mutex changing_;  // one writer at a time; guards file_
  std::string file_;
  // Set after the locks, read after a call has entered: of the two one sees the other.
  std::atomic<bool> any_{false};
  mutable std::mutex set_mutex_;
  std::shared_ptr<const Set> set_ = std::make_shared<const Set>();
  std::mutex calls_mutex_;  // guards the list of guards and what they act on
  Guard* calls_ = nullptr;  // bounded by the calls that there are
};

// One call in flight, from its first step until it is destroyed. Its own functions are for the thread that
// runs the call.
class Guard {
 public:
  Guard() = default;
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  // Once. `subject`: what is called, as the rules of roles name it. `cancel` is set when a lock hits the
  // call. `locks` outlives the guard.
  void enter(Locks& locks, PrincipalPtr caller, std::string subject, CancelFlag cancel);
  void acts_on(const inventory::Object& object);
  // Code::denied when a lock stands in the way now, or has hit the call. [any]
  Result<void> check() const;
  // The refusal of the lock that hit this call on its way. [any]
  std::optional<Error> hit() const;

 private:
  friend class Locks;
  // What the lock stops, in words; empty: not this call. With the list's mutex held, or on the own thread.
  std::string hit_by(const Lock& lock) const;

  Locks* locks_ = nullptr;
  PrincipalPtr caller_;
  std::string subject_;
  std::vector<Place> places_;
  CancelFlag cancel_;
  std::atomic<bool> was_hit_{false};
  std::optional<Error> refusal_;  // before was_hit_, then never again
  Guard* before_ = nullptr;
  Guard* after_ = nullptr;
};

}  // namespace vmcp::locks
