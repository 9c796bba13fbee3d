#include "vcenter/retry.h"

#include <Poco/DateTime.h>
#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeParser.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <ctime>
#include <optional>
#include <random>
#include <thread>

#include "vcenter/fault.h"

namespace vmcp::vcenter {
namespace {

constexpr milliseconds kLongestWait{10'000};
constexpr milliseconds kSleepSlice{50};

constexpr long kLongestRetryAfter = 3600;

// "Sun, 06 Nov 1994 08:49:37 GMT": the one form that a server may still send. The library alone would read a
// date into almost any text.
std::optional<std::time_t> http_date(std::string_view text) {
  if (text.size() != 29 || text.substr(3, 2) != ", " || text[7] != ' ' || text[11] != ' ' ||
      text[16] != ' ' || !text.ends_with(" GMT"))
    return std::nullopt;
  Poco::DateTime date;
  int offset = 0;
  if (!Poco::DateTimeParser::tryParse(Poco::DateTimeFormat::HTTP_FORMAT, std::string(text), date, offset))
    return std::nullopt;
  return date.timestamp().epochTime();
}

bool worth_repeating(const TransportFailure& failure) {
  using Kind = TransportFailure::Kind;
  // Not after a timeout: a vCenter that is slow is not helped by being asked again.
  return failure.kind == Kind::connect || failure.kind == Kind::broken;
}

// The service has too much to do, or is not there yet.
bool overloaded(const HttpRequest& request, const HttpResponse& response) {
  if (response.status == 429) return true;
  // Under guest/ vCenter itself answers 503 when VMware Tools is not running: that lasts.
  return response.status == 503 && (request.target.find("/guest/") == std::string::npos ||
                                    response.body.find("SERVICE_UNAVAILABLE") == std::string::npos);
}

bool worth_repeating(const HttpRequest& request, const HttpResponse& response) {
  if (overloaded(request, response) || response.status == 502 || response.status == 504) return true;
  if (response.status < 400 || response.status == 503) return false;
  // 500 in /api, 400 in /rest: only the type tells.
  return response.body.size() < 65536 && response.body.find("RESOURCE_BUSY") != std::string::npos;
}

// Full jitter: many callers that failed together do not come back together.
milliseconds jittered(double backoff_s, int attempt) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const double bound_ms = std::min(backoff_s * 1000 * std::exp2(std::min(attempt, 20)),
                                   static_cast<double>(kLongestWait.count()));
  return milliseconds{
      static_cast<long>(std::uniform_real_distribution<>(0, std::max(bound_ms, 1.0))(random))};
}

// False when cancelled.
bool sleep_until(SteadyTime until, const CancelFlag& cancel) {
  for (;;) {
    if (cancel.cancelled()) return false;
    const auto now = std::chrono::steady_clock::now();
    if (now >= until) return true;
    std::this_thread::sleep_until(std::min(until, now + kSleepSlice));
  }
}

}  // namespace

milliseconds retry_after(const HttpResponse& response, WallTime now) {
  const std::string_view text = response.header("retry-after");
  long seconds = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (ec != std::errc() || end != text.data() + text.size()) {
    const auto until = http_date(text);
    if (!until) return milliseconds{0};
    const auto from = http_date(response.header("date"));
    seconds = (*until - (from ? *from : std::chrono::system_clock::to_time_t(now)));
  }
  return seconds > 0 && seconds <= kLongestRetryAfter ? std::chrono::seconds{seconds} : milliseconds{0};
}

HttpOutcome Sender::once(const HttpRequest& request, const CallLimits& limits) {
  if (limits.cancel.cancelled())
    return TransportFailure{TransportFailure::Kind::cancelled, false, "before sending", {}};
  // Connections may be at hand, and a change would leave although nobody waits for its answer.
  if (std::chrono::steady_clock::now() >= limits.deadline) {
    return TransportFailure{TransportFailure::Kind::timeout, false, "the deadline passed before sending", {}};
  }
  if (const auto rest = breaker_.resting()) {
    return TransportFailure{TransportFailure::Kind::resting, false, "the circuit breaker is open", *rest};
  }
  HttpOutcome outcome = transport_.send(request, limits);
  const auto* failure = std::get_if<TransportFailure>(&outcome);
  if (!failure) {
    breaker_.reached();
    if (on_answer_) {
      const HttpResponse& response = std::get<HttpResponse>(outcome);
      const bool too_much = overloaded(request, response);
      on_answer_(host_, too_much, too_much ? retry_after(response) : milliseconds{0});
    }
  } else if (failure->kind == TransportFailure::Kind::connect) {
    if (breaker_.missed())
      log_.warning("vcenter_unreachable", {{"host", host_}, {"reason", failure->detail}});
  } else if (failure->sent || failure->kind == TransportFailure::Kind::tls) {
    breaker_.reached();
  }
  return outcome;
}

HttpOutcome Sender::send(const HttpRequest& request, bool repeatable, const CallLimits& limits) {
  HttpRequest prepared = request;
  prepared.idempotent = repeatable;
  for (int attempt = 0;; ++attempt) {
    HttpOutcome outcome = once(prepared, limits);
    if (!repeatable || attempt >= policy_.retries) return outcome;
    milliseconds wait = jittered(policy_.backoff_s, attempt);
    const auto* response = std::get_if<HttpResponse>(&outcome);
    if (response) {
      if (!worth_repeating(prepared, *response)) return outcome;
      wait = std::max(wait, retry_after(*response));
    } else if (!worth_repeating(std::get<TransportFailure>(outcome))) {
      return outcome;
    }
    const SteadyTime until = std::chrono::steady_clock::now() + wait;
    // The answer in hand is worth more than a wait that the deadline would cut.
    if (until >= limits.deadline) return outcome;
    log_.debug("vcenter_retry", {{"host", host_},
                                 {"method", prepared.method},
                                 {"reason", response ? "HTTP " + std::to_string(response->status)
                                                     : std::get<TransportFailure>(outcome).detail}});
    if (!sleep_until(until, limits.cancel)) {
      return TransportFailure{TransportFailure::Kind::cancelled, false, "between attempts", {}};
    }
  }
}

}  // namespace vmcp::vcenter
