// Reading the journal for people: its records in order over all segments, what is looked for in them, and
// sums over them. Only reads, in bounded memory, also beside a server that writes. Does not verify.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace vmcp::audit {

// One record: the JSON text, and where it stands.
struct Read {
  std::uint64_t seq = 0;
  std::string_view json;
};

// Empty members match everything.
struct Filter {
  std::string identity, tool, event, request;
  std::string target;  // "vm:vm-3301", or a part of it
  std::optional<WallTime> since, until;

  bool matches(const Read& record) const;
};

// The time of a record, from its fixed place; nullopt for what is none.
std::optional<WallTime> time_of(std::string_view json);

// Every record, oldest first, from the first segment that may hold something since then. `on_record` false:
// enough. Error: a file cannot be read.
Result<void> each_record(const std::string& journal_file, const std::optional<WallTime>& since,
                         const std::function<bool(const Read&)>& on_record);

// The last `n` that match, oldest first, as JSON texts.
Result<std::vector<std::string>> last_records(const std::string& journal_file, const Filter& filter,
                                              std::size_t n);

// What comes behind the end of the journal, over closed segments too.
class Follower {
 public:
  // Begins behind what is there now, so make it before reading that. Nothing is open between two looks.
  explicit Follower(std::string journal_file);
  // Gives what came since the last look.
  Result<void> look(const std::function<void(const Read&)>& on_record);
  // Records up to this one were seen otherwise.
  void seen(std::uint64_t seq);

 private:
  const std::string journal_file_;
  std::uint64_t last_seq_ = 0;
  std::uint64_t offset_ = 0;  // in the live journal, as long as that is the file of `inode_`
  std::uint64_t inode_ = 0;
};

// A record as a line for a terminal: nothing in it can steer one.
std::string readable(const Json& record);

}  // namespace vmcp::audit
