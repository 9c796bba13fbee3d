// One input of the request target as a conversation of one client with the server.
//
// The input is text, so that its seeds can be read and written:
//   line 1     where the bytes are cut on their way: each character is the size of a piece (its code modulo
//   64, plus
//              one), over and over; empty = not at all
//   the rest   requests, apart by a line "%%%%". In a request without any CR the lines of the head end with
//   CRLF on
//              the wire. @LENGTH@ is the length of the body; @SESSION@, @STATE@, @TASK@, @ASKED@, @CURSOR@
//              and @EVENT@ are what the answers so far gave out last: session id, requestState, task id, id
//              of a request to the client, cursor, event id.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "fuzz/exchange.h"
#include "fuzz/world.h"

namespace vmcp::fuzz {

class Conversation {
 public:
  Conversation(World& world, std::string_view cuts) : world_(world), cuts_(cuts) {}
  ~Conversation();  // the client closes all connections
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // Sends one part of the input on a connection of its own and judges what comes back: throws Found.
  void send(std::string_view part);
  std::size_t requests() const { return requests_; }  // whole ones, so far

 private:
  std::string completed(std::string_view part);
  std::size_t next_piece();
  void serve(const std::string& bytes);
  void same_however_cut(const std::string& bytes);
  void judge(const KeptExchange& exchange);
  void read_streams();
  void learn(const Json& message);

  World& world_;
  const std::string cuts_;
  std::size_t cut_ = 0;
  std::vector<std::shared_ptr<KeptExchange>> streaming_;
  std::map<std::string, std::string, std::less<>> known_;
  std::size_t requests_ = 0;
};

}  // namespace vmcp::fuzz
