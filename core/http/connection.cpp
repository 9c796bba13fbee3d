#include "http/connection.h"

#include <sys/epoll.h>
#include <time.h>

#include <algorithm>

#include "http/live_exchange.h"
#include "http/live_stream.h"
#include "http/transport.h"

namespace vmcp::http {
namespace {

constexpr std::int64_t kNever = INT64_MAX;
constexpr milliseconds kLinger{2'000};
constexpr std::size_t kMaxDiscarded = 16 * 1024 * 1024;
// A client that sends faster than we read must not keep a worker for itself.
constexpr std::size_t kMaxReadPerEvent = 1024 * 1024;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

iovec part(std::string_view s) {
  return {const_cast<char*>(s.data()), s.size()};
}

}  // namespace

std::int64_t Connection::coarse_now_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &t);  // a few ms off, a fifth of the price
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

Connection::Connection(std::shared_ptr<Transport> transport, std::unique_ptr<Wire> wire, ConnectionId id,
                       std::string peer)
    : transport_(std::move(transport)),
      id_(id),
      peer_(std::move(peer)),
      wire_(std::move(wire)),
      deadline_(kNever),
      looked_at_(kNever),
      read_event_(EPOLLIN) {}

Connection::~Connection() = default;

void Connection::open() {
  std::lock_guard lock(mutex_);
  if (wire_->greeting()) waiting_ = Waiting::greeting;
  set_timeout(wire_->greeting() ? transport_->limits.head_timeout : transport_->limits.idle_timeout);
  if (!transport_->poller.add(wire_->descriptor(), id_, EPOLLIN)) close();
}

void Connection::arm(std::uint32_t events) {
  if (!transport_->poller.arm(wire_->descriptor(), id_, events)) close();
}

void Connection::set_timeout(milliseconds timeout) {
  set_deadline(coarse_now_ns() + std::chrono::nanoseconds(timeout).count());
}

void Connection::set_deadline(std::int64_t time_ns) {
  deadline_ = time_ns;
  if (deadline_ >= looked_at_) return;
  looked_at_ = deadline_;
  transport_->table.look_at(id_, deadline_);
}

std::unique_ptr<LiveExchange> Connection::on_event(std::uint32_t events,
                                                   std::unique_ptr<LiveExchange>& spare) {
  std::lock_guard lock(mutex_);
  switch (state_) {
    case State::reading:
      return read(spare);
    case State::running:
      peer_event(events);
      break;
    case State::streaming:
      stream_event(events);
      break;
    case State::writing:
      flush();
      break;
    case State::lingering:
      discard();
      break;
    case State::closed:
      break;
  }
  return nullptr;
}

std::unique_ptr<LiveExchange> Connection::read(std::unique_ptr<LiveExchange>& spare) {
  std::unique_ptr<LiveExchange> exchange = std::move(partial_ ? partial_ : spare);
  if (!exchange) exchange = std::make_unique<LiveExchange>(*transport_);
  const Framer::Step step = receive(*exchange);
  if (state_ == State::reading && step == Framer::Step::whole) return hand_over(std::move(exchange));
  if (state_ == State::reading && step != Framer::Step::refused && !exchange->incoming.empty()) {
    keep_partial(std::move(exchange));
    return nullptr;
  }
  if (state_ == State::reading && step == Framer::Step::refused) {
    const Refusal& why = exchange->incoming.framer().refusal();
    refuse(why.status, why.text);
  } else if (state_ == State::reading) {
    arm(read_event_);  // a stale event, or nothing for us: the greeting goes on
  }
  if (!spare) {
    exchange->incoming.reset();
    spare = std::move(exchange);
  }
  return nullptr;
}

// Reads until the socket has no more or the request is decided. Closes on the way out when the client left.
Framer::Step Connection::receive(LiveExchange& exchange) {
  Incoming& in = exchange.incoming;
  Framer::Step step = in.step();
  if (partial_unframed_) {
    partial_unframed_ = false;
    step = in.received(0);
  }
  std::size_t total = 0;
  while ((step == Framer::Step::more_head || step == Framer::Step::more_body) && total < kMaxReadPerEvent) {
    if (!in.grow()) {
      refuse(503, "The server holds too many unfinished requests. Repeat it in a moment.");
      break;
    }
    const std::size_t room = in.room();
    const WireResult got = wire_->read(in.tail(), room);
    read_event_ = got.other_way ? EPOLLOUT : EPOLLIN;
    if (got.kind == WireResult::Kind::would_block) break;
    if (got.kind != WireResult::Kind::bytes) {
      close();
      break;
    }
    total += got.count;
    step = in.received(got.count);
    if (got.count < room && !wire_->holds_more()) break;
  }
  if (waiting_ == Waiting::greeting && state_ == State::reading && !wire_->greeting()) greeted();
  return step;
}

void Connection::greeted() {
  client_certificate_ = wire_->peer_certificate();
  waiting_ = Waiting::idle;
  set_timeout(transport_->limits.idle_timeout);
}

void Connection::keep_partial(std::unique_ptr<LiveExchange> exchange) {
  const Incoming& in = exchange->incoming;
  const bool head_done = in.step() == Framer::Step::more_body;
  const Waiting now = head_done ? Waiting::body : Waiting::head;
  if (waiting_ != now) {
    waiting_ = now;
    set_timeout(head_done ? transport_->limits.body_timeout : transport_->limits.head_timeout);
  }
  if (head_done && in.framer().expects_continue() && !said_continue_) {
    said_continue_ = true;
    const iovec once = part(kContinue);
    const WireResult sent = wire_->write(&once, 1);
    // The socket's buffer is empty here; a client that cannot take 25 bytes is not waiting for them.
    if (sent.kind != WireResult::Kind::bytes || sent.count != kContinue.size()) return close();
  }
  partial_ = std::move(exchange);
  arm(read_event_);
}

std::unique_ptr<LiveExchange> Connection::hand_over(std::unique_ptr<LiveExchange> exchange) {
  const std::string_view rest = exchange->incoming.finish();
  if (!rest.empty()) {
    partial_ = std::make_unique<LiveExchange>(*transport_);
    partial_unframed_ = partial_->incoming.start_with(rest);
  }
  exchange->incoming.request().peer = peer_;
  exchange->incoming.request().client_certificate = client_certificate_;
  // Pipelined bytes that find no memory are dropped; then nothing after them can be understood.
  close_after_ = !exchange->incoming.framer().keep_alive() || (partial_ && !partial_unframed_);
  must_linger_ = false;
  watching_peer_ = false;
  said_continue_ = false;
  current_ = exchange.get();
  state_ = State::running;
  set_deadline(kNever);
  return exchange;
}

void Connection::refuse(int status, std::string_view text) {
  transport_->refused_requests.fetch_add(1, std::memory_order_relaxed);
  Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = text;
  response.body += '\n';
  std::string head;
  write_response_head(head, response, {.close = true});
  close_after_ = must_linger_ = true;
  send(head, std::move(response.body));
}

// False: the head was not fit to be sent; the head of an internal error, which then replaces it, is there.
bool Connection::write_head(LiveExchange& exchange, Response& response, ResponseFraming framing) {
  if (write_response_head(exchange.answer_head, response, framing)) return true;
  transport_->log.error("http.bad_response_header", {{"path", exchange.request().path}});
  response = internal_error();
  framing.length = ResponseFraming::Length::known;
  write_response_head(exchange.answer_head, response, framing);
  return false;
}

bool Connection::answer(LiveExchange& exchange, Response response) {
  const Framer& framer = exchange.incoming.framer();
  const bool draining = transport_->draining.load();
  const bool close_it = response.close || draining || !framer.keep_alive();
  const ResponseFraming framing{.close = close_it, .say_keep_alive = framer.minor_version() == 0};
  write_head(exchange, response, framing);
  if (!response_has_body(response, exchange.request().method == "HEAD")) response.body.clear();
  std::lock_guard lock(mutex_);
  if (current_ != &exchange) return false;
  current_ = nullptr;
  close_after_ = close_after_ || close_it;
  must_linger_ = response.close || partial_ != nullptr;
  return send(exchange.answer_head, std::move(response.body));
}

bool Connection::send(const std::string& head, std::string body) {
  const iovec parts[2] = {part(head), part(body)};
  const WireResult sent = wire_->write(parts, body.empty() ? 1 : 2);
  if (sent.kind == WireResult::Kind::failed || sent.kind == WireResult::Kind::closed) {
    close();
    return false;
  }
  if (sent.count == head.size() + body.size()) {
    answered();
    return state_ != State::closed || close_after_;
  }
  out_head_ = head;
  out_body_ = std::move(body);
  out_sent_ = sent.count;
  state_ = State::writing;
  set_timeout(transport_->limits.write_timeout);
  arm(EPOLLOUT);
  return state_ != State::closed;
}

void Connection::flush() {
  const std::size_t total = out_head_.size() + out_body_.size();
  while (out_sent_ < total) {
    std::string_view head = out_head_, body = out_body_;
    head.remove_prefix(std::min(out_sent_, head.size()));
    body.remove_prefix(out_sent_ - (out_head_.size() - head.size()));
    const iovec parts[2] = {part(head), part(body)};
    const WireResult sent = wire_->write(parts, 2);
    if (sent.kind == WireResult::Kind::would_block) return arm(EPOLLOUT);
    if (sent.kind != WireResult::Kind::bytes) return close();
    out_sent_ += sent.count;
    set_timeout(transport_->limits.write_timeout);  // from the last byte that the client took
  }
  answered();
}

// The whole answer is with the kernel.
void Connection::answered() {
  out_head_ = std::string();
  out_body_ = std::string();
  if (close_after_ || transport_->draining.load()) return must_linger_ || partial_ ? linger() : close();
  state_ = State::reading;
  waiting_ = Waiting::idle;
  set_timeout(transport_->limits.idle_timeout);
  // Pipelined bytes are already here: being writable makes a worker look at them at once, after those who
  // wait.
  arm(partial_unframed_ || wire_->holds_more() ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void Connection::linger() {
  state_ = State::lingering;
  partial_.reset();
  wire_->finish_writing();
  set_timeout(kLinger);
  arm(EPOLLIN);
}

void Connection::discard() {
  char nowhere[16 * 1024];
  for (std::size_t total = 0; total < kMaxReadPerEvent;) {
    const WireResult got = wire_->read(nowhere, sizeof nowhere);
    if (got.kind == WireResult::Kind::would_block) break;
    if (got.kind != WireResult::Kind::bytes) return close();
    total += got.count;
    discarded_ += got.count;
    if (discarded_ > kMaxDiscarded) return close();
  }
  arm(EPOLLIN);
}

void Connection::peer_event(std::uint32_t events) {
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) return close();
  if ((events & EPOLLRDHUP) == 0) return;  // fetched before the request was: not ours to act on
  current_->peer_left();
  arm(0);  // half closed: the answer may still be wanted, so only a full hang-up ends it
}

void Connection::watch_peer(const LiveExchange& exchange) {
  std::lock_guard lock(mutex_);
  if (current_ != &exchange || watching_peer_) return;
  watching_peer_ = true;
  arm(EPOLLRDHUP);
}

void Connection::look(std::int64_t now_ns) {
  std::lock_guard lock(mutex_);
  if (state_ != State::closed && deadline_ <= now_ns) expire(now_ns);
  if (state_ == State::closed) return;
  looked_at_ = deadline_;
  transport_->table.look_at(id_, deadline_);
}

void Connection::expire(std::int64_t now_ns) {
  if (state_ == State::streaming) {
    stream_expired(now_ns);
  } else if (state_ == State::reading && (waiting_ == Waiting::head || waiting_ == Waiting::body)) {
    refuse(408, waiting_ == Waiting::head ? "The request head took too long to arrive."
                                          : "The request body took too long to arrive.");
  } else {
    close();
  }
}

void Connection::drain() {
  std::lock_guard lock(mutex_);
  if (state_ == State::reading && !partial_) close();
}

bool Connection::cut() {
  std::lock_guard lock(mutex_);
  const bool unfinished = state_ == State::running || state_ == State::streaming ||
                          state_ == State::writing || (state_ == State::reading && partial_);
  close();
  return unfinished;
}

void Connection::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  if (current_ != nullptr) current_->peer_left();
  current_ = nullptr;
  if (stream_) end_stream();
  partial_.reset();
  out_head_ = std::string();
  out_body_ = std::string();
  // In this order, so that a client that saw the close is not counted against its own next connection.
  transport_->table.remove(id_, peer_);
  wire_->close();
}

}  // namespace vmcp::http
