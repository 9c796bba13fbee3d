// The simulated vCenter without its socket: one request in, one reply out. Blocks where the real one does (a
// synchronous power call, an ordered delay), without holding the mutex meanwhile.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "simulator/recorder.h"
#include "simulator/world.h"

namespace vmcp::simulator {

class VCenter {
 public:
  // `clock` outlives this object.
  VCenter(Settings settings, const Clock& clock);

  // Makes the inventory, opens the record, reads the fault rules. Call once, before the first request.
  Result<void> prepare();
  // [any thread]
  Reply handle(const Request& request);
  // Wakes and ends every waiting request; later ones do not wait.
  void stop();

 private:
  using Lock = std::unique_lock<std::mutex>;
  struct Served {
    Reply reply;
    std::string operation, user;
  };
  void begin_request();
  Reply serve(Lock& lock, const Request& request);
  Served dispatch(Lock& lock, const Request& request);
  Served injected(const Request& request, const FaultRule& rule) const;
  Reply wait_for_task(Lock& lock, const std::string& id, bool rest);
  void wait_real(Lock& lock, milliseconds time);

  const Settings settings_;
  VirtualClock clock_;
  Recorder recorder_;
  std::mutex mutex_;
  std::condition_variable changed_;  // the clock was pushed, or the end has come
  bool stopping_ = false;
  World world_;
};

}  // namespace vmcp::simulator
