#include "policy/time_zone.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace vmcp::policy {
namespace {

constexpr std::size_t kMaxZoneBytes = 256u << 10;
constexpr std::size_t kHeaderBytes = 44;
constexpr std::int64_t kDay_s = 86'400;

// Big-endian, two's complement.
std::int64_t integer_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = static_cast<unsigned char>(bytes[at]) & 0x80 ? ~std::uint64_t{0} : 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return static_cast<std::int64_t>(value);
}

struct Counts {
  std::size_t ut, standard, leap, changes, types, chars;
  std::size_t bytes(std::size_t time_bytes) const {
    return changes * (time_bytes + 1) + types * 6 + chars + leap * (time_bytes + 4) + standard + ut;
  }
};

// False when these bytes do not begin with a header, or hold less than it says.
bool read_header(std::string_view bytes, std::size_t time_bytes, Counts& out) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with("TZif")) return false;
  std::size_t n[6];
  for (std::size_t i = 0; i < 6; ++i) {
    const std::int64_t count = integer_at(bytes, 20 + 4 * i, 4);
    if (count < 0 || count > 100'000) return false;
    n[i] = static_cast<std::size_t>(count);
  }
  out = {n[0], n[1], n[2], n[3], n[4], n[5]};
  return out.types > 0 && bytes.size() >= kHeaderBytes + out.bytes(time_bytes);
}

// Days since 1970 of a date of the Gregorian calendar.
std::int64_t days_of(int year, int month, int day) {
  using namespace std::chrono;
  return sys_days(std::chrono::year(year) / month / day).time_since_epoch().count();
}

// Reads a POSIX TZ text from its front.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  bool done() const { return rest_.empty(); }
  bool next(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // "CEST" or "<+03>"
  bool name() {
    const bool quoted = next('<');
    std::size_t n = 0;
    while (n < rest_.size() && (quoted ? rest_[n] != '>' : is_letter(rest_[n]))) ++n;
    rest_.remove_prefix(n);
    return n > 0 && (!quoted || next('>'));
  }
  bool number(int least, int most, int& out) {
    std::size_t n = 0;
    out = 0;
    while (n < rest_.size() && n < 4 && rest_[n] >= '0' && rest_[n] <= '9')
      out = out * 10 + (rest_[n++] - '0');
    rest_.remove_prefix(n);
    return n > 0 && out >= least && out <= most;
  }
  // [+-]hh[:mm[:ss]]
  bool time(std::int64_t& out) {
    const bool minus = next('-');
    if (!minus) next('+');
    int hours = 0, minutes = 0, seconds = 0;
    if (!number(0, 167, hours)) return false;
    if (next(':')) {
      if (!number(0, 59, minutes)) return false;
      if (next(':') && !number(0, 59, seconds)) return false;
    }
    out = (minus ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
    return true;
  }

 private:
  static bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
  std::string_view rest_;
};

}  // namespace

std::int64_t TimeZone::Day::in_year(int year) const {
  if (form == Form::zero_based) return (days_of(year, 1, 1) + day) * kDay_s + time_s;
  if (form == Form::julian) {  // 29 February is never counted
    const bool leap = std::chrono::year(year).is_leap();
    return (days_of(year, 1, 1) + day - 1 + (leap && day > 59 ? 1 : 0)) * kDay_s + time_s;
  }
  const std::int64_t first = days_of(year, month, 1);
  const std::int64_t first_weekday = ((first + 4) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
  std::int64_t at = first + (weekday - first_weekday + 7) % 7 + (week - 1) * 7;
  const std::int64_t next_month = month == 12 ? days_of(year + 1, 1, 1) : days_of(year, month + 1, 1);
  while (at >= next_month) at -= 7;  // week 5 is the last one
  return at * kDay_s + time_s;
}

std::int64_t TimeZone::Rest::offset_at(std::int64_t seconds) const {
  if (!has_summer) return standard;
  const auto day = std::chrono::floor<std::chrono::days>(
      std::chrono::sys_seconds(std::chrono::seconds(seconds + standard)));
  const int year = static_cast<int>(std::chrono::year_month_day(day).year());
  const std::int64_t begins = begin.in_year(year) - standard, ends = end.in_year(year) - summer;
  // South of the equator summer begins late in the year and ends early in it.
  const bool summer_now =
      begins < ends ? seconds >= begins && seconds < ends : seconds >= begins || seconds < ends;
  return summer_now ? summer : standard;
}

bool TimeZone::parse_rest(std::string_view text, Rest& out) {
  Reader in(text);
  std::int64_t west = 0;
  if (!in.name() || !in.time(west)) return false;
  out.standard = -west;
  if (in.done()) return true;
  out.has_summer = true;
  out.summer = out.standard + 3600;
  if (!in.name()) return false;
  if (!in.next(',')) {
    if (!in.time(west)) return false;
    out.summer = -west;
    if (!in.next(',')) return false;
  }
  const auto day = [&](Day& d) {
    if (in.next('M')) {
      if (!in.number(1, 12, d.month) || !in.next('.') || !in.number(1, 5, d.week) || !in.next('.') ||
          !in.number(0, 6, d.weekday))
        return false;
    } else {
      d.form = in.next('J') ? Day::Form::julian : Day::Form::zero_based;
      if (!in.number(d.form == Day::Form::julian ? 1 : 0, 365, d.day)) return false;
    }
    return !in.next('/') || in.time(d.time_s);
  };
  return day(out.begin) && in.next(',') && day(out.end) && in.done();
}

Result<TimeZone> TimeZone::parse(std::string_view bytes) {
  const auto bad = [](const char* why) {
    return make_error(Code::invalid_argument, std::string("is no time zone file: ") + why);
  };
  Counts counts{};
  if (!read_header(bytes, 4, counts)) return bad("its header is not one");
  if (bytes[4] < '2') return bad("it is older than version 2");
  bytes.remove_prefix(kHeaderBytes + counts.bytes(4));
  if (!read_header(bytes, 8, counts)) return bad("its second header is not one");
  const std::string_view body = bytes.substr(kHeaderBytes);
  const std::size_t kinds = counts.changes * 8, types = kinds + counts.changes;
  const auto offset_of = [&](std::size_t type) { return integer_at(body, types + type * 6, 4); };
  TimeZone zone;
  zone.first_offset_ = offset_of(0);
  for (std::size_t i = 0; i < counts.changes; ++i) {
    const auto type = static_cast<std::size_t>(static_cast<unsigned char>(body[kinds + i]));
    if (type >= counts.types) return bad("a change names a type that is not there");
    zone.changes_.push_back({integer_at(body, i * 8, 8), offset_of(type)});
    if (i > 0 && zone.changes_[i].at <= zone.changes_[i - 1].at) return bad("its changes are not in order");
  }
  std::string_view footer = body.substr(counts.bytes(8));
  if (footer.size() >= 2 && footer.front() == '\n' && footer.back() == '\n') {
    footer = footer.substr(1, footer.size() - 2);
    if (!footer.empty() && !parse_rest(footer, zone.rest_)) return bad("its last rule cannot be read");
    zone.has_rest_ = !footer.empty();
  }
  return zone;
}

Result<TimeZone> TimeZone::load(const std::string& name, const std::string& folder) {
  if (name == "UTC") return TimeZone();
  const bool plain = !name.empty() && name.size() <= 64 && name.front() != '/' && name.front() != '.' &&
                     name.find("..") == std::string::npos &&
                     std::all_of(name.begin(), name.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              c == '/' || c == '_' || c == '-' || c == '+' || c == '.';
                     });
  if (!plain)
    return make_error(Code::invalid_argument, "'" + name.substr(0, 64) + "' is no name of a time zone");
  std::ifstream file(folder + "/" + name, std::ios::binary);
  std::string bytes(kMaxZoneBytes, '\0');
  if (!file.is_open() ||
      !(file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())), file.gcount() > 0))
    return make_error(Code::invalid_argument,
                      "the time zone '" + name +
                          "' is not known to this machine; write it as Europe/Berlin, "
                          "and install the package tzdata");
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  auto zone = parse(bytes);
  if (!zone) return make_error(zone.error().code, folder + "/" + name + " " + zone.error().text);
  return zone;
}

std::int64_t TimeZone::offset_at(WallTime t) const {
  const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(t.time_since_epoch()).count();
  const auto after = std::upper_bound(changes_.begin(), changes_.end(), seconds,
                                      [](std::int64_t s, const Change& c) { return s < c.at; });
  if (after == changes_.end() && has_rest_) return rest_.offset_at(seconds);
  return after == changes_.begin() ? first_offset_ : std::prev(after)->offset;
}

}  // namespace vmcp::policy
