// A plugin folder in which builds of one plugin replace each other, as an operator's copy does.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace vmcp::testing {

struct PluginFolder {
  std::string path;
  PluginFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vmcp-lifecycle-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~PluginFolder() { std::filesystem::remove_all(path); }
  PluginFolder(const PluginFolder&) = delete;
  PluginFolder& operator=(const PluginFolder&) = delete;

  // Beside the old file and then in its place, one ending after the other.
  void put(const std::string& build) const {
    namespace fs = std::filesystem;
    for (const char* ending : {".so", ".vmcp.json"}) {
      const std::string to = path + "/versioned" + ending;
      fs::copy_file(VMCP_BUILDS "/lifecycle_" + build + ending, to + ".new",
                    fs::copy_options::overwrite_existing);
      fs::rename(to + ".new", to);
    }
  }
  void remove() const {
    for (const char* ending : {".so", ".vmcp.json"}) std::filesystem::remove(path + "/versioned" + ending);
  }
};

}  // namespace vmcp::testing
