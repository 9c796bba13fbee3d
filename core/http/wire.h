// The bytes of one connection, without blocking. The seam behind which TLS takes the place of the plain
// socket.
#pragma once

#include <Poco/Net/StreamSocket.h>
#include <sys/uio.h>

#include <cstddef>
#include <string>

#include "base/peer_certificate.h"

namespace vmcp::http {

struct WireResult {
  enum class Kind { bytes, would_block, closed, failed };
  Kind kind = Kind::bytes;
  std::size_t count = 0;  // with `bytes`
  // With `would_block`: a read waits for room to write in, or a write for something to read.
  bool other_way = false;
};

// Used under its connection's lock; never blocks, never throws, raises no SIGPIPE.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual WireResult read(char* to, std::size_t room) = 0;
  // True when read() may have more although it returned fewer bytes than asked (a TLS record held back).
  virtual bool holds_more() const = 0;
  // Sends a prefix of all parts together. What did not go is offered again before anything else is: the next
  // write begins with the same bytes.
  virtual WireResult write(const iovec* parts, int count) = 0;
  virtual void finish_writing() = 0;  // tells the peer that nothing follows
  virtual void close() = 0;
  virtual int descriptor() const = 0;  // for the poller; -1 after close()
  // The two sides have not agreed on how to speak yet; read() goes on with it.
  virtual bool greeting() const { return false; }
  // What the peer proved to be; null when it was not asked. After the greeting. May throw bad_alloc.
  virtual PeerCertificatePtr peer_certificate() const { return nullptr; }
};

class PlainWire final : public Wire {
 public:
  // Takes over `socket`, which is not blocking.
  explicit PlainWire(Poco::Net::StreamSocket socket);
  ~PlainWire() override;
  WireResult read(char* to, std::size_t room) override;
  bool holds_more() const override { return false; }
  WireResult write(const iovec* parts, int count) override;
  void finish_writing() override;
  void close() override;
  int descriptor() const override { return descriptor_; }

 private:
  Poco::Net::StreamSocket socket_;
  int descriptor_;
};

}  // namespace vmcp::http
