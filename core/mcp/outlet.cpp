#include "mcp/outlet.h"

#include "mcp/header_check.h"

namespace vmcp::mcp {
namespace {

constexpr milliseconds kComeBackAfter{100};

}  // namespace

Outlet::Outlet(InboundPtr inbound, std::string request_id)
    : inbound_(std::move(inbound)), request_id_(std::move(request_id)) {}

bool Outlet::can_stream() const {
  return accepts_event_stream(inbound_->header("accept"));
}

bool Outlet::open() {
  if (wire_ || stream_) return true;
  if (no_stream_ || replied_ || !can_stream()) return false;
  StreamHead head;
  head.headers.emplace_back("X-Request-Id", request_id_);
  SessionStreamPtr stream;
  if (session_) {
    stream = session_->new_stream();
    if (session_->version >= Version::v2025_11_25) {
      head.prime_id = stream->event_id(0);
      head.retry = kComeBackAfter;
    }
  }
  MessageStreamPtr wire = inbound_->open_stream(std::move(head));
  if (!wire) {
    no_stream_ = true;
    return false;
  }
  if (stream) {
    stream->attach(std::move(wire), 0);
    stream_ = std::move(stream);
  } else {
    wire_ = std::move(wire);
  }
  return true;
}

void Outlet::notify(std::string_view message) {
  const std::lock_guard lock(mutex_);
  if (replied_ || !open()) return;
  if (stream_)
    stream_->send(message);
  else
    wire_->send(message, {});
}

void Outlet::reply(Reply&& reply) {
  const std::lock_guard lock(mutex_);
  if (replied_) return;
  if (resumable_ && session_ && reply.status == 200 && !reply.body.empty()) open();
  replied_ = true;
  if (stream_) {
    if (!reply.body.empty()) stream_->send(reply.body);
    stream_->finish();
    return;
  }
  if (wire_) {
    if (!reply.body.empty()) wire_->send(reply.body, {});
    wire_->finish();
    return;
  }
  Answer answer;
  answer.status = reply.status;
  if (!reply.body.empty()) answer.content_type = "application/json";
  answer.body = std::move(reply.body);
  answer.headers = std::move(reply.headers);
  // Lets a person find the line of the audit, whatever the answer was.
  answer.headers.emplace_back("X-Request-Id", request_id_);
  inbound_->answer(std::move(answer));
}

void Outlet::close_stream() {
  const std::lock_guard lock(mutex_);
  if (replied_ || !session_ || session_->version < Version::v2025_11_25 || !open()) return;
  stream_->drop_wire();
}

}  // namespace vmcp::mcp
