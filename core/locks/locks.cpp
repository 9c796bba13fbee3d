#include "locks/locks.h"

#include <algorithm>

#include "base/crypto.h"
#include "store/small_file.h"

namespace vmcp::locks {
namespace {

constexpr std::size_t kMaxLocks = 1'000;
constexpr std::size_t kMaxFileBytes = 4u << 20;

std::string who_is_stopped(const Lock& lock, const Principal& caller) {
  if (lock.scope == Scope::identity) return "Caller '" + caller.identity + "'";
  if (lock.scope == Scope::role) return "Role '" + caller.role + "'";
  return "Everything here";
}

bool over(const Lock& lock, WallTime now) {
  return lock.expires && *lock.expires <= now;
}

}  // namespace

Result<void> Locks::keep_in(const std::string& file) {
  const auto damaged = [&](const std::string& why) {
    return make_error(Code::unavailable, "the list of locks, " + file + ", " + why +
                                             "; repair it, or remove it if nothing must stay locked");
  };
  const std::lock_guard writing(changing_);
  file_ = file;
  const auto text = store::read_file(file, kMaxFileBytes);
  if (!text && text.error().code == Code::not_found) return {};
  if (!text) return damaged("cannot be read (" + text.error().text + ")");
  const auto json = parse_trusted_json(*text, kMaxFileBytes);
  if (!json || !json->is_object() || !json->contains("locks") || !(*json)["locks"].is_array() ||
      (*json)["locks"].size() > kMaxLocks)
    return damaged("is damaged");
  Set set;
  for (const Json& entry : (*json)["locks"]) {
    auto lock = read_lock(entry);
    if (!lock) return damaged("is damaged");
    set.push_back(std::move(*lock));
  }
  const std::lock_guard reading(set_mutex_);
  any_.store(!set.empty());
  set_ = std::make_shared<const Set>(std::move(set));
  return {};
}

std::shared_ptr<const Locks::Set> Locks::now() const {
  const std::lock_guard lock(set_mutex_);
  return set_;
}

const Lock* Locks::first(const Set& set, const std::function<bool(const Lock&)>& hit) const {
  const WallTime now = clock_.wall();
  const auto it =
      std::find_if(set.begin(), set.end(), [&](const Lock& lock) { return !over(lock, now) && hit(lock); });
  return it == set.end() ? nullptr : &*it;
}

std::vector<Lock> Locks::all() const {
  const std::shared_ptr<const Set> set = now();
  const WallTime at = clock_.wall();
  std::vector<Lock> out;
  std::copy_if(set->begin(), set->end(), std::back_inserter(out),
               [&](const Lock& lock) { return !over(lock, at); });
  return out;
}

Result<void> Locks::write(const Set& next) const {
  if (file_.empty()) return {};
  Json all = Json::array();
  for (Lock lock : next) {
    lock.lasting = true;
    all.push_back(lock_json(lock));
  }
  return store::replace_file(file_, dump_json(Json{{"locks", std::move(all)}}) + "\n");
}

void Locks::publish(Set next) {
  const bool any = !next.empty();
  const auto published = std::make_shared<const Set>(std::move(next));
  const std::lock_guard lock(set_mutex_);
  set_ = published;
  any_.store(any);
}

Result<Lock> Locks::set(Lock draft) {
  draft.id = random_id().substr(0, 8);
  draft.at = clock_.wall();
  if (auto r = check_lock(draft); !r) return r.error();
  {
    const std::lock_guard writing(changing_);
    Set next = all();  // what is over goes
    if (next.size() >= kMaxLocks)
      return make_error(Code::conflict,
                        "There are a thousand locks already; lift some, or lock a wider scope.");
    next.push_back(draft);
    if (write(next))
      for (Lock& lock : next) lock.lasting = true;
    else
      next.back().lasting = false;
    draft.lasting = next.back().lasting;
    publish(std::move(next));
  }
  stop_calls(draft);
  if (changed_) changed_();
  return draft;
}

Result<void> Locks::lift(const std::string& id) {
  {
    const std::lock_guard writing(changing_);
    Set next = all();
    if (std::erase_if(next, [&](const Lock& lock) { return lock.id == id; }) == 0)
      return make_error(Code::not_found, "There is no lock '" + id.substr(0, 32) + "'; it may have ended.");
    if (auto r = write(next); !r) return r;
    for (Lock& lock : next) lock.lasting = true;
    publish(std::move(next));
  }
  if (changed_) changed_();
  return {};
}

void Locks::stop_calls(const Lock& lock) {
  const std::lock_guard calls(calls_mutex_);
  for (Guard* call = calls_; call != nullptr; call = call->after_) {
    const std::string what = call->hit_by(lock);
    if (what.empty() || call->was_hit_.load()) continue;
    call->refusal_ = refusal_of(lock, what);
    call->was_hit_.store(true);
    call->cancel_.cancel();
  }
}

Result<void> Locks::caller(const Principal& principal) const {
  if (!any_.load()) return {};
  const auto set = now();
  if (const Lock* lock = first(*set, [&](const Lock& l) { return hits(l, principal); }))
    return refusal_of(*lock, who_is_stopped(*lock, principal));
  return {};
}

Result<void> Locks::administrator(const Principal& principal) const {
  if (!any_.load()) return {};
  const auto set = now();
  const auto hit = [&](const Lock& l) { return l.scope != Scope::everything && hits(l, principal); };
  if (const Lock* lock = first(*set, hit)) return refusal_of(*lock, who_is_stopped(*lock, principal));
  return {};
}

Result<void> Locks::tool(std::string_view name) const {
  if (!any_.load()) return {};
  const auto set = now();
  if (const Lock* lock = first(*set, [&](const Lock& l) { return hits_tool(l, name); }))
    return refusal_of(*lock, "'" + std::string(name.substr(0, 256)) + "'");
  return {};
}

Result<void> Locks::object(const inventory::Object& object) const {
  if (!any_.load()) return {};
  const auto set = now();
  const Place place = place_of(object);
  if (const Lock* lock = first(*set, [&](const Lock& l) { return hits(l, place); }))
    return refusal_of(*lock, place.name);
  return {};
}

Guard::~Guard() {
  if (locks_ == nullptr) return;
  const std::lock_guard calls(locks_->calls_mutex_);
  (before_ != nullptr ? before_->after_ : locks_->calls_) = after_;
  if (after_ != nullptr) after_->before_ = before_;
}

void Guard::enter(Locks& locks, PrincipalPtr caller, std::string subject, CancelFlag cancel) {
  caller_ = std::move(caller);
  subject_ = std::move(subject);
  cancel_ = std::move(cancel);
  locks_ = &locks;
  const std::lock_guard calls(locks.calls_mutex_);
  after_ = locks.calls_;
  if (after_ != nullptr) after_->before_ = this;
  locks.calls_ = this;
}

void Guard::acts_on(const inventory::Object& object) {
  Place place = place_of(object);
  const std::lock_guard calls(locks_->calls_mutex_);
  places_.push_back(std::move(place));
}

std::string Guard::hit_by(const Lock& lock) const {
  if (hits(lock, *caller_)) return who_is_stopped(lock, *caller_);
  if (hits_tool(lock, subject_)) return "'" + subject_.substr(0, 256) + "'";
  for (const Place& place : places_)
    if (hits(lock, place)) return place.name;
  return {};
}

Result<void> Guard::check() const {
  if (auto was = hit()) return std::move(*was);
  if (!locks_->any_.load()) return {};
  const auto set = locks_->now();
  std::string what;
  const Lock* lock = locks_->first(*set, [&](const Lock& l) {
    what = hit_by(l);
    return !what.empty();
  });
  if (lock != nullptr) return refusal_of(*lock, what);
  return {};
}

std::optional<Error> Guard::hit() const {
  if (!was_hit_.load()) return std::nullopt;
  return refusal_;
}

}  // namespace vmcp::locks
