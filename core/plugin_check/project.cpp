#include "plugin_check/project.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "plugin_check/project_files.h"

namespace vmcp::plugin_check {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxPluginName = 40;

// Of a library, a CMake target, a C++ class and the beginning of a tool's name.
bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= kMaxPluginName && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

bool is_id(const std::string& id) {
  return id.size() <= 128 && id.find('.') != std::string::npos &&
         std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
         });
}

std::string class_of(const std::string& name) {
  std::string out;
  bool upper = true;
  for (const char c : name) {
    if (c == '_') {
      upper = true;
      continue;
    }
    out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return out + "Plugin";
}

std::string filled(std::string_view text, const std::vector<std::pair<std::string, std::string>>& values) {
  std::string out(text);
  for (const auto& [mark, value] : values)
    for (auto at = out.find(mark); at != std::string::npos; at = out.find(mark, at + value.size()))
      out.replace(at, mark.size(), value);
  return out;
}

}  // namespace

Result<Project> make_project(const ProjectOptions& options) {
  const auto refuse = [](std::string why) { return make_error(Code::invalid_argument, std::move(why)); };
  if (!is_name(options.name))
    return refuse("'" + options.name +
                  "' is no name for a plugin: it begins with a letter, goes on with "
                  "letters, digits and '_', all in lower case, at most 40 of them");
  const std::string id = options.id.empty() ? "org.example." + options.name : options.id;
  if (!is_id(id)) return refuse("'" + id + "' is no reverse-DNS id in lower case, like org.example.hello");
  Project out;
  out.directory = options.directory.empty() ? options.name : options.directory;
  std::error_code error;
  fs::create_directories(out.directory, error);
  if (!fs::is_directory(out.directory, error)) return refuse(out.directory + " cannot be made a folder");
  if (!fs::is_empty(out.directory, error) || error)
    return refuse(out.directory + " is not empty; name a new folder with --dir");
  const std::vector<std::pair<std::string, std::string>> values = {
      {"@NAME@", options.name},
      {"@CLASS@", class_of(options.name)},
      {"@ID@", id},
      {"@NEEDS@", options.c ? " for C and (for the test) C++" : " for C++, and nlohmann/json"}};
  for (const ProjectFile& file : project_files(options.c)) {
    const std::string name = filled(file.name, values);
    std::ofstream to(fs::path(out.directory) / name, std::ios::binary);
    to << filled(file.text, values);
    to.close();
    if (!to) return refuse(out.directory + "/" + name + " cannot be written");
    out.files.push_back(name);
  }
  return out;
}

}  // namespace vmcp::plugin_check
