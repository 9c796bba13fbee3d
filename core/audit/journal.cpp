#include "audit/journal.h"

#include <exception>
#include <utility>

#include "audit/encode.h"
#include "audit/tail.h"
#include "base/json.h"

namespace vmcp::audit {
namespace {

constexpr std::size_t kMaxKeptCapacity = 4u << 20;

Error third_party(const std::exception& e) {
  return make_error(Code::internal, "the journal failed", e.what());
}

// Appends the line and moves the head on.
void append_line(std::string& out, std::string& json, ChainMac& mac, Head& head, std::uint64_t seq,
                 std::string_view body) {
  json.assign("{\"seq\":");
  json += std::to_string(seq);
  json += ',';
  json += body;
  json += '}';
  const std::size_t begin = out.size();
  mac.append(out, head.mac, json);
  head.mac.assign(out, begin, kMacHexBytes);
  head.seq = seq;
  out += ' ';
  out += json;
  out += '\n';
}

bool stated_first(std::string_view lines) {
  const auto first = parse_line(lines.substr(0, lines.find('\n')));
  return first && !stated_previous(*first).empty();
}

}  // namespace

Journal::Journal(std::unique_ptr<JournalFile> file, Place place, ChainMac mac, Head head)
    : file_(std::move(file)), place_(std::move(place)), mac_(std::move(mac)), head_(std::move(head)) {
  look_at_file();
}

void Journal::number(Batch& batch) const {
  std::uint64_t seq = head_.seq;
  for (Item& item : batch.items)
    if (!item.skip) item.seq = ++seq;
}

Result<void> Journal::append(const Batch& batch) {
  try {
    if (auto ok = file_->check(); !ok) return ok;
    if (out_.capacity() > kMaxKeptCapacity) out_ = {};
    out_.clear();
    Head head = head_;
    std::string json;
    for (const Item& item : batch.items)
      if (!item.skip) append_line(out_, json, mac_, head, item.seq, batch.body(item));
    if (out_.empty()) return {};
    // recover() writes the line that a new file begins with.
    if (owes_first_line() && !stated_first(out_))
      return make_error(Code::unavailable, "the new segment could not be begun");
    if (auto ok = file_->append(out_); !ok) return ok;
    if (live_.bytes == 0) note_first(std::string_view(out_).substr(0, out_.find('\n')));
    live_.bytes += out_.size();
    head_ = std::move(head);
    unsynced_bytes_ += out_.size();
    return {};
  } catch (const std::exception& e) {
    return third_party(e);
  }
}

Result<void> Journal::sync() {
  try {
    auto ok = file_->sync();
    if (ok) unsynced_bytes_ = 0;
    return ok;
  } catch (const std::exception& e) {
    return third_party(e);
  }
}

Result<void> Journal::write_note(const std::string& body) {
  Batch batch;
  batch.add(body, 0);
  number(batch);
  if (auto ok = append(batch); !ok) return ok;
  return sync();
}

bool Journal::owes_first_line() const {
  return !place_.path.empty() && live_.bytes == 0 && head_.seq > 0;
}

// The code that the next line has to state as its predecessor, when the file is not the one that we wrote.
Result<std::string> Journal::find_file() {
  auto ok = file_->check();
  if (ok) return std::string();
  if (place_.path.empty()) return ok.error();
  const Error why = ok.error();
  auto tail = recover_tail(place_.path, mac_);
  if (!tail) return tail.error();
  auto file = open_journal_file(place_.path);
  if (!file) return file.error();
  file_ = std::move(*file);
  unsynced_bytes_ = 0;
  look_at_file();
  // The chain goes on from what we wrote, not from what is found: the gap must show.
  return tail->head.mac == head_.mac ? std::string() : head_.mac;
}

Result<void> Journal::recover(const std::string& note, const Clock& clock) {
  try {
    auto previous = find_file();
    if (!previous) return previous.error();
    // First, so that a disk that cannot sync does not fill with notes.
    if (auto ok = sync(); !ok) return ok;
    const std::string lost =
        previous->empty() ? "" : "; the file before this line is not the one that was written";
    if (previous->empty() && owes_first_line()) *previous = head_.mac;
    return write_note(encode_note(note + lost, *previous, clock.wall()));
  } catch (const std::exception& e) {
    return third_party(e);
  }
}

}  // namespace vmcp::audit
