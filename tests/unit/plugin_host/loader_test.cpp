// The loader with real libraries: the fixtures, copied into folders of the test's own.
#include "plugin_host/loader.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

using namespace vmcp;
using namespace vmcp::plugin_host;
namespace fs = std::filesystem;

namespace {

struct PluginFolder {
  std::string path;
  LoadSettings settings;

  explicit PluginFolder(const std::vector<std::string>& fixtures) {
    std::string pattern = (fs::temp_directory_path() / "vmcp-loader-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
    settings.directories = {path};
    settings.trust.mode = TrustSettings::Mode::dev;
    for (const std::string& fixture : fixtures) {
      for (const char* ending : {".so", ".vmcp.json"}) {
        const std::string file = "/fixture_" + fixture + ending;
        fs::copy_file(VMCP_FIXTURE_DIRECTORY + file, path + file);
      }
      Choice& choice = settings.choices.emplace_back();
      choice.id = "fixture_" + fixture;
      choice.in_process = true;
    }
  }
  ~PluginFolder() { fs::remove_all(path); }
};

}  // namespace

TEST_CASE("loader: a scheme belongs to the plugin that is loaded first, and the other says whose it is") {
  SilentLog log;
  for (const bool everything_first : {true, false}) {
    CAPTURE(everything_first);
    const PluginFolder folder(everything_first ? std::vector<std::string>{"everything", "takes_scheme"}
                                               : std::vector<std::string>{"takes_scheme", "everything"});
    const auto loaded = load_plugins(folder.settings, log);
    REQUIRE(loaded.ok());
    REQUIRE(loaded->size() == 2);
    REQUIRE_MESSAGE((*loaded)[0].plugin, (*loaded)[0].reason);
    CHECK((*loaded)[0].plugin->schemes() == std::vector<std::string>{"test"});
    CHECK_FALSE((*loaded)[1].plugin);
    CHECK((*loaded)[1].reason.find("'test'") != std::string::npos);
    CHECK((*loaded)[1].reason.find((*loaded)[0].plugin->id()) != std::string::npos);
  }
}

TEST_CASE("loader: what plugins announce reaches the one sink, with the plugin's id") {
  SilentLog log;
  PluginFolder folder({"everything"});
  std::vector<Change> changes;
  folder.settings.on_change = [&](const Change& c) { changes.push_back(c); };
  const auto loaded = load_plugins(folder.settings, log);
  REQUIRE(loaded.ok());
  const Plugin& plugin = *loaded->front().plugin;
  for (std::uint32_t i = 0; i < plugin.tools().size(); ++i) {
    if (plugin.tools()[i].name.substr(0, 13) != "test_trigger_") continue;
    Invocation invocation;
    CHECK(plugin.run(i, invocation, "{}") == VMCP_OK);
  }
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].kind == Change::Kind::tools);
  CHECK(changes[1].kind == Change::Kind::prompts);
  CHECK(changes[1].plugin_id == "org.vmcp.fixture.everything");
}

TEST_CASE("loader: every resource and prompt that the everything plugin lists can be had") {
  SilentLog log;
  const PluginFolder folder({"everything"});
  const auto loaded = load_plugins(folder.settings, log);
  REQUIRE(loaded.ok());
  const Plugin& plugin = *loaded->front().plugin;
  CHECK(plugin.resources().size() == 3);
  for (const ResourceDeclaration& resource : plugin.resources()) {
    CAPTURE(resource.uri);
    Invocation invocation;
    CHECK(plugin.read_resource(resource.uri, invocation) == VMCP_OK);
    CHECK(invocation.blocks.size() == 1);
  }
  REQUIRE(plugin.prompts().size() == 5);
  for (std::uint32_t i = 0; i < plugin.prompts().size(); ++i) {
    CAPTURE(plugin.prompts()[i].name);
    Invocation invocation;
    invocation.client_can = {"elicitation.form"};
    const vmcp_status status =
        plugin.get_prompt(i, invocation, R"({"arg1":"a","arg2":"b","resourceUri":"test://static-text"})");
    CHECK((status == VMCP_OK ? !invocation.blocks.empty() : invocation.requests.size() == 1));
  }
}
