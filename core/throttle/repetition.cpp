#include "throttle/repetition.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/crypto.h"

namespace vmcp::throttle {
namespace {

constexpr milliseconds kFirstWait{1'000}, kMostWait{60'000};

milliseconds wait_number(std::uint32_t n) {
  return n >= 7 ? kMostWait : std::min(kMostWait, kFirstWait * (1 << (n - 1)));
}

}  // namespace

Repetition::Repetition(std::uint32_t calls, milliseconds window, const Clock& clock)
    : calls_(calls), window_(window), clock_(clock), entries_(kWays * kSets) {}

Repetition::Entry& Repetition::entry(std::size_t set, const Key& key, SteadyTime now) {
  Entry* oldest = &entries_[set * kWays];
  for (Entry *e = oldest, *end = e + kWays; e != end; ++e) {
    if (e->last != SteadyTime() && e->key == key) {
      if (now < (e->waits == 0 ? e->first : e->not_before) + window_) return *e;
      oldest = e;  // forgotten
      break;
    }
    if (e->last < oldest->last) oldest = e;
  }
  *oldest = Entry{key, now, now, {}, 0, 0};
  return *oldest;
}

Repetition::Seen Repetition::look(std::string_view identity, std::string_view tool,
                                  std::string_view arguments) {
  // A digest that nobody can aim at another caller's call; lengths keep the parts apart.
  std::string what;
  what.reserve(identity.size() + tool.size() + arguments.size() + 16);
  what.append(std::to_string(identity.size())).append(" ").append(identity);
  what.append(std::to_string(tool.size())).append(" ").append(tool).append(arguments);
  const Digest digest = sha256(what);
  Key key;
  std::memcpy(key.data(), digest.data(), key.size());
  std::uint64_t where;
  std::memcpy(&where, digest.data() + key.size(), sizeof where);
  const std::size_t set = where % kSets;

  const std::scoped_lock lock(mutexes_[set % mutexes_.size()]);
  const SteadyTime now = clock_.now();
  Entry& e = entry(set, key, now);
  e.last = now;
  const auto seen = [&](milliseconds wait) {
    const SteadyTime end = (e.waits == 0 ? e.first : e.not_before) + window_;
    return Seen{wait, e.times, std::chrono::ceil<milliseconds>(end - now)};
  };
  if (e.times < calls_) {
    ++e.times;
    return seen(milliseconds{0});
  }
  if (e.waits == 0) {
    e.waits = 1;
    e.not_before = now + kFirstWait;
  }
  if (now < e.not_before) return seen(std::chrono::ceil<milliseconds>(e.not_before - now));
  ++e.times;
  e.not_before = now + wait_number(++e.waits);
  return seen(milliseconds{0});
}

}  // namespace vmcp::throttle
