// What `plugin new` writes. @NAME@, @CLASS@ and @ID@ stand for the plugin's own.
#pragma once

#include <string_view>
#include <vector>

namespace vmcp::plugin_check {

struct ProjectFile {
  std::string_view name, text;
};
const std::vector<ProjectFile>& project_files(bool c);

}  // namespace vmcp::plugin_check
