// A client under TLS whose bytes on the wire the test sees and cuts as it likes, and the certificates for it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "unit/http/raw_client.h"

struct ssl_st;
struct ssl_ctx_st;

namespace vmcp::http::test {

// A folder with certificates and keys, made once and removed at the end.
//   server.pem, server.key   for 127.0.0.1, of ca.pem
//   agent.pem, agent.key     client, "CN=agent-7,O=Example", of ca.pem
//   spiffe.pem, spiffe.key   client without a subject but with a URI, of ca.pem
//   stranger.pem, .key       client of another authority
//   locked.key               server.key under a passphrase
//   open.key                 server.key, readable by everyone
//   chain.pem                server.pem again, under another name
class TlsFiles {
 public:
  TlsFiles();
  ~TlsFiles();
  TlsFiles(const TlsFiles&) = delete;
  TlsFiles& operator=(const TlsFiles&) = delete;
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  TlsSettings server() const { return {path("server.pem"), path("server.key"), {}}; }
  TlsSettings mutual() const { return {path("server.pem"), path("server.key"), path("ca.pem")}; }

 private:
  std::string folder_;
};

const TlsFiles& tls_files();

struct TlsOptions {
  std::string certificate = {};  // of tls_files(), such as "agent"; empty: none is shown
  int version = 0;               // the only one spoken, such as TLS1_2_VERSION; 0: whatever
  bool byte_wise = false;        // sends each byte of the wire on its own
  int receive_buffer = 0;
};

class TlsClient : public RawClient {
 public:
  // Connects and shakes hands; verifies the server's certificate.
  TlsClient(std::uint16_t port, const TlsOptions& options = {});
  ~TlsClient() override;
  bool ready() const { return ready_; }
  const char* version() const;
  std::string protocol() const;  // of ALPN
  void say_goodbye();            // close_notify, without closing

 protected:
  bool send_all(std::string_view bytes) override;
  void take(std::string_view from_wire, std::string& to) override;

 private:
  bool push();  // what TLS has for the server

  ssl_ctx_st* context_;
  ssl_st* ssl_;
  const bool byte_wise_;
  bool ready_ = false;
};

}  // namespace vmcp::http::test
