#include "plugin_check/inspect.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/crypto.h"
#include "base/json.h"
#include "unit/plugin_check/subjects.h"

using namespace vmcp;
using namespace vmcp::plugin_check;
using namespace vmcp::plugin_check::test;
namespace fs = std::filesystem;

namespace {

struct Folder {
  std::string path;
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "vmcp-inspect-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Folder() { fs::remove_all(path); }
  std::string take(const std::string& library, const std::string& name) const {
    fs::copy_file(library, path + "/" + name + ".so");
    fs::copy_file(fs::path(library).replace_extension(".vmcp.json"), path + "/" + name + ".vmcp.json");
    return path + "/" + name + ".so";
  }
};

const Listed& named(const std::vector<Listed>& all, const std::string& name) {
  for (const Listed& listed : all)
    if (listed.planned.name == name) return listed;
  FAIL(name << " is not listed");
  return all.front();
}

}  // namespace

TEST_CASE("inspect: prints what the manifest and the library say") {
  const auto seen = inspect(first_party("vm"));
  REQUIRE_MESSAGE(seen.ok(), seen.error().text);
  CHECK(seen->sha256 == to_hex(sha256(bytes_of(first_party("vm")))));
  const std::string text = inspection_text(*seen);
  CHECK(text.find("org.vmcp.vm ") != std::string::npos);
  CHECK(text.find("exports     vmcp_entry_v1\n") != std::string::npos);
  CHECK(text.find("delete_vm                    destroy, needs_confirm") != std::string::npos);
  CHECK(text.find("vmcp.inventory/1") != std::string::npos);

  const auto json = parse_trusted_json(inspection_json(*seen));
  REQUIRE(json.ok());
  CHECK((*json)["sha256"] == seen->sha256);
  CHECK((*json)["exports"] == Json::array({"vmcp_entry_v1"}));
  CHECK((*json)["tools"].size() == seen->manifest.tools.size());
}

TEST_CASE("inspect: runs no code, so a library whose code cannot be run is inspected all the same") {
  const auto seen = inspect(fixture("null_entry"));
  REQUIRE_MESSAGE(seen.ok(), seen.error().text);
  CHECK(seen->manifest.id == "org.vmcp.fixture.null_entry");
}

TEST_CASE("inspect: says which of the two files is wrong") {
  const Folder folder;
  const auto absent = inspect(folder.path + "/absent.so");
  REQUIRE_FALSE(absent.ok());
  CHECK(absent.error().text.find("cannot be opened") != std::string::npos);
  const auto directory = inspect(folder.path);
  REQUIRE_FALSE(directory.ok());
  CHECK(directory.error().text.find("no regular file") != std::string::npos);
  REQUIRE(::mkfifo((folder.path + "/pipe.so").c_str(), 0600) == 0);
  CHECK_FALSE(inspect(folder.path + "/pipe.so").ok());
  const std::string alone = folder.take(fixture("plain"), "alone");
  fs::remove(folder.path + "/alone.vmcp.json");
  const auto no_manifest = inspect(alone);
  REQUIRE_FALSE(no_manifest.ok());
  CHECK(no_manifest.error().text.find("vmcp_add_plugin") != std::string::npos);
}

TEST_CASE("list: each plugin of a folder, and why not") {
  const Folder folder;
  folder.take(first_party("vm"), "vm");
  folder.take(fixture("plain"), "plain");
  folder.take(fixture("echo"), "echo");
  folder.take(fixture("wrong_abi"), "wrong_abi");
  folder.take(fixture("null_run"), "null_run");
  folder.take(first_party("snapshot"), "snapshot");
  ::chmod((folder.path + "/snapshot.so").c_str(), 0666);

  plugin_host::LoadSettings settings;
  settings.directories = {folder.path};
  settings.trust.mode = plugin_host::TrustSettings::Mode::dev;
  for (const char* id : {"vm", "plain", "wrong_abi", "snapshot", "absent", "null_run"}) {
    plugin_host::Choice& choice = settings.choices.emplace_back();
    choice.id = id;
    choice.in_process = choice.id == "plain" || choice.id == "wrong_abi";
    choice.enabled = choice.id != "null_run";
  }
  settings.only_chosen = true;
  const auto all = list_plugins(settings);
  CHECK(all.size() == 7);
  CHECK(named(all, "vm").planned.reason == "");
  CHECK(named(all, "plain").planned.reason == "");
  CHECK(named(all, "plain").sha256.size() == 64);
  CHECK(named(all, "wrong_abi").planned.reason.find("ABI 99.0") != std::string::npos);
  CHECK(named(all, "snapshot").planned.reason.find("chmod") != std::string::npos);
  CHECK(named(all, "absent").planned.reason.find("no plugin of that name") != std::string::npos);
  CHECK(named(all, "echo").planned.reason.find("does not name it") != std::string::npos);
  CHECK(named(all, "null_run").planned.reason.find("switches it off") != std::string::npos);
  settings.choices[1].in_process = false;  // in a process of its own then
  CHECK(named(list_plugins(settings), "plain").planned.reason == "");

  const std::string text = listing_text(all);
  CHECK(text.find("load  vm  org.vmcp.vm ") != std::string::npos);
  CHECK(text.find("skip  echo") != std::string::npos);
  CHECK(parse_trusted_json(listing_json(all)).ok());
}
