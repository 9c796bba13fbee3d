// Sends a request, and repeats it if that is harmless and may help.
#pragma once

#include <string>

#include "base/log.h"
#include "vcenter/breaker.h"
#include "vcenter/settings.h"
#include "vcenter/transport.h"

namespace vmcp::vcenter {

struct RetryPolicy {
  int retries = 3;         // repetitions, not attempts
  double backoff_s = 0.5;  // longest first wait; doubles
};

// [any thread] The references outlive the sender.
class Sender {
 public:
  Sender(Transport& transport, Breaker& breaker, RetryPolicy policy, Log& log, std::string host,
         OnAnswer on_answer = {})
      : transport_(transport),
        breaker_(breaker),
        policy_(policy),
        log_(log),
        host_(std::move(host)),
        on_answer_(std::move(on_answer)) {}

  // If `repeatable` (it changes nothing), a connection failure, 429, 502, 503, 504 and RESOURCE_BUSY are
  // answered by another attempt after a random wait (exponential bound, Retry-After honoured), while retries
  // and the call's deadline last. What is not repeatable is sent once.
  HttpOutcome send(const HttpRequest& request, bool repeatable, const CallLimits& limits);

  const std::string& host() const { return host_; }

 private:
  HttpOutcome once(const HttpRequest& request, const CallLimits& limits);

  Transport& transport_;
  Breaker& breaker_;
  const RetryPolicy policy_;
  Log& log_;
  const std::string host_;
  const OnAnswer on_answer_;
};

// The wait that an answer asks for, in seconds or as a date; zero if none, or if it is over an hour. A date
// counts from the answer's own Date, so that vCenter's clock may go wrong; from `now` when there is none.
milliseconds retry_after(const HttpResponse& response, WallTime now = std::chrono::system_clock::now());

}  // namespace vmcp::vcenter
