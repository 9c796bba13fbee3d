#include "vcenter/resolver.h"

#include <Poco/Exception.h>
#include <Poco/Net/DNS.h>
#include <Poco/Net/HostEntry.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/clock.h"

namespace vmcp::vcenter {

struct Resolver::State {
  Endpoint endpoint;
  std::mutex mutex;
  std::condition_variable changed;
  // guarded by mutex
  bool running = false;
  unsigned long finished = 0;  // lookups done so far
  Answer last;
  SteadyTime fresh_until{};
};

namespace {

constexpr std::chrono::seconds kKeep{30};
constexpr milliseconds kWaitSlice{50};

Resolver::Answer look_up(const Endpoint& endpoint) {
  Resolver::Answer answer;
  try {
    if (endpoint.literal) {
      answer.addresses.emplace_back(Poco::Net::IPAddress(endpoint.host), endpoint.port);
      return answer;
    }
    const Poco::Net::HostEntry found = Poco::Net::DNS::hostByName(endpoint.host);
    for (const auto& ip : found.addresses()) {
      answer.addresses.emplace_back(ip, endpoint.port);
    }
    if (answer.addresses.empty()) answer.problem = "the name has no address";
  } catch (const Poco::Exception& e) {
    answer.addresses.clear();
    answer.problem = "name lookup failed: " + e.displayText();
  }
  return answer;
}

}  // namespace

Resolver::Resolver(Endpoint endpoint) : state_(std::make_shared<State>()) {
  state_->endpoint = std::move(endpoint);
  if (state_->endpoint.literal) {
    state_->last = look_up(state_->endpoint);
    state_->fresh_until = SteadyTime::max();
  }
}

Resolver::~Resolver() = default;

Resolver::Answer Resolver::resolve(const std::function<bool()>& give_up) {
  State& s = *state_;
  std::unique_lock lock(s.mutex);
  if (std::chrono::steady_clock::now() < s.fresh_until) return s.last;
  const unsigned long before = s.finished;
  if (!s.running) {
    s.running = true;
    try {
      std::thread([shared = state_] {
        Answer answer = look_up(shared->endpoint);
        const std::lock_guard guard(shared->mutex);
        const bool ok = !answer.addresses.empty();
        shared->last = std::move(answer);
        shared->fresh_until = ok ? std::chrono::steady_clock::now() + kKeep : SteadyTime{};
        shared->running = false;
        ++shared->finished;
        shared->changed.notify_all();
      }).detach();
    } catch (const std::system_error&) {
      s.running = false;
      return {{}, "no thread for the name lookup"};
    }
  }
  while (s.finished == before) {
    if (give_up()) return {};
    s.changed.wait_for(lock, kWaitSlice);
  }
  return s.last;
}

}  // namespace vmcp::vcenter
