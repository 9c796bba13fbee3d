// The layers before anyone reads meaning into them: which setting was written where.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/load.h"

namespace vmcp::config {

struct Found {
  Node node;
  bool from_file = false;  // node.text is the name of a file with the value
};

struct Sources {
  std::map<const Row*, Found> found;  // the highest layer's
  std::vector<std::string> files;
  bool broken = false;  // a source could not be parsed: what looks absent may be in it
};

// Unknown names, unreadable files and settings given twice in one place become problems.
Sources collect(const Options& options, Problems& problems, std::vector<std::string>& warnings);

}  // namespace vmcp::config
