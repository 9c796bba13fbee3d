// A small file that is always whole: what was in it, or what is in it now, whenever the machine stops.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace vmcp::store {

// Writes beside it, syncs, and takes its place (0600). The error names the file and the fix; the file is then
// as it was. One writer at a time.
Result<void> replace_file(const std::string& path, std::string_view bytes);

// The whole of a regular file. Code::not_found when there is none; an error when it has more than `most`
// bytes.
Result<std::string> read_file(const std::string& path, std::size_t most);

}  // namespace vmcp::store
