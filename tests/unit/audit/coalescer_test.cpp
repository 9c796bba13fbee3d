#include "audit/coalescer.h"

#include <doctest/doctest.h>

#include "unit/audit/fakes.h"

using namespace vmcp;
using namespace vmcp::audit;
using namespace std::chrono_literals;

namespace {

struct Flood {
  test::ManualClock clock;
  Coalescer coalescer{clock, 8192};
  std::vector<std::string> bodies;

  void refuse(std::string_view peer, std::string_view tool, std::string_view code = "denied") {
    Record r = test::record_of(Event::refused, "r", R"({"a":1})");
    r.peer = peer;
    r.tool = tool;
    r.code = code;
    coalescer.refused(r, bodies);
  }
  std::uint64_t counted() const {  // records that the lines stand for
    std::uint64_t n = 0;
    for (const std::string& body : bodies) {
      const Json j = *parse_json("{" + body + "}");
      n += j.contains("repeated") ? j["repeated"].get<std::uint64_t>() : 1;
    }
    return n;
  }
};

}  // namespace

TEST_CASE("coalescer: identical refusals of a second are one line and one count") {
  Flood f;
  for (int i = 0; i < 5000; ++i) f.refuse("10.0.0.1", "delete_vm");
  REQUIRE(f.bodies.size() == 1);
  CHECK(f.coalescer.pending());
  f.clock.advance(1s);
  f.coalescer.collect(false, f.bodies);
  REQUIRE(f.bodies.size() == 2);
  const Json count = *parse_json("{" + f.bodies[1] + "}");
  CHECK(count["repeated"] == 4999);
  CHECK(count["tool"] == "delete_vm");
  CHECK(count["event"] == "refused");
  CHECK(count["ts"] == iso8601(f.clock.wall()));
  CHECK_FALSE(f.coalescer.pending());
}

TEST_CASE("coalescer: nothing is counted early, late or twice") {
  Flood f;
  f.refuse("p", "t");
  f.refuse("p", "t");
  f.coalescer.collect(false, f.bodies);
  CHECK(f.bodies.size() == 1);
  f.clock.advance(999ms);
  f.coalescer.collect(false, f.bodies);
  CHECK(f.bodies.size() == 1);
  f.clock.advance(1ms);
  f.refuse("p", "t");  // the next second begins: the count of the last one comes first
  CHECK(f.bodies.size() == 3);
  f.coalescer.collect(true, f.bodies);
  CHECK(f.bodies.size() == 3);
  CHECK(f.counted() == 3);
}

TEST_CASE("coalescer: refusals that differ in who, what or why keep lines of their own") {
  Flood f;
  for (const char* peer : {"10.0.0.1", "10.0.0.2"})
    for (const char* tool : {"delete_vm", "power_on_vm"})
      for (const char* code : {"denied", "throttled"}) f.refuse(peer, tool, code);
  CHECK(f.bodies.size() == 8);
  f.coalescer.collect(true, f.bodies);
  CHECK(f.bodies.size() == 8);
}

TEST_CASE("coalescer: invented tool names and many peers stay bounded and counted") {
  Flood f;
  for (int i = 0; i < 20'000; ++i) f.refuse("10.0.0.1", "tool-" + std::to_string(i));
  for (int i = 0; i < 20'000; ++i) f.refuse("10.1." + std::to_string(i), "t");
  for (int i = 0; i < 20'000; ++i) f.refuse("10.2." + std::to_string(i), "t", "code-" + std::to_string(i));
  CHECK(f.bodies.size() <= Coalescer::kMaxKinds);
  f.coalescer.collect(true, f.bodies);
  CHECK(f.bodies.size() <= 4 * Coalescer::kMaxKinds);
  CHECK(f.counted() == 60'000);
}
