// Sessions of the handshake era: random ids, each bound to the identity that made it. A session never
// authenticates; it only remembers what the handshake said and where to send what the server has to say.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "mcp/era.h"
#include "mcp/session_stream.h"

namespace vmcp::mcp {

// What a client answered to a request of ours: `result` or `error` of the posted response.
struct ClientAnswer {
  bool ok = false;
  std::string json;
};

class Session {
 public:
  Session(std::string an_id, std::string of, Version spoken, std::set<std::string, std::less<>> able)
      : id(std::move(an_id)), identity(std::move(of)), version(spoken), can(std::move(able)) {}

  const std::string id, identity;
  const Version version;
  const std::set<std::string, std::less<>> can;  // names as in plugin_host/invocation.h

  // Streams. [any thread]
  SessionStreamPtr new_stream();
  SessionStreamPtr stream(std::uint64_t number) const;  // null when it is not kept
  // The session's own stream; made at first use. Its number is 0.
  SessionStreamPtr general();
  // A notification that belongs to no request; kept until the client opens its stream.
  void notify(std::string_view message) { general()->send(message); }

  // Requests to the client. `answered` is called once: by the response, or with ok=false when the session
  // ends. Gives the request's id; empty when too many are open.
  std::string ask(std::function<void(ClientAnswer&&)> answered);
  // False: nothing with that id is awaited.
  bool answer(std::string_view request_id, ClientAnswer&& answer);

  // Requests of the client that are being worked on, by id as JSON text.
  void begin(const std::string& request, CancelFlag cancel);
  void end(const std::string& request);
  void cancel(const std::string& request);

  void set_log_level(int level) { log_level_.store(level); }
  int log_level() const { return log_level_.load(); }  // as in notifications.h; negative: silent

  // False: too many. `watch` is held as long as the subscription stands; it may be null.
  bool subscribe(const std::string& uri, std::shared_ptr<void> watch = nullptr);
  void unsubscribe(const std::string& uri);
  bool subscribed(std::string_view uri) const;

  void close();  // everything that waits is told so

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, SessionStreamPtr> streams_;
  std::uint64_t next_stream_ = 1;
  std::unordered_map<std::string, std::function<void(ClientAnswer&&)>> awaited_;
  std::uint64_t next_request_ = 1;
  std::unordered_map<std::string, CancelFlag> running_;
  std::map<std::string, std::shared_ptr<void>, std::less<>> uris_;
  std::atomic<int> log_level_{-1};
};
using SessionPtr = std::shared_ptr<Session>;

class Sessions {
 public:
  // Over `max` the one unused for longest is closed; unused for `idle`: closed too.
  Sessions(std::size_t max, milliseconds idle) : max_(max), idle_(idle) {}

  SessionPtr open(const std::string& identity, Version version, std::set<std::string, std::less<>> can);
  // Null: unknown, ended, or another identity's: these look the same.
  SessionPtr find(std::string_view id, std::string_view identity);
  void close(const std::string& id);
  void close_all();
  void each(const std::function<void(Session&)>& visit) const;
  std::size_t size() const;

 private:
  struct Entry {
    SessionPtr session;
    SteadyTime used;
  };
  // With the lock held; the sessions are closed by the caller without it.
  std::vector<SessionPtr> expire(SteadyTime now);

  const std::size_t max_;
  const milliseconds idle_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> sessions_;
  SteadyTime next_sweep_{};
};

}  // namespace vmcp::mcp
