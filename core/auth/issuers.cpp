#include "auth/issuers.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace vmcp::auth {
namespace {

constexpr std::size_t kMaxKeys = 64;
constexpr std::size_t kMaxBytes = 256u << 10;

JsonLimits limits() {
  JsonLimits l;
  l.max_bytes = kMaxBytes;
  l.max_depth = 16;
  l.max_values = 20'000;
  return l;
}

std::string without_slash(std::string text) {
  while (text.ends_with('/')) text.pop_back();
  return text;
}

// "https://host:1/path" → the part before the path.
std::string_view origin_of(std::string_view url) {
  const std::size_t host = url.find("://");
  if (host == std::string_view::npos) return {};
  return url.substr(0, url.find('/', host + 3));
}

}  // namespace

std::vector<std::string> metadata_urls(std::string_view issuer) {
  const std::string base = without_slash(std::string(issuer));
  const std::string origin(origin_of(base)), path = base.substr(origin.size());
  std::vector<std::string> out = {origin + "/.well-known/oauth-authorization-server" + path,
                                  origin + "/.well-known/openid-configuration" + path};
  if (!path.empty()) out.push_back(base + "/.well-known/openid-configuration");
  return out;
}

Result<KeySet> KeySet::read(std::string_view text) {
  const auto json = parse_json(text, limits());
  if (!json || !json->is_object() || !json->contains("keys") || !(*json)["keys"].is_array() ||
      (*json)["keys"].size() > kMaxKeys)
    return make_error(Code::malformed, "the answer is no set of at most 64 keys");
  KeySet out;
  for (const Json& jwk : (*json)["keys"])
    if (auto key = VerifyKey::read(jwk)) out.keys_.push_back(std::move(*key));
  if (out.keys_.empty()) return make_error(Code::malformed, "no key of the set is usable here");
  return out;
}

const VerifyKey* KeySet::find(std::string_view id, Algorithm algorithm) const {
  const VerifyKey* found = nullptr;
  for (const VerifyKey& key : keys_) {
    if (!key.fits(algorithm) || (!id.empty() && key.id() != id)) continue;
    if (found != nullptr) return nullptr;  // which one is meant, nobody can tell
    found = &key;
  }
  return found;
}

struct Issuers::Impl {
  struct Known {
    std::shared_ptr<const KeySet> keys;
    SteadyTime fetched{}, tried{}, next{};
    bool asked = false;
    std::string complained;
  };

  // The key set's own address, out of the issuer's metadata.
  Result<std::string> jwks_url(const std::string& issuer) const {
    Error last = make_error(Code::unavailable, "no metadata");
    for (const std::string& url : metadata_urls(issuer)) {
      const auto text = fetch(url);
      if (!text) {
        last = text.error();
        continue;
      }
      const auto json = parse_json(*text, limits());
      if (!json || !json->is_object()) continue;
      // Whose metadata it is must be said in it (RFC 8414, section 3.3).
      if (without_slash(json->value("issuer", std::string())) != without_slash(issuer))
        return make_error(Code::malformed, "its metadata names another issuer");
      const std::string keys = json->value("jwks_uri", std::string());
      const bool safe = keys.starts_with("https://") || origin_of(keys) == origin_of(issuer);
      if (keys.empty() || !safe) return make_error(Code::malformed, "its metadata names no safe jwks_uri");
      return keys;
    }
    return last;
  }

  Result<KeySet> read_keys(const std::string& issuer) const {
    const auto url = jwks_url(issuer);
    if (!url) return url.error();
    const auto text = fetch(*url);
    if (!text) return text.error();
    return KeySet::read(*text);
  }

  void run() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      const SteadyTime now = std::chrono::steady_clock::now();
      auto due = std::min_element(known.begin(), known.end(),
                                  [](const auto& a, const auto& b) { return a.second.next < b.second.next; });
      if (due == known.end()) return;
      if (due->second.next > now) {
        wake.wait_until(lock, due->second.next, [&] { return stopping || hurry; });
        hurry = false;
        continue;
      }
      const std::string issuer = due->first;
      lock.unlock();
      auto keys = read_keys(issuer);
      lock.lock();
      note(issuer, due->second, std::move(keys));
      fresh.notify_all();
    }
  }

  void note(const std::string& issuer, Known& entry, Result<KeySet> keys) {
    const SteadyTime now = std::chrono::steady_clock::now();
    entry.asked = false;
    entry.tried = now;
    if (keys) {
      entry.keys = std::make_shared<const KeySet>(std::move(*keys));
      entry.fetched = now;
      entry.next = now + settings.refresh;
      if (!entry.complained.empty())
        log.info("keys of an authorization server are there", {{"issuer", issuer}});
      entry.complained.clear();
      return;
    }
    entry.next = now + settings.retry;
    if (entry.keys && now - entry.fetched > settings.keep) entry.keys.reset();
    if (entry.complained == keys.error().text) return;
    entry.complained = keys.error().text;
    log.warning("keys of an authorization server cannot be read",
                {{"issuer", issuer}, {"why", keys.error().text}, {"detail", keys.error().detail}});
  }

  Impl(Fetch f, IssuerSettings s, Log& l) : fetch(std::move(f)), settings(s), log(l) {}

  const Fetch fetch;
  const IssuerSettings settings;
  Log& log;
  mutable std::mutex mutex;
  mutable std::condition_variable wake, fresh;
  std::map<std::string, Known, std::less<>> known;
  bool stopping = false, hurry = false;
  std::thread thread;
};

Issuers::Issuers(std::vector<std::string> urls, Fetch fetch, IssuerSettings settings, Log& log)
    : impl_(std::make_unique<Impl>(std::move(fetch), settings, log)) {
  for (std::string& url : urls) impl_->known.emplace(std::move(url), Impl::Known{});
  impl_->thread = std::thread([impl = impl_.get()] {
    try {
      impl->run();
    } catch (const std::exception& e) {
      impl->log.error("the keys of the authorization servers are no longer renewed", {{"why", e.what()}});
    }
  });
}

Issuers::~Issuers() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_all();
  impl_->thread.join();
}

bool Issuers::trusted(std::string_view issuer) const {
  return impl_->known.contains(issuer);
}

std::shared_ptr<const KeySet> Issuers::keys(std::string_view issuer) const {
  const std::lock_guard lock(impl_->mutex);
  const auto it = impl_->known.find(issuer);
  return it == impl_->known.end() ? nullptr : it->second.keys;
}

void Issuers::look_again(std::string_view issuer) {
  const std::lock_guard lock(impl_->mutex);
  const auto it = impl_->known.find(issuer);
  if (it == impl_->known.end() || it->second.asked) return;
  it->second.asked = true;
  // Also when that failed: whoever names keys that do not exist must not make us ask without a pause.
  const SteadyTime earliest = it->second.tried + impl_->settings.retry;
  it->second.next = std::min(it->second.next, std::max(earliest, std::chrono::steady_clock::now()));
  impl_->hurry = true;
  impl_->wake.notify_all();
}

bool Issuers::wait(milliseconds at_most) const {
  std::unique_lock lock(impl_->mutex);
  return impl_->fresh.wait_for(lock, at_most, [&] {
    return std::all_of(impl_->known.begin(), impl_->known.end(),
                       [](const auto& entry) { return entry.second.keys != nullptr; });
  });
}

}  // namespace vmcp::auth
