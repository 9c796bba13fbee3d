// One chain, line by line, over any number of files: what `verify` is made of.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "audit/chain.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcp::audit {

class ChainCheck {
 public:
  // Where in the current file, and what is wrong there.
  using Found = std::function<void(std::uint64_t line, std::uint64_t offset, std::string what)>;
  // `key` empty: numbers alone.
  ChainCheck(const Secret& key, Found found);

  // The next file goes on from the last line of the one before, …
  void begin_file();
  // … or from what is known otherwise …
  void go_on_from(std::string mac, std::uint64_t seq);
  // … or from anywhere: its first line is believed when it states what it goes on from.
  void go_on_from_anywhere();

  void line(std::string_view text);
  void too_long(std::size_t bytes);

  std::uint64_t records() const { return records_; }  // of the current file
  std::uint64_t first_seq() const { return first_seq_; }
  std::uint64_t last_seq() const { return last_seq_; }
  const std::string& last_mac() const { return previous_; }  // empty: unknown, behind what is no record
  // Called with each record.
  std::function<void(const Line&)> on_record;

 private:
  void fault(std::string what) { found_(line_, offset_, std::move(what)); }
  void compare(const Line& line);
  std::string jump(const Line& line) const;

  std::optional<ChainMac> mac_;
  const Found found_;
  std::string computed_;
  std::string previous_ = Head{}.mac;
  bool anywhere_ = false;  // nothing is known of what is before the next line
  bool seen_ = false;      // there was a line before, in whatever file
  std::uint64_t line_ = 0, offset_ = 0, records_ = 0, first_seq_ = 0, last_seq_ = 0;
};

// Gives every whole line of the file; returns the bytes of an unfinished last one. Keeps at most one buffer
// and one line. `read`: called after each buffer with its size; may be empty.
Result<std::uint64_t> each_line(int fd, const std::string& path,
                                const std::function<void(std::string_view)>& line,
                                const std::function<void(std::size_t)>& too_long,
                                const std::function<void(std::size_t)>& read);

}  // namespace vmcp::audit
