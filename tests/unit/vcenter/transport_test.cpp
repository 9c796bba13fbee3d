// The transport against a server that breaks the rules of HTTP.
#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>
#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "vcenter/poco_transport.h"

using namespace vmcp;
using namespace vmcp::vcenter;
using namespace std::chrono_literals;
using Kind = TransportFailure::Kind;

namespace {

// Serves each connection with the next of `turns`: reads one request head, then does what the turn says.
class RawServer {
 public:
  using Turn = std::function<void(Poco::Net::StreamSocket&)>;
  explicit RawServer(std::vector<Turn> turns) : socket_(Poco::Net::SocketAddress("127.0.0.1", 0)) {
    thread_ = std::thread([this, turns = std::move(turns)] {
      for (const Turn& turn : turns) {
        try {
          if (!wait_for_caller()) return;
          Poco::Net::StreamSocket caller = socket_.acceptConnection();
          turn(caller);
        } catch (const Poco::Exception&) {
        }
      }
    });
  }
  ~RawServer() {
    ending_ = true;
    thread_.join();
  }
  std::uint16_t port() const { return socket_.address().port(); }

  static std::string read_head(Poco::Net::StreamSocket& caller) {
    caller.setReceiveTimeout(Poco::Timespan(3, 0));
    std::string head;
    char c = 0;
    while (head.find("\r\n\r\n") == std::string::npos && caller.receiveBytes(&c, 1) == 1) head += c;
    return head;
  }
  static Turn answers(std::string text) {
    return [text](Poco::Net::StreamSocket& caller) {
      read_head(caller);
      caller.sendBytes(text.data(), static_cast<int>(text.size()));
    };
  }

 private:
  bool wait_for_caller() {
    while (!ending_) {
      if (socket_.poll(Poco::Timespan(0, 20'000), Poco::Net::Socket::SELECT_READ)) return true;
    }
    return false;
  }
  Poco::Net::ServerSocket socket_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

std::unique_ptr<Transport> transport_to(std::uint16_t port, std::size_t max_answer = 1u << 20) {
  static SilentLog log;
  TransportOptions options;
  options.plain_http = true;
  options.max_answer_bytes = max_answer;
  options.timeout = 20s;
  auto endpoint = parse_endpoint("127.0.0.1:" + std::to_string(port), 80);
  REQUIRE(endpoint.ok());
  auto made = make_poco_transport(*endpoint, options, log);
  REQUIRE(made.ok());
  return std::move(*made);
}

CallLimits limits_of(milliseconds time) {
  return {std::chrono::steady_clock::now() + time, CancelFlag()};
}

HttpOutcome get(Transport& transport, bool idempotent = true, const char* method = "GET") {
  HttpRequest request;
  request.method = method;
  request.target = "/x";
  request.idempotent = idempotent;
  return transport.send(request, limits_of(20s));
}

Kind failure_kind(const HttpOutcome& outcome) {
  const auto* failure = std::get_if<TransportFailure>(&outcome);
  REQUIRE(failure != nullptr);
  return failure->kind;
}

}  // namespace

TEST_CASE("whole answers of every framing are read") {
  for (const char* text :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\n\r\nhello", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"}) {
    CAPTURE(text);
    RawServer server({RawServer::answers(text)});
    const auto transport = transport_to(server.port());
    const auto outcome = get(*transport);
    const auto* response = std::get_if<HttpResponse>(&outcome);
    REQUIRE(response != nullptr);
    CHECK(response->status == 200);
    CHECK(response->body == "hello");
  }
}

TEST_CASE("an answer that is cut or is not HTTP is a failure, never a shorter answer") {
  for (const char* text :
       {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
        "HTTP/1.1 200 OK\r\nX-Some: header\r\n", "HTTP/1.1 204 No Content\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n", "garbage\r\n\r\n",
        "\x16\x03\x01\x02"}) {
    CAPTURE(text);
    RawServer server({RawServer::answers(text)});
    const auto transport = transport_to(server.port());
    const auto outcome = get(*transport);
    CHECK(failure_kind(outcome) == Kind::broken);
    CHECK(std::get<TransportFailure>(outcome).sent);
  }
}

TEST_CASE("an answer larger than the limit is refused, announced or not") {
  const std::string body(5000, 'x');
  for (const std::string& text :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + body, "HTTP/1.0 200 OK\r\n\r\n" + body}) {
    RawServer server({RawServer::answers(text)});
    const auto transport = transport_to(server.port(), 4096);
    CHECK(failure_kind(get(*transport)) == Kind::too_large);
  }
}

TEST_CASE("a header that never ends is given up at the deadline") {
  RawServer server({[](Poco::Net::StreamSocket& caller) {
    RawServer::read_head(caller);
    const std::string start = "HTTP/1.1 200 OK\r\nX: ";
    caller.sendBytes(start.data(), static_cast<int>(start.size()));
    char c = 0;
    caller.receiveBytes(&c, 1);  // until the client leaves
  }});
  const auto transport = transport_to(server.port());
  HttpRequest request{"GET", "/x", {}, {}, true};
  const auto start = std::chrono::steady_clock::now();
  CHECK(failure_kind(transport->send(request, limits_of(300ms))) == Kind::timeout);
  CHECK(std::chrono::steady_clock::now() - start < 2s);
}

TEST_CASE("a kept connection that dies under a request is replaced for reads, not for changes") {
  // The first connection answers once, reads the next request, and closes without a word.
  const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Keep-Alive\r\n\r\nok";
  const auto once_then_dies = [ok](Poco::Net::StreamSocket& caller) {
    RawServer::read_head(caller);
    caller.sendBytes(ok.data(), static_cast<int>(ok.size()));
    RawServer::read_head(caller);
    caller.close();
  };
  {
    RawServer server({once_then_dies, RawServer::answers(ok)});
    const auto transport = transport_to(server.port());
    REQUIRE(std::holds_alternative<HttpResponse>(get(*transport)));
    CHECK(std::holds_alternative<HttpResponse>(get(*transport)));
  }
  {
    RawServer server({once_then_dies, RawServer::answers(ok)});
    const auto transport = transport_to(server.port());
    REQUIRE(std::holds_alternative<HttpResponse>(get(*transport)));
    const auto outcome = get(*transport, false, "DELETE");
    CHECK(failure_kind(outcome) == Kind::broken);
    CHECK(std::get<TransportFailure>(outcome).sent);
  }
}

TEST_CASE("rubbish after an answer ends the connection instead of becoming the next answer") {
  RawServer server(
      {[](Poco::Net::StreamSocket& caller) {
         RawServer::read_head(caller);
         const std::string two =
             "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb";
         caller.sendBytes(two.data(), static_cast<int>(two.size()));
         char c = 0;
         caller.receiveBytes(&c, 1);
       },
       RawServer::answers("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nc")});
  const auto transport = transport_to(server.port());
  const auto first = get(*transport);
  REQUIRE(std::holds_alternative<HttpResponse>(first));
  CHECK(std::get<HttpResponse>(first).body == "a");
  const auto second = get(*transport);
  REQUIRE(std::holds_alternative<HttpResponse>(second));
  CHECK(std::get<HttpResponse>(second).body == "c");
}

TEST_CASE("nobody listening, or no such name, is a connect failure with nothing sent") {
  std::uint16_t port = 0;
  {
    const Poco::Net::ServerSocket gone(Poco::Net::SocketAddress("127.0.0.1", 0));
    port = gone.address().port();
  }
  const auto refused = get(*transport_to(port));
  CHECK(failure_kind(refused) == Kind::connect);
  CHECK_FALSE(std::get<TransportFailure>(refused).sent);

  SilentLog log;
  TransportOptions options;
  options.plain_http = true;
  auto endpoint = parse_endpoint("no-such-host.invalid", 80);
  REQUIRE(endpoint.ok());
  auto transport = make_poco_transport(*endpoint, options, log);
  REQUIRE(transport.ok());
  const auto start = std::chrono::steady_clock::now();
  CHECK(failure_kind((*transport)->send({"GET", "/", {}, {}, true}, limits_of(500ms))) == Kind::connect);
  CHECK(std::chrono::steady_clock::now() - start < 3s);
}

TEST_CASE("the trace context of the caller goes with each request, and nothing when there is none") {
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  std::vector<std::string> heads;
  const RawServer::Turn notes = [&](Poco::Net::StreamSocket& caller) {
    heads.push_back(RawServer::read_head(caller));
    const std::string answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    caller.sendBytes(answer.data(), static_cast<int>(answer.size()));
  };
  {
    RawServer server({notes, notes});
    const auto transport = transport_to(server.port());
    HttpRequest request;
    request.method = "GET";
    request.target = "/x";
    CallLimits limits = limits_of(20s);
    transport->send(request, limits);
    limits.traceparent = trace;
    transport->send(request, limits);
  }
  REQUIRE(heads.size() == 2);
  CHECK(heads[0].find("traceparent") == std::string::npos);
  CHECK(heads[1].find("\r\ntraceparent: " + trace + "\r\n") != std::string::npos);
}
