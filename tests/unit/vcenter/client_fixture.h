// A fleet of one against a fake vCenter, with waits short enough for tests.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fake_vcenter.h"
#include "vcenter/client.h"

namespace vmcp::test {

using namespace std::chrono_literals;

// Keeps every line, so that a test can look for what must not be there.
class KeepingLog final : public Log {
 public:
  void write(LogLevel level, std::string_view event, std::initializer_list<Field> fields) override {
    const std::lock_guard lock(mutex_);
    std::string line = std::to_string(static_cast<int>(level)) + " " + std::string(event);
    for (const auto& [key, value] : fields) line += " " + std::string(key) + "=" + std::string(value);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  int count(const std::string& part) const {
    int n = 0;
    for (const std::string& line : lines()) n += line.find(part) != std::string::npos;
    return n;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

inline constexpr const char* kVm = "/api/vcenter/vm/vm-1";

inline CallLimits within(std::chrono::milliseconds time) {
  return {std::chrono::steady_clock::now() + time, CancelFlag()};
}

inline long ms_since(SteadyTime start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start)
      .count();
}

// Runs `call` until it takes less than `bound`, at most five times, and returns the last time: a promise
// about time is the client's, but a busy machine may break it once.
template <class Call>
long shortest_ms(long bound, const Call& call) {
  long took = 0;
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    call();
    took = ms_since(start);
    if (took < bound) break;
  }
  return took;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline vcenter::Settings settings_for(const FakeVcenter& fake) {
  vcenter::Settings settings;
  settings.hosts = {fake.address()};
  settings.user = "svc@vsphere.local";
  settings.password = Secret("pw-of-the-test");
  settings.plain_http = true;
  settings.connect_timeout = 2s;
  settings.timeout = 20s;
  settings.backoff_s = 0.01;
  return settings;
}

struct Client {
  explicit Client(const FakeVcenter& fake) : Client(settings_for(fake)) {}
  explicit Client(vcenter::Settings settings) {
    auto made = vcenter::make_fleet(std::move(settings), log);
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.error().text));
    fleet = std::move(*made);
    auto found = fleet->find("");
    REQUIRE(found.ok());
    connection = *found;
  }

  vcenter::Reply get(std::string_view path, CallLimits limits = within(20s)) {
    return connection->automation({"GET", path, {}}, limits);
  }
  vcenter::Reply send(std::string_view method, std::string_view path, std::string_view body = {},
                      CallLimits limits = within(20s)) {
    return connection->automation({method, path, body}, limits);
  }
  vcenter::Reply property(std::string_view type, std::string_view moref, std::string_view path,
                          CallLimits limits = within(20s)) {
    return connection->vim({type, moref, path, true, {}}, limits);
  }
  vcenter::Reply method(std::string_view type, std::string_view moref, std::string_view name,
                        std::string_view params = {}, CallLimits limits = within(20s)) {
    return connection->vim({type, moref, name, false, params}, limits);
  }

  KeepingLog log;  // first: outlives the fleet
  std::unique_ptr<vcenter::Fleet> fleet;
  vcenter::Connection* connection = nullptr;
};

}  // namespace vmcp::test
