// A record as text. What is made here is the body: a line's JSON members without the braces, so that the
// journal can put "seq" in front and a later count of repetitions can be put behind.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "audit/audit.h"
#include "base/clock.h"

namespace vmcp::audit {

// No line is longer than this, whatever a record holds: who reads the journal's end relies on it.
inline constexpr std::size_t kMaxLineBytes = 256 * 1024;
inline constexpr std::size_t kMaxArgsBytes = 64 * 1024;  // Settings.max_args_bytes is held to it

std::string encode_body(const Record& record, WallTime at, std::size_t max_args_bytes);

// A line of the journal's own, about itself. `previous`: the code that the chain goes on from, stated when
// the line before it in the file is another one (chain.h, stated_previous); else empty.
std::string encode_note(std::string_view note, std::string_view previous, WallTime at);

// The body with another time; for lines that are written later than they were made.
std::string with_time(std::string_view body, WallTime at);

}  // namespace vmcp::audit
