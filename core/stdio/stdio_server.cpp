#include "stdio/stdio_server.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <map>
#include <mutex>
#include <vector>

#include "base/json.h"
#include "stdio/line_reader.h"

namespace vmcp::stdio {
namespace {

constexpr std::size_t kMaxRunning = 256;
constexpr int kWriteTimeoutMs = 30'000;

// Whole lines onto a descriptor, one writer at a time. A client that reads nothing for long is gone.
class LineWriter {
 public:
  explicit LineWriter(int output) : output_(output) {}

  bool write(std::string_view message) {
    const std::lock_guard lock(mutex_);
    if (broken_) return false;
    std::string line(message);
    // A message of one line is the framing; JSON needs no raw line ends.
    for (char& c : line)
      if (c == '\n' || c == '\r') c = ' ';
    line += '\n';
    for (std::string_view rest = line; !rest.empty();) {
      const ssize_t n = ::write(output_, rest.data(), rest.size());
      if (n > 0) {
        rest.remove_prefix(static_cast<std::size_t>(n));
      } else if (n < 0 && errno == EAGAIN) {
        pollfd watched{output_, POLLOUT, 0};
        if (::poll(&watched, 1, kWriteTimeoutMs) == 0) broken_ = true;
      } else if (!(n < 0 && errno == EINTR)) {
        broken_ = true;
      }
      if (broken_) return false;
    }
    return true;
  }

 private:
  const int output_;
  std::mutex mutex_;
  bool broken_ = false;
};

}  // namespace

// One line on its way: the request as mcp/ sees it, and the way back.
class Line final : public mcp::Inbound, public mcp::MessageStream, public std::enable_shared_from_this<Line> {
 public:
  Line(std::shared_ptr<StdioServer::Impl> server, std::string text, std::shared_ptr<Exchange> exchange,
       std::string session);

  // Exchange
  CancelFlag disconnected() const override { return gone_flag_; }
  void answer_by(SteadyTime deadline, std::function<void()> overrun) override {
    exchange_->answer_by(deadline, std::move(overrun));
  }
  bool enter_blocking() override { return exchange_->enter_blocking(); }
  void leave_blocking() override { exchange_->leave_blocking(); }

  // Inbound
  std::string_view method() const override { return text_.empty() ? "GET" : "POST"; }
  std::string_view header(std::string_view name) const override;
  std::size_t header_count(std::string_view name) const override {
    return header(name).data() == nullptr ? 0 : 1;
  }
  std::vector<std::pair<std::string_view, std::string_view>> headers_with(std::string_view) const override {
    return {};
  }
  bool mirrors_headers() const override { return false; }
  std::string_view body() const override { return text_; }
  std::string_view peer() const override { return "stdio"; }
  bool answer(mcp::Answer answer) override;
  mcp::MessageStreamPtr open_stream(mcp::StreamHead head) override;

  // MessageStream
  bool send(std::string_view message, std::string_view event_id) override;
  void finish() override;
  void on_gone(std::function<void()> gone) override;

  // The client does not want the answer any more.
  void cancel();

 private:
  void over();

  const std::shared_ptr<StdioServer::Impl> server_;
  const std::string text_;  // empty: the pretended GET for the session's own stream
  const std::shared_ptr<Exchange> exchange_;
  const std::string session_, authorization_;
  const CancelFlag gone_flag_;
  std::mutex mutex_;
  bool answered_ = false, finished_ = false;
  std::function<void()> gone_;
};

struct StdioServer::Impl {
  Impl(mcp::Endpoint& e, pipeline::Background& b, Secret t, int output, Log& l)
      : endpoint(e), background(b), token(std::move(t)), writer(output), log(l) {}

  mcp::Endpoint& endpoint;
  pipeline::Background& background;
  const Secret token;
  LineWriter writer;
  Log& log;

  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::shared_ptr<Line>> running;  // by the request's id as JSON text
  std::size_t open = 0;                                  // lines that are worked on
  std::string session;                                   // after a handshake

  void take(std::string text, const std::shared_ptr<Impl>& self);
  void start(std::string text, std::string id, const std::shared_ptr<Impl>& self);
};

Line::Line(std::shared_ptr<StdioServer::Impl> server, std::string text, std::shared_ptr<Exchange> exchange,
           std::string session)
    : server_(std::move(server)),
      text_(std::move(text)),
      exchange_(std::move(exchange)),
      session_(std::move(session)),
      authorization_(server_->token.empty() ? std::string() : "Bearer " + server_->token.reveal()) {}

std::string_view Line::header(std::string_view name) const {
  if (name == "content-type") return "application/json";
  if (name == "accept") return "application/json, text/event-stream";
  if (name == "authorization" && !authorization_.empty()) return authorization_;
  if (name == "mcp-session-id" && !session_.empty()) return session_;
  return {};
}

bool Line::answer(mcp::Answer answer) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(answered_, true)) return false;
  }
  for (const auto& [name, value] : answer.headers) {
    if (name != "Mcp-Session-Id") continue;
    const std::lock_guard lock(server_->mutex);
    server_->session = value;
  }
  if (!answer.body.empty()) server_->writer.write(answer.body);
  over();
  return true;
}

mcp::MessageStreamPtr Line::open_stream(mcp::StreamHead) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(answered_, true)) return nullptr;
  return shared_from_this();
}

bool Line::send(std::string_view message, std::string_view) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return false;
  }
  return server_->writer.write(message);
}

void Line::finish() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(finished_, true)) return;
    gone_ = nullptr;
  }
  over();
}

void Line::on_gone(std::function<void()> gone) {
  const std::lock_guard lock(mutex_);
  if (!finished_) gone_ = std::move(gone);
}

void Line::cancel() {
  gone_flag_.cancel();
  std::function<void()> gone;
  {
    const std::lock_guard lock(mutex_);
    if (!answered_) return;  // the call notices the flag and answers
    gone = std::exchange(gone_, nullptr);
  }
  if (gone) {
    gone();
    finish();
  }
}

void Line::over() {
  const std::lock_guard lock(server_->mutex);
  std::erase_if(server_->running, [this](const auto& entry) { return entry.second.get() == this; });
}

void StdioServer::Impl::start(std::string text, std::string id, const std::shared_ptr<Impl>& self) {
  {
    const std::lock_guard lock(mutex);
    ++open;
  }
  const bool taken =
      background.run([self, text = std::move(text), id](const std::shared_ptr<Exchange>& exchange) mutable {
        std::shared_ptr<Line> line;
        {
          const std::lock_guard lock(self->mutex);
          line = std::make_shared<Line>(self, std::move(text), exchange, self->session);
          if (!id.empty()) self->running.insert_or_assign(id, line);
        }
        self->endpoint.handle(line);
        const std::lock_guard lock(self->mutex);
        --self->open;
        self->changed.notify_all();
      });
  if (taken) return;
  {
    const std::lock_guard lock(mutex);
    --open;
  }
  // Nobody waits for an answer to a notification.
  if (id.empty()) return;
  writer.write(R"({"jsonrpc":"2.0","id":)" + id +
               R"(,"error":{"code":-31503,"message":"The server is busy; try again shortly."}})");
}

// The order of a handshake matters: what comes after `initialize` waits for its answer.
void StdioServer::Impl::take(std::string text, const std::shared_ptr<Impl>& self) {
  std::string id, method;
  if (const auto message = parse_json(text, {.max_bytes = text.size() + 1});
      message && message->is_object()) {
    if (const auto it = message->find("id"); it != message->end()) id = dump_json(*it);
    method = message->value("method", Json("")).is_string() ? message->value("method", "") : std::string();
    if (method == "notifications/cancelled" && message->contains("params") &&
        (*message)["params"].is_object()) {
      std::shared_ptr<Line> cancelled;
      {
        const std::lock_guard lock(mutex);
        const auto it = running.find(dump_json((*message)["params"].value("requestId", Json())));
        if (it != running.end()) cancelled = it->second;
      }
      if (cancelled) cancelled->cancel();
    }
  }
  start(std::move(text), id, self);
  if (method != "initialize") return;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, std::chrono::seconds(30), [&] { return open == 0; });
  const bool shaken = !session.empty();
  lock.unlock();
  if (shaken) start({}, {}, self);
}

StdioServer::StdioServer(mcp::Endpoint& endpoint, pipeline::Background& background, Secret token, int output,
                         Log& log)
    : impl_(std::make_shared<Impl>(endpoint, background, std::move(token), output, log)) {}

StdioServer::~StdioServer() = default;

bool StdioServer::run(int input, int stop, std::size_t max_line_bytes, milliseconds grace) {
  LineReader reader(input, stop, max_line_bytes);
  std::string line;
  for (LineReader::Got got; (got = reader.next(line)) != LineReader::Got::end;) {
    if (got == LineReader::Got::too_long) {
      impl_->writer.write(
          R"({"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid request: the line is too long."}})");
      continue;
    }
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    {
      // Back-pressure: a client that floods is read more slowly, nothing is lost.
      std::unique_lock lock(impl_->mutex);
      impl_->changed.wait(lock, [&] { return impl_->open < kMaxRunning; });
    }
    impl_->take(std::move(line), impl_);
    line.clear();
  }
  std::unique_lock lock(impl_->mutex);
  return impl_->changed.wait_for(lock, grace, [&] { return impl_->open == 0; });
}

}  // namespace vmcp::stdio
