// What a call that waits for input leaves with the client until the next round: the plugin's state, encrypted
// and bound to the caller and to the very same call. Nothing is kept here, so any instance with the same key
// can go on; except that what belongs to a changing tool, and any consent, opens once only. Which ones were
// opened is known to this object alone: a consent from another one, also from before a restart, is none, so
// that the person is asked anew.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcp::pipeline {

struct SealedRound {
  std::uint32_t round = 0;        // the one that comes next
  std::string state;              // the plugin's
  std::vector<std::string> keys;  // what was asked; other answers are not handed on
  // What a person at the client was asked to agree to (`asks_consent`) or has agreed to; empty: nothing.
  std::string consent = {};
  bool asks_consent = false;
};

class SealedRounds {
 public:
  // `key`: 32 bytes, the same on every instance behind one URL. `clock` outlives this.
  SealedRounds(Secret key, const Clock& clock, milliseconds life = milliseconds(600'000));

  // `binding`: caller, method, name and digest of the arguments.
  std::string close(const SealedRound& round, std::string_view binding) const;
  // Code::malformed for what was altered, is another's, is for another call, is too old, or (with `once`) was
  // opened before. [any thread]
  Result<SealedRound> open(std::string_view text, std::string_view binding, bool once);

 private:
  bool first_use(const std::string& id, std::int64_t expires_ms);
  std::int64_t now_ms() const;

  const Secret key_;
  const Clock& clock_;
  const milliseconds life_;
  const std::string instance_;
  std::mutex mutex_;
  std::map<std::string, std::int64_t> used_;  // id → when it expires anyway; bounded
};

}  // namespace vmcp::pipeline
