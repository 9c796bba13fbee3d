#include "throttle/limiter.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdio>
#include <cstring>

#include "throttle/bucket_table.h"

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

Error too_fast(const char* whose, const Rate& rate, Wait wait) {
  char text[256];
  std::snprintf(
      text, sizeof text,
      "Rate limit exceeded: %s may call %g times a second (%g at once); wait %.1f s (%lld ms), then repeat",
      whose, rate.per_second, rate.burst, static_cast<double>(wait.count()) / 1000,
      static_cast<long long>(wait.count()));
  Error error = make_error(Code::throttled, text);
  error.retry_after_ms = wait.count();
  return error;
}

}  // namespace

struct Limiter::Impl {
  Impl(Settings s, const Clock& clock)
      : settings(s),
        addresses(s.address, s.max_addresses, clock),
        identities(s.identity, s.max_identities, clock) {}

  const Settings settings;
  BucketTable addresses;
  BucketTable identities;
};

Limiter::Limiter(Settings settings, const Clock& clock) : impl_(std::make_unique<Impl>(settings, clock)) {}
Limiter::~Limiter() = default;

Result<void> Limiter::take_address(std::string_view address) {
  if (!impl_->settings.enabled) return {};
  char buffer[16];
  const Wait wait = impl_->addresses.take(address_key(address, buffer), 1);
  if (wait.count() == 0) return {};
  Error error = too_fast("this address", impl_->settings.address, wait);
  error.rule = "address rate";
  return error;
}

Result<void> Limiter::take(std::string_view identity, std::string_view, std::string_view, double cost) {
  if (!impl_->settings.enabled) return {};
  const Wait wait = impl_->identities.take(identity, cost);
  if (wait.count() == 0) return {};
  Error error = too_fast("this identity", impl_->settings.identity, wait);
  error.rule = "identity rate";
  return error;
}

}  // namespace vmcp::throttle
