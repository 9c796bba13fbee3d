// Name resolution that honours the caller's deadline. getaddrinfo() cannot be interrupted, so it runs on a
// thread of its own; at most one per resolver, shared by everyone who asks meanwhile.
#pragma once

#include <Poco/Net/SocketAddress.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "vcenter/endpoint.h"

namespace vmcp::vcenter {

class Resolver {
 public:
  explicit Resolver(Endpoint endpoint);
  ~Resolver();

  struct Answer {
    std::vector<Poco::Net::SocketAddress> addresses;  // empty = failed
    std::string problem;
  };
  // Polls `give_up` (deadline, cancellation) while waiting; an empty answer without problem means it said so.
  // Successful answers are kept for 30 s. [any thread]
  Answer resolve(const std::function<bool()>& give_up);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the lookup thread, which may outlive the resolver
};

}  // namespace vmcp::vcenter
