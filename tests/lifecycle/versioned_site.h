// A configuration with one plugin whose builds replace each other.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "lifecycle/plugin_folder.h"
#include "support/server_process.h"

namespace vmcp::testing {

struct VersionedSite {
  PluginFolder folder;
  std::string config;

  explicit VersionedSite(const std::string& more = {}) {
    folder.put("1");
    config = folder.path + "/site.toml";
    write(more);
  }
  void write(const std::string& more) const {
    std::ofstream(config)
        << "[plugins]\ndir = \"" << folder.path << "\"\ntrust = \"dev\"\n"
        << "sandbox = \"best_effort\"\n"
        << "select = [\"org.vmcp.fixture.versioned\"]\n[[plugin]]\nid = \"org.vmcp.fixture.versioned\"\n"
        << more;
  }
  ServerOptions options(std::vector<std::string> more = {}) const {
    ServerOptions o;
    o.arguments = {"serve", "--demo", "--listen", "127.0.0.1:0", "--config", config};
    o.arguments.insert(o.arguments.end(), more.begin(), more.end());
    o.environment = {{"RATE_LIMIT", "false"}};
    o.record = false;
    return o;
  }
};

inline std::string build_of(const ServerProcess& server, const std::string& text = "x") {
  const Json answer = call_tool(server.port(), "demo-admin", "which_build", {{"text", text}}).json();
  if (!answer.contains("result")) return "failed: " + dump_json(answer);
  const Json& result = answer["result"];
  return result.value("isError", false) ? "failed: " + dump_json(result)
                                        : result["content"].at(0).value("text", "");
}

}  // namespace vmcp::testing
