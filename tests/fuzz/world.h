// The server without sockets: everything that a request passes from the framer on, in one process, over a
// vCenter, an inventory and a journal that only pretend.
#pragma once

#include <memory>

#include "http/message.h"

namespace vmcp::fuzz {

inline constexpr const char* kReaderToken = "token-of-reader-0001";
inline constexpr const char* kAdminToken = "token-of-admin-00001";

class World {
 public:
  World();
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void handle(const http::HttpExchangePtr& exchange);  // one whole request; what it throws is a defect

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace vmcp::fuzz
