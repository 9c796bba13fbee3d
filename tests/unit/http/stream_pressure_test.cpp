// Open streams whose readers are slow or many, that are silent for long, or that a stop meets.
#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "http/live_stream.h"
#include "unit/http/raw_client.h"

using namespace vmcp::http;
using namespace vmcp::http::test;
using std::chrono::steady_clock;
using vmcp::milliseconds;

namespace {

constexpr int kSmallReceiveBuffer = 4096;

// Opens a stream for each request and keeps it.
class Kept {
 public:
  explicit Kept(StreamOptions options = {}) : options_(std::move(options)) {}

  void operator()(const HttpExchangePtr& exchange) {
    Response head;
    head.content_type = "text/event-stream";
    std::lock_guard lock(mutex_);
    streams_.push_back(exchange->open_stream(std::move(head), options_));
  }
  std::size_t size() const {
    std::lock_guard lock(mutex_);
    return streams_.size();
  }
  std::vector<StreamPtr> all() const {
    std::lock_guard lock(mutex_);
    return streams_;
  }
  StreamPtr one(RawClient& client) {
    const std::size_t before = size();
    REQUIRE(client.send(get("/stream")));
    REQUIRE(client.head());
    REQUIRE(eventually([&] { return size() == before + 1; }));
    return all().back();
  }

 private:
  const StreamOptions options_;
  mutable std::mutex mutex_;
  std::vector<StreamPtr> streams_;
};

// Writes until the stream takes no more; the bytes that it took.
std::size_t fill(const StreamPtr& stream, const std::string& piece, std::size_t most) {
  std::size_t taken = 0;
  while (taken < most && stream->write(piece)) taken += piece.size();
  return taken;
}

}  // namespace

TEST_CASE("a reader that lets its buffer overflow is dropped and its owner told on another thread") {
  ServerLimits limits;
  limits.max_stream_buffer_bytes = 64 * 1024;
  Kept kept;
  Running server(limits, std::ref(kept));
  RawClient slow(server.port(), kSmallReceiveBuffer), quick(server.port());
  const StreamPtr stream = kept.one(slow), other = kept.one(quick);
  std::atomic<bool> told{false}, by_the_writer{false};
  const auto writer = std::this_thread::get_id();
  stream->on_gone([&] {
    by_the_writer = std::this_thread::get_id() == writer;
    told = true;
  });
  const std::string piece(1000, 'x');
  CHECK(fill(stream, piece, 64 * 1024 * 1024) < 16 * 1024 * 1024);
  CHECK(eventually([&] { return told.load(); }));
  CHECK_FALSE(by_the_writer);
  CHECK(server->stats().dropped_streams == 1);
  CHECK(server->stats().streams == 1);
  REQUIRE(other->write("still here"));
  CHECK(quick.chunk() == "still here");
  other->finish();
}

TEST_CASE("what a slow reader left waiting arrives whole and in order once it reads") {
  Kept kept;
  Running server({}, std::ref(kept));
  RawClient client(server.port(), kSmallReceiveBuffer);
  const StreamPtr stream = kept.one(client);
  std::string sent;
  SUBCASE("many small messages") {
    // As many as certainly wait with us, and not so many that they overflow.
    for (int i = 0; i < 40'000; ++i) {
      const std::string message = "message " + std::to_string(i) + " of many;";
      REQUIRE(stream->write(message));
      sent += message;
    }
  }
  SUBCASE("one message that is longer than the bound") {
    sent.assign(9 * 1024 * 1024, 'y');
    REQUIRE(stream->write(sent));
  }
  stream->finish();  // with bytes still waiting
  CHECK(server->stats().streams == 0);
  const auto body = client.chunked_body();
  REQUIRE(body);
  CHECK((*body == sent));
  REQUIRE(client.send(get("/stream")));
  CHECK(client.head());
  kept.all().back()->finish();
}

TEST_CASE("a reader that takes nothing for too long is dropped but one that is only idle is not") {
  ServerLimits limits;
  limits.write_timeout = milliseconds(150);
  Kept kept;
  Running server(limits, std::ref(kept));
  RawClient slow(server.port(), kSmallReceiveBuffer), idle(server.port());
  const StreamPtr stream = kept.one(slow), other = kept.one(idle);
  std::atomic<bool> told{false};
  stream->on_gone([&] { told = true; });
  REQUIRE(stream->write(std::string(8 * 1024 * 1024, 'x')));
  const auto began = steady_clock::now();
  CHECK(eventually([&] { return told.load(); }));
  CHECK(steady_clock::now() - began > milliseconds(100));
  CHECK(server->stats().dropped_streams == 1);
  REQUIRE(other->write("x"));
  CHECK(idle.chunk() == "x");
  other->finish();
}

TEST_CASE("what waits for all slow readers together is bounded") {
  ServerLimits limits;
  limits.max_stream_buffer_bytes = 1024 * 1024 * 1024;
  limits.max_buffered_bytes = 256 * 1024;
  Kept kept;
  Running server(limits, std::ref(kept));
  RawClient first(server.port(), kSmallReceiveBuffer), second(server.port(), kSmallReceiveBuffer);
  const std::string piece(10'000, 'x');
  CHECK(fill(kept.one(first), piece, 64 * 1024 * 1024) < 32 * 1024 * 1024);
  CHECK(fill(kept.one(second), piece, 64 * 1024 * 1024) < 32 * 1024 * 1024);
  CHECK(server->stats().dropped_streams == 2);
}

TEST_CASE("what waits for a reader is charged and given back to the byte") {
  MemoryBudget budget(100);
  const auto left = [&] {
    std::size_t n = 0;
    while (budget.take(1)) ++n;
    budget.give_back(n);
    return n;
  };
  {
    Backlog backlog(budget), other(budget);
    CHECK(backlog.append("0123456789"));
    CHECK(other.append(std::string(80, 'o')));
    CHECK_FALSE(backlog.append("0123456789+"));
    CHECK(left() == 10);
    backlog.sent(7);
    CHECK(left() == 17);
    CHECK(backlog.append("abc"));
    CHECK(backlog.waiting() == "789abc");
    CHECK(backlog.size() == 6);
    CHECK(backlog.take() == "789abc");
    CHECK(backlog.empty());
    CHECK(left() == 20);
    CHECK(backlog.append("x"));
    backlog.sent(1);
    CHECK(backlog.empty());
    CHECK(backlog.append("y"));
    CHECK(left() == 19);
  }
  CHECK(left() == 100);
}

TEST_CASE("a silent stream gets its keep-alive and one that speaks gets none") {
  Kept kept({.keep_alive = milliseconds(120), .keep_alive_bytes = ":\n\n"});
  ServerLimits limits;
  limits.head_timeout = milliseconds(160);  // how often is looked
  Running server(limits, std::ref(kept));
  RawClient client(server.port());
  const StreamPtr stream = kept.one(client);
  const auto began = steady_clock::now();
  for (int i = 0; i < 3; ++i) CHECK(client.chunk() == ":\n\n");
  CHECK(steady_clock::now() - began > milliseconds(300));
  const auto until = steady_clock::now() + milliseconds(400);
  while (steady_clock::now() < until) {
    REQUIRE(stream->write("event"));
    CHECK(client.chunk() == "event");
  }
  CHECK(client.chunk() == ":\n\n");
  stream->finish();
  CHECK(client.chunk() == "");
  CHECK(server->stats().streams == 0);
}

TEST_CASE("a hundred streams at once with slow readers among them") {
  ServerLimits limits;
  limits.max_stream_buffer_bytes = 32 * 1024;
  Kept kept;
  Running server(limits, std::ref(kept));
  std::vector<std::unique_ptr<RawClient>> quick, slow;
  std::vector<StreamPtr> quick_streams, slow_streams;
  for (int i = 0; i < 100; ++i) {
    const bool is_slow = i % 10 == 0;
    auto client = std::make_unique<RawClient>(server.port(), is_slow ? kSmallReceiveBuffer : 0);
    (is_slow ? slow_streams : quick_streams).push_back(kept.one(*client));
    (is_slow ? slow : quick).push_back(std::move(client));
  }
  CHECK(server->stats().streams == 100);
  const std::string piece(2'000, 'x');
  for (const StreamPtr& stream : slow_streams) fill(stream, piece, 32 * 1024 * 1024);
  CHECK(server->stats().dropped_streams == slow.size());
  std::vector<std::thread> writers;
  for (std::size_t w = 0; w < 3; ++w) {
    writers.emplace_back([&, w] {
      for (int n = 0; n < 20; ++n) {
        for (std::size_t i = w; i < quick_streams.size(); i += 3) {
          quick_streams[i]->write(std::to_string(n) + ";");
        }
      }
      for (std::size_t i = w; i < quick_streams.size(); i += 3) quick_streams[i]->finish();
    });
  }
  for (std::thread& writer : writers) writer.join();
  std::string expected;
  for (int n = 0; n < 20; ++n) expected += std::to_string(n) + ";";
  for (const auto& client : quick) CHECK(client->chunked_body() == expected);
  CHECK(server->stats().streams == 0);
  CHECK(server->stats().workers <= 5);
}

TEST_CASE("writers and a client that leaves at the same moment") {
  Kept kept;
  Running server({}, std::ref(kept));
  for (int round = 0; round < 100; ++round) {
    auto client = std::make_unique<RawClient>(server.port());
    const StreamPtr stream = kept.one(*client);
    auto told = std::make_shared<std::atomic<int>>(0);
    std::thread writer([&] {
      while (stream->write("event")) {
      }
      if (round % 2 == 0) stream->finish();
    });
    std::thread listener([&] { stream->on_gone([told] { ++*told; }); });
    if (round % 3 == 0) client->reset();
    client.reset();
    writer.join();
    listener.join();
    CHECK(eventually([&] { return *told == 1 || round % 2 == 0; }));
  }
  CHECK(eventually([&] { return server->stats().connections == 0; }));
  CHECK(server->stats().streams == 0);
}

TEST_CASE("a stop tells the owners of streams first and lets them end gracefully") {
  Kept kept;
  Running server({}, std::ref(kept));
  RawClient client(server.port()), idle(server.port());
  const StreamPtr stream = kept.one(client);
  std::atomic<int> told{0};
  server->on_drain([&] {
    ++told;
    stream->write("goodbye");
    stream->finish();
  });
  CHECK(server->stop(milliseconds(8000)));
  CHECK(told == 1);
  CHECK(client.chunked_body() == "goodbye");
  CHECK(client.closed_by_server());
  CHECK(server->stop(milliseconds(0)));
  CHECK(told == 1);
}

TEST_CASE("a stream that is still open when the grace is over is cut and its owner told") {
  Kept kept;
  Running server({}, std::ref(kept));
  RawClient client(server.port());
  const StreamPtr stream = kept.one(client);
  std::atomic<bool> gone{false}, drained{false};
  stream->on_gone([&] { gone = true; });
  server->on_drain([&] { drained = true; });
  const auto began = steady_clock::now();
  CHECK_FALSE(server->stop(milliseconds(100)));
  CHECK(steady_clock::now() - began >= milliseconds(95));
  CHECK(drained);
  CHECK(gone);
  CHECK_FALSE(stream->write("x"));
  CHECK(client.closed_by_server());
}

TEST_CASE("a stream outlives the server without harm") {
  StreamPtr stream;
  {
    Kept kept;
    Running server({}, std::ref(kept));
    RawClient client(server.port());
    stream = kept.one(client);
  }
  CHECK_FALSE(stream->write("x"));
  bool told = false;
  stream->on_gone([&] { told = true; });
  CHECK(told);
  stream->finish();
}
