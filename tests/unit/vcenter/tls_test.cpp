#include "certificate.h"
#include "client_fixture.h"

using namespace vmcp;
using namespace vmcp::test;

namespace {

struct TlsFake {
  explicit TlsFake(const std::string& alt_names)
      : certificate(make_certificate(dir, "vc", alt_names)), fake(options()) {
    fake.on("GET", kVm, {{200, "{}"}});
  }
  FakeVcenter::Options options() const {
    FakeVcenter::Options out;
    out.certificate = certificate;
    return out;
  }
  vcenter::Settings settings() const {
    auto out = settings_for(fake);
    out.plain_http = false;
    out.retries = 0;
    return out;
  }
  ScratchDir dir;
  std::string certificate;
  FakeVcenter fake;
};

}  // namespace

TEST_CASE("a self-signed certificate is refused, with the setting that helps") {
  TlsFake tls("IP:127.0.0.1");
  Client client(tls.settings());
  const auto reply = client.get(kVm);
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.error->code == Code::unavailable);
  CHECK(contains(reply.error->text, "certificate"));
  CHECK(contains(reply.error->text, "self-signed"));
  CHECK(contains(reply.error->text, "VCENTER_CA_BUNDLE"));
  CHECK(tls.fake.received().empty());
}

TEST_CASE("a certificate of the CA bundle is accepted, and the connection is kept") {
  TlsFake tls("IP:127.0.0.1");
  auto settings = tls.settings();
  settings.ca_bundle = tls.dir.file("vc.crt");
  Client client(settings);
  for (int i = 0; i < 5; ++i) {
    const auto reply = client.get(kVm);
    CHECK_MESSAGE(reply.ok(), (reply.error ? reply.error->text + reply.error->detail : ""));
  }
  CHECK(tls.fake.connections() == 1);
  CHECK(client.log.count("vcenter_tls_not_verified") == 0);
}

TEST_CASE("a trusted certificate for another name is refused") {
  TlsFake tls("DNS:other.example,IP:192.0.2.1");
  auto settings = tls.settings();
  settings.ca_bundle = tls.dir.file("vc.crt");
  Client by_address(settings);
  CHECK_FALSE(by_address.get(kVm).ok());
  settings.hosts = {"localhost:" + std::to_string(tls.fake.port())};
  Client by_name(settings);
  const auto reply = by_name.get(kVm);
  REQUIRE_FALSE(reply.ok());
  CHECK(contains(reply.error->text, "certificate"));
  CHECK(tls.fake.received().empty());
}

TEST_CASE("the name of a host is compared with the certificate's") {
  TlsFake tls("DNS:localhost");
  auto settings = tls.settings();
  settings.ca_bundle = tls.dir.file("vc.crt");
  settings.hosts = {"localhost:" + std::to_string(tls.fake.port())};
  Client client(settings);
  const auto reply = client.get(kVm);
  CHECK_MESSAGE(reply.ok(), (reply.error ? reply.error->text + reply.error->detail : ""));
}

TEST_CASE("INSECURE accepts any certificate and says so loudly, once for each host") {
  TlsFake tls("DNS:other.example");
  auto settings = tls.settings();
  settings.verify_tls = false;
  Client client(settings);
  CHECK(client.get(kVm).ok());
  CHECK(client.get(kVm).ok());
  CHECK(client.log.count("vcenter_tls_not_verified") == 1);
}

TEST_CASE("deadline and cancellation hold over TLS, also in the handshake") {
  TlsFake tls("IP:127.0.0.1");
  tls.fake.on("GET", kVm, {{200, "{}", {}, true}});
  auto settings = tls.settings();
  settings.ca_bundle = tls.dir.file("vc.crt");
  Client client(settings);
  CHECK(shortest_ms(700, [&] { CHECK_FALSE(client.get(kVm, within(400ms)).ok()); }) < 700);

  // A plain HTTP server reads the greeting and waits for more.
  FakeVcenter plain;
  auto silent = settings_for(plain);
  silent.plain_http = false;
  silent.retries = 0;
  silent.connect_timeout = 300ms;
  Client never(silent);
  CHECK(shortest_ms(700, [&] { CHECK_FALSE(never.get(kVm).ok()); }) < 700);
}

TEST_CASE("a large answer and a large request pass over TLS whole") {
  TlsFake tls("IP:127.0.0.1");
  const std::string large = "\"" + std::string(2'000'000, 'y') + "\"";
  tls.fake.on("GET", kVm, {{200, large}});
  tls.fake.on("PATCH", kVm, {{204, ""}});
  auto settings = tls.settings();
  settings.ca_bundle = tls.dir.file("vc.crt");
  Client client(settings);
  CHECK(client.get(kVm).body == large);
  CHECK(client.send("PATCH", kVm, large).ok());
  CHECK(tls.fake.received().back().body == large);
}

TEST_CASE("a CA bundle that cannot be used stops the start with the reason") {
  FakeVcenter fake;
  const ScratchDir dir;
  auto settings = settings_for(fake);
  settings.plain_http = false;
  SilentLog log;
  settings.ca_bundle = dir.file("absent.pem");
  auto made = vcenter::make_fleet(settings, log);
  REQUIRE_FALSE(made.ok());
  CHECK(contains(made.error().text, "VCENTER_CA_BUNDLE"));
  make_certificate(dir, "x", "DNS:x");
  std::FILE* file = std::fopen(dir.file("junk.pem").c_str(), "w");
  REQUIRE(file);
  std::fputs("not a certificate\n", file);
  std::fclose(file);
  settings.ca_bundle = dir.file("junk.pem");
  made = vcenter::make_fleet(settings, log);
  REQUIRE_FALSE(made.ok());
  CHECK(contains(made.error().text, "VCENTER_CA_BUNDLE"));
}
