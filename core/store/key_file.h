// One key of the server: 32 random bytes in a file of its own.
#pragma once

#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace vmcp::store {

// Reads directory/name, or makes it (and the directory, 0700) when it is not there. Two threads or processes
// that make the same key at once end with the same bytes. Refuses a file that others may read or change, that
// is no regular file, or that is not 32 bytes long: a key that is wrong once would be wrong for ever.
Result<Secret> read_or_make_key(const std::string& directory, const std::string& name);

}  // namespace vmcp::store
