// What the simulator received: the ground truth for tests that must prove that nothing was sent. Counts every
// request but the admin path's, whatever became of it. Guarded by VCenter's mutex.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "base/json.h"
#include "simulator/message.h"
#include "simulator/virtual_clock.h"

namespace vmcp::simulator {

class Traffic {
 public:
  // Counts a request on arrival and returns its number; `finish` adds what is known later.
  std::uint64_t arrive(const Request& request, Millis now);
  void finish(std::uint64_t number, const std::string& operation, const std::string& user, int status);
  void reset();
  Json report() const;

 private:
  struct Entry {
    std::uint64_t number = 0;
    Millis at = 0;
    std::string method, target, operation, user;
    bool changing = false;
    int status = 0;  // 0: not answered (yet)
  };
  std::uint64_t next_ = 1;
  std::uint64_t total_ = 0;
  std::uint64_t changing_ = 0;
  std::map<std::string, std::uint64_t> by_operation_;
  std::deque<Entry> last_;
};

// Whether a request asks for a change of inventory or state (a login, a view or a query does not).
bool is_changing(const Request& request);

}  // namespace vmcp::simulator
