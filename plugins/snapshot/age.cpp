#include "snapshot/age.h"

#include <chrono>
#include <cstdio>
#include <ctime>

namespace vmcp::plugins::snapshot {

namespace {

// Seconds east of Greenwich of "Z", "+01:00" or "-0530"; a time without any is taken as UTC, as vCenter's
// are.
std::optional<std::int64_t> offset_of(const std::string& zone) {
  if (zone.empty() || zone == "Z" || zone == "z") return 0;
  int hours = 0, minutes = 0;
  const char sign = zone[0];
  if ((sign != '+' && sign != '-') || (std::sscanf(zone.c_str() + 1, "%2d:%2d", &hours, &minutes) != 2 &&
                                       std::sscanf(zone.c_str() + 1, "%2d%2d", &hours, &minutes) != 2))
    return std::nullopt;
  const std::int64_t east = (hours * 60 + minutes) * 60;
  return sign == '-' ? -east : east;
}

}  // namespace

std::optional<std::int64_t> seconds_of(const std::string& date_time) {
  std::tm parts{};
  int read = 0;
  if (std::sscanf(date_time.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon,
                  &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &read) != 6)
    return std::nullopt;
  std::size_t zone = static_cast<std::size_t>(read);
  if (zone < date_time.size() && date_time[zone] == '.')
    zone = date_time.find_first_not_of("0123456789", zone + 1);
  const auto offset = offset_of(zone >= date_time.size() ? "" : date_time.substr(zone));
  if (!offset || parts.tm_mon < 1 || parts.tm_mon > 12 || parts.tm_mday < 1 || parts.tm_mday > 31)
    return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return static_cast<std::int64_t>(timegm(&parts)) - *offset;
}

std::int64_t seconds_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string date_time_of(std::int64_t seconds) {
  const std::time_t time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  char text[32];
  if (gmtime_r(&time, &parts) == nullptr ||
      std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
    return {};
  return text;
}

}  // namespace vmcp::plugins::snapshot
