#include "base/clock.h"

namespace vmcp {
namespace {

void put_digits(std::string& out, int value, int width) {
  char buffer[4];
  for (int i = width - 1; i >= 0; --i, value /= 10) buffer[i] = static_cast<char>('0' + value % 10);
  out.append(buffer, static_cast<std::size_t>(width));
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

}  // namespace vmcp
