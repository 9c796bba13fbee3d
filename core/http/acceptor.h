// Takes new connections from the listening socket, within the caps.
#pragma once

#include <Poco/Net/ServerSocket.h>

#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"

namespace vmcp::http {

struct Transport;

class Acceptor {
 public:
  static constexpr std::uint64_t kToken = ~std::uint64_t{0} - 1;

  explicit Acceptor(Transport& transport) : transport_(transport) {}
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  Result<void> listen(const std::string& host, std::uint16_t port);
  std::uint16_t port() const { return port_; }
  // The listening socket is readable.   [worker]
  void accept_some();
  // No connection is accepted any more.   [any thread]
  void close();

 private:
  bool accept_one();  // with the lock held; false: none waits
  void admit(int descriptor, std::string address);
  void shed();

  Transport& transport_;
  std::mutex mutex_;
  Poco::Net::ServerSocket socket_;
  std::uint16_t port_ = 0;
  bool open_ = false;
  int reserve_ = -1;  // a descriptor to give up when there is none left, so that a caller can be turned away
};

}  // namespace vmcp::http
