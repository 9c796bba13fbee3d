#include "audit/chain_check.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "audit/encode.h"

namespace vmcp::audit {
namespace {

constexpr std::size_t kReadBytes = 1u << 20;

}  // namespace

ChainCheck::ChainCheck(const Secret& key, Found found) : found_(std::move(found)) {
  if (!key.empty()) mac_.emplace(key);
}

void ChainCheck::begin_file() {
  line_ = offset_ = records_ = first_seq_ = 0;
}

void ChainCheck::go_on_from(std::string mac, std::uint64_t seq) {
  previous_ = std::move(mac);
  last_seq_ = seq;
  seen_ = true;
  anywhere_ = false;
}

void ChainCheck::go_on_from_anywhere() {
  anywhere_ = true;
}

void ChainCheck::line(std::string_view text) {
  ++line_;
  const auto line = parse_line(text);
  if (!line) {
    fault("is not a record");
    previous_.clear();
  } else {
    if (++records_ == 1) first_seq_ = line->seq;
    compare(*line);
    // Goes on from what the line states, so that one bad line is one fault and what follows is still checked.
    previous_.assign(line->mac);
    last_seq_ = line->seq;
    seen_ = true;
    if (on_record) on_record(*line);
  }
  anywhere_ = false;
  offset_ += text.size() + 1;
}

void ChainCheck::too_long(std::size_t bytes) {
  ++line_;
  fault("is longer than any record");
  offset_ += bytes;
  previous_.clear();
}

void ChainCheck::compare(const Line& line) {
  const bool in_order = line.seq == last_seq_ + 1;
  if (!mac_) {
    if (!in_order && !anywhere_) fault("has the number " + std::to_string(line.seq) + " out of order");
    return;
  }
  if (!previous_.empty() && !anywhere_) {
    computed_.clear();
    mac_->append(computed_, previous_, line.json);
    if (computed_ == line.mac) {
      if (!in_order) fault("has the number " + std::to_string(line.seq) + " out of order");
      return;
    }
  }
  const std::string_view stated = stated_previous(line);
  const bool as_stated = !stated.empty() && mac_->of(stated, line.json) == line.mac;
  if (anywhere_) {
    // The very first record of all goes on from nothing.
    if (!as_stated && mac_->of(Head{}.mac, line.json) != line.mac)
      fault("was changed, or the key is another one, or what was before it is missing");
  } else if (as_stated) {
    fault(
        "goes on from a record that is not before it: the file was removed, replaced or cut while in use, or "
        "a "
        "segment is missing" +
        jump(line));
  } else if (!seen_) {
    fault(line.seq == 1
              ? "was changed, or the key is another one" + std::string()
              : "begins with record " + std::to_string(line.seq) + ": what was before it is missing");
  } else {
    fault(
        "does not follow from the record before it: changed, inserted or moved, or records between them were "
        "removed" +
        jump(line));
  }
}

std::string ChainCheck::jump(const Line& line) const {
  if (line.seq == last_seq_ + 1) return {};
  return " (record " + std::to_string(line.seq) + " behind record " + std::to_string(last_seq_) + ")";
}

Result<std::uint64_t> each_line(int fd, const std::string& path,
                                const std::function<void(std::string_view)>& line,
                                const std::function<void(std::size_t)>& too_long,
                                const std::function<void(std::size_t)>& read) {
  std::string buffer(kReadBytes, '\0');
  std::string rest;
  bool skipping = false;  // inside a line that is too long to be one
  std::size_t skipped = 0;
  while (true) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      return make_error(Code::unavailable, "cannot read the journal '" + path + "': " + std::strerror(errno));
    if (n == 0) break;
    std::string_view bytes(buffer.data(), static_cast<std::size_t>(n));
    for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
      if (skipping) {
        too_long(skipped + end + 1);
        skipping = false;
      } else if (rest.empty()) {
        line(bytes.substr(0, end));
      } else {
        rest += bytes.substr(0, end);
        line(rest);
        rest.clear();
      }
      bytes.remove_prefix(end + 1);
    }
    if (skipping) {
      skipped += bytes.size();
    } else {
      rest += bytes;
      if (rest.size() > kMaxLineBytes) {
        skipping = true;
        skipped = rest.size();
        rest.clear();
      }
    }
    if (read) read(static_cast<std::size_t>(n));
  }
  return std::uint64_t{skipping ? skipped : rest.size()};
}

}  // namespace vmcp::audit
