// Reading what a site wrote: bounded, and only from files that nobody else can change.
#pragma once

#include <string>
#include <vector>

#include "config/node.h"

namespace vmcp::config {

// Reads a regular file of at most `max_bytes`. Refuses one that everyone may write: who can change the
// configuration can grant himself every role. Returns false with the reason in `why`, the remedy in `fix`.
bool read_config_file(const std::string& path, std::size_t max_bytes, std::string& text, std::string& why,
                      std::string& fix);

// True when others than owner and group may read the file (false when it is not there).
bool readable_by_all(const std::string& path);

// dir/*.toml, sorted by name; empty when there is no such directory.
std::vector<std::string> toml_files_in(const std::string& dir);

// TOML text as a table whose every value knows its place. The parser stops at its first syntax error.
bool node_from_toml(const std::string& text, const std::string& file_name, Node& out, Problems& problems);

}  // namespace vmcp::config
