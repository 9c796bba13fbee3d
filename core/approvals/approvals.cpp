#include "approvals/approvals.h"

#include <algorithm>
#include <utility>

#include "base/crypto.h"
#include "base/secret.h"
#include "store/small_file.h"

namespace vmcp::approvals {
namespace {

constexpr std::size_t kMaxApprovalsBytes = 64u << 20;
constexpr std::size_t kMaxReason = 500;
constexpr std::int64_t kRetryMs = 60'000;

}  // namespace

Result<void> Approvals::keep_in(const std::string& file) {
  const auto damaged = [&](const std::string& why) {
    return make_error(Code::unavailable,
                      "the list of approvals, " + file + ", " + why +
                          "; repair it, or remove it: what was approved must be asked anew");
  };
  const std::lock_guard lock(mutex_);
  file_ = file;
  const auto text = store::read_file(file, kMaxApprovalsBytes);
  if (!text && text.error().code == Code::not_found) return {};
  if (!text) return damaged("cannot be read (" + text.error().text + ")");
  const auto json = parse_trusted_json(*text, kMaxApprovalsBytes);
  if (!json || !json->is_object() || !json->contains("approvals") || !(*json)["approvals"].is_array())
    return damaged("is damaged");
  Set set;
  for (const Json& entry : (*json)["approvals"]) {
    auto one = read_approval(entry);
    if (!one) return damaged("is damaged");
    set.push_back(std::move(*one));
  }
  set_ = std::move(set);
  return {};
}

Approvals::Set Approvals::alive() const {
  const WallTime now = clock_.wall();
  Set out;
  std::copy_if(set_.begin(), set_.end(), std::back_inserter(out),
               [&](const Approval& a) { return a.expires > now; });
  return out;
}

Result<void> Approvals::put(Set next) {
  if (!file_.empty()) {
    Json all = Json::array();
    for (const Approval& one : next) all.push_back(approval_json(one, true));
    if (auto r = store::replace_file(file_, dump_json(Json{{"approvals", std::move(all)}}) + "\n"); !r)
      return r;
  }
  set_ = std::move(next);
  return {};
}

std::vector<Approval> Approvals::all() const {
  const std::lock_guard lock(mutex_);
  return alive();
}

std::optional<Approval> Approvals::find(std::string_view binding) const {
  const std::lock_guard lock(mutex_);
  const WallTime now = clock_.wall();
  for (const Approval& one : set_)
    if (one.expires > now && equal_constant_time(one.binding, binding)) return one;
  return std::nullopt;
}

Result<Approval> Approvals::ask(Approval draft) {
  const std::lock_guard lock(mutex_);
  Set next = alive();
  for (const Approval& one : next)
    if (one.binding == draft.binding) return one;
  const auto of_caller = std::count_if(next.begin(), next.end(),
                                       [&](const Approval& a) { return a.identity == draft.identity; });
  if (next.size() >= settings_.most || static_cast<std::size_t>(of_caller) >= settings_.most_each) {
    Error error =
        make_error(Code::throttled,
                   "Nothing was changed: too many calls wait for approval already. Have some of them "
                   "decided first.");
    error.rule = "approvals waiting";
    error.retry_after_ms = kRetryMs;
    return error;
  }
  draft.id = random_id().substr(0, 10);
  draft.state = State::waiting;
  draft.asked = clock_.wall();
  draft.expires = draft.asked + settings_.life;
  draft.by.clear();
  draft.decided.reset();
  next.push_back(draft);
  if (auto r = put(std::move(next)); !r) return r.error();
  return draft;
}

Result<Approval> Approvals::decide(std::string_view id, bool approve, const std::string& by,
                                   const std::string& reason) {
  const std::lock_guard lock(mutex_);
  Set next = alive();
  const auto it = std::find_if(next.begin(), next.end(), [&](const Approval& a) { return a.id == id; });
  if (it == next.end())
    return make_error(Code::not_found,
                      "No call waits under this id: it was used, or its time is over. `approvals` "
                      "lists what waits.");
  if (it->identity == by)
    return make_error(Code::denied, "Nobody decides on a call of their own: somebody else must.");
  if (it->state != State::waiting)
    return make_error(Code::conflict,
                      std::string("It was ") + state_name(it->state) + " already, by " + it->by + ".");
  if (reason.size() > kMaxReason)
    return make_error(Code::invalid_argument, "A reason has at most 500 bytes.");
  it->state = approve ? State::approved : State::denied;
  it->by = by;
  it->reason = reason;
  it->decided = clock_.wall();
  const Approval out = *it;
  if (auto r = put(std::move(next)); !r) return r.error();
  return out;
}

Result<Approval> Approvals::use(std::string_view binding) {
  const std::lock_guard lock(mutex_);
  Set next = alive();
  const auto it = std::find_if(next.begin(), next.end(), [&](const Approval& a) {
    return a.state == State::approved && equal_constant_time(a.binding, binding);
  });
  if (it == next.end())
    return make_error(Code::needs_confirm,
                      "Nothing was changed: the approval of this call was used, is over, or was given for "
                      "another state of its targets. Repeat the call to ask anew.");
  Approval out = std::move(*it);
  next.erase(it);
  if (auto r = put(std::move(next)); !r) return r.error();
  return out;
}

}  // namespace vmcp::approvals
