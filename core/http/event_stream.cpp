#include "http/event_stream.h"

namespace vmcp::http {
namespace {

constexpr std::string_view kComment = ":\n\n";

bool fits_a_line(std::string_view id) {
  return !id.empty() && id.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

class EventStream final : public mcp::MessageStream {
 public:
  explicit EventStream(StreamPtr stream) : stream_(std::move(stream)) {}

  bool send(std::string_view message, std::string_view event_id) override {
    std::string event;
    event.reserve(message.size() + event_id.size() + 16);
    append_event(event, message, event_id);
    return stream_->write(event);
  }
  void finish() override { stream_->finish(); }
  void on_gone(std::function<void()> gone) override { stream_->on_gone(std::move(gone)); }

 private:
  const StreamPtr stream_;
};

}  // namespace

void append_event(std::string& out, std::string_view data, std::string_view id) {
  if (fits_a_line(id)) out.append("id: ").append(id).append("\n");
  for (;;) {
    const std::size_t end = data.find_first_of("\r\n");
    out.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == std::string_view::npos) break;
    const bool pair = data[end] == '\r' && end + 1 < data.size() && data[end + 1] == '\n';
    data.remove_prefix(end + (pair ? 2 : 1));
  }
  out += '\n';
}

void append_prime(std::string& out, std::string_view id, milliseconds retry) {
  const bool has_id = fits_a_line(id);
  if (!has_id && retry.count() <= 0) return;
  if (has_id) out.append("id: ").append(id).append("\n");
  if (retry.count() > 0) out.append("retry: ").append(std::to_string(retry.count())).append("\n");
  if (has_id) out += "data: \n";
  out += '\n';
}

mcp::MessageStreamPtr open_event_stream(HttpExchange& exchange, Response head, const mcp::StreamHead& says) {
  StreamPtr stream = exchange.open_stream(
      std::move(head), {.keep_alive = says.keep_alive, .keep_alive_bytes = std::string(kComment)});
  if (!stream) return nullptr;
  std::string first;
  append_prime(first, says.prime_id, says.retry);
  stream->write(first);  // a client that left meanwhile shows with the first message
  return std::make_shared<EventStream>(std::move(stream));
}

}  // namespace vmcp::http
