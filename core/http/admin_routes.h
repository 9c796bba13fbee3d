// Which path leads where on the admin listener, which is another one than the clients'.
#pragma once

#include "admin/api.h"
#include "admin/health.h"
#include "http/message.h"
#include "http/origin_guard.h"

namespace vmcp::http {

class AdminRoutes {
 public:
  // References outlive the routes.
  AdminRoutes(OriginGuard guard, admin::Api& api, const admin::Health& health)
      : guard_(std::move(guard)), api_(api), health_(health) {}
  void handle(const HttpExchangePtr& exchange) const;  // [any worker]

 private:
  OriginGuard guard_;
  admin::Api& api_;
  const admin::Health& health_;
};

}  // namespace vmcp::http
