// The way back of one POSTed message: notifications while it is worked on, then its one reply. While nobody
// notifies, the reply is a plain JSON answer; the first notification turns it into an event stream, if the
// client takes one.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp/endpoint.h"
#include "mcp/sessions.h"

namespace vmcp::mcp {

// What goes back for one message. An empty body: accepted, nothing to say.
struct Reply {
  int status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

class Outlet {
 public:
  Outlet(InboundPtr inbound, std::string request_id);

  // From here on what is said goes through a stream of this session, which survives the connection.
  // With `resumable` even a reply that comes alone goes that way.
  void use(SessionPtr session, bool resumable) {
    session_ = std::move(session);
    resumable_ = resumable;
  }
  // False: the client takes no stream, so nothing can be said before the reply.
  bool can_stream() const;
  // One JSON-RPC message before the reply. Dropped after it. [any thread]
  void notify(std::string_view message);
  // First wins. [any thread]
  void reply(Reply&& reply);
  // Lets the connection go; the reply waits until the client comes back. Without a session nothing happens.
  void close_stream();

 private:
  bool open();  // with the lock held: there is a stream now

  const InboundPtr inbound_;
  const std::string request_id_;
  SessionPtr session_;  // set before anything is said
  bool resumable_ = false;
  std::mutex mutex_;
  bool replied_ = false, no_stream_ = false;
  MessageStreamPtr wire_;    // without a session
  SessionStreamPtr stream_;  // with one
};
using OutletPtr = std::shared_ptr<Outlet>;

}  // namespace vmcp::mcp
