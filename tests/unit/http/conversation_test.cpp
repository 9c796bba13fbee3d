// What one client sees on one connection, over real sockets.
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>

#include "unit/http/raw_client.h"

using namespace vmcp::http;
using namespace vmcp::http::test;
using vmcp::milliseconds;

namespace {

// "METHOD path?query body", so that a test sees which request was answered.
void echo(const HttpExchangePtr& exchange) {
  const Request& r = exchange->request();
  std::string out(r.method);
  out += ' ';
  out += r.path;
  if (!r.query.empty()) out += "?" + std::string(r.query);
  out += ' ';
  out += r.body;
  exchange->respond(text(std::move(out)));
}

}  // namespace

TEST_CASE("one connection serves many requests") {
  Running server({}, echo);
  RawClient client(server.port());
  for (int i = 0; i < 50; ++i) {
    REQUIRE(client.send(post("/mcp", std::to_string(i))));
    const auto answer = client.answer();
    REQUIRE(answer);
    CHECK(answer->status == 200);
    CHECK(answer->body == "POST /mcp " + std::to_string(i));
    CHECK_FALSE(answer->says("Connection: close"));
  }
  CHECK(server->stats().requests == 50);
  CHECK(server->stats().connections == 1);
}

TEST_CASE("pipelined requests are answered in order") {
  Running server({}, echo);
  RawClient client(server.port());
  std::string all;
  for (int i = 0; i < 200; ++i) all += post("/mcp", std::string(i % 90, 'x') + std::to_string(i));
  REQUIRE(client.send(all));
  for (int i = 0; i < 200; ++i) {
    const auto answer = client.answer();
    REQUIRE(answer);
    CHECK(answer->body == "POST /mcp " + std::string(i % 90, 'x') + std::to_string(i));
  }
}

TEST_CASE("a request may come byte by byte") {
  Running server({}, echo);
  RawClient client(server.port());
  for (const char c : post("/slow?q=1", "abc")) REQUIRE(client.send({&c, 1}));
  const auto answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->body == "POST /slow?q=1 abc");
}

TEST_CASE("one request and a third of the next in one write") {
  Running server({}, echo);
  RawClient client(server.port());
  const std::string second = post("/two", "second body");
  REQUIRE(client.send(post("/one", "first") + second.substr(0, second.size() / 3)));
  const auto first = client.answer();
  REQUIRE(first);
  CHECK(first->body == "POST /one first");
  REQUIRE(client.send(second.substr(second.size() / 3)));
  const auto answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->body == "POST /two second body");
}

TEST_CASE("a large body arrives whole and so does a large answer") {
  Running server({}, [](const HttpExchangePtr& e) { e->respond(text(std::string(e->request().body))); });
  RawClient client(server.port());
  std::string body(3'500'000, 'a');
  for (std::size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
  for (int round = 0; round < 2; ++round) {
    std::thread sender([&] { client.send(post("/mcp", body)); });
    const auto answer = client.answer(milliseconds(20'000));
    sender.join();
    REQUIRE(answer);
    CHECK(answer->body == body);
  }
}

TEST_CASE("a chunked body arrives decoded with the next request behind it") {
  Running server({}, echo);
  RawClient client(server.port());
  REQUIRE(
      client.send("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                  "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n" +
                  get("/after")));
  CHECK(client.answer()->body == "POST /c abcde");
  CHECK(client.answer()->body == "GET /after ");
}

TEST_CASE("100-continue is said once and before the body") {
  Running server({}, echo);
  RawClient client(server.port());
  REQUIRE(client.send("POST /e HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"));
  const auto go = client.answer();
  REQUIRE(go);
  CHECK(go->status == 100);
  REQUIRE(client.send("bo"));
  REQUIRE(client.send("dy"));
  CHECK(client.answer()->body == "POST /e body");
  // Once for each request that waits, and nothing to a client that did not.
  REQUIRE(client.send("POST /g HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"));
  CHECK(client.answer()->status == 100);
  REQUIRE(client.send("x"));
  CHECK(client.answer()->body == "POST /g x");
  REQUIRE(client.send("POST /f HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab"));
  CHECK(client.answer()->body == "POST /f ab");
}

TEST_CASE("HTTP/1.0 closes unless asked to stay") {
  Running server({}, echo);
  RawClient closing(server.port());
  REQUIRE(closing.send("GET /old HTTP/1.0\r\n\r\n"));
  auto answer = closing.answer();
  REQUIRE(answer);
  CHECK(answer->says("Connection: close\r\n"));
  CHECK(closing.closed_by_server());
  RawClient staying(server.port());
  for (int i = 0; i < 2; ++i) {
    REQUIRE(staying.send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    answer = staying.answer();
    REQUIRE(answer);
    CHECK(answer->says("Connection: keep-alive\r\n"));
  }
}

TEST_CASE("Connection close is honoured from either side") {
  Running server({}, [](const HttpExchangePtr& e) {
    Response r = text("bye");
    r.close = e->request().path == "/server";
    e->respond(std::move(r));
  });
  RawClient by_client(server.port());
  REQUIRE(by_client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  CHECK(by_client.answer()->says("Connection: close\r\n"));
  CHECK(by_client.closed_by_server());
  RawClient by_server(server.port());
  REQUIRE(by_server.send(get("/server")));
  CHECK(by_server.answer()->says("Connection: close\r\n"));
  CHECK(by_server.closed_by_server());
}

TEST_CASE("a refused request gets its status, a reason and a closed connection, and no handler") {
  std::atomic<int> handled{0};
  Running server({}, [&](const HttpExchangePtr& e) {
    ++handled;
    echo(e);
  });
  const std::pair<const char*, int> cases[] = {
      {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\nhello", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {"GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999\r\n\r\n", 413},
  };
  for (const auto& [bytes, status] : cases) {
    CAPTURE(bytes);
    RawClient client(server.port());
    REQUIRE(client.send(bytes));
    const auto answer = client.answer();
    REQUIRE(answer);
    CHECK(answer->status == status);
    CHECK_FALSE(answer->body.empty());
    CHECK(answer->says("Connection: close\r\n"));
    CHECK(client.closed_by_server());
  }
  RawClient client(server.port());
  REQUIRE(client.send("GET /" + std::string(40'000, 'a')));
  CHECK(client.answer()->status == 414);
  RawClient other(server.port());
  REQUIRE(other.send("GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(40'000, 'a') + "\r\n\r\n"));
  CHECK(other.answer()->status == 431);
  CHECK(handled == 0);
  CHECK(server->stats().refused_requests == 7);
  CHECK(server->stats().requests == 0);
}

TEST_CASE("a client that goes on sending a refused body still gets the refusal") {
  Running server({}, echo);
  RawClient client(server.port());
  REQUIRE(client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8000000\r\n\r\n"));
  CHECK(client.send(std::string(8'000'000, 'b')));
  const auto answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->status == 413);
}

TEST_CASE("a good request before a bad one is answered first") {
  Running server({}, echo);
  RawClient client(server.port());
  REQUIRE(client.send(post("/good", "1") + "NOT HTTP\r\n\r\n"));
  CHECK(client.answer()->body == "POST /good 1");
  CHECK(client.answer()->status == 400);
  CHECK(client.closed_by_server());
}

TEST_CASE("HEAD is answered without the body") {
  Running server({}, [](const HttpExchangePtr& e) { e->respond(text("12345")); });
  RawClient client(server.port());
  REQUIRE(client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"));
  REQUIRE(client.send(get("/")));
  // The client reads by Content-Length, so it must see head, head, body.
  const std::string expected_head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n";
  RawClient only_head(server.port());
  REQUIRE(only_head.send("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  CHECK_FALSE(only_head.answer());  // 5 bytes are announced and the connection ends without them
  const auto first = client.answer();
  REQUIRE(first);
  CHECK(first->head == expected_head);
  CHECK(first->body == "HTTP/");  // the next answer begins right behind the head
}

TEST_CASE("a handler that throws gives 500 without the reason, and the next request works") {
  Running server({}, [](const HttpExchangePtr& e) {
    if (e->request().path == "/throw") throw std::runtime_error("the secret reason");
    if (e->request().path == "/odd") throw 7;
    if (e->request().path == "/nothing") return;
    if (e->request().path == "/header") {
      Response r = text("x");
      r.headers = {{"X", "a\r\nSet-Cookie: b"}};
      e->respond(std::move(r));
      return;
    }
    echo(e);
  });
  RawClient client(server.port());
  for (const char* path : {"/throw", "/odd", "/nothing", "/header"}) {
    CAPTURE(path);
    REQUIRE(client.send(get(path)));
    const auto answer = client.answer();
    REQUIRE(answer);
    CHECK(answer->status == 500);
    CHECK(answer->body.find("secret") == std::string::npos);
    CHECK_FALSE(answer->says("Set-Cookie"));
  }
  REQUIRE(client.send(get("/fine")));
  CHECK(client.answer()->status == 200);
  CHECK(server.log_text().find("http.handler_failed path=/throw what=the secret reason") !=
        std::string::npos);
  CHECK(server.log_text().find("http.unanswered path=/nothing") != std::string::npos);
  CHECK(server.log_text().find("http.bad_response_header path=/header") != std::string::npos);
}

TEST_CASE("an answer may come later and from another thread, and the first one wins") {
  std::mutex mutex;
  HttpExchangePtr kept;
  Running server({}, [&](const HttpExchangePtr& e) {
    if (e->request().path != "/later") return echo(e);
    std::lock_guard lock(mutex);
    kept = e;
  });
  RawClient client(server.port());
  REQUIRE(client.send(post("/later", "body") + get("/next")));
  REQUIRE(eventually([&] {
    std::lock_guard lock(mutex);
    return kept != nullptr;
  }));
  CHECK_FALSE(client.answer(milliseconds(50)));
  std::thread other([&] {
    std::lock_guard lock(mutex);
    CHECK(kept->respond(text("one")));
    CHECK_FALSE(kept->respond(text("two")));
    CHECK(kept->request().body == "body");  // still there although it was answered
    kept.reset();
  });
  other.join();
  CHECK(client.answer()->body == "one");
  CHECK(client.answer()->body == "GET /next ");
}

TEST_CASE("a request knows its peer and the raw bytes of its headers") {
  Running server({}, [](const HttpExchangePtr& e) {
    const Request& r = e->request();
    e->respond(text(r.peer + "|" + std::string(r.header("mcp-name"))));
  });
  RawClient client(server.port());
  REQUIRE(client.send(post("/", "", "Mcp-Name: =?base64?SGk=?=\r\n")));
  CHECK(client.answer()->body == "127.0.0.1|=?base64?SGk=?=");
}

TEST_CASE("a half-closed client still gets its answer") {
  Running server({}, echo);
  RawClient client(server.port());
  REQUIRE(client.send(post("/half", "x")));
  client.half_close();
  CHECK(client.answer()->body == "POST /half x");
  CHECK(client.closed_by_server());
}

TEST_CASE("many clients at once, each with its own answers") {
  Running server({}, echo);
  std::vector<std::thread> clients;
  std::atomic<int> good{0};
  for (int c = 0; c < 16; ++c) {
    clients.emplace_back([&, c] {
      RawClient client(server.port());
      for (int i = 0; i < 100; ++i) {
        const std::string body = std::to_string(c) + ":" + std::to_string(i);
        if (!client.send(post("/mcp", body))) return;
        const auto answer = client.answer();
        if (answer && answer->body == "POST /mcp " + body) ++good;
      }
    });
  }
  for (auto& t : clients) t.join();
  CHECK(good == 1600);
  CHECK(server->stats().requests == 1600);
}
