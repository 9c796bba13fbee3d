#include "http/connection_table.h"

#include <doctest/doctest.h>

#include <chrono>
#include <vector>

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

TEST_CASE("only connections whose time came are looked at, a few at a time and each in its turn") {
  ConnectionTable table(100, 100);
  std::vector<ConnectionId> ids;
  for (int i = 0; i < 10; ++i) {
    ids.push_back(*table.reserve("a"));
    table.put(ids.back(), std::make_shared<Connection>(nullptr, nullptr, ids.back(), "a"));
  }
  std::size_t from = 0;
  const auto due = [&](std::int64_t now, std::size_t max) {
    std::vector<ConnectionPtr> out;
    table.due(now, max, from, out);
    return out;
  };
  CHECK(due(INT64_MAX - 1, 100).empty());  // nothing has a time yet
  for (int i = 0; i < 10; ++i) table.look_at(ids[static_cast<std::size_t>(i)], i < 8 ? 5 : 50);
  CHECK(due(4, 100).empty());
  from = 0;
  const auto first = due(5, 5), second = due(5, 5);
  CHECK(first.size() == 5);
  CHECK(second.size() == 5);
  CHECK(second[0] != first[0]);
  CHECK(second[3] == first[0]);  // three were left, then it begins again
  table.remove(ids[0], "a");
  CHECK(due(5, 100).size() == 7);
}
