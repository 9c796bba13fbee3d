// Masking on the hot path: the verdicts of base/mask.h, without a tree and mostly without a copy.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vmcp::audit {

// False only when mask_text(text) would return the text as it is. Linear, no allocation for ordinary text.
bool may_hold_secret(std::string_view text);

// Appends the text as a JSON string, masked, at most about `max_bytes` of it.
void append_masked_string(std::string& out, std::string_view text, std::size_t max_bytes);

// Appends JSON text, masked and bounded as append_masked_json() does; "[unreadable]" for what is not JSON (it
// might be anything, so none of it is shown). Ordinary arguments are checked and copied in one pass; whatever
// is unusual (escapes, non-ASCII, a suspicious string, deep, long) takes the way through the tree.
void append_masked_args(std::string& out, std::string_view json, std::size_t max_bytes);

// The one-pass way alone. False, with `out` as it was, when the text needs the tree.
bool append_plain_args(std::string& out, std::string_view json, std::size_t max_bytes);

}  // namespace vmcp::audit
