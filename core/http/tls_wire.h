// The bytes of one connection under TLS. The handshake is part of reading: it goes on with each event, and
// nothing of it blocks.
#pragma once

#include <memory>
#include <string>

#include "http/tls_context.h"
#include "http/wire.h"

namespace vmcp::http {

class TlsWire final : public Wire {
 public:
  // Takes over `socket`, which is not blocking. Throws bad_alloc.
  TlsWire(Poco::Net::StreamSocket socket, std::shared_ptr<const TlsContext> context);
  ~TlsWire() override;
  WireResult read(char* to, std::size_t room) override;
  bool holds_more() const override;
  WireResult write(const iovec* parts, int count) override;
  void finish_writing() override;
  void close() override;
  int descriptor() const override { return socket_.descriptor(); }
  bool greeting() const override;
  PeerCertificatePtr peer_certificate() const override;

 private:
  WireResult outcome(int returned, bool reading);
  void say_goodbye();

  PlainWire socket_;
  const std::shared_ptr<const TlsContext> context_;
  ssl_st* ssl_;
  bool broken_ = false;  // after an error nothing more may be said
};

}  // namespace vmcp::http
