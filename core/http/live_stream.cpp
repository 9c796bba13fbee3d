#include "http/live_stream.h"

#include "http/connection.h"

namespace vmcp::http {

bool Backlog::append(std::string_view bytes) {
  if (!budget_.take(bytes.size())) return false;
  if (sent_ > bytes_.size() / 2) {
    bytes_.erase(0, sent_);
    sent_ = 0;
  }
  bytes_ += bytes;
  return true;
}

void Backlog::sent(std::size_t n) {
  budget_.give_back(n);
  sent_ += n;
  if (sent_ < bytes_.size()) return;
  bytes_ = std::string();  // an idle stream holds no buffer
  sent_ = 0;
}

std::string Backlog::take() {
  budget_.give_back(size());
  std::string rest = std::move(bytes_);
  rest.erase(0, sent_);
  bytes_ = std::string();
  sent_ = 0;
  return rest;
}

void GoneStreams::add(std::shared_ptr<OpenStream> stream) {
  std::lock_guard lock(mutex_);
  stream->next_gone = std::move(first_);
  first_ = std::move(stream);
}

std::shared_ptr<OpenStream> GoneStreams::take() {
  std::lock_guard lock(mutex_);
  return std::move(first_);
}

LiveStream::~LiveStream() {
  connection_->abandon(*stream_);
}

bool LiveStream::write(std::string_view bytes) {
  return connection_->write(*stream_, bytes);
}

void LiveStream::finish() {
  connection_->finish(*stream_);
}

void LiveStream::on_gone(std::function<void()> gone) {
  connection_->on_gone(*stream_, std::move(gone));
}

}  // namespace vmcp::http
