// HTTPS and mutual TLS over real sockets.
#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "unit/http/raw_client.h"
#include "unit/http/tls_client.h"

using namespace vmcp::http;
using namespace vmcp::http::test;
using std::chrono::steady_clock;
using vmcp::milliseconds;

namespace {

void body_or_subject(const HttpExchangePtr& exchange) {
  const Request& r = exchange->request();
  std::string who;
  if (const vmcp::PeerCertificatePtr& c = r.client_certificate) {
    who = c->subject;
    for (const std::string& name : c->names) who += " " + name;
    CHECK(c->sha256.size() == 64);
    CHECK(c->sha256.find_first_not_of("0123456789abcdef") == std::string::npos);
  }
  exchange->respond(text(r.path == "/who" ? who : std::string(r.body)));
}

// The error of a server that is given these files.
std::string refusal(const TlsSettings& settings) {
  vmcp::SilentLog log;
  Server server({}, body_or_subject, log);
  auto used = server.use_tls(settings);
  REQUIRE_FALSE(used.ok());
  return used.error().text;
}

bool mentions(const std::string& in, const std::string& what) {
  return in.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("one TLS connection serves many requests") {
  const TlsSettings tls = tls_files().server();
  Running server({}, body_or_subject, &tls);
  TlsOptions options;
  SUBCASE("TLS 1.3") {
    options.version = TLS1_3_VERSION;
  }
  SUBCASE("TLS 1.2") {
    options.version = TLS1_2_VERSION;
  }
  TlsClient client(server.port(), options);
  REQUIRE(client.ready());
  CHECK(client.protocol() == "http/1.1");
  for (int i = 0; i < 50; ++i) {
    REQUIRE(client.send(post("/", std::to_string(i))));
    const auto answer = client.answer();
    REQUIRE(answer);
    CHECK(answer->body == std::to_string(i));
  }
  CHECK(server->stats().connections == 1);
  REQUIRE(client.send(get("/who")));
  const auto who = client.answer();
  REQUIRE(who);
  CHECK(who->body.empty());
}

TEST_CASE("an older TLS is refused") {
  const TlsSettings tls = tls_files().server();
  Running server({}, body_or_subject, &tls);
  TlsClient client(server.port(), {.version = TLS1_1_VERSION});
  CHECK_FALSE(client.ready());
  CHECK(eventually([&] { return server->stats().connections == 0; }));
  CHECK(server->stats().requests == 0);
}

TEST_CASE("a TLS client may send each byte of the wire on its own") {
  const TlsSettings tls = tls_files().server();
  Running server({}, body_or_subject, &tls);
  TlsClient client(server.port(), {.byte_wise = true});
  REQUIRE(client.ready());
  for (int i = 0; i < 3; ++i) {
    REQUIRE(client.send(post("/", "slowly")));
    const auto answer = client.answer();
    REQUIRE(answer);
    CHECK(answer->body == "slowly");
  }
}

TEST_CASE("records and requests need not agree") {
  const TlsSettings tls = tls_files().server();
  Running server({}, body_or_subject, &tls);
  TlsClient client(server.port());
  REQUIRE(client.ready());
  SUBCASE("many pipelined requests in few records") {
    std::string all;
    // Sizes around the block that a request is read into, so that some end where the block does.
    for (std::size_t i = 0; i < 300; ++i) all += post("/", std::string(i * 37 % 9000, 'a'));
    REQUIRE(client.send(all));
    for (std::size_t i = 0; i < 300; ++i) {
      const auto answer = client.answer();
      REQUIRE(answer);
      CHECK((answer->body == std::string(i * 37 % 9000, 'a')));
    }
  }
  SUBCASE("one request in a record for each byte") {
    for (const char c : post("/", "bytes")) REQUIRE(client.send({&c, 1}));
    const auto answer = client.answer();
    REQUIRE(answer);
    CHECK(answer->body == "bytes");
  }
  SUBCASE("every end of a request within one record") {
    const std::string head = post("/", "");
    for (std::size_t size = 8192 - 200; size < 8192; ++size) {
      REQUIRE(client.send(post("/", std::string(size, 'b')) + post("/", "next")));
      const auto first = client.answer();
      REQUIRE(first);
      CHECK(first->body.size() == size);
      const auto second = client.answer();
      REQUIRE(second);
      CHECK(second->body == "next");
    }
  }
}

TEST_CASE("a large answer and a large request go through TLS whole") {
  const TlsSettings tls = tls_files().server();
  constexpr std::size_t kTimes = 8;  // more than the sockets of both sides hold
  Running server(
      {},
      [](const HttpExchangePtr& e) {
        std::string body;
        for (std::size_t i = 0; i < kTimes; ++i) body += e->request().body;
        e->respond(text(std::move(body)));
      },
      &tls);
  TlsClient client(server.port(), {.receive_buffer = 4096});
  REQUIRE(client.ready());
  std::string body(3 * 1024 * 1024, 'x');
  for (std::size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
  REQUIRE(client.send(post("/", body)));
  const auto answer = client.answer();
  REQUIRE(answer);
  REQUIRE(answer->body.size() == kTimes * body.size());
  for (std::size_t i = 0; i < kTimes; ++i)
    CHECK(answer->body.compare(i * body.size(), body.size(), body) == 0);
}

TEST_CASE("every event of a TLS stream reaches a slow reader in order") {
  const TlsSettings tls = tls_files().server();
  std::mutex mutex;
  StreamPtr stream;
  ServerLimits limits;
  limits.max_stream_buffer_bytes = 32 * 1024 * 1024;
  Running server(
      limits,
      [&](const HttpExchangePtr& e) {
        std::lock_guard lock(mutex);
        Response head;
        head.content_type = "text/event-stream";
        stream = e->open_stream(head, {});
      },
      &tls);
  TlsClient client(server.port(), {.version = TLS1_3_VERSION, .receive_buffer = 4096});
  REQUIRE(client.ready());
  REQUIRE(client.send(get("/")));
  REQUIRE(client.head());
  constexpr int kEvents = 60'000;
  std::string expected;
  for (int i = 0; i < kEvents; ++i) {
    // More than the sockets of both sides hold, so that records are cut and repeated.
    const std::string event = "data: event " + std::to_string(i) + std::string(250, '.') + "\n\n";
    std::lock_guard lock(mutex);
    REQUIRE(stream->write(event));
    expected += event;
  }
  {
    std::lock_guard lock(mutex);
    stream->finish();
  }
  const auto body = client.chunked_body(milliseconds(30'000));
  REQUIRE(body);
  CHECK((*body == expected));
  CHECK(server->stats().dropped_streams == 0);
}

TEST_CASE("a TLS client that leaves an open stream is noticed at once") {
  const TlsSettings tls = tls_files().server();
  std::mutex mutex;
  StreamPtr stream;
  std::atomic<bool> gone{false};
  Running server(
      {},
      [&](const HttpExchangePtr& e) {
        std::lock_guard lock(mutex);
        stream = e->open_stream(text(""), {});
        stream->on_gone([&] { gone = true; });
      },
      &tls);
  auto client = std::make_unique<TlsClient>(server.port());
  REQUIRE(client->send(get("/")));
  REQUIRE(client->head());
  SUBCASE("with a goodbye") {
    client->say_goodbye();
  }
  SUBCASE("without") {}
  const auto left = steady_clock::now();
  client.reset();
  CHECK(eventually([&] { return gone.load(); }));
  CHECK(steady_clock::now() - left < milliseconds(100));
  CHECK(eventually([&] { return server->stats().connections == 0; }));
}

TEST_CASE("what is not TLS is turned away and harms nobody") {
  const TlsSettings tls = tls_files().server();
  Running server({}, body_or_subject, &tls);
  TlsClient good(server.port());
  REQUIRE(good.ready());
  for (const std::string& garbage :
       {std::string("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), std::string(20'000, '\0'),
        std::string(20'000, '\xff'), std::string("\x16\x03\x01\x40\x00", 5) + std::string(16384, 'x'),
        std::string("\x16\x03\x01\xff\xff", 5)}) {
    RawClient client(server.port());
    client.send(garbage);
    client.half_close();
    CHECK_FALSE(client.head());
    CHECK(eventually([&] { return server->stats().connections == 1; }));
  }
  REQUIRE(good.send(post("/", "still served")));
  const auto answer = good.answer();
  REQUIRE(answer);
  CHECK(answer->body == "still served");
  CHECK(server->stats().requests == 1);
}

TEST_CASE("a handshake must come in the time of a head and an idle connection keeps its own") {
  const TlsSettings tls = tls_files().server();
  ServerLimits limits;
  limits.head_timeout = milliseconds(150);
  Running server(limits, body_or_subject, &tls);
  TlsClient idle(server.port());
  REQUIRE(idle.ready());
  RawClient silent(server.port()), stalled(server.port());
  const auto began = steady_clock::now();
  stalled.send(std::string_view("\x16\x03\x01\x02\x00\x01\x00", 7));
  CHECK(silent.closed_by_server());
  CHECK(stalled.closed_by_server());
  CHECK(steady_clock::now() - began > milliseconds(100));
  REQUIRE(idle.send(post("/", "here")));
  CHECK(idle.answer());
}

TEST_CASE("a client's certificate is asked for and its name handed on") {
  const TlsSettings tls = tls_files().mutual();
  Running server({}, body_or_subject, &tls);
  const auto name_of = [&](const std::string& certificate) {
    TlsClient client(server.port(), {.certificate = certificate});
    std::string name;
    for (int i = 0; i < 2; ++i) {  // also with the second request on the connection
      REQUIRE(client.send(get("/who")));
      const auto answer = client.answer();
      REQUIRE(answer);
      name = answer->body;
    }
    return name;
  };
  CHECK(name_of("agent") == "CN=agent-7,O=Example DNS:agent.example");
  CHECK(name_of("spiffe") == " URI:spiffe://example/agent");
}

TEST_CASE("a client without a certificate of the authority gets nothing") {
  const TlsSettings tls = tls_files().mutual();
  Running server({}, body_or_subject, &tls);
  TlsOptions options;
  SUBCASE("none under TLS 1.3") {
    options = {.version = TLS1_3_VERSION};
  }
  SUBCASE("none under TLS 1.2") {
    options = {.version = TLS1_2_VERSION};
  }
  SUBCASE("one of another authority") {
    options = {.certificate = "stranger"};
  }
  SUBCASE("one that is for servers") {
    options = {.certificate = "server"};
  }
  TlsClient client(server.port(), options);
  client.send(get("/who"));
  CHECK_FALSE(client.answer());
  CHECK(eventually([&] { return server->stats().connections == 0; }));
  CHECK(server->stats().requests == 0);
}

TEST_CASE("certificates that cannot be used are refused with the file and the fix") {
  const TlsFiles& files = tls_files();
  TlsSettings settings = files.server();
  SUBCASE("a certificate that is not there") {
    settings.certificate_file = files.path("none.pem");
    const std::string why = refusal(settings);
    CHECK(mentions(why, "server.tls_certificate: " + settings.certificate_file));
  }
  SUBCASE("a key that is not there") {
    settings.key_file = files.path("none.key");
    const std::string why = refusal(settings);
    CHECK(mentions(why, "server.tls_key: " + settings.key_file + " cannot be read (No such file"));
  }
  SUBCASE("a key that everyone may read") {
    settings.key_file = files.path("open.key");
    CHECK(mentions(refusal(settings), "chmod 600 " + settings.key_file));
  }
  SUBCASE("a key under a passphrase") {
    settings.key_file = files.path("locked.key");
    CHECK(mentions(refusal(settings), "passphrase"));
  }
  SUBCASE("a key of another certificate") {
    settings.key_file = files.path("agent.key");
    CHECK(mentions(refusal(settings), "is not the key of the certificate in " + settings.certificate_file));
  }
  SUBCASE("a certificate in place of the key") {
    settings.key_file = files.path("ca.pem");
    std::string why = refusal(settings);
    CHECK(mentions(why, settings.key_file));
  }
  SUBCASE("a folder in place of the key") {
    settings.key_file = files.path("");
    CHECK(mentions(refusal(settings), "is not a file"));
  }
  SUBCASE("authorities that are not there") {
    settings.client_ca_file = files.path("none.pem");
    CHECK(mentions(refusal(settings), "server.tls_client_ca: " + settings.client_ca_file));
  }
  SUBCASE("authorities that are a key") {
    settings.client_ca_file = files.path("server.key");
    CHECK(mentions(refusal(settings), settings.client_ca_file));
  }
}
