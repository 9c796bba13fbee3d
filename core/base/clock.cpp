#include "base/clock.h"

#include <cstdint>

namespace vmcp {
namespace {

void put_digits(std::string& out, int value, int width) {
  char buffer[4];
  for (int i = width - 1; i >= 0; --i, value /= 10) buffer[i] = static_cast<char>('0' + value % 10);
  out.append(buffer, static_cast<std::size_t>(width));
}

// Takes `width` digits off the front. -1: they are not there.
int take_digits(std::string_view& text, std::size_t width) {
  if (text.size() < width) return -1;
  int value = 0;
  for (const char c : text.substr(0, width)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(width);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// Numbers between separators, each of two digits; false when one is missing or above its bound.
bool take_pair(std::string_view& text, char before, int most, int& out) {
  if (before != 0 && !take(text, before)) return false;
  out = take_digits(text, 2);
  return out >= 0 && out <= most;
}

}  // namespace

void append_iso8601(std::string& out, WallTime t) {
  using namespace std::chrono;
  const auto day = floor<days>(t);
  const year_month_day date{day};
  const hh_mm_ss<milliseconds> time{floor<milliseconds>(t - day)};
  put_digits(out, static_cast<int>(date.year()), 4);
  out += '-';
  put_digits(out, static_cast<int>(static_cast<unsigned>(date.month())), 2);
  out += '-';
  put_digits(out, static_cast<int>(static_cast<unsigned>(date.day())), 2);
  out += 'T';
  put_digits(out, static_cast<int>(time.hours().count()), 2);
  out += ':';
  put_digits(out, static_cast<int>(time.minutes().count()), 2);
  out += ':';
  put_digits(out, static_cast<int>(time.seconds().count()), 2);
  out += '.';
  put_digits(out, static_cast<int>(time.subseconds().count()), 3);
  out += 'Z';
}

std::string iso8601(WallTime t) {
  std::string out;
  append_iso8601(out, t);
  return out;
}

std::optional<WallTime> parse_iso8601(std::string_view text) {
  using namespace std::chrono;
  const int y = take_digits(text, 4);
  int m = 0, d = 0;
  if (y < 1970 || !take_pair(text, '-', 12, m) || !take_pair(text, '-', 31, d)) return std::nullopt;
  const year_month_day date{year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d))};
  if (!date.ok()) return std::nullopt;
  // The clock's own unit reaches beyond the year 2200 and not much further.
  if (y > 2200) return std::nullopt;
  WallTime out = sys_days(date);
  if (text.empty()) return out;
  int hour = 0, minute = 0, second = 0;
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
  if (!take_pair(text, 0, 23, hour) || !take_pair(text, ':', 59, minute) || !take_pair(text, ':', 59, second))
    return std::nullopt;
  out += hours(hour) + minutes(minute) + seconds(second);
  if (take(text, '.')) {
    std::size_t digits = 0;
    std::int64_t ns = 0, unit = 100'000'000;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits, unit /= 10) {
      ns += (text.front() - '0') * unit;
      text.remove_prefix(1);
    }
    if (digits == 0 || digits > 9) return std::nullopt;
    out += duration_cast<WallTime::duration>(nanoseconds(ns));
  }
  if (take(text, 'Z') || take(text, 'z')) return text.empty() ? std::optional(out) : std::nullopt;
  const bool east = take(text, '+');
  int off_hours = 0, off_minutes = 0;
  if (!east && !take(text, '-')) return std::nullopt;
  if (!take_pair(text, 0, 23, off_hours) || !take_pair(text, ':', 59, off_minutes) || !text.empty())
    return std::nullopt;
  const auto offset = hours(off_hours) + minutes(off_minutes);
  return east ? out - offset : out + offset;
}

}  // namespace vmcp
