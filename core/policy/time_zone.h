// Wall clock of a time zone, from the machine's zoneinfo: localtime() knows one zone per process only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace vmcp::policy {

// Immutable; [any thread].
class TimeZone {
 public:
  // "UTC" needs no file. Errors name the zone and what to do: unknown here, not a zone file.
  static Result<TimeZone> load(const std::string& name, const std::string& folder = "/usr/share/zoneinfo");
  // The bytes of a TZif file (RFC 9636, version 2 or later).
  static Result<TimeZone> parse(std::string_view bytes);

  // Seconds east of UTC at that moment.
  std::int64_t offset_at(WallTime t) const;

 private:
  struct Change {
    std::int64_t at;  // seconds since 1970
    std::int64_t offset;
  };
  // When summer time begins or ends, "M3.5.0/2": by month, week, weekday, or by day of the year.
  struct Day {
    enum class Form { month, julian, zero_based } form = Form::month;
    int month = 1, week = 1, weekday = 0, day = 0;
    std::int64_t time_s = 2 * 3600;
    std::int64_t in_year(int year) const;  // seconds since 1970 of that day's local midnight, plus time_s
  };
  // What holds after the last change, a POSIX TZ text.
  struct Rest {
    std::int64_t standard = 0, summer = 0;
    bool has_summer = false;
    Day begin, end;
    std::int64_t offset_at(std::int64_t seconds) const;
  };
  static bool parse_rest(std::string_view text, Rest& out);

  std::int64_t first_offset_ = 0;  // before the first change
  std::vector<Change> changes_;
  bool has_rest_ = false;
  Rest rest_;
};

}  // namespace vmcp::policy
