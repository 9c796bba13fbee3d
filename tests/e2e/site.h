// A server with chosen plugins.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/server_process.h"

namespace vmcp::testing {

// Two identities of a server that is no demo, both in the role that may call everything.
inline constexpr const char* kAda = "token-of-ada-0000001";
inline constexpr const char* kBob = "token-of-bob-0000001";

// A plugin folder with the first-party plugins and the named fixtures, and the configuration that trusts
// them.
struct Site {
  std::string folder, config;

  explicit Site(const std::vector<std::string>& fixtures, const std::string& more = {},
                const std::string& trust = "dev") {
    std::string pattern = (std::filesystem::temp_directory_path() / "vmcp-site-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    const std::string plugins = folder + "/plugins";
    std::filesystem::create_directory(plugins);
    const auto take = [&](const std::string& from, const std::string& name) {
      for (const char* ending : {".so", ".vmcp.json"})
        std::filesystem::copy_file(from + "/" + name + ending, plugins + "/" + name + ending);
    };
    for (const char* name : {"vm", "snapshot", "inventory", "resource"}) take(VMCP_PLUGINS, name);
    config = folder + "/site.toml";
    std::ofstream out(config);
    out << "[plugins]\ndir = \"" << plugins << "\"\n"
        << (trust.empty() ? "" : "trust = \"" + trust + "\"\n") << more;
    for (const std::string& fixture : fixtures) {
      take(VMCP_FIXTURES, "fixture_" + fixture);
      out << "[[plugin]]\nid = \"org.vmcp.fixture." << fixture << "\"\nisolation = \"inprocess\"\n";
    }
  }
  ~Site() { std::filesystem::remove_all(folder); }

  ServerOptions options(const std::string& deadline_s = "30") const {
    ServerOptions o;
    o.arguments = {"serve", "--demo", "--listen", "127.0.0.1:0", "--config", config};
    o.environment = {{"RATE_LIMIT", "false"}, {"TOOL_DEADLINE_S", deadline_s}};
    return o;
  }

  // No demo, and a vCenter that does not exist: for tools that need none.
  ServerOptions options_without_vcenter() const {
    ServerOptions o;
    o.arguments = {"serve", "--listen", "127.0.0.1:0", "--config", config};
    o.environment = {
        {"RATE_LIMIT", "false"},
        {"VCENTER_HOST", "vcenter.invalid"},
        {"VCENTER_USER", "nobody"},
        {"VCENTER_PASSWORD", "none-at-all"},
        {"TOKENS_TO_ROLES", std::string(R"({")") + kAda + R"(":"admin",")" + kBob + R"(":"admin"})"}};
    o.record = false;
    return o;
  }
};

}  // namespace vmcp::testing
