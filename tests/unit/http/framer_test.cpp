#include "http/framer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "support/rounds.h"

namespace {

using vmcp::http::FrameLimits;
using vmcp::http::Framer;
using vmcp::http::Request;
using Step = Framer::Step;

// What came out of framing `bytes`, in a form that two runs can be compared by.
struct Framed {
  Step step = Step::more_head;
  int status = 0;
  std::string method, path, query, body, rest;
  std::vector<std::string> headers;
  bool keep_alive = false, expects_continue = false;
  bool operator==(const Framed&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Framed& f) {
  return out << "step " << static_cast<int>(f.step) << " status " << f.status << " body '" << f.body
             << "' rest '" << f.rest << "'";
}

// Feeds the pieces one after the other, as reads from a socket would.
Framed frame(const std::vector<std::string>& pieces, const FrameLimits& limits = {}) {
  Framer framer(limits);
  std::string block;
  std::size_t used = 0;
  Framed out;
  std::size_t next = 0;
  while (next < pieces.size() && (out.step == Step::more_head || out.step == Step::more_body)) {
    block.resize(used);
    block += pieces[next++];
    used = block.size();
    out.step = framer.feed(block.data(), used);
  }
  block.resize(used);
  out.status = framer.refusal().status;
  if (out.step == Step::refused) return out;
  out.status = 0;
  out.expects_continue = framer.expects_continue();
  if (out.step != Step::whole) return out;
  Request request;
  framer.describe(block.data(), request);
  out.method = request.method;
  out.path = request.path;
  out.query = request.query;
  out.body = request.body;
  out.keep_alive = framer.keep_alive();
  for (const auto& h : request.headers)
    out.headers.push_back(std::string(h.name) + "=" + std::string(h.value));
  out.rest = block.substr(framer.consumed());
  while (next < pieces.size()) out.rest += pieces[next++];
  return out;
}

std::vector<std::string> bytes_of(const std::string& s) {
  std::vector<std::string> out;
  for (const char c : s) out.emplace_back(1, c);
  return out;
}

// The verdict for the whole; every cut in two and byte by byte must give the same.
Framed frame_every_way(const std::string& s, const FrameLimits& limits = {}) {
  const Framed whole = frame({s}, limits);
  for (std::size_t i = 1; i < s.size(); ++i) {
    CAPTURE(i);
    CHECK(frame({s.substr(0, i), s.substr(i)}, limits) == whole);
  }
  CHECK(frame(bytes_of(s), limits) == whole);
  return whole;
}

int refused(const std::string& s, const FrameLimits& limits = {}) {
  const Framed f = frame_every_way(s, limits);
  return f.step == Step::refused ? f.status : -1;
}

std::string head(const std::string& fields) {
  return "POST /mcp HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

}  // namespace

TEST_CASE("a request with a length is framed at every cut") {
  const Framed f = frame_every_way(
      "POST /mcp?a=1&b=%20 HTTP/1.1\r\nHost: h:8000\r\nContent-Length: 5\r\nX-Odd:\t =?base64?SGk=?= \r\n\r\n"
      "helloGET / HT");
  CHECK(f.step == Step::whole);
  CHECK(f.method == "POST");
  CHECK(f.path == "/mcp");
  CHECK(f.query == "a=1&b=%20");
  CHECK(f.body == "hello");
  CHECK(f.rest == "GET / HT");
  CHECK(f.keep_alive);
  REQUIRE(f.headers.size() == 3);
  CHECK(f.headers[2] == "X-Odd==?base64?SGk=?=");
}

TEST_CASE("a chunked request is decoded at every cut") {
  const Framed f = frame_every_way(head("Transfer-Encoding: Chunked\r\n") +
                                   "5;name=\"v\"\r\nhello\r\n1\r\n \r\n0A\r\n0123456789\r\n0\r\n"
                                   "Trailer: dropped\r\n\r\nNEXT");
  CHECK(f.step == Step::whole);
  CHECK(f.body == "hello 0123456789");
  CHECK(f.rest == "NEXT");
  CHECK(f.headers.size() == 2);
}

TEST_CASE("a request without a body ends with its head") {
  const Framed f = frame_every_way("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(f.step == Step::whole);
  CHECK(f.body.empty());
  CHECK(f.query.empty());
}

TEST_CASE("an unfinished request waits") {
  CHECK(frame_every_way("GET / HTTP/1.1\r\nHost: h\r\n").step == Step::more_head);
  CHECK(frame_every_way(head("Content-Length: 3\r\n") + "ab").step == Step::more_body);
  CHECK(frame_every_way(head("Transfer-Encoding: chunked\r\n") + "2\r\nab\r\n").step == Step::more_body);
  CHECK(frame_every_way(head("Transfer-Encoding: chunked\r\n") + "0\r\n").step == Step::more_body);
}

TEST_CASE("lengths that others would read differently are refused") {
  CHECK(refused(head("Content-Length: 5\r\nContent-Length: 5\r\n") + "hello") == 400);
  CHECK(refused(head("Content-Length: 5\r\ncontent-length: 6\r\n") + "hello!") == 400);
  CHECK(refused(head("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n") == 400);
  CHECK(refused(head("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") + "0\r\n\r\n") == 400);
  for (const char* bad : {"+5", "-5", "5 5", "5,5", "0x5", "5a", "", "\xd9\xa5"}) {
    CAPTURE(bad);
    CHECK(refused(head("Content-Length: " + std::string(bad) + "\r\n") + "hello") == 400);
  }
}

TEST_CASE("a transfer encoding other than chunked is refused") {
  for (const char* bad : {"gzip, chunked", "chunked, chunked", "identity", "xchunked", "chunked;q=1", ""}) {
    CAPTURE(bad);
    CHECK(refused(head("Transfer-Encoding: " + std::string(bad) + "\r\n")) == 501);
  }
  CHECK(refused(head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")) == 400);
  CHECK(refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400);
}

TEST_CASE("malformed heads are refused") {
  CHECK(refused(head("Content-Length : 5\r\n")) == 400);
  CHECK(refused(head("X y: 5\r\n")) == 400);
  CHECK(refused(head(": 5\r\n")) == 400);
  CHECK(refused(head("no colon here\r\n")) == 400);
  CHECK(refused(head("A: b\r\n c\r\n")) == 400);
  CHECK(refused(head("A: b\r\n\tc\r\n")) == 400);
  CHECK(refused(head("A: b\n")) == 400);
  CHECK(refused("GET / HTTP/1.1\nHost: h\r\n\r\n") == 400);
  CHECK(refused(head("A: b\rc\r\n")) == 400);
  CHECK(refused(head(std::string("A: b\0c\r\n", 8))) == 400);
  CHECK(refused(head("A: b\x01\r\n")) == 400);
  CHECK(refused(head("A: b\x7f\r\n")) == 400);
  CHECK(refused(head(std::string("A\0: b\r\n", 7))) == 400);
  CHECK(refused(head("A\xc3\xa4: b\r\n")) == 400);
}

TEST_CASE("malformed request lines are refused") {
  const std::string rest = "\r\nHost: h\r\n\r\n";
  for (const char* bad : {"GET /",
                          "GET  / HTTP/1.1",
                          "GET / HTTP/1.1 ",
                          " GET / HTTP/1.1",
                          "GET /\t HTTP/1.1",
                          "GET /a#b HTTP/1.1",
                          "GET /\xc3\xa4 HTTP/1.1",
                          "G@T / HTTP/1.1",
                          "GET mcp HTTP/1.1",
                          "GET * HTTP/1.1",
                          "GET / HTTP/1",
                          "GET / http/1.1",
                          "GET / HTTP/11",
                          "GET / HTTP/x.1",
                          "CONNECT h:80 HTTP/1.1",
                          "GET ftp://h/ HTTP/1.1",
                          "\r\n\r\nGET / HTTP/1.1",
                          "GET http://h HTTP/1.1",
                          "GET http://h?x HTTP/1.1",
                          "\x16\x03\x01 / HTTP/1.1"}) {
    CAPTURE(bad);
    CHECK(refused(bad + rest) == 400);
  }
  for (const char* bad : {"GET / HTTP/2.0", "PRI * HTTP/2.0", "GET / HTTP/1.2", "GET / HTTP/0.9"}) {
    CAPTURE(bad);
    CHECK(refused(bad + rest) == 505);
  }
}

TEST_CASE("the first byte of a TLS hello is enough to refuse it") {
  const Framed f = frame({std::string("\x16\x03\x01", 3)});
  CHECK(f.step == Step::refused);
  CHECK(f.status == 400);
}

TEST_CASE("Host is wanted once and names one host") {
  CHECK(refused("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(refused("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n") == 400);
  CHECK(refused("GET / HTTP/1.1\r\nHost:\r\n\r\n") == 400);
  CHECK(refused("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n") == 400);
  CHECK(refused("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n") == 400);
  CHECK(refused("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n") == 400);
  CHECK(frame_every_way("GET / HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n").step == Step::whole);
  CHECK(frame_every_way("GET / HTTP/1.0\r\n\r\n").step == Step::whole);
}

TEST_CASE("an absolute target must name the host of the Host header") {
  const Framed f = frame_every_way("GET http://H:80/p?q HTTP/1.1\r\nHost: h:80\r\n\r\n");
  CHECK(f.path == "/p");
  CHECK(f.query == "q");
  CHECK(refused("GET http://other/p HTTP/1.1\r\nHost: h\r\n\r\n") == 400);
  CHECK(refused("GET http://u@h/p HTTP/1.1\r\nHost: h\r\n\r\n") == 400);
  CHECK(frame_every_way("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").path == "*");
}

TEST_CASE("malformed chunks are refused") {
  const std::string h = head("Transfer-Encoding: chunked\r\n");
  for (const char* bad :
       {"g\r\n", "\r\n", "-1\r\n", "0x5\r\n", " 5\r\nhello\r\n", "5 \r\nhello\r\n", "5\nhello\r\n",
        "5\r\nhelloX\r\n", "5\r\nhello\n", "5\r\nhello\rX", "5;a\x01\r\nhello\r\n",
        "0\r\nbad trailer\r\n\r\n", "0\r\nA : b\r\n\r\n", "0\r\n\n"}) {
    CAPTURE(bad);
    CHECK(refused(h + bad) == 400);
  }
  CHECK(refused(h + "5;" + std::string(300, 'a') + "\r\nhello\r\n") == 400);
  CHECK(refused(h + "0\r\nA: " + std::string(9000, 'a') + "\r\n\r\n") == 400);
}

TEST_CASE("every size is bounded and the bound itself fits") {
  FrameLimits limits{.max_head_bytes = 200, .max_target_bytes = 40, .max_fields = 5, .max_body_bytes = 10};
  const auto body = [](int n) {
    return head("Content-Length: " + std::to_string(n) + "\r\n") + std::string(n, 'b');
  };
  CHECK(frame_every_way(body(10), limits).step == Step::whole);
  CHECK(refused(body(11), limits) == 413);
  CHECK(refused(head("Content-Length: 99999999999999999999999999\r\n"), limits) == 413);
  const std::string chunked = head("Transfer-Encoding: chunked\r\n");
  CHECK(frame_every_way(chunked + "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", limits).step == Step::whole);
  CHECK(refused(chunked + "5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n", limits) == 413);
  CHECK(refused(chunked + "FFFFFFFFFFFFFFFFFFFF\r\n", limits) == 413);
  CHECK(refused(chunked + "10000000000000005\r\n", limits) == 413);

  const std::string fixed = "GET / HTTP/1.1\r\nHost: h\r\nA: \r\n\r\n";
  const auto sized = [&](std::size_t n) {
    return "GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(n - fixed.size(), 'a') + "\r\n\r\n";
  };
  CHECK(frame_every_way(sized(200), limits).step == Step::whole);
  CHECK(refused(sized(201), limits) == 431);
  CHECK(refused(sized(400), limits) == 431);
  CHECK(frame_every_way(head("A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\n"), limits).step == Step::whole);
  CHECK(refused(head("A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\n"), limits) == 431);
  const auto target = [](std::size_t n) {
    return "GET /" + std::string(n - 1, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n";
  };
  CHECK(frame_every_way(target(40), limits).step == Step::whole);
  CHECK(refused(target(41), limits) == 414);
  CHECK(refused(target(150), limits) == 414);
  // What is too long is that first, whatever else is wrong with it.
  CHECK(refused("GET /" + std::string(150, 'a') + "\nHost: h\r\n\r\n", limits) == 414);
  CHECK(refused("GET /" + std::string(39, 'a') + " HTTP/1.1" + std::string(34, 'x') + "\r\n", limits) == 400);
  CHECK(refused("GET /" + std::string(39, 'a') + " HTTP/1.1" + std::string(35, 'x') + "\r\n", limits) == 400);
  CHECK(refused("GET /" + std::string(39, 'a') + " HTTP/1.1" + std::string(36, 'x') + "\r\n", limits) == 414);
}

TEST_CASE("who closes follows version and Connection") {
  const auto keeps = [](const std::string& version, const std::string& fields) {
    return frame({"GET / HTTP/" + version + "\r\nHost: h\r\n" + fields + "\r\n"}).keep_alive;
  };
  CHECK(keeps("1.1", ""));
  CHECK_FALSE(keeps("1.1", "Connection: close\r\n"));
  CHECK_FALSE(keeps("1.1", "Connection: Upgrade, CLOSE\r\n"));
  CHECK_FALSE(keeps("1.0", ""));
  CHECK(keeps("1.0", "Connection: Keep-Alive\r\n"));
  CHECK_FALSE(keeps("1.0", "Connection: keep-alive\r\nConnection: close\r\n"));
}

TEST_CASE("only the known expectation is accepted") {
  const Framed f = frame({head("Expect: 100-Continue\r\nContent-Length: 5\r\n")});
  CHECK(f.step == Step::more_body);
  CHECK(f.expects_continue);
  CHECK(refused(head("Expect: a-pony\r\nContent-Length: 5\r\n")) == 417);
}

TEST_CASE("random damage never gives a verdict that depends on the cut") {
  const std::string good =
      "POST /mcp?x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n3;e\r\nabc\r\n0\r\nT: "
      "u\r\n\r\nrest";
  const std::string dirt("\0\r\n\t :;,/#?ABCz019\x7f\xff", 20);
  std::mt19937 random(20240601);
  for (int i = 0; i < vmcp::testing::rounds(4000); ++i) {
    std::string s = good;
    for (std::size_t n = random() % 3 + 1; n > 0; --n) {
      const std::size_t at = random() % s.size();
      switch (random() % 3) {
        case 0:
          s[at] = dirt[random() % dirt.size()];
          break;
        case 1:
          s.erase(at, random() % 4 + 1);
          break;
        default:
          s.insert(at, 1, dirt[random() % dirt.size()]);
      }
      if (s.empty()) s = "G";
    }
    const std::size_t a = random() % s.size(), b = a + random() % (s.size() - a);
    CAPTURE(s);
    REQUIRE(frame({s.substr(0, a), s.substr(a, b - a), s.substr(b)}) == frame({s}));
    REQUIRE(frame(bytes_of(s)) == frame({s}));
  }
}
