#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "unit/structure/rules.h"

using namespace vmcp::structure;
namespace fs = std::filesystem;

namespace {

const fs::path kRoot = VMCP_SOURCE_DIR;

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// The project's own text files, relative to its root.
std::vector<fs::path> sources() {
  const std::set<std::string> kinds = {".h",  ".hpp", ".c",   ".cpp",  ".cmake", ".txt",
                                       ".md", ".sh",  ".mjs", ".toml", ".map"};
  std::vector<fs::path> out;
  for (const char* top : {"core", "plugins", "sdk", "tests", "packaging"}) {
    if (!fs::exists(kRoot / top)) continue;
    for (auto it = fs::recursive_directory_iterator(kRoot / top); it != fs::recursive_directory_iterator();
         ++it) {
      const std::string name = it->path().filename().string();
      if (it->is_directory() && (name == "node_modules" || name == "build" || name == "generated"))
        it.disable_recursion_pending();
      const bool script = it->path().parent_path() == kRoot / "packaging" && !it->path().has_extension();
      if (it->is_regular_file() && (kinds.contains(it->path().extension().string()) || script))
        out.push_back(fs::relative(it->path(), kRoot));
    }
  }
  return out;
}

std::string all(const std::string& path, const std::string& text) {
  std::string out;
  for (const auto& violation : violations(path, text)) out += violation + "\n";
  return out;
}

}  // namespace

TEST_CASE("structure: every file of the project keeps the rules") {
  const auto files = sources();
  CHECK(files.size() > 50);
  for (const auto& file : files) {
    const std::string wrong = all(file.generic_string(), read(kRoot / file));
    CHECK_MESSAGE(wrong.empty(), wrong);
  }
}

TEST_CASE("structure: every folder of core has a README") {
  for (const auto& entry : fs::directory_iterator(kRoot / "core")) {
    if (!entry.is_directory() || entry.path().filename() == "decisions") continue;
    CAPTURE(entry.path().string());
    CHECK(read(entry.path() / "README.md").size() > 100);
  }
}

TEST_CASE("structure: an include that points leftward is found") {
  CHECK(all("core/http/a.cpp",
            "#include \"pipeline/pipeline.h\"\n#include <vector>\n#include <vmcp/abi.h>\n") == "");
  CHECK(all("core/base/a.cpp", "\n#include \"config/load.h\"\n") ==
        "core/base/a.cpp:2: base includes config/load.h: includes point only rightward\n");
  CHECK(all("core/auth/a.cpp", "#include \"policy/policy.h\"\n") != "");
  CHECK(all("core/mcp/a.cpp", "#include \"http/message.h\"\n") != "");
  CHECK(all("core/config/a.cpp", "  #  include <vcenter/client.h>\n") != "");
  CHECK(all("core/plugin_host/a.cpp", "#include \"tools/tool.h\"\n") != "");
  CHECK(all("core/tools/a.cpp", "#include \"plugin_host/plugin.h\"\n") == "");
  CHECK(all("core/plugin_check/a.cpp",
            "#include \"tools/registry.h\"\n#include \"plugin_host/plugin.h\"\n") == "");
  CHECK(all("core/plugin_check/a.cpp", "#include \"http/server.h\"\n") != "");
  CHECK(all("core/tools/a.cpp", "#include \"plugin_check/check.h\"\n") != "");
  CHECK(all("core/tasks/a.cpp", "#include \"audit/audit.h\"\n") == "");
  CHECK(all("core/tasks/a.cpp", "#include \"policy/policy.h\"\n") != "");
  CHECK(all("core/audit/a.cpp", "#include \"tasks/watcher.h\"\n") != "");
}

TEST_CASE("structure: the runner sees the plugin host and base alone, nobody else sees the runner") {
  CHECK(all("core/runner/a.cpp", "#include \"plugin_host/plugin.h\"\n#include \"base/result.h\"\n") == "");
  CHECK(all("core/runner/a.cpp", "#include \"inventory/cache.h\"\n") != "");
  CHECK(all("core/plugin_host/a.cpp", "#include \"runner/sandbox.h\"\n") != "");
}

TEST_CASE("structure: the simulator sees base alone, app sees everyone, nobody sees app") {
  CHECK(all("core/simulator/a.cpp", "#include \"base/json.h\"\n#include \"simulator/simulator.h\"\n") == "");
  CHECK(all("core/simulator/a.cpp", "#include \"vcenter/client.h\"\n") != "");
  CHECK(all("core/app/a.cpp", "#include \"simulator/simulator.h\"\n#include \"http/server.h\"\n") == "");
  CHECK(all("core/main.cpp", "#include \"app/app.h\"\n") == "");
  CHECK(all("core/http/a.cpp", "#include \"app/app.h\"\n") != "");
  CHECK(all("core/http/a.cpp", "#include \"simulator/simulator.h\"\n") != "");
}

TEST_CASE("structure: plugins use the SDK only, the SDK nothing of ours") {
  CHECK(all("plugins/vm/a.cpp",
            "#include <vmcp/plugin.hpp>\n#include \"vm/power.h\"\n#include \"power.h\"\n") == "");
  CHECK(all("plugins/vm/a.cpp", "#include \"common/schema.h\"\n") == "");
  CHECK(all("plugins/common/a.h", "#include \"vm/power.h\"\n") != "");
  CHECK(all("plugins/vm/a.cpp", "#include \"base/json.h\"\n") != "");
  CHECK(all("plugins/vm/a.cpp", "#include <vcenter/client.h>\n") != "");
  CHECK(all("plugins/vm/a.cpp", "#include \"snapshot/plugin.h\"\n") != "");
  CHECK(all("plugins/vm/a.cpp", "#include \"../snapshot/plugin.h\"\n") != "");
  CHECK(all("sdk/include/vmcp/a.h", "#include <vmcp/abi.h>\n#include <stdint.h>\n") == "");
  CHECK(all("sdk/include/vmcp/a.h", "#include \"base/json.h\"\n") != "");
}

TEST_CASE("structure: the other rules find what breaks them") {
  CHECK(all("core/util/a.h", "#pragma once\n") != "");
  CHECK(all("core/base/a.h", "int x;\n") != "");
  CHECK(all("core/base/a.cpp", "#include \"json.h\"\n") != "");
  CHECK(all("core/base/a.cpp", "#include <regex>\n") != "");
  CHECK(all("core/config/load.cpp", "#include <toml.hpp>\n") != "");
  CHECK(all("core/config/toml_file.cpp", "#include <toml.hpp>\n") == "");
  CHECK(all("core/mcp/a.cpp", "#include <valijson/schema.hpp>\n") != "");
  CHECK(all("core/base/a.cpp", "#include <doctest/doctest.h>\n") != "");
  CHECK(all("core/base/Name.cpp", "\n") != "");
  CHECK(all("core/base/a.cpp", std::string("// TO") + "DO later\n") != "");
  const std::string macro = std::string("TEST_") + "CASE(\"";
  CHECK(all("tests/unit/base/a.cpp", macro + "base: one\") {}\n") == "");
  CHECK(all("tests/unit/base/a.cpp", macro + "base: one; two\") {}\n") != "");
}
