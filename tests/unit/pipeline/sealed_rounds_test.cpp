#include "pipeline/sealed_rounds.h"

#include <doctest/doctest.h>

using namespace vmcp;
using pipeline::SealedRound;
using pipeline::SealedRounds;

namespace {

class WallClock final : public Clock {
 public:
  SteadyTime now() const override { return SteadyTime{}; }
  WallTime wall() const override { return WallTime(milliseconds(ms)); }
  std::int64_t ms = 1'790'000'000'000;
};

const SealedRound kRound{3, std::string("state\0with zero", 15), {"who", "why"}};

}  // namespace

TEST_CASE("sealed rounds: what was closed opens for the same call, and reads the same") {
  WallClock clock;
  SealedRounds rounds(Secret(std::string(32, 'k')), clock);
  const std::string text = rounds.close(kRound, "alice\ntools/call\necho\nd1");
  CHECK(text.find("state") == std::string::npos);
  // Twice the same is never the same text: nobody learns that two states are equal.
  CHECK(rounds.close(kRound, "alice\ntools/call\necho\nd1") != text);
  for (int i = 0; i < 2; ++i) {
    const auto open = rounds.open(text, "alice\ntools/call\necho\nd1", false);
    REQUIRE(open.ok());
    CHECK(open->round == 3);
    CHECK(open->state == kRound.state);
    CHECK(open->keys == kRound.keys);
  }
  // Another instance with the same key goes on.
  SealedRounds other(Secret(std::string(32, 'k')), clock);
  CHECK(other.open(text, "alice\ntools/call\necho\nd1", true).ok());
}

TEST_CASE("sealed rounds: altered, foreign, late or for another call is refused in the same words") {
  WallClock clock;
  SealedRounds rounds(Secret(std::string(32, 'k')), clock, milliseconds(1'000));
  const std::string text = rounds.close(kRound, "b");
  std::string words;
  const auto refused = [&](const std::string& given, const char* binding) {
    const auto open = rounds.open(given, binding, false);
    REQUIRE_FALSE(open.ok());
    CHECK(open.error().code == Code::malformed);
    if (words.empty()) words = open.error().text;
    CHECK(open.error().text == words);
  };
  refused(text, "c");
  refused(text + "-TAMPERED", "b");
  refused("", "b");
  refused("AAAA", "b");
  refused(std::string(100'000, 'A'), "b");
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string altered = text;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    CHECK_FALSE(rounds.open(altered, "b", false).ok());
  }
  SealedRounds foreign(Secret(std::string(32, 'x')), clock);
  refused(foreign.close(kRound, "b"), "b");
  clock.ms += 1'001;
  refused(text, "b");
}

TEST_CASE(
    "sealed rounds: of a changing tool one opens once only, and when that cannot be told it stays closed") {
  WallClock clock;
  SealedRounds rounds(Secret(std::string(32, 'k')), clock, milliseconds(1'000));
  const std::string text = rounds.close(kRound, "b");
  CHECK(rounds.open(text, "b", true).ok());
  CHECK_FALSE(rounds.open(text, "b", true).ok());
  for (int i = 1; i < 20'000; ++i) REQUIRE(rounds.open(rounds.close(kRound, "b"), "b", true).ok());
  CHECK_FALSE(rounds.open(rounds.close(kRound, "b"), "b", true).ok());
  clock.ms += 1'001;  // those have expired and need not be remembered
  CHECK(rounds.open(rounds.close(kRound, "b"), "b", true).ok());
}
