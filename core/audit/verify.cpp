#include "audit/verify.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "audit/chain.h"
#include "audit/encode.h"

namespace vmcp::audit {
namespace {

constexpr std::size_t kReadBytes = 1u << 20;

class Verifier {
 public:
  explicit Verifier(const Secret& key) : mac_(key) {}

  void line(std::string_view text) {
    ++line_;
    check(text);
    offset_ += text.size() + 1;
  }
  void torn(std::size_t bytes) { report_.torn_bytes = bytes; }
  void too_long(std::size_t bytes) {
    ++line_;
    fault("is longer than any record");
    offset_ += bytes;
    previous_.clear();
  }
  VerifyReport take() {
    report_.head = previous_;
    return std::move(report_);
  }

 private:
  void fault(std::string what) {
    ++report_.fault_count;
    if (report_.faults.size() < VerifyReport::kMaxFaults)
      report_.faults.push_back({line_, offset_, std::move(what)});
  }

  void check(std::string_view text) {
    const auto line = parse_line(text);
    if (!line) {
      fault("is not a record");
      previous_.clear();
      return;
    }
    ++report_.records;
    if (report_.records == 1) report_.first_seq = line->seq;
    compare(*line);
    // Goes on from what the line states, so that one bad line is one fault and what follows is still checked.
    previous_ = std::string(line->mac);
    report_.last_seq = line->seq;
    seen_ = true;
  }

  void compare(const Line& line) {
    std::string computed;
    mac_.append(computed, previous_, line.json);
    if (!previous_.empty() && computed == line.mac) {
      if (line.seq != report_.last_seq + 1)
        fault("has the number " + std::to_string(line.seq) + " out of order");
      return;
    }
    if (const std::string_view stated = stated_previous(line);
        !stated.empty() && mac_.of(stated, line.json) == line.mac) {
      fault(
          "goes on from a record that is not before it: the file was removed, replaced or cut while in use" +
          jump(line));
      return;
    }
    if (!seen_) {
      fault(line.seq == 1
                ? "was changed, or the key is another one" + std::string()
                : "begins with record " + std::to_string(line.seq) + ": what was before it is missing");
      return;
    }
    fault(
        "does not follow from the record before it: changed, inserted or moved, or records between them were "
        "removed" +
        jump(line));
  }

  std::string jump(const Line& line) const {
    if (line.seq == report_.last_seq + 1) return {};
    return " (record " + std::to_string(line.seq) + " behind record " + std::to_string(report_.last_seq) +
           ")";
  }

  ChainMac mac_;
  VerifyReport report_;
  std::string previous_ = Head{}.mac;  // empty: unknown, behind something that is no record
  bool seen_ = false;
  std::uint64_t line_ = 0;
  std::uint64_t offset_ = 0;
};

// Feeds whole lines; keeps at most one buffer and one line.
Result<void> read_lines(int fd, const std::string& path, Verifier& verifier) {
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
        verifier.too_long(skipped + end + 1);
        skipping = false;
      } else if (rest.empty()) {
        verifier.line(bytes.substr(0, end));
      } else {
        rest += bytes.substr(0, end);
        verifier.line(rest);
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
  }
  verifier.torn(skipping ? skipped : rest.size());
  return {};
}

}  // namespace

Result<VerifyReport> verify_journal(const std::string& path, const Secret& key) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return make_error(Code::unavailable, "cannot open the journal '" + path + "': " + std::strerror(errno));
  Verifier verifier(key);
  const auto ok = read_lines(fd, path, verifier);
  ::close(fd);
  if (!ok) return ok.error();
  return verifier.take();
}

}  // namespace vmcp::audit
