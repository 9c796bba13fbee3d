#include "unit/structure/rules.h"

#include <algorithm>
#include <iterator>

namespace vmcp::structure {
namespace {

// From left to right; an include points to a folder further right. Folders of one row know nothing of each
// other.
const std::vector<std::vector<std::string_view>> kWalk = {
    {"http", "stdio", "plugin_check"},
    {"mcp", "admin"},
    {"pipeline"},
    {"auth", "throttle", "policy", "locks", "approvals", "audit", "tools", "tasks"},
    {"plugin_host"},
    {"inventory"},
    {"vcenter"},
    {"store"},
    {"config"},
    {"base"},
};

// -1: not a stage of the walk.
int place(std::string_view folder) {
  for (std::size_t i = 0; i < kWalk.size(); ++i)
    if (std::find(kWalk[i].begin(), kWalk[i].end(), folder) != kWalk[i].end()) return static_cast<int>(i);
  return -1;
}

bool is_core_folder(std::string_view folder) {
  return place(folder) >= 0 || folder == "simulator" || folder == "runner" || folder == "app";
}

std::string_view first_part(std::string_view path) {
  return path.substr(0, path.find('/'));
}

bool may_include(std::string_view from, std::string_view to) {
  if (from == to || from == "app") return true;
  // Who watches a vCenter task to its end writes the OUTCOME that the journal still lacks.
  if (from == "tasks" && to == "audit") return true;
  if (from == "simulator") return to == "base";
  // A process of its own, which is to be small: not what plugin_host itself may include.
  if (from == "runner") return to == "plugin_host" || to == "base";
  return place(from) >= 0 && place(to) > place(from);
}

std::string at(const std::string& path, int line) {
  return path + ":" + std::to_string(line) + ": ";
}

void check_core(const std::string& path, const std::vector<Include>& includes,
                std::vector<std::string>& out) {
  const std::string inner = path.substr(5);
  const std::string folder = inner.find('/') == std::string::npos ? "app" : std::string(first_part(inner));
  if (!is_core_folder(folder)) {
    out.push_back(path + ": core/" + folder + " is no folder of the design");
    return;
  }
  for (const auto& include : includes) {
    const std::string to(first_part(include.path));
    if (!is_core_folder(to) || include.path.find('/') == std::string::npos) {
      if (include.quoted && include.path.find('/') == std::string::npos)
        out.push_back(at(path, include.line) + "\"" + include.path +
                      "\" is not written from the folder root");
      continue;
    }
    if (!may_include(folder, to))
      out.push_back(at(path, include.line) + folder + " includes " + include.path +
                    ": includes point only rightward");
  }
}

void check_outside_core(const std::string& path, const std::vector<Include>& includes,
                        std::vector<std::string>& out) {
  const bool sdk = path.starts_with("sdk/");
  // A plugin may use its own folder's files, those that all plugins share, and nothing else of ours but the
  // SDK.
  const std::string own = sdk ? "" : std::string(first_part(std::string_view(path).substr(8)));
  for (const auto& include : includes) {
    const std::string_view to = first_part(include.path);
    const bool has_folder = include.path.find('/') != std::string::npos;
    const bool of_host = has_folder && is_core_folder(to) && to != own;
    const bool climbs = include.path.find("..") != std::string::npos;
    const bool other_plugin =
        !sdk && include.quoted && has_folder && to != own && to != "common" && to != "vmcp";
    if (of_host || climbs || other_plugin)
      out.push_back(at(path, include.line) + (sdk ? "the SDK" : "a plugin") + " includes " + include.path +
                    (sdk ? ": it uses nothing of ours" : ": it may use the SDK only"));
  }
}

// Third parties that must stay behind one door, and the door. Tests may look through windows of their own.
void check_doors(const std::string& path, const std::vector<Include>& includes,
                 std::vector<std::string>& out) {
  if (path.starts_with("tests/")) return;
  for (const auto& include : includes) {
    if (include.path == "regex")
      out.push_back(at(path, include.line) + "std::regex overflows the stack on long input: use RE2");
    if (include.path == "toml.hpp" && path != "core/config/toml_file.cpp")
      out.push_back(at(path, include.line) + "toml11 belongs into core/config/toml_file.cpp only");
    if (include.path.starts_with("valijson/") && !path.starts_with("core/tools/"))
      out.push_back(at(path, include.line) + "valijson belongs into core/tools only");
    if (include.path.starts_with("doctest/"))
      out.push_back(at(path, include.line) + "tests belong into tests/");
  }
}

void check_test_names(const std::string& path, const std::string& text, std::vector<std::string>& out) {
  for (const char* const kind : {"TEST_CASE", "TEST_CASE_FIXTURE", "TEST_SUITE"}) {
    const std::string macro = std::string(kind) + "(";
    for (auto found = text.find(macro); found != std::string::npos; found = text.find(macro, found + 1)) {
      const auto open = text.find('"', found);
      const auto close = open == std::string::npos ? open : text.find('"', open + 1);
      if (close == std::string::npos) break;
      const std::string name = text.substr(open + 1, close - open - 1);
      // Discovery splits such a name into two that match nothing, and both would pass.
      if (name.find(';') != std::string::npos)
        out.push_back(path + ": the test name \"" + name + "\" has a ';'");
    }
  }
}

void check_leftovers(const std::string& path, const std::string& text, std::vector<std::string>& out) {
  // Put together here, so that this file does not name them.
  for (const std::string& mark :
       {std::string("TO") + "DO", std::string("FIX") + "ME", std::string("XX") + "X:"})
    if (text.find(mark) != std::string::npos) out.push_back(path + ": says " + mark);
}

bool ends_with_any(std::string_view path, std::initializer_list<std::string_view> ends) {
  return std::any_of(ends.begin(), ends.end(), [&](std::string_view end) { return path.ends_with(end); });
}

}  // namespace

std::vector<Include> includes_of(std::string_view text) {
  std::vector<Include> out;
  int number = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    ++number;
    const auto skip_blanks = [&] {
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    };
    skip_blanks();
    if (!line.starts_with('#')) continue;
    line.remove_prefix(1);
    skip_blanks();
    if (!line.starts_with("include")) continue;
    line.remove_prefix(7);
    skip_blanks();
    if (line.empty() || (line[0] != '"' && line[0] != '<')) continue;
    const auto close = line.find(line[0] == '"' ? '"' : '>', 1);
    if (close == std::string_view::npos) continue;
    out.push_back({number, std::string(line.substr(1, close - 1)), line[0] == '"'});
  }
  return out;
}

std::vector<std::string> violations(const std::string& path, const std::string& text) {
  std::vector<std::string> out;
  if (ends_with_any(path, {".h", ".hpp", ".c", ".cpp"})) {
    const auto includes = includes_of(text);
    if (path.starts_with("core/")) check_core(path, includes, out);
    if (path.starts_with("sdk/include/") || path.starts_with("plugins/"))
      check_outside_core(path, includes, out);
    check_doors(path, includes, out);
    if (path.starts_with("core/") && path.ends_with(".h") && text.find("#pragma once") == std::string::npos)
      out.push_back(path + ": has no #pragma once");
    if (path.starts_with("tests/")) check_test_names(path, text, out);
    const auto upper = std::find_if(path.begin(), path.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    if (upper != path.end()) out.push_back(path + ": names of source files are snake_case");
  }
  check_leftovers(path, text, out);
  return out;
}

}  // namespace vmcp::structure
