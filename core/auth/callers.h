// Who may come in, at present: the Authenticator of the configuration that was read last. A request is judged
// by one of them, whole; who was admitted keeps his principal whatever is configured next.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "auth/authenticator.h"

namespace vmcp::auth {

// [any thread]
class Callers {
 public:
  explicit Callers(Authenticator first) : now_(std::make_shared<const Authenticator>(std::move(first))) {}

  std::shared_ptr<const Authenticator> now() const {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  void replace(Authenticator next) {
    auto made = std::make_shared<const Authenticator>(std::move(next));
    const std::lock_guard lock(mutex_);
    now_.swap(made);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Authenticator> now_;
};

}  // namespace vmcp::auth
