#include "policy/time_zone.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <time.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "support/rounds.h"

using namespace vmcp;
using policy::TimeZone;

namespace {

WallTime at(std::int64_t seconds) {
  return WallTime(std::chrono::seconds(seconds));
}

// glibc's own opinion.
std::int64_t offset_by_libc(const char* zone, std::int64_t seconds) {
  ::setenv("TZ", zone, 1);
  ::tzset();
  const time_t t = static_cast<time_t>(seconds);
  struct tm out {};
  ::localtime_r(&t, &out);
  return out.tm_gmtoff;
}

}  // namespace

TEST_CASE("time zone: offsets are those of the C library, in the past and far in the future") {
  REQUIRE_MESSAGE(std::filesystem::exists("/usr/share/zoneinfo/Europe/Berlin"), "install tzdata");
  std::mt19937_64 random(7);
  for (const char* name : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
                           "Africa/Casablanca", "America/Nuuk", "Pacific/Apia", "Asia/Tokyo",
                           "America/Sao_Paulo", "Europe/Dublin", "Antarctica/Troll"}) {
    CAPTURE(name);
    const auto zone = TimeZone::load(name);
    REQUIRE_MESSAGE(zone, zone.error().text);
    for (int i = vmcp::testing::rounds(3000); i > 0; --i) {
      // 1980 to 2200
      const auto seconds = static_cast<std::int64_t>(315'532'800 + random() % 6'942'672'000);
      CAPTURE(seconds);
      REQUIRE(zone->offset_at(at(seconds)) == offset_by_libc(name, seconds));
    }
  }
  ::unsetenv("TZ");
  ::tzset();
}

TEST_CASE("time zone: summer time begins and ends to the second, also by the rule behind the table") {
  const auto zone = TimeZone::load("Europe/Berlin");
  REQUIRE(zone);
  for (const std::int64_t begins : {1'774'746'000LL, 4'993'491'600LL}) {  // 2026-03-29, 2128-03-28 01:00 UTC
    CHECK(zone->offset_at(at(begins - 1)) == 3600);
    CHECK(zone->offset_at(at(begins)) == 7200);
  }
  CHECK(zone->offset_at(at(1'792'890'000 - 1)) == 7200);  // 2026-10-25 01:00 UTC
  CHECK(zone->offset_at(at(1'792'890'000)) == 3600);
  CHECK(TimeZone::load("UTC")->offset_at(at(1'774'746'000)) == 0);
}

TEST_CASE("time zone: names that are none are refused in words") {
  for (const char* name : {"", "Europe/Nowhere", "../../../etc/passwd", "/etc/localtime", "Europe/../UTC",
                           "a b", "Europe", "zone.tab", "."}) {
    CAPTURE(name);
    const auto zone = TimeZone::load(name);
    REQUIRE_FALSE(zone);
    CHECK_FALSE(zone.error().text.empty());
  }
  CHECK(TimeZone::load("Europe/Nowhere").error().text.find("tzdata") != std::string::npos);
}

TEST_CASE("time zone: a damaged file is refused or read, never more than that") {
  std::ifstream file("/usr/share/zoneinfo/Europe/Berlin", std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(file)), {});
  REQUIRE(TimeZone::parse(whole));
  std::mt19937 random(3);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = whole;
    if (i % 2 == 0)
      bytes.resize(random() % whole.size());
    else
      for (int n = 0; n < 4; ++n) bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto zone = TimeZone::parse(bytes);
    if (zone)
      static_cast<void>(zone->offset_at(at(static_cast<std::int64_t>(random()) * 2)));
    else
      ++refused;
  }
  CHECK(refused > 1000);
}
