#include "audit/coalescer.h"

#include <initializer_list>

#include "audit/encode.h"

namespace vmcp::audit {
namespace {

constexpr milliseconds kWindow{1000};
constexpr std::size_t kMaxPartBytes = 128;

std::string key_of(std::initializer_list<std::string_view> parts) {
  std::string key;
  key.reserve(128);
  for (const std::string_view part : parts) {
    key += part.substr(0, kMaxPartBytes);
    key += '\x1f';
  }
  return key;
}

}  // namespace

void Coalescer::count_coarsely(const Record& r) {
  Record kind;  // what all that are counted here have in common
  kind.event = Event::refused;
  kind.step = r.step;
  kind.code = r.code;
  kind.peer = r.peer;
  kind.error = "several refusals, counted together";
  std::string key = key_of({r.peer, r.step, r.code});
  if (coarse_.size() >= kMaxKinds && !coarse_.contains(key)) {
    kind.peer = "(many)";
    key = key_of({"", r.step, r.code});  // steps and codes are ours: they are few
    if (coarse_.size() >= 2 * kMaxKinds && !coarse_.contains(key)) {
      kind.step = kind.code = {};
      key = key_of({"", "", ""});
    }
  }
  const auto [it, fresh] = coarse_.try_emplace(std::move(key));
  if (fresh) it->second.body = encode_body(kind, clock_.wall(), max_args_bytes_);
  ++it->second.repeated;
}

void Coalescer::refused(const Record& r, std::vector<std::string>& bodies) {
  std::string key = key_of({r.peer, r.step, r.code, r.identity, r.tool, r.rule});
  const std::scoped_lock lock(mutex_);
  collect_locked(false, bodies);
  if (fine_.empty() && coarse_.empty()) began_ = clock_.now();
  if (const auto it = fine_.find(key); it != fine_.end()) {
    ++it->second.repeated;
  } else if (fine_.size() < kMaxKinds) {
    Kind& kind = fine_[std::move(key)];
    kind.body = encode_body(r, clock_.wall(), max_args_bytes_);
    bodies.push_back(kind.body);
  } else {
    count_coarsely(r);
  }
}

void Coalescer::collect_locked(bool all, std::vector<std::string>& bodies) {
  if (fine_.empty() && coarse_.empty()) return;
  if (!all && clock_.now() - began_ < kWindow) return;
  for (auto* kinds : {&fine_, &coarse_}) {
    for (const auto& [key, kind] : *kinds)
      if (kind.repeated > 0)
        bodies.push_back(with_time(kind.body, clock_.wall()) +
                         ",\"repeated\":" + std::to_string(kind.repeated));
    kinds->clear();
  }
}

void Coalescer::collect(bool all, std::vector<std::string>& bodies) {
  const std::scoped_lock lock(mutex_);
  collect_locked(all, bodies);
}

bool Coalescer::pending() const {
  const std::scoped_lock lock(mutex_);
  return !fine_.empty() || !coarse_.empty();
}

}  // namespace vmcp::audit
