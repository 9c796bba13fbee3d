#include "pipeline/steps.h"

#include <doctest/doctest.h>

using namespace vmcp::pipeline;

// The order is the contract. Who changes it changes this test, and says why.
TEST_CASE("steps: the list stands in its order, each with a reason") {
  const char* expected[] = {"transport", "context",   "address", "authenticate",      "parse",
                            "throttle",  "authorise", "resolve", "authorise_targets", "confirm",
                            "slot",      "intent",    "execute", "sanitise",          "outcome"};
  const auto list = steps();
  REQUIRE(list.size() == std::size(expected));
  for (std::size_t i = 0; i < list.size(); ++i) {
    CHECK(list[i].position == static_cast<int>(i));
    CHECK(list[i].name == expected[i]);
    CHECK(list[i].why.size() > 20);
    CHECK((list[i].run == nullptr) == (i < 5));  // 0 to 4 are taken by http, Pipeline::open/admit and mcp
  }
}
