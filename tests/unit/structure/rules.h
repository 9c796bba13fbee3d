// The rules of the source tree that a compiler does not check. Pure functions on a path and a text, so that
// each rule is itself tested with a file that breaks it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vmcp::structure {

struct Include {
  int line = 0;
  std::string path;  // as written, without quotes or brackets
  bool quoted = false;
};

std::vector<Include> includes_of(std::string_view text);

// What is wrong with the file, one sentence each. `path` is relative to the project's root:
// "core/http/server.cpp".
std::vector<std::string> violations(const std::string& path, const std::string& text);

}  // namespace vmcp::structure
