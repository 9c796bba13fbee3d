#include "http/response_head.h"

#include <doctest/doctest.h>

using vmcp::http::Request;
using vmcp::http::Response;
using vmcp::http::response_has_body;
using vmcp::http::write_response_head;

TEST_CASE("a response head has status, type, further headers and length") {
  Response r;
  r.content_type = "application/json";
  r.body = "{}";
  r.headers = {{"Mcp-Session-Id", "abc"}, {"Vary", ""}};
  std::string out = "left over";
  REQUIRE(write_response_head(out, r, {}));
  CHECK(out ==
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nMcp-Session-Id: abc\r\nVary: \r\n"
        "Content-Length: 2\r\n\r\n");
}

TEST_CASE("the connection's fate is said") {
  Response r;
  r.status = 202;
  std::string out;
  REQUIRE(write_response_head(out, r, {.close = true, .say_keep_alive = true}));
  CHECK(out == "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  REQUIRE(write_response_head(out, r, {.close = false, .say_keep_alive = true}));
  CHECK(out == "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

TEST_CASE("answers without content carry neither length nor body") {
  Response r;
  r.body = "x";
  std::string out;
  for (const int status : {204, 304}) {
    r.status = status;
    REQUIRE(write_response_head(out, r, {}));
    CHECK(out.find("Content-Length") == std::string::npos);
    CHECK_FALSE(response_has_body(r, false));
  }
  r.status = 200;
  CHECK(response_has_body(r, false));
  CHECK_FALSE(response_has_body(r, true));
}

TEST_CASE("a header that would break the framing is refused") {
  std::string out;
  for (const std::string bad : {"a\r\nb", "a\nb", "a\rb"}) {
    Response r;
    r.headers = {{"X", bad}};
    CHECK_FALSE(write_response_head(out, r, {}));
    r.headers = {{bad, "x"}};
    CHECK_FALSE(write_response_head(out, r, {}));
    r.headers.clear();
    r.content_type = bad;
    CHECK_FALSE(write_response_head(out, r, {}));
  }
  Response r;
  r.status = 100;
  CHECK_FALSE(write_response_head(out, r, {}));
}

TEST_CASE("a header is found whatever its case and an empty one is not an absent one") {
  Request r;
  r.headers = {{"Accept", "a"}, {"X-Empty", std::string_view("")}, {"accept", "b"}};
  CHECK(r.header("ACCEPT") == "a");
  CHECK(r.count("accept") == 2);
  CHECK(r.has("x-empty"));
  CHECK_FALSE(r.has("Acc"));
  CHECK(r.header("nothing").data() == nullptr);
}
