#include "http/connection_table.h"

#include <doctest/doctest.h>

#include <chrono>

#include "http/connection.h"
#include "http/live_exchange.h"

using namespace vmcp::http;
using vmcp::milliseconds;

TEST_CASE("an old number does not find the connection that took its slot") {
  ConnectionTable table(1, 1);
  const auto first = table.reserve("a");
  REQUIRE(first);
  const auto connection = std::make_shared<Connection>(nullptr, nullptr, *first, "a");
  table.put(*first, connection);
  CHECK(table.find(*first) == connection);
  CHECK_FALSE(table.reserve("b"));
  table.remove(*first, "a");
  CHECK(table.find(*first) == nullptr);
  const auto second = table.reserve("b");
  REQUIRE(second);
  CHECK(*second != *first);
  table.put(*second, connection);
  CHECK(table.find(*first) == nullptr);
  CHECK(table.find(*second) == connection);
  table.remove(*first, "a");  // too late: changes nothing
  CHECK(table.find(*second) == connection);
  CHECK(table.size() == 1);
  CHECK(table.find(~std::uint64_t{0}) == nullptr);
}

TEST_CASE("waiting for an empty table ends with the last connection or the deadline") {
  ConnectionTable table(2, 2);
  CHECK(table.wait_empty(std::chrono::steady_clock::now()));
  const auto id = table.reserve("a");
  CHECK_FALSE(table.wait_empty(std::chrono::steady_clock::now() + milliseconds(20)));
  table.remove(*id, "a");
  CHECK(table.wait_empty(std::chrono::steady_clock::now() + milliseconds(20)));
}
