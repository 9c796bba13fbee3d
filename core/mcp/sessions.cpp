#include "mcp/sessions.h"

#include <algorithm>

#include "base/crypto.h"

namespace vmcp::mcp {
namespace {

constexpr std::size_t kMaxStreamsKept = 32;
constexpr std::size_t kMaxAwaited = 64;
constexpr std::size_t kMaxUris = 512;

}  // namespace

SessionStreamPtr Session::new_stream() {
  const std::lock_guard lock(mutex_);
  // Finished ones stay for a client that lost the end of them; the oldest go first.
  for (auto it = streams_.begin(); streams_.size() >= kMaxStreamsKept && it != streams_.end();)
    it = it->first != 0 && it->second->finished() ? streams_.erase(it) : std::next(it);
  const std::uint64_t number = next_stream_++;
  return streams_.emplace(number, std::make_shared<SessionStream>(number)).first->second;
}

SessionStreamPtr Session::stream(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto it = streams_.find(number);
  return it == streams_.end() ? nullptr : it->second;
}

SessionStreamPtr Session::general() {
  const std::lock_guard lock(mutex_);
  SessionStreamPtr& general = streams_[0];
  if (!general) general = std::make_shared<SessionStream>(0);
  return general;
}

std::string Session::ask(std::function<void(ClientAnswer&&)> answered) {
  const std::lock_guard lock(mutex_);
  if (awaited_.size() >= kMaxAwaited) return {};
  std::string request = "vmcp-" + std::to_string(next_request_++);
  awaited_.emplace(request, std::move(answered));
  return request;
}

bool Session::answer(std::string_view request_id, ClientAnswer&& answer) {
  std::function<void(ClientAnswer &&)> answered;
  {
    const std::lock_guard lock(mutex_);
    const auto it = awaited_.find(std::string(request_id));
    if (it == awaited_.end()) return false;
    answered = std::move(it->second);
    awaited_.erase(it);
  }
  answered(std::move(answer));
  return true;
}

void Session::begin(const std::string& request, CancelFlag cancel) {
  const std::lock_guard lock(mutex_);
  running_.insert_or_assign(request, std::move(cancel));
}

void Session::end(const std::string& request) {
  const std::lock_guard lock(mutex_);
  running_.erase(request);
}

void Session::cancel(const std::string& request) {
  const std::lock_guard lock(mutex_);
  if (const auto it = running_.find(request); it != running_.end()) it->second.cancel();
}

bool Session::subscribe(const std::string& uri, std::shared_ptr<void> watch) {
  const std::lock_guard lock(mutex_);
  if (uris_.size() >= kMaxUris) return false;
  uris_[uri].swap(watch);  // who subscribes twice is told once
  return true;
}

void Session::unsubscribe(const std::string& uri) {
  std::shared_ptr<void> watch;  // let go without the lock
  const std::lock_guard lock(mutex_);
  const auto it = uris_.find(uri);
  if (it == uris_.end()) return;
  watch = std::move(it->second);
  uris_.erase(it);
}

bool Session::subscribed(std::string_view uri) const {
  const std::lock_guard lock(mutex_);
  return uris_.contains(uri);
}

void Session::close() {
  std::unordered_map<std::string, std::function<void(ClientAnswer &&)>> awaited;
  std::map<std::uint64_t, SessionStreamPtr> streams;
  std::map<std::string, std::shared_ptr<void>, std::less<>> uris;
  {
    const std::lock_guard lock(mutex_);
    awaited.swap(awaited_);
    uris.swap(uris_);
    streams = streams_;
  }
  for (auto& [request, answered] : awaited) answered(ClientAnswer{});
  for (auto& [number, stream] : streams) stream->finish();
}

SessionPtr Sessions::open(const std::string& identity, Version version,
                          std::set<std::string, std::less<>> can) {
  auto session = std::make_shared<Session>(random_id(), identity, version, std::move(can));
  const SteadyTime now = std::chrono::steady_clock::now();
  std::vector<SessionPtr> over;
  {
    const std::lock_guard lock(mutex_);
    over = expire(now);
    sessions_.emplace(session->id, Entry{session, now});
  }
  for (const SessionPtr& old : over) old->close();
  return session;
}

std::vector<SessionPtr> Sessions::expire(SteadyTime now) {
  std::vector<SessionPtr> over;
  const bool full = sessions_.size() >= max_;
  if (!full && now < next_sweep_) return over;
  next_sweep_ = now + std::chrono::seconds(30);
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    if (now - it->second.used > idle_) {
      over.push_back(std::move(it->second.session));
      it = sessions_.erase(it);
    } else {
      ++it;
    }
  }
  if (sessions_.size() < max_) return over;
  const auto oldest = std::min_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) {
    return a.second.used < b.second.used;
  });
  over.push_back(std::move(oldest->second.session));
  sessions_.erase(oldest);
  return over;
}

SessionPtr Sessions::find(std::string_view id, std::string_view identity) {
  const std::lock_guard lock(mutex_);
  const auto it = sessions_.find(id);
  if (it == sessions_.end() || it->second.session->identity != identity) return nullptr;
  it->second.used = std::chrono::steady_clock::now();
  return it->second.session;
}

void Sessions::close(const std::string& id) {
  SessionPtr session;
  {
    const std::lock_guard lock(mutex_);
    const auto it = sessions_.find(id);
    if (it == sessions_.end()) return;
    session = std::move(it->second.session);
    sessions_.erase(it);
  }
  session->close();
}

void Sessions::close_all() {
  std::map<std::string, Entry, std::less<>> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(sessions_);
  }
  for (auto& [id, entry] : all) entry.session->close();
}

void Sessions::each(const std::function<void(Session&)>& visit) const {
  std::vector<SessionPtr> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, entry] : sessions_) all.push_back(entry.session);
  }
  for (const SessionPtr& session : all) visit(*session);
}

std::size_t Sessions::size() const {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

}  // namespace vmcp::mcp
