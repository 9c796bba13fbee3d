// How old a snapshot is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace vmcp::plugins::snapshot {

// Seconds since 1970 of a date and time as vim25 writes it ("2026-02-03T10:11:12.345Z", "…+01:00"); nothing
// when it is none.
std::optional<std::int64_t> seconds_of(const std::string& date_time);

std::int64_t seconds_now();

// "2026-02-03T10:11:12Z"
std::string date_time_of(std::int64_t seconds);

}  // namespace vmcp::plugins::snapshot
