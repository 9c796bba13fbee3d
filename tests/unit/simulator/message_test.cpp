#include <doctest/doctest.h>

#include "simulator/message.h"

namespace vmcp::simulator {

TEST_CASE("a query is split and decoded, names may repeat, plus is a space") {
  const Pairs pairs = parse_query("names=a%20b&names=c+d&flag&=x&&end=%zz%4");
  REQUIRE(pairs.size() == 5);
  CHECK(pairs[0] == std::pair<std::string, std::string>("names", "a b"));
  CHECK(pairs[1].second == "c d");
  CHECK(pairs[2] == std::pair<std::string, std::string>("flag", ""));
  CHECK(pairs[3] == std::pair<std::string, std::string>("", "x"));
  CHECK(pairs[4].second == "%zz%4");
}

TEST_CASE("a path is split before it is decoded, so an escaped slash stays inside its part") {
  const auto parts = split_path("/sdk/vim25/8.0.1.0/ContainerView/session%5B52%2F1%5Dabc/DestroyView");
  REQUIRE(parts.size() == 6);
  CHECK(parts[4] == "session[52/1]abc");
  CHECK(split_path("").empty());
  CHECK(split_path("//").empty());
}

TEST_CASE("headers are found whatever their case") {
  Request request;
  request.headers = {{"VMware-API-Session-ID", "x"}};
  CHECK(request.header("vmware-api-session-id") == "x");
  CHECK(request.header("other").empty());
}

}  // namespace vmcp::simulator
