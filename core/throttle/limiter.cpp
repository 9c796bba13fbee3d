#include "throttle/limiter.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "throttle/local_buckets.h"
#include "throttle/repetition.h"

namespace vmcp::throttle {
namespace {

// What one network owner cannot multiply for free: an IPv4 address, or the first 64 bits of an IPv6 address
// (a single host may choose any of 2^64 below them). Anything else is taken as it is.
std::string_view address_key(std::string_view address, char (&buffer)[16]) {
  char text[INET6_ADDRSTRLEN];
  const std::string_view plain = address.substr(0, address.find('%'));
  if (plain.size() >= sizeof text || plain.find(':') == std::string_view::npos) return address;
  std::memcpy(text, plain.data(), plain.size());
  text[plain.size()] = '\0';
  in6_addr parsed;
  if (::inet_pton(AF_INET6, text, &parsed) != 1) return address;
  if (IN6_IS_ADDR_V4MAPPED(&parsed)) {
    static_assert(INET_ADDRSTRLEN <= sizeof buffer);
    ::inet_ntop(AF_INET, parsed.s6_addr + 12, buffer, sizeof buffer);
    return buffer;
  }
  std::memcpy(buffer, parsed.s6_addr, 8);
  return {buffer, 8};
}

constexpr std::size_t kMaxNames = 4096;  // roles, tools, vCenters: a site has few

constexpr std::chrono::seconds kBetweenLines{10};

constexpr const char* kKindNames[kKinds] = {"address", "identity", "role", "tool", "target", "vcenter"};

// An object is named without its vCenter, as in its id.
std::string shown(const Take& take) {
  std::string_view key = take.key;
  if (take.kind == Kind::target) key.remove_prefix(key.find('\n') + 1);
  return std::string(key.substr(0, 128));
}

std::string whose(const Take& take) {
  switch (take.kind) {
    case Kind::address:
      return "this address";
    case Kind::identity:
      return "this identity";
    case Kind::role:
      return "role '" + shown(take) + "', all its callers together,";
    case Kind::tool:
      return "tool '" + shown(take) + "', all callers together,";
    case Kind::target:
      return "object '" + shown(take) + "', all callers together,";
    case Kind::vcenter:
      break;
  }
  return "vCenter '" + shown(take) + "', all callers together,";
}

Error too_fast(const Take& take, const Verdict& verdict) {
  char numbers[256];
  const double wait_s = static_cast<double>(verdict.retry_after.count()) / 1000;
  std::snprintf(numbers, sizeof numbers, " %g calls a second (%g at once)", take.rate.per_second,
                take.rate.burst);
  std::string text = "Rate limit exceeded: " + whose(take) + " may make" + numbers;
  if (take.cost != 1) {
    std::snprintf(numbers, sizeof numbers, ", and this one counts as %g",
                  std::min(take.cost, take.rate.burst));
    text += numbers;
  }
  std::snprintf(numbers, sizeof numbers, "; wait %.1f s (%lld ms), then repeat", wait_s,
                static_cast<long long>(verdict.retry_after.count()));
  Error error = make_error(Code::throttled, text + numbers);
  error.rule = std::string("limit ") + kKindNames[static_cast<std::size_t>(take.kind)];
  if (take.kind != Kind::address) error.rule += " " + shown(take);  // nobody needs to be told its own address
  error.retry_after_ms = verdict.retry_after.count();
  error.quota = {static_cast<std::int64_t>(verdict.limit),
                 static_cast<std::int64_t>(std::max(0.0, verdict.remaining)), verdict.reset.count()};
  return error;
}

const Rate& rate_of(const Rates& own, std::string_view name, const Rate& otherwise) {
  if (own.empty()) return otherwise;
  const auto it = own.find(name);
  return it == own.end() ? otherwise : it->second;
}

Error repeats_itself(std::string_view tool, const Settings& settings, const Repetition::Seen& seen) {
  const std::string name(tool.substr(0, 128));
  char wait[96];
  std::snprintf(wait, sizeof wait, "%.1f s (%lld ms)", static_cast<double>(seen.wait.count()) / 1000,
                static_cast<long long>(seen.wait.count()));
  Error error =
      make_error(Code::throttled, "You repeat yourself: '" + name +
                                      "' was called with these same arguments " + std::to_string(seen.times) +
                                      " times in a short while. Calling it again will not bring you further: "
                                      "change the arguments, use the "
                                      "answer that you have, do something else, or stop and tell the person "
                                      "what is missing. If you wait for "
                                      "something, ask less often. This very call is accepted again in " +
                                      wait + "; the wait doubles each time.");
  error.rule = "limit identical calls";
  error.retry_after_ms = seen.wait.count();
  error.quota = {settings.identical_calls, 0, seen.forgotten.count()};
  return error;
}

}  // namespace

struct Limiter::Impl {
  Impl(Settings s, const Clock& c, Log* l, std::unique_ptr<BucketStore> own)
      : settings(std::move(s)), clock(c), log(l), store(std::move(own)) {
    if (settings.enabled && settings.identical_calls > 0)
      repetition.emplace(settings.identical_calls, settings.identical_window, clock);
    if (store) return;
    MaxKeys bounds;
    bounds.fill(kMaxNames);
    bounds[static_cast<std::size_t>(Kind::address)] = settings.max_addresses;
    bounds[static_cast<std::size_t>(Kind::identity)] = settings.max_identities;
    bounds[static_cast<std::size_t>(Kind::target)] = settings.max_targets;
    store = std::make_unique<LocalBuckets>(bounds, clock);
  }

  double cost_of(std::string_view tool, double cost) const {
    if (settings.tool_costs.empty()) return cost;
    const auto it = settings.tool_costs.find(tool);
    return it == settings.tool_costs.end() ? cost : cost * it->second;
  }

  Result<Shadow> take(std::span<const Take> takes) {
    if (takes.empty()) return Shadow();
    const Verdict verdict = store->take(takes);
    if (verdict.allowed) return Shadow();
    const Take& refused = takes[verdict.refused];
    return refuse(static_cast<std::size_t>(refused.kind), too_fast(refused, verdict));
  }

  Result<Shadow> refuse(std::size_t reason, Error error) {
    refusals[reason].fetch_add(1, std::memory_order_relaxed);
    if (!settings.shadow) return error;
    tell_of(error);
    return std::move(error.rule);
  }

  // One line in ten seconds, with what it stands for.
  void tell_of(const Error& error) {
    if (log == nullptr) return;
    silent.fetch_add(1, std::memory_order_relaxed);
    const std::int64_t now = clock.now().time_since_epoch().count();
    std::int64_t due = log_again.load(std::memory_order_relaxed);
    if (now < due) return;
    const std::int64_t next = (clock.now() + kBetweenLines).time_since_epoch().count();
    if (!log_again.compare_exchange_strong(due, next)) return;
    const std::string calls = std::to_string(silent.exchange(0));
    log->warning("limits.shadow: a call would have been refused",
                 {{"rule", error.rule}, {"why", error.text}, {"calls_since_last_line", calls}});
  }

  const Settings settings;
  const Clock& clock;
  Log* const log;
  std::unique_ptr<BucketStore> store;
  std::optional<Repetition> repetition;
  std::array<std::atomic<std::uint64_t>, kReasons> refusals{};
  std::atomic<std::uint64_t> silent{0};
  std::atomic<std::int64_t> log_again{std::numeric_limits<std::int64_t>::min()};
};

Limiter::Limiter(Settings settings, const Clock& clock, Log* log, std::unique_ptr<BucketStore> store)
    : impl_(std::make_unique<Impl>(std::move(settings), clock, log, std::move(store))) {}
Limiter::~Limiter() = default;

Result<void> Limiter::take_address(std::string_view address) {
  if (!impl_->settings.enabled) return {};
  char buffer[16];
  const Take one{Kind::address, address_key(address, buffer), impl_->settings.address, 1};
  const Verdict verdict = impl_->store->take({&one, 1});
  if (verdict.allowed) return {};
  impl_->refusals[static_cast<std::size_t>(Kind::address)].fetch_add(1, std::memory_order_relaxed);
  return too_fast(one, verdict);
}

Result<Shadow> Limiter::take(std::string_view identity, std::string_view role, std::string_view tool,
                             double cost) {
  const Settings& s = impl_->settings;
  if (!s.enabled) return Shadow();
  cost = impl_->cost_of(tool, cost);
  std::array<Take, 3> takes;
  std::size_t n = 0;
  const auto add = [&](Kind kind, std::string_view key, const Rates& own, const Rate& otherwise) {
    const Rate& rate = rate_of(own, key, otherwise);
    if (rate.per_second > 0) takes[n++] = {kind, key, rate, cost};
  };
  add(Kind::identity, identity, s.identities, s.identity);
  add(Kind::role, role, s.roles, s.role);
  if (!tool.empty()) add(Kind::tool, tool, s.tools, s.tool);
  return impl_->take({takes.data(), n});
}

Result<Shadow> Limiter::take_identical(std::string_view identity, std::string_view tool,
                                       std::string_view arguments) {
  if (!impl_->repetition) return Shadow();
  const Repetition::Seen seen = impl_->repetition->look(identity, tool, arguments);
  if (seen.wait.count() == 0) return Shadow();
  return impl_->refuse(kIdentical, repeats_itself(tool, impl_->settings, seen));
}

Result<Shadow> Limiter::take_targets(std::string_view vcenter, std::span<const std::string_view> ids,
                                     std::string_view tool, double cost) {
  const Settings& s = impl_->settings;
  if (!s.enabled) return Shadow();
  cost = impl_->cost_of(tool, cost);
  const Rate& own = rate_of(s.vcenters, vcenter, s.vcenter);
  std::vector<std::string> keys;
  if (s.target.per_second > 0)
    for (const std::string_view id : ids)  // unique within a vCenter only
      keys.push_back(std::string(vcenter) + '\n' + std::string(id));
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  if (keys.size() >= kMaxTakes)
    return make_error(Code::invalid_argument, "Too many objects in one call; split it.");
  std::vector<Take> takes;
  if (own.per_second > 0) takes.push_back({Kind::vcenter, vcenter, own, cost});
  for (const std::string& key : keys) takes.push_back({Kind::target, key, s.target, cost});
  return impl_->take(takes);
}

std::array<std::uint64_t, kReasons> Limiter::refusals() const {
  std::array<std::uint64_t, kReasons> out;
  for (std::size_t i = 0; i < kReasons; ++i) out[i] = impl_->refusals[i].load(std::memory_order_relaxed);
  return out;
}

}  // namespace vmcp::throttle
