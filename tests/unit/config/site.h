// A directory with a site's files, and the options to load exactly these: nothing of the machine leaks in.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "config/load.h"
#include "config/report.h"

namespace vmcp::config::test {

// What every server needs, for tests about something else.
inline const std::string kNeeded =
    "VCENTER_HOST=vc.example\nVCENTER_USER=u@vsphere.local\nVCENTER_PASSWORD=hunter2hunter2\n"
    "TOKENS_TO_ROLES={\"a-token-of-good-length\":\"read\"}\n";

class Site {
 public:
  Site() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vmcp-config-XXXXXX").string();
    dir_ = ::mkdtemp(pattern.data());
    options.default_config_file.clear();
    options.default_env_file.clear();
  }
  ~Site() {
    std::error_code ignored;
    std::filesystem::remove_all(dir_, ignored);
  }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const auto path = std::filesystem::path(dir_) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    ::chmod(path.c_str(), mode);
    return path.string();
  }
  Site& toml(const std::string& text) {
    options.config_file = write("site.toml", text);
    return *this;
  }
  Site& env_file(const std::string& text) {
    options.env_file = write("site.env", text);
    return *this;
  }
  Site& env(const std::string& name, const std::string& value) {
    options.environment.emplace_back(name, value);
    return *this;
  }
  Site& flag(const std::string& key, const std::string& value) {
    options.flags.push_back({key, value, "--" + key});
    return *this;
  }
  Site& needed() { return env_file(kNeeded); }

  LoadResult load() const { return config::load(options); }
  // The problems as text, or "loaded".
  std::string problems() const {
    const LoadResult result = load();
    return result.ok() ? "loaded" : problems_text(result.problems);
  }
  const std::string& dir() const { return dir_; }

  Options options;

 private:
  std::string dir_;
};

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace vmcp::config::test
