#include "vcenter/endpoint.h"

#include <doctest/doctest.h>

using namespace vmcp;
using vcenter::parse_endpoint;

TEST_CASE("an endpoint is a name, an address, and perhaps a port") {
  struct Row {
    const char *text, *host;
    int port;
    bool literal, loopback;
    const char* authority;
  };
  for (const Row& row : {Row{"vc.example", "vc.example", 443, false, false, "vc.example"},
                         Row{" VC.Example:8443 ", "vc.example", 8443, false, false, "vc.example:8443"},
                         Row{"vc.example.:443", "vc.example", 443, false, false, "vc.example"},
                         Row{"localhost", "localhost", 443, false, true, "localhost"},
                         Row{"127.0.0.1:80", "127.0.0.1", 80, true, true, "127.0.0.1:80"},
                         Row{"127.8.9.10", "127.8.9.10", 443, true, true, "127.8.9.10"},
                         Row{"192.0.2.7", "192.0.2.7", 443, true, false, "192.0.2.7"},
                         Row{"[2001:DB8::7]:9443", "2001:db8::7", 9443, true, false, "[2001:db8::7]:9443"},
                         Row{"2001:db8:0:0::7", "2001:db8::7", 443, true, false, "[2001:db8::7]"},
                         Row{"[::1]", "::1", 443, true, true, "[::1]"}}) {
    CAPTURE(row.text);
    const auto got = parse_endpoint(row.text, 443);
    REQUIRE(got.ok());
    CHECK(got->host == row.host);
    CHECK(got->port == row.port);
    CHECK(got->literal == row.literal);
    CHECK(got->loopback == row.loopback);
    CHECK(got->authority(443) == row.authority);
  }
}

TEST_CASE("text that is not a host name is refused with the fix") {
  for (const char* text :
       {"", "  ", "https://vc.example", "vc.example/ui", "vc example", "user@vc", "vc:0", "vc:65536",
        "vc:", "vc:44x", "[::1", "[vc]:443", "[::1]x", "vc\r\nX: y", ":443", "a:b:c"}) {
    CAPTURE(text);
    const auto got = parse_endpoint(text, 443);
    REQUIRE_FALSE(got.ok());
    CHECK(got.error().code == Code::invalid_argument);
    CHECK(got.error().text.find("give host, host:port") != std::string::npos);
    CHECK(got.error().text.find('\n') == std::string::npos);
  }
  CHECK_FALSE(parse_endpoint(std::string(300, 'a'), 443).ok());
}
