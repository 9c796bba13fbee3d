// A client that sends exactly the bytes it is told and reads one answer at a time, always with a deadline.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "http/server.h"

namespace vmcp::http::test {

struct Answer {
  int status = 0;
  std::string head;  // with the final empty line
  std::string body;
  bool says(std::string_view header_line) const { return head.find(header_line) != std::string::npos; }
};

class RawClient {
 public:
  // `from`: the loopback address to come from, such as 127.0.1.2; null: any.
  explicit RawClient(std::uint16_t port, int receive_buffer = 0, const char* from = nullptr);
  virtual ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool send(std::string_view bytes) { return send_all(bytes); }  // false: the server closed
  void half_close();
  void reset();  // closes with RST
  // Nothing when no whole answer came in time or the server closed before.
  std::optional<Answer> answer(milliseconds within = milliseconds(8000));
  // The head alone, of an answer whose length it does not tell.
  std::optional<Answer> head(milliseconds within = milliseconds(8000));
  // So many bytes of a body whose length is known. Nothing when they do not come in time.
  std::optional<std::string> bytes(std::size_t count, milliseconds within = milliseconds(8000));
  // The next chunk of a chunked body; empty for the last one. Nothing when none came in time or the server
  // closed.
  std::optional<std::string> chunk(milliseconds within = milliseconds(8000));
  // All chunks up to the last one, in one.
  std::optional<std::string> chunked_body(milliseconds within = milliseconds(8000));
  // True when the server closes without sending anything more.
  bool closed_by_server(milliseconds within = milliseconds(8000));

 protected:
  virtual bool send_all(std::string_view bytes);
  virtual void take(std::string_view from_wire, std::string& to) { to += from_wire; }
  bool receive(SteadyTime until);  // false: end or deadline

 private:
  std::size_t find(std::string_view what, SteadyTime until);  // npos: it did not come

  int fd_;
  std::string in_;
  bool ended_ = false;
};

std::string post(std::string_view path, std::string_view body, std::string_view more_headers = {});
inline std::string get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

// Waits until `condition` holds; false when it does not within the time.
bool eventually(const std::function<bool()>& condition, milliseconds within = milliseconds(8000));

// Where handlers wait until the test lets them go.
class Gate {
 public:
  ~Gate() { open(); }
  void wait();  // counted while inside
  void open();
  std::size_t inside() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
  std::size_t inside_ = 0;
};

Response text(std::string body, int status = 200);

// A started server on a free port. Limits that a test does not set are small enough for tests.
class Running {
 public:
  Running(ServerLimits limits, Handler handler, const TlsSettings* tls = nullptr);
  Server& operator*() { return server_; }
  Server* operator->() { return &server_; }
  std::uint16_t port() const { return server_.port(); }
  std::string log_text() const { return log_.text(); }

 private:
  class Memory final : public Log {
   public:
    void write(LogLevel, std::string_view event, std::initializer_list<Field> fields) override;
    std::string text() const;

   private:
    mutable std::mutex mutex_;
    std::string text_;
  };

  Memory log_;
  Server server_;
};

}  // namespace vmcp::http::test
