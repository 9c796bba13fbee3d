#include "throttle/pressure.h"

#include <algorithm>

namespace vmcp::throttle {

bool overloaded(Place& vcenter, milliseconds retry_after, SteadyTime now) {
  bool changed = false;
  vcenter.successes = 0;
  if (now >= vcenter.cut_again) {
    const std::size_t left = std::max<std::size_t>(1, vcenter.allowed() / 2);
    vcenter.lost = vcenter.limit - std::min(left, vcenter.limit);
    vcenter.cut_again = now + kBetweenCuts;
    changed = true;
  }
  if (retry_after.count() > 0) {
    const SteadyTime until = now + std::min(retry_after, kLongestRest);
    changed = changed || !vcenter.resting();
    vcenter.rest_until = std::max(vcenter.rest_until, until);
    vcenter.cut_again = std::max(vcenter.cut_again, until);
  }
  return changed;
}

bool succeeded(Place& vcenter) {
  if (vcenter.lost == 0 || ++vcenter.successes < kSuccessesPerPlace) return false;
  vcenter.successes = 0;
  --vcenter.lost;
  return true;
}

bool end_rest(Place& vcenter, SteadyTime now) {
  if (!vcenter.resting() || now < vcenter.rest_until) return false;
  vcenter.rest_until = SteadyTime();
  return true;
}

}  // namespace vmcp::throttle
