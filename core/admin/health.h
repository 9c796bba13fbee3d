// What /healthz and /readyz answer.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace vmcp::admin {

struct Readiness {
  bool ready = false;
  std::vector<std::string> reasons;  // why not; no secrets, no upstream text
};

// Alive: the process serves. Ready: it would let a changing call through. Asked per request; must not block.
class Health {
 public:
  explicit Health(std::function<Readiness()> probe) : probe_(std::move(probe)) {}
  std::string alive_json() const;
  // Sets `status` to 200 or 503.
  std::string ready_json(int& status) const;

 private:
  std::function<Readiness()> probe_;
};

}  // namespace vmcp::admin
