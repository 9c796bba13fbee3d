// The highest version of each plugin that this server ever loaded, so that a signed older one, whose faults
// may be known by now, cannot come back unnoticed.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vmcp::plugin_host {

// Semantic versioning 2.0: -1, 0 or 1 as `a` comes before, with or after `b`. False when one of them is no
// such version ("1.2.3", "1.2.3-rc.1+build").
bool compare_versions(std::string_view a, std::string_view b, int& out);

class SeenVersions {
 public:
  // A file that is not there yet is an empty list; one that cannot be read or understood is an error: nothing
  // may then be trusted by signature.
  static Result<SeenVersions> open(const std::string& file);

  // Empty when nothing was seen.
  std::string highest(const std::string& id) const;
  // Writes the file (whole or not at all, and to the disk) when the version is higher than any before.
  // `anyway`: also when it is lower: the operator went back on purpose.
  Result<void> remember(const std::string& id, const std::string& version, bool anyway);

 private:
  std::string file_;
  std::map<std::string, std::string> highest_;
};

}  // namespace vmcp::plugin_host
