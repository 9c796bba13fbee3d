#include "throttle/limiter.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "throttle/local_buckets.h"

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

}  // namespace

struct Limiter::Impl {
  Impl(Settings s, const Clock& clock, std::unique_ptr<BucketStore> own)
      : settings(std::move(s)), store(std::move(own)) {
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

  Result<void> take(std::span<const Take> takes) {
    if (takes.empty()) return {};
    const Verdict verdict = store->take(takes);
    if (verdict.allowed) return {};
    return too_fast(takes[verdict.refused], verdict);
  }

  const Settings settings;
  std::unique_ptr<BucketStore> store;
};

Limiter::Limiter(Settings settings, const Clock& clock, std::unique_ptr<BucketStore> store)
    : impl_(std::make_unique<Impl>(std::move(settings), clock, std::move(store))) {}
Limiter::~Limiter() = default;

Result<void> Limiter::take_address(std::string_view address) {
  if (!impl_->settings.enabled) return {};
  char buffer[16];
  const Take one{Kind::address, address_key(address, buffer), impl_->settings.address, 1};
  return impl_->take({&one, 1});
}

Result<void> Limiter::take(std::string_view identity, std::string_view role, std::string_view tool,
                           double cost) {
  const Settings& s = impl_->settings;
  if (!s.enabled) return {};
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

Result<void> Limiter::take_targets(std::string_view vcenter, std::span<const std::string_view> ids,
                                   std::string_view tool, double cost) {
  const Settings& s = impl_->settings;
  if (!s.enabled) return {};
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

}  // namespace vmcp::throttle
