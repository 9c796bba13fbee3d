// The one thread beside the workers: answers calls that overran, closes connections that waited too long,
// joins threads that retired, writes keep-alives into open streams and tells streams' owners that the client
// left. It scans what is in flight instead of keeping a timer per call: arming must cost nothing.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"

namespace vmcp::http {

struct Transport;

class Watch {
 public:
  explicit Watch(Transport& transport);
  ~Watch();
  void start();
  void stop();

 private:
  void run();
  void overruns();
  bool time_outs();  // false: more are due than were looked at
  void gone_streams();

  Transport& transport_;
  const milliseconds time_out_period_;
  std::size_t next_slot_ = 0;  // of the connections to look at
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vmcp::http
