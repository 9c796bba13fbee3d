// Plugins of a later release meet this host: it refuses them with the reason and the versions, to who looks
// before, to who starts it, and to who calls them; and serves the others.
#include <doctest/doctest.h>
#include <vmcp/abi.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/command_output.h"
#include "support/server_process.h"

using namespace vmcp;
using namespace vmcp::testing;
namespace fs = std::filesystem;

namespace {

const std::string kThisAbi = std::to_string(VMCP_ABI_MAJOR) + "." + std::to_string(VMCP_ABI_MINOR);
const std::string kNextAbi = std::to_string(VMCP_ABI_MAJOR) + "." + std::to_string(VMCP_ABI_MINOR + 1);
const std::string kBuiltFor = "it was built for ABI " + kNextAbi + ", this host speaks " + kThisAbi;
const std::string kNeeds =
    "the plugin needs ABI " + kNextAbi + ", this host speaks " + kThisAbi + "; upgrade the host";
const std::string kFuture =
    "this plugin needs vmcp.future/9, which this host does not have; upgrade the host";

std::string folder_in_environment() {
  const char* value = std::getenv("VMCP_NEWER");
  REQUIRE_MESSAGE(value != nullptr, "VMCP_NEWER is the folder with the plugins");
  return value;
}

// A plugin folder with the two of a later release and one of this; the configuration trusts all.
struct LaterSite {
  std::string folder, config;

  LaterSite() {
    std::string pattern = (fs::temp_directory_path() / "vmcp-newer-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    config = folder + "/site.toml";
    std::ofstream out(config);
    out << "[plugins]\ndir = \"" << folder << "\"\ntrust = \"dev\"\n";
    for (const char* name : {"abi_newer_minor", "abi_newer_interface", "abi_golden_c"})
      for (const char* ending : {".so", ".vmcp.json"})
        fs::copy_file(folder_in_environment() + "/" + name + ending, folder + "/" + name + ending);
    for (const char* id : {"org.vmcp.newer.minor", "org.vmcp.newer.interface", "org.vmcp.golden"})
      out << "[[plugin]]\nid = \"" << id << "\"\nisolation = \"inprocess\"\n";
  }
  ~LaterSite() { fs::remove_all(folder); }

  // The manifest of the one with the higher minor, saying that this host's is enough.
  void understate() const {
    const std::string path = folder + "/abi_newer_minor.vmcp.json";
    std::ifstream in(path);
    std::string text((std::istreambuf_iterator<char>(in)), {});
    const std::string minor = "\"minor\": ";
    const auto at = text.find(minor + std::to_string(VMCP_ABI_MINOR + 1));
    REQUIRE(at != std::string::npos);
    text.replace(at + minor.size(), std::to_string(VMCP_ABI_MINOR + 1).size(),
                 std::to_string(VMCP_ABI_MINOR));
    std::ofstream(path) << text;
  }
};

// What the program says, with its exit code.
std::pair<int, std::string> said(const std::string& arguments) {
  return output_of(std::string(VMCP_PROGRAM) + " " + arguments);
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("newer plugins: whoever looks before, or calls one, reads which ABI it needs") {
  const LaterSite site;
  const auto [listed, list] = said("plugin list --config " + site.config);
  CHECK(listed == 0);
  CHECK_MESSAGE(has(list, "skip  abi_newer_minor"), list);
  CHECK_MESSAGE(has(list, kBuiltFor), list);
  CHECK_MESSAGE(has(list, "load  abi_golden_c"), list);

  const auto [called, answer] = said("plugin call " + site.folder + "/abi_newer_minor.so newer");
  CHECK(called == 1);
  CHECK_MESSAGE(has(answer, "org.vmcp.newer.minor: " + kBuiltFor), answer);

  site.understate();
  const auto [again, stricter] = said("plugin call " + site.folder + "/abi_newer_minor.so newer");
  CHECK(again == 1);
  CHECK_MESSAGE(has(stricter, kNeeds), stricter);
}

TEST_CASE("newer plugins: who says that less is enough is loaded, who says nothing needs what its SDK has") {
  const std::string folder = folder_in_environment();
  const auto [called, answer] = said("plugin call " + folder + "/abi_newer_modest.so modest");
  CHECK_MESSAGE(called == 0, answer);
  CHECK(has(answer, "content with less"));
  const auto [refused, why] = said("plugin call " + folder + "/abi_newer_insistent.so modest");
  CHECK(refused == 1);
  CHECK_MESSAGE(has(why, kBuiltFor), why);
}

TEST_CASE("newer plugins: the server's log says what they lack, and the others are served") {
  const LaterSite site;
  ServerOptions options;
  options.arguments = {"serve", "--demo", "--listen", "127.0.0.1:0", "--config", site.config};
  options.record = false;
  ServerProcess server(options);
  const std::string log = server.log();
  CHECK_MESSAGE(has(log, "reason=\"" + kBuiltFor), log);
  CHECK_MESSAGE(has(log, "id=org.vmcp.newer.interface message=\"" + kFuture + "\""), log);
  CHECK_MESSAGE(has(log, "reason=\"its start failed with status -8"), log);
  const Answer listed = modern(server.port(), "demo-admin", "tools/list", Json::object());
  CHECK_MESSAGE(has(listed.body, "golden_text"), listed.body);
  CHECK_FALSE(has(listed.body, "\"newer\""));
  CHECK(server.stop() == 0);
}
