// Answers without an end: open streams over real sockets.
#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "unit/http/raw_client.h"

using namespace vmcp::http;
using namespace vmcp::http::test;
using std::chrono::steady_clock;
using vmcp::milliseconds;

namespace {

Response event_head() {
  Response head;
  head.content_type = "text/event-stream";
  return head;
}

// A server whose /stream is answered by an open stream that the test holds; all else is answered at once.
class Streams {
 public:
  explicit Streams(StreamOptions options = {}) : options_(std::move(options)) {}

  Handler handler() {
    return [this](const HttpExchangePtr& exchange) {
      if (exchange->request().path != "/stream") {
        exchange->respond(text("plain " + std::string(exchange->request().body)));
        return;
      }
      std::lock_guard lock(mutex_);
      flags_.push_back(exchange->disconnected());
      streams_.push_back(exchange->open_stream(event_head(), options_));
    };
  }

  StreamPtr take(std::size_t index = 0) {
    REQUIRE(eventually([&] {
      std::lock_guard lock(mutex_);
      return streams_.size() > index;
    }));
    std::lock_guard lock(mutex_);
    REQUIRE(streams_[index]);
    return std::move(streams_[index]);
  }
  vmcp::CancelFlag flag(std::size_t index = 0) {
    std::lock_guard lock(mutex_);
    return flags_.at(index);
  }

 private:
  const StreamOptions options_;
  std::mutex mutex_;
  std::vector<StreamPtr> streams_;
  std::vector<vmcp::CancelFlag> flags_;
};

const std::string kOpen = "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n";

}  // namespace

TEST_CASE("a stream sends what it is given when it is given and then the connection goes on") {
  Streams streams;
  Running server({}, streams.handler());
  RawClient client(server.port());
  REQUIRE(client.send(kOpen));
  const auto head = client.head();
  REQUIRE(head);
  CHECK(head->status == 200);
  CHECK(head->says("Transfer-Encoding: chunked\r\n"));
  CHECK(head->says("Content-Type: text/event-stream\r\n"));
  CHECK_FALSE(head->says("Content-Length"));
  CHECK_FALSE(head->says("Connection: close"));
  const StreamPtr stream = streams.take();
  for (int i = 0; i < 20; ++i) {
    const std::string data =
        "event " + std::to_string(i) + std::string(static_cast<std::size_t>(i * 50), '.');
    REQUIRE(stream->write(data));
    CHECK(client.chunk() == data);
  }
  CHECK(stream->write(""));  // must not look like the end
  CHECK(server->stats().streams == 1);
  stream->finish();
  CHECK(client.chunk() == "");
  CHECK(server->stats().streams == 0);
  CHECK_FALSE(stream->write("late"));
  stream->finish();
  REQUIRE(client.send(post("/plain", "next")));
  const auto next = client.answer();
  REQUIRE(next);
  CHECK(next->body == "plain next");
  CHECK(server->stats().connections == 1);
}

TEST_CASE("requests that were pipelined behind a stream are answered after it") {
  Streams streams;
  Running server({}, streams.handler());
  RawClient client(server.port());
  REQUIRE(client.send(kOpen + post("/plain", "two") + kOpen));
  REQUIRE(client.head());
  const StreamPtr stream = streams.take();
  REQUIRE(client.send(post("/plain", "four")));  // stays with the kernel
  CHECK(stream->write("one"));
  CHECK(client.chunk() == "one");
  stream->finish();
  CHECK(client.chunk() == "");
  const auto two = client.answer();
  REQUIRE(two);
  CHECK(two->body == "plain two");
  const StreamPtr third = streams.take(1);
  REQUIRE(client.head());
  third->write("three");
  third->finish();
  CHECK(client.chunked_body() == "three");
  const auto four = client.answer();
  REQUIRE(four);
  CHECK(four->body == "plain four");
}

TEST_CASE("a request split at every byte works behind a stream") {
  Streams streams;
  Running server({}, streams.handler());
  RawClient client(server.port());
  const std::string both = kOpen + post("/plain", "after");
  for (std::size_t cut = 1; cut < both.size(); ++cut) {
    REQUIRE(client.send(std::string_view(both).substr(0, cut)));
    if (cut >= kOpen.size()) REQUIRE(client.head());
    REQUIRE(client.send(std::string_view(both).substr(cut)));
    if (cut < kOpen.size()) REQUIRE(client.head());
    const StreamPtr stream = streams.take(cut - 1);
    stream->write("s");
    stream->finish();
    CHECK(client.chunked_body() == "s");
    const auto next = client.answer();
    REQUIRE(next);
    CHECK(next->body == "plain after");
  }
}

TEST_CASE("a client of HTTP/1.0 gets a stream that ends with the connection") {
  Streams streams;
  Running server({}, streams.handler());
  RawClient client(server.port());
  REQUIRE(client.send("GET /stream HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n"));
  const auto head = client.head();
  REQUIRE(head);
  CHECK_FALSE(head->says("Transfer-Encoding"));
  CHECK(head->says("Connection: close\r\n"));
  const StreamPtr stream = streams.take();
  stream->write("raw\r\n\r\n");
  const auto raw = client.head();  // reads up to the empty line
  REQUIRE(raw);
  CHECK(raw->head == "raw\r\n\r\n");
  stream->finish();
  CHECK(client.closed_by_server());
}

TEST_CASE("a stream cannot be opened twice or after an answer or answer afterwards") {
  std::atomic<int> wrong{0};
  Running server({}, [&](const HttpExchangePtr& e) {
    if (e->request().path == "/answered") {
      e->respond(text("first"));
      if (e->open_stream(event_head(), {})) ++wrong;
      return;
    }
    const StreamPtr stream = e->open_stream(event_head(), {});
    if (!stream) ++wrong;
    if (e->open_stream(event_head(), {})) ++wrong;
    if (e->respond(text("second"))) ++wrong;
    stream->write("x");
    stream->finish();
    if (e->respond(text("third"))) ++wrong;
  });
  RawClient client(server.port());
  REQUIRE(client.send(get("/answered")));
  CHECK(client.answer());
  REQUIRE(client.send(get("/")));
  REQUIRE(client.head());
  CHECK(client.chunked_body() == "x");
  CHECK(wrong == 0);
}

TEST_CASE("a head that cannot be sent and a HEAD request open no stream") {
  std::atomic<int> opened{0};
  Running server({}, [&](const HttpExchangePtr& e) {
    Response head = event_head();
    if (e->request().path == "/header") head.headers.emplace_back("X", "a\r\nb");
    if (e->request().path == "/status") head.status = 204;
    if (e->open_stream(head, {})) ++opened;
  });
  RawClient client(server.port());
  for (const char* path : {"/header", "/status"}) {
    REQUIRE(client.send(get(path)));
    const auto answer = client.answer();
    REQUIRE(answer);
    CHECK(answer->status == 500);
  }
  REQUIRE(client.send("HEAD /h HTTP/1.1\r\nHost: h\r\n\r\n"));
  const auto head = client.head();
  REQUIRE(head);
  CHECK(head->status == 200);
  CHECK(opened == 0);
  REQUIRE(client.send(get("/header")));
  CHECK(client.answer());
}

TEST_CASE("a client that leaves is noticed at once and its owner told once") {
  Streams streams;
  Running server({}, streams.handler());
  auto client = std::make_unique<RawClient>(server.port());
  REQUIRE(client->send(kOpen));
  REQUIRE(client->head());
  const StreamPtr stream = streams.take();
  std::atomic<int> told{0};
  stream->on_gone([&] { ++told; });
  SUBCASE("by closing") {
    client.reset();
  }
  SUBCASE("by a reset") {
    client->reset();
  }
  SUBCASE("with input that nobody read") {
    client->send(post("/plain", "x"));
    client.reset();
  }
  const auto left = steady_clock::now();
  REQUIRE(eventually([&] { return told == 1; }));
  CHECK(steady_clock::now() - left < milliseconds(100));
  CHECK(streams.flag().cancelled());
  CHECK_FALSE(stream->write("x"));
  stream->finish();
  CHECK(eventually([&] { return server->stats().connections == 0; }));
  CHECK(server->stats().streams == 0);
  CHECK(server->stats().dropped_streams == 0);
  int late = 0;
  stream->on_gone([&] { ++late; });
  CHECK(late == 1);
  server->stop(milliseconds(100));
  CHECK(told == 1);
}

TEST_CASE("the owner of a finished stream is not told that the client left") {
  Streams streams;
  Running server({}, streams.handler());
  auto client = std::make_unique<RawClient>(server.port());
  REQUIRE(client->send(kOpen));
  StreamPtr stream = streams.take();
  bool told = false;
  auto held = std::make_shared<int>(1);
  stream->on_gone([&told, held, stream] { told = true; });  // holds its own stream
  stream->finish();
  CHECK(held.use_count() == 1);
  client.reset();
  CHECK(eventually([&] { return server->stats().connections == 0; }));
  stream->on_gone([&] { told = true; });
  server->stop(milliseconds(100));
  CHECK_FALSE(told);
  CHECK_FALSE(streams.flag().cancelled());
}

TEST_CASE("a stream that its owner forgets is cut and not ended") {
  Streams streams;
  Running server({}, streams.handler());
  RawClient client(server.port());
  REQUIRE(client.send(kOpen));
  REQUIRE(client.head());
  streams.take()->write("half");
  CHECK(client.chunk() == "half");
  CHECK(client.closed_by_server());
  CHECK(server.log_text().find("http.stream_abandoned") != std::string::npos);
}

TEST_CASE("an overrun still runs while a stream is open and decides how it ends") {
  std::mutex mutex;
  StreamPtr stream;
  Running server({}, [&](const HttpExchangePtr& e) {
    std::lock_guard lock(mutex);
    stream = e->open_stream(event_head(), {});
    if (e->request().path == "/over") {
      stream->finish();
    }
    e->answer_by(steady_clock::now() + milliseconds(50), [&] {
      std::lock_guard again(mutex);
      stream->write("too late");
      stream->finish();
    });
  });
  RawClient client(server.port());
  REQUIRE(client.send(get("/open")));
  REQUIRE(client.head());
  CHECK(client.chunked_body() == "too late");
  REQUIRE(client.send(get("/over")));
  REQUIRE(client.head());
  CHECK(client.chunked_body() == "");
  CHECK(server->stats().stuck == 0);
}
