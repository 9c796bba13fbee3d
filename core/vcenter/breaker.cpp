#include "vcenter/breaker.h"

#include <chrono>

namespace vmcp::vcenter {

std::optional<milliseconds> Breaker::resting() {
  const std::lock_guard lock(mutex_);
  if (failures_ < kFailures) return std::nullopt;
  const SteadyTime now = clock_.now();
  if (now < open_until_) return std::chrono::ceil<milliseconds>(open_until_ - now);
  // This caller is the probe. If it never reports (its call was cancelled), the next one may after another
  // rest.
  open_until_ = now + kRest;
  return std::nullopt;
}

void Breaker::reached() {
  const std::lock_guard lock(mutex_);
  failures_ = 0;
}

bool Breaker::missed() {
  const std::lock_guard lock(mutex_);
  if (failures_ < kFailures) ++failures_;
  if (failures_ < kFailures) return false;
  open_until_ = clock_.now() + kRest;
  return true;
}

}  // namespace vmcp::vcenter
