// The part of a connection that carries answers without an end.
#include <sys/epoll.h>

#include <algorithm>
#include <charconv>

#include "http/connection.h"
#include "http/live_exchange.h"
#include "http/live_stream.h"
#include "http/transport.h"

namespace vmcp::http {
namespace {

constexpr std::string_view kChunkEnd = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

iovec piece(std::string_view s) {
  return {const_cast<char*>(s.data()), s.size()};
}

}  // namespace

bool Connection::open_stream(LiveExchange& exchange, Response head,
                             const std::shared_ptr<OpenStream>& stream) {
  using Length = ResponseFraming::Length;
  const Framer& framer = exchange.incoming.framer();
  stream->chunked = framer.minor_version() > 0;
  const bool close_it = head.close || transport_->draining.load() || !framer.keep_alive() || !stream->chunked;
  head.body.clear();
  const bool well = write_head(
      exchange, head, {.close = close_it, .length = stream->chunked ? Length::chunked : Length::until_close});
  const bool head_only = exchange.request().method == "HEAD";
  std::lock_guard lock(mutex_);
  if (current_ != &exchange) return false;
  current_ = nullptr;
  close_after_ = close_after_ || close_it;
  must_linger_ = head.close || partial_ != nullptr;
  if (!well || head_only) {
    send(exchange.answer_head, head_only ? std::string() : std::move(head.body));
    return false;
  }
  stream_ = stream;
  state_ = State::streaming;
  transport_->streams.fetch_add(1, std::memory_order_relaxed);
  stream_->last_write_ns = coarse_now_ns();
  const iovec once = piece(exchange.answer_head);
  const WireResult sent = wire_->write(&once, 1);
  if (sent.kind == WireResult::Kind::failed || sent.kind == WireResult::Kind::closed) {
    close();
  } else if (sent.count < exchange.answer_head.size()) {
    if (!stream_->backlog.append(std::string_view(exchange.answer_head).substr(sent.count)))
      drop_slow_reader();
    else
      wait_for_reader();
  } else {
    set_keep_alive();
    arm(EPOLLRDHUP);
  }
  return state_ != State::closed;
}

bool Connection::write(OpenStream& stream, std::string_view bytes) {
  std::lock_guard lock(mutex_);
  if (stream_.get() != &stream) return false;
  // A chunk of no bytes would be the last one.
  return bytes.empty() || put(bytes);
}

bool Connection::put(std::string_view bytes) {
  OpenStream& stream = *stream_;
  char size[20];
  std::size_t size_length = 0;
  if (stream.chunked) {
    size_length = static_cast<std::size_t>(std::to_chars(size, size + 16, bytes.size(), 16).ptr - size);
    size[size_length++] = '\r';
    size[size_length++] = '\n';
  }
  const std::string_view parts[3] = {
      {size, size_length}, bytes, stream.chunked ? kChunkEnd : std::string_view()};
  std::size_t total = 0;
  for (const std::string_view p : parts) total += p.size();

  std::size_t went = 0;
  const bool waited = !stream.backlog.empty();
  if (!waited) {
    const iovec pieces[3] = {piece(parts[0]), piece(parts[1]), piece(parts[2])};
    const WireResult sent = wire_->write(pieces, 3);
    if (sent.kind == WireResult::Kind::failed || sent.kind == WireResult::Kind::closed) {
      close();
      return false;
    }
    went = sent.count;
    stream.last_write_ns = coarse_now_ns();
    // The deadline stays where it is: earlier than needed, which costs one look of the watch thread.
    if (went == total) return true;
  } else if (stream.backlog.size() + total > transport_->limits.max_stream_buffer_bytes) {
    drop_slow_reader();
    return false;
  }
  for (std::string_view p : parts) {
    const std::size_t skip = std::min(went, p.size());
    went -= skip;
    p.remove_prefix(skip);
    if (stream.backlog.append(p)) continue;
    drop_slow_reader();
    return false;
  }
  return waited || wait_for_reader();
}

// Something waits since just now.
bool Connection::wait_for_reader() {
  set_timeout(transport_->limits.write_timeout);
  arm(EPOLLOUT | EPOLLRDHUP);
  return state_ != State::closed;
}

void Connection::stream_event(std::uint32_t events) {
  // A client that only half closes looks like one that left, and nobody reads a stream any other way.
  if ((events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0) return close();
  Backlog& backlog = stream_->backlog;
  bool took = false;
  while (!backlog.empty()) {
    const iovec once = piece(backlog.waiting());
    const WireResult sent = wire_->write(&once, 1);
    if (sent.kind == WireResult::Kind::would_block) break;
    if (sent.kind != WireResult::Kind::bytes) return close();
    backlog.sent(sent.count);
    took = true;
  }
  if (!backlog.empty()) {
    if (took) set_timeout(transport_->limits.write_timeout);  // from the last byte that the client took
    return arm(EPOLLOUT | EPOLLRDHUP);
  }
  if (took) {
    stream_->last_write_ns = coarse_now_ns();
    set_keep_alive();
  }
  arm(EPOLLRDHUP);
}

void Connection::set_keep_alive() {
  const std::chrono::nanoseconds after = stream_->options.keep_alive;
  set_deadline(after.count() > 0 ? stream_->last_write_ns + after.count() : INT64_MAX);
}

void Connection::stream_expired(std::int64_t now_ns) {
  if (!stream_->backlog.empty()) return drop_slow_reader();
  set_keep_alive();  // something may have been written meanwhile
  if (deadline_ > now_ns || !put(stream_->options.keep_alive_bytes) || !stream_->backlog.empty()) return;
  set_keep_alive();
}

void Connection::drop_slow_reader() {
  transport_->dropped_streams.fetch_add(1, std::memory_order_relaxed);
  close();
}

void Connection::finish(OpenStream& stream) {
  std::function<void()> unheard;  // destroyed after the lock
  std::lock_guard lock(mutex_);
  if (stream_.get() != &stream) return;
  stream.finished = true;
  unheard = std::move(stream.gone);
  stream.gone = nullptr;
  std::string rest = stream.backlog.take();
  if (stream.chunked) rest += kLastChunk;
  end_stream();
  // From here on it is an answer like any other.
  if (rest.empty()) return answered();
  send({}, std::move(rest));
}

void Connection::on_gone(OpenStream& stream, std::function<void()> gone) {
  {
    std::lock_guard lock(mutex_);
    if (stream_.get() == &stream) {
      stream.gone.swap(gone);
      return;
    }
    if (stream.finished) return;
  }
  gone();
}

void Connection::abandon(OpenStream& stream) {
  std::function<void()> unheard;
  {
    std::lock_guard lock(mutex_);
    if (stream_.get() != &stream) return;
    stream.finished = true;
    unheard = std::move(stream.gone);
    stream.gone = nullptr;
    close();
  }
  transport_->log.error("http.stream_abandoned", {{"peer", peer_}});
}

// The connection forgets its stream: finished, or the client is gone.
void Connection::end_stream() {
  const std::shared_ptr<OpenStream> stream = std::move(stream_);
  transport_->streams.fetch_sub(1, std::memory_order_relaxed);
  stream->backlog.take();
  stream->over.store(true, std::memory_order_release);
  if (stream->finished) return;
  stream->disconnected.cancel();
  if (stream->gone) transport_->gone.add(stream);
}

}  // namespace vmcp::http
