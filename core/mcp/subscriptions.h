// The open `subscriptions/listen` streams of modern clients, and who is told what when something changes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "mcp/endpoint.h"

namespace vmcp::mcp {

// What one listener asked for and may have.
struct Interest {
  bool tools = false, prompts = false, resources = false;
  std::set<std::string, std::less<>> uris;
  std::set<std::string, std::less<>> task_ids;

  // Out of params.notifications; empty, or what is wrong with it.
  static std::string read(const Json& notifications, bool may_have_tasks, Interest& out);
  std::string json() const;  // as MCP writes it: only what is on
};

class Subscriptions {
 public:
  explicit Subscriptions(std::size_t max) : max_(max) {}

  // Acknowledges on `stream` and keeps it until the client goes away or end() is called. False: too many.
  // `id_json`: the request's id as it came.
  // `watches` are held as long as the listener is. `may_hear`: asked whenever something is published to
  // anybody; once it says no, the stream ends. Must not block; null: always.
  bool add(const Interest& interest, const std::string& id_json, MessageStreamPtr stream,
           std::vector<std::shared_ptr<void>> watches = {}, std::function<bool()> may_hear = nullptr);
  // One message to one listener that says: read this again.
  static void tell_updated(MessageStream& stream, const std::string& id_json, const std::string& uri);
  // To everyone who asked for it. `matches` decides, `method` and `params` ({…} or empty) are what is told.
  // [any]
  void publish(const std::function<bool(const Interest&)>& matches, std::string_view method,
               const Json& params);
  // Ends all of them the graceful way: a result, then the cancellation.
  void end();
  std::size_t size() const;

 private:
  struct Listener {
    Interest interest;
    std::string id_json;
    MessageStreamPtr stream;
    std::vector<std::shared_ptr<void>> watches;
    std::function<bool()> may_hear;
  };
  static void finish(const Listener& listener, std::string_view why);
  struct Table {
    std::mutex mutex;
    std::map<std::uint64_t, std::shared_ptr<const Listener>> listeners;
    std::uint64_t next = 1;
    bool ended = false;
  };

  const std::size_t max_;
  // Shared with the streams' on_gone, which may come after this object is gone.
  const std::shared_ptr<Table> table_ = std::make_shared<Table>();
};

}  // namespace vmcp::mcp
