// The bytes of server-sent events.
#include "http/event_stream.h"

#include <doctest/doctest.h>

#include <string>

using namespace vmcp::http;
using vmcp::milliseconds;

namespace {

std::string event(std::string_view data, std::string_view id = {}) {
  std::string out;
  append_event(out, data, id);
  return out;
}

std::string prime(std::string_view id, int retry) {
  std::string out;
  append_prime(out, id, milliseconds(retry));
  return out;
}

}  // namespace

TEST_CASE("an event is its id, its data and an empty line") {
  CHECK(event("{}", "s1-7") == "id: s1-7\ndata: {}\n\n");
  CHECK(event("{}") == "data: {}\n\n");
  CHECK(event("") == "data: \n\n");
}

TEST_CASE("data of several lines stays one event however the lines end") {
  CHECK(event("a\nb") == "data: a\ndata: b\n\n");
  CHECK(event("a\r\nb\rc\n") == "data: a\ndata: b\ndata: c\ndata: \n\n");
  CHECK(event("a\n\r") == "data: a\ndata: \ndata: \n\n");
}

TEST_CASE("an id that would forge a line is left out") {
  CHECK(event("x", "1\ndata: y") == "data: x\n\n");
  CHECK(event("x", "1\r") == "data: x\n\n");
  CHECK(event("x", std::string_view("1\0", 2)) == "data: x\n\n");
}

TEST_CASE("the first event carries an id and no data and the time to come again") {
  CHECK(prime("p1", 0) == "id: p1\ndata: \n\n");
  CHECK(prime("p1", 1500) == "id: p1\nretry: 1500\ndata: \n\n");
  CHECK(prime("", 1500) == "retry: 1500\n\n");
  CHECK(prime("", 0).empty());
}
