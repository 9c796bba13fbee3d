// Misbehaviour on order: the next N requests that match get an error, a delay or a broken connection. Rules
// come from Settings::faults and from the admin path, in the same JSON. Guarded by VCenter's mutex.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "simulator/message.h"

namespace vmcp::simulator {

struct FaultRule {
  std::string method = "*";         // glob
  std::string path = "*";           // glob, held against the path and against path?query
  int left = 1;                     // requests still to be hit
  int status = 0;                   // 0: the request is served as usual
  std::optional<std::string> body;  // none: the error body that fits the dialect and the status
  Pairs headers;
  milliseconds delay{0};  // before anything happens
  milliseconds hang{0};   // after the effect, before the answer
  bool cut_before = false;
  bool cut_after = false;  // the effect happens, the answer is lost
};

class FaultPlan {
 public:
  // {"method","path","count","status","body","headers","delay_ms","hang_ms","cut":"before"|"after"}.
  static Result<FaultRule> parse(const Json& json);

  void add(FaultRule rule) { rules_.push_back(std::move(rule)); }
  void clear() { rules_.clear(); }
  std::size_t size() const { return rules_.size(); }
  // The first rule that matches, one use of it spent.
  std::optional<FaultRule> take(const Request& request);

 private:
  std::vector<FaultRule> rules_;
};

}  // namespace vmcp::simulator
