#include "pipeline/sealed_rounds.h"

#include "base/crypto.h"
#include "base/json.h"

namespace vmcp::pipeline {
namespace {

constexpr std::size_t kMaxSealedBytes = 32u << 10;
constexpr std::size_t kMaxUsed = 20'000;

Error not_ours() {
  return make_error(
      Code::malformed,
      "Invalid params: \"requestState\" was not issued by this server for this call and caller, was "
      "used already, or has expired. Call again without it.");
}

}  // namespace

SealedRounds::SealedRounds(Secret key, const Clock& clock, milliseconds life)
    : key_(std::move(key)), clock_(clock), life_(life), instance_(random_id()) {}

std::int64_t SealedRounds::now_ms() const {
  return std::chrono::duration_cast<milliseconds>(clock_.wall().time_since_epoch()).count();
}

std::string SealedRounds::close(const SealedRound& round, std::string_view binding) const {
  Json content{{"i", random_id()},
               {"e", now_ms() + life_.count()},
               {"r", round.round},
               {"s", base64_encode(round.state)},
               {"k", round.keys}};
  if (!round.consent.empty())
    content["c"] = {{"to", round.consent}, {"asked", round.asks_consent}, {"by", instance_}};
  return base64_encode(encrypt(key_.reveal(), dump_json(content), binding));
}

Result<SealedRound> SealedRounds::open(std::string_view text, std::string_view binding, bool once) {
  std::string sealed, plain;
  if (text.size() > kMaxSealedBytes || !base64_decode(text, sealed) ||
      !decrypt(key_.reveal(), sealed, binding, plain))
    return not_ours();
  const auto content = parse_trusted_json(plain, kMaxSealedBytes);
  if (!content) return not_ours();
  const std::int64_t expires = content->value("e", std::int64_t{0});
  if (expires < now_ms()) return not_ours();
  const auto consent = content->find("c");
  const bool consents = consent != content->end();
  if ((once || consents) && !first_use(content->value("i", ""), expires)) return not_ours();
  SealedRound out;
  if (consents && consent->value("by", "") == instance_) {
    out.consent = consent->value("to", "");
    out.asks_consent = consent->value("asked", false);
  }
  out.round = content->value("r", 0u);
  if (!base64_decode(content->value("s", ""), out.state)) return not_ours();
  out.keys = content->value("k", std::vector<std::string>{});
  return out;
}

bool SealedRounds::first_use(const std::string& id, std::int64_t expires_ms) {
  const std::lock_guard lock(mutex_);
  if (used_.size() >= kMaxUsed) {
    std::erase_if(used_, [now = now_ms()](const auto& entry) { return entry.second < now; });
    if (used_.size() >= kMaxUsed) return false;  // cannot tell: refuse
  }
  return used_.emplace(id, expires_ms).second;
}

}  // namespace vmcp::pipeline
