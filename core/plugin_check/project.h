// plugin new: the files of a new plugin, which builds against the installed SDK alone.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace vmcp::plugin_check {

struct ProjectOptions {
  std::string name;       // of plugin, library and folder: "hello"
  std::string id;         // reverse-DNS; empty = org.example.NAME
  bool c = false;         // in C, else in C++
  std::string directory;  // made if need be; empty = NAME
};

struct Project {
  std::string directory;
  std::vector<std::string> files;  // in it
};

// Writes nothing over: a folder that has anything in it is refused, and so is a name that is no identifier in
// lower case.
Result<Project> make_project(const ProjectOptions& options);

}  // namespace vmcp::plugin_check
