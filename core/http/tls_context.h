// The server's certificate, key and client authorities, read once; and what of TLS is spoken.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;
struct bio_method_st;

namespace vmcp::http {

struct TlsSettings {
  std::string certificate_file;  // PEM: the server's certificate, then the chain up to its authority
  std::string key_file;          // PEM, without a passphrase, not readable by everyone
  std::string
      client_ca_file;  // PEM: every client must show a certificate of one of these; empty = none needed
};

// Immutable once made.   [any thread]
class TlsContext {
 public:
  // Errors name the file and the fix.
  static Result<std::shared_ptr<const TlsContext>> load(const TlsSettings& settings);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // The server's side of a connection on `descriptor`, which it does not own and never blocks on. The caller
  // frees it, before the context. Null: no memory.
  ssl_st* accept_on(int descriptor) const;

 private:
  TlsContext() = default;
  Result<void> use_certificate(const TlsSettings& settings);
  Result<void> use_clients(const std::string& ca_file);

  ssl_ctx_st* context_ = nullptr;
  bio_method_st* socket_method_ = nullptr;
};

}  // namespace vmcp::http
