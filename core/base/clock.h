// Time as a collaborator, so that tests own it. Durations carry their unit in the type.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace vmcp {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;
using std::chrono::milliseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime now() const = 0;  // deadlines, buckets, durations   [any thread]
  virtual WallTime wall() const = 0;   // records for people              [any thread]
};

// The machine's clock. Stateless: any number of instances may exist.
class SystemClock final : public Clock {
 public:
  SteadyTime now() const override { return std::chrono::steady_clock::now(); }
  WallTime wall() const override { return std::chrono::system_clock::now(); }
};

// "2026-02-03T10:11:12.345Z" (UTC, milliseconds), appended without allocation beyond `out`'s growth.
void append_iso8601(std::string& out, WallTime t);
std::string iso8601(WallTime t);
// What people and files write: "2027-01-01" (its first moment), "2027-01-01T10:00:00Z", with a fraction of
// up to nine digits or an offset such as +01:00. Nothing for anything else: there is no local time here.
std::optional<WallTime> parse_iso8601(std::string_view text);

}  // namespace vmcp
