// The set of plugins itself, without a server: real libraries, real processes, many threads.
#include "tools/plugin_set.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <atomic>
#include <functional>
#include <map>

#include "lifecycle/plugin_folder.h"
#include "store/small_file.h"
#include "support/heard_log.h"
#include "support/rounds.h"

using namespace vmcp;
using namespace vmcp::tools;
using plugin_host::Change;
using testing::PluginFolder;

namespace {

bool soon(const std::function<bool()>& what) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!what()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

struct Rig {
  PluginFolder folder;
  testing::HeardLog log;
  std::atomic<int> tools_changed{0};
  CurrentCatalog catalog;
  PluginSwitches switches;
  PluginSet set{catalog, switches, false, log, [this](Change::Kind kind) {
                  if (kind == Change::Kind::tools) ++tools_changed;
                }};
  plugin_host::LoadSettings settings;

  explicit Rig(bool in_process = false) {
    settings.directories = {folder.path};
    settings.trust.mode = plugin_host::TrustSettings::Mode::dev;
    settings.apart.process.runner = VMCP_RUNNER;
    // What a sandbox allows has tests of its own; ThreadSanitizer's shadow memory needs what it forbids.
    settings.apart.process.sandbox = plugin_host::child::Sandbox::off;
    plugin_host::Choice choice;
    choice.id = "versioned";
    choice.in_process = in_process;
    settings.choices = {choice};
  }
  Result<void> load() { return set.load(settings); }
  void load_build(const std::string& build) {
    folder.put(build);
    const auto r = load();
    REQUIRE_MESSAGE(r.ok(), (r.ok() ? "" : r.error().text));
  }
  // "build 1.0.0 …" of a call that begins now; empty when it fails.
  std::string call(const std::string& text = "x") {
    const CatalogPtr now = catalog.now();
    const ToolPtr tool = now->registry.find("which_build");
    if (!tool) return "no tool";
    plugin_host::Invocation invocation;
    invocation.limits.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    const auto status = tool->plugin->run(tool->index, invocation, R"({"text":")" + text + R"("})");
    if (status != VMCP_OK || invocation.texts.size() != 1)
      return "failed: " + (invocation.failure ? invocation.failure->text : std::string());
    return invocation.texts[0];
  }
  std::uint32_t generation() { return set.all().at(0).generation; }
  int last_pid() {
    int out = -1;
    for (const std::string& line : log.lines())
      if (line.starts_with("plugin process started")) out = std::atoi(line.c_str() + line.find(" pid=") + 5);
    return out;
  }
};

}  // namespace

TEST_CASE("set: a new build in the file's place answers, the old generation is retired") {
  Rig rig;
  rig.load_build("1");
  CHECK(rig.call("a") == R"(build 1.0.0 {"text":"a"})");
  CHECK(rig.generation() == 1);
  rig.load_build("2");
  CHECK(rig.call("b") == R"(build 2.0.0 {"text":"b"})");
  CHECK(rig.generation() == 2);
  CHECK(soon([&] { return rig.log.count("generation=1 state=retired") == 1; }));
  CHECK(rig.log.count("generation=2 state=live") == 1);
}

TEST_CASE("set: what has not changed goes on with its generation and its process") {
  Rig rig;
  rig.load_build("1");
  const auto before = rig.set.all().at(0).plugin;
  rig.load_build("1");
  CHECK(rig.set.all().at(0).plugin == before);
  CHECK(rig.generation() == 1);
}

TEST_CASE("set: a build that does not start, or is damaged, leaves the one before untouched") {
  Rig rig;
  rig.load_build("1");
  rig.load_build("bad");
  CHECK(rig.call() == R"(build 1.0.0 {"text":"x"})");
  CHECK(rig.log.count("plugin keeps its generation") == 1);
  rig.folder.put("2");
  std::filesystem::resize_file(rig.folder.path + "/versioned.so", 4'000);
  CHECK(rig.load().ok());
  CHECK(rig.call() == R"(build 1.0.0 {"text":"x"})");
  // Its manifest gone: still no reason to end what runs.
  std::filesystem::remove(rig.folder.path + "/versioned.vmcp.json");
  CHECK(rig.load().ok());
  CHECK(rig.call() == R"(build 1.0.0 {"text":"x"})");
  rig.load_build("2");
  CHECK(rig.call() == R"(build 2.0.0 {"text":"x"})");
}

TEST_CASE("set: a call ends with the generation that it began with") {
  Rig rig;
  rig.load_build("1");
  const CatalogPtr begun = rig.catalog.now();
  rig.load_build("2");
  CHECK(soon([&] { return rig.log.count("generation=1 state=draining") == 1; }));
  const ToolPtr old = begun->registry.find("which_build");
  plugin_host::Invocation invocation;
  invocation.limits.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  CHECK(old->plugin->run(0, invocation, "{}") == VMCP_OK);
  CHECK(invocation.texts.at(0) == "build 1.0.0 {}");
  CHECK(rig.log.count("generation=1 state=quiesced") == 0);
}

TEST_CASE("set: switched off by the configuration, switched on again") {
  Rig rig;
  rig.load_build("1");
  const int before = rig.tools_changed;
  rig.settings.choices[0].enabled = false;
  // Nothing at all would be offered: such a configuration is a mistake, and refused.
  CHECK_FALSE(rig.load().ok());
  CHECK(rig.call() == R"(build 1.0.0 {"text":"x"})");
  rig.settings.choices[0].enabled = true;
  rig.settings.choices[0].prefix = "old_";
  CHECK(rig.load().ok());
  CHECK(rig.tools_changed == before + 1);
  CHECK(rig.catalog.now()->registry.find("old_which_build") != nullptr);
  CHECK(rig.catalog.now()->registry.find("which_build") == nullptr);
  CHECK(rig.generation() == 1);  // offered otherwise, not loaded anew
}

TEST_CASE("set: configuration that the plugin does not ask for is refused before it is opened") {
  Rig rig;
  rig.load_build("1");
  rig.settings.choices[0].config = {{"days", 3}};
  CHECK(rig.load().ok());
  CHECK(rig.log.count("takes no configuration") == 1);
  CHECK(rig.call() == R"(build 1.0.0 {"text":"x"})");
}

TEST_CASE("set: in the server's process a changed file waits for a restart, in words") {
  Rig rig(true);
  rig.load_build("1");
  rig.load_build("2");
  CHECK(rig.call() == R"(build 1.0.0 {"text":"x"})");
  CHECK(rig.log.count("plugin needs a restart") == 1);
}

TEST_CASE("set: an operator's switch takes a plugin out, outlives the server, and puts it back") {
  Rig rig;
  const std::string file = rig.folder.path + "/switches.json";
  REQUIRE(rig.switches.keep_in(file).ok());
  rig.load_build("1");
  const std::string id = rig.set.all().at(0).plugin->id();
  const CatalogPtr begun = rig.catalog.now();
  const int before = rig.tools_changed;
  REQUIRE(rig.set.disable("versioned", "kim", WallTime{}).ok());
  CHECK(rig.call() == "no tool");
  CHECK(rig.tools_changed == before + 1);
  // Whose call began before ends it.
  plugin_host::Invocation invocation;
  invocation.limits.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  CHECK(begun->registry.find("which_build")->plugin->run(0, invocation, "{}") == VMCP_OK);
  const auto off = rig.set.all().at(0);
  CHECK(off.switched_off);
  CHECK(off.reason.find("switched off by kim at 1970-01-01") != std::string::npos);
  CHECK(off.reason.find("plugin enable " + id) != std::string::npos);
  CHECK(rig.set.disable(id, "kim", WallTime{}).ok());  // as it is already
  // Loading anew, and another server, leave it off.
  CHECK(rig.load().ok());
  CHECK(rig.call() == "no tool");
  Rig other;
  REQUIRE(other.switches.keep_in(file).ok());
  other.load_build("1");
  CHECK(other.call() == "no tool");
  REQUIRE(other.set.enable(id).ok());
  CHECK(other.call() == R"(build 1.0.0 {"text":"x"})");
  PluginSwitches read;
  REQUIRE(read.keep_in(file).ok());
  CHECK(read.off().empty());
}

TEST_CASE("set: a switch does not let a configuration pass that offers nothing by mistake") {
  Rig rig;
  rig.load_build("1");
  REQUIRE(rig.set.disable("versioned", "kim", WallTime{}).ok());
  CHECK(rig.load().ok());  // nothing is offered, as the operator wants it
  plugin_host::Choice misspelt;
  misspelt.id = "org.example.misspelt";
  rig.settings.choices.push_back(misspelt);
  const auto r = rig.load();
  REQUIRE_FALSE(r.ok());
  CHECK(r.error().text.find("No tool is offered") != std::string::npos);
}

TEST_CASE("set: what cannot be switched on stays off, what cannot be remembered is not done") {
  Rig rig;
  rig.load_build("1");
  REQUIRE(rig.set.disable("versioned", "kim", WallTime{}).ok());
  rig.folder.put("bad");
  const auto broken = rig.set.enable("versioned");
  REQUIRE_FALSE(broken.ok());
  CHECK(broken.error().text.find("is not loaded: ") != std::string::npos);
  CHECK(rig.set.all().at(0).switched_off);
  rig.folder.put("2");
  CHECK(rig.set.enable("versioned").ok());
  CHECK(rig.call() == R"(build 2.0.0 {"text":"x"})");
  CHECK(rig.set.enable("versioned").ok());  // as it is already
  REQUIRE(rig.switches.keep_in("/nowhere/switches.json").ok());
  CHECK_FALSE(rig.set.disable("versioned", "kim", WallTime{}).ok());
  CHECK(rig.call() == R"(build 2.0.0 {"text":"x"})");
  const auto unknown = rig.set.disable("vms", "kim", WallTime{});
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().code == Code::not_found);
  CHECK(unknown.error().text.find("there are org.vmcp.") != std::string::npos);
}

TEST_CASE("set: where a home folder is its group's too, switches are remembered all the same") {
  const PluginFolder home;
  std::filesystem::permissions(home.path, std::filesystem::perms(0775));
  PluginSwitches switches;
  REQUIRE(switches.keep_in(home.path + "/switches.json").ok());
  REQUIRE(switches.turn_off("org.example.x", "kim", WallTime{}).ok());
  PluginSwitches again;
  REQUIRE(again.keep_in(home.path + "/switches.json").ok());
  CHECK(again.off().count("org.example.x") == 1);
}

TEST_CASE("set: a damaged list of switches is an error, since nobody knows what must stay off") {
  const PluginFolder folder;
  const std::string file = folder.path + "/switches.json";
  for (const char* text : {"", "[]", R"({"a":1})", R"({"a":{"by":"x"}})", R"({"a":{"by":1,"at":"x"}})"}) {
    CAPTURE(text);
    REQUIRE(store::replace_file(file, text).ok());
    const auto r = PluginSwitches().keep_in(file);
    REQUIRE_FALSE(r.ok());
    CHECK(r.error().text.find(file) != std::string::npos);
  }
}

TEST_CASE("set: in the server's process a plugin is switched off and on again without a second mapping") {
  Rig rig(true);
  rig.load_build("1");
  const auto mapped = rig.set.all().at(0).library;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(rig.set.disable("versioned", "kim", WallTime{}).ok());
    CHECK(rig.call() == "no tool");
    REQUIRE(rig.set.enable("versioned").ok());
    CHECK(rig.call() == R"(build 1.0.0 {"text":"x"})");
    CHECK(rig.set.all().at(0).library == mapped);
  }
  CHECK_FALSE(rig.set.roll_back("versioned").ok());
}

TEST_CASE("set: back to the generation before, until another file lies there") {
  Rig rig;
  rig.load_build("1");
  const auto nothing = rig.set.roll_back("versioned");
  REQUIRE_FALSE(nothing.ok());
  CHECK(nothing.error().text.find("no generation before") != std::string::npos);
  rig.load_build("2");
  CHECK(rig.set.before("versioned").first == "1.0.0");
  REQUIRE(rig.set.roll_back("versioned").ok());
  CHECK(rig.call() == R"(build 1.0.0 {"text":"x"})");
  CHECK(rig.generation() == 3);
  // The file is still the second build: loading anew does not bring it back, a third one comes in.
  CHECK(rig.load().ok());
  CHECK(rig.call() == R"(build 1.0.0 {"text":"x"})");
  CHECK(rig.log.count("plugin stays rolled back") == 1);
  rig.load_build("1");
  CHECK(rig.generation() == 3);
  REQUIRE(rig.set.roll_back("versioned").ok());  // and to what was turned away from
  CHECK(rig.call() == R"(build 2.0.0 {"text":"x"})");
  CHECK(soon([&] { return rig.log.count("state=retired") == 3; }));
}

TEST_CASE("set: nobody goes back to what has been revoked since") {
  Rig rig;
  rig.load_build("1");
  const std::string first = rig.set.all().at(0).library->sha256();
  rig.load_build("2");
  rig.settings.trust.revoked = {"sha256:" + first};
  CHECK(rig.load().ok());
  const auto r = rig.set.roll_back("versioned");
  REQUIRE_FALSE(r.ok());
  CHECK(r.error().text.find("revoked") != std::string::npos);
  CHECK(rig.call() == R"(build 2.0.0 {"text":"x"})");
}

TEST_CASE("set: a generation that is switched off takes nothing from the one that has replaced it") {
  Rig rig;
  rig.settings.apart.most_crashes = 1;
  rig.load_build("1");
  const CatalogPtr begun = rig.catalog.now();  // keeps the first generation from being retired
  const auto first = rig.set.all().at(0).plugin;
  const int pid = rig.last_pid();
  rig.load_build("2");
  ::kill(pid, SIGKILL);
  CHECK(soon([&] { return !first->usable(); }));
  CHECK(soon([&] { return rig.log.count("plugin switched off") == 1; }));
  for (int i = 0; i < 20; ++i) CHECK(rig.call() == R"(build 2.0.0 {"text":"x"})");
  // The same to the generation that is offered takes it off the list, and loading anew brings it back.
  ::kill(rig.last_pid(), SIGKILL);
  CHECK(soon([&] { return rig.call() == "no tool"; }));
  CHECK(rig.load().ok());
  CHECK(rig.call() == R"(build 2.0.0 {"text":"x"})");
}

TEST_CASE("set: hot upgrades and failed ones under load cost no call, and each answer is of one build") {
  Rig rig;
  rig.load_build("1");
  std::atomic<bool> over{false};
  std::atomic<int> answered{0}, wrong{0};
  std::vector<std::thread> callers;
  std::mutex mutex;
  std::string first_wrong;
  for (int caller = 0; caller < 16; ++caller)
    callers.emplace_back([&, caller] {
      for (int i = 0; !over; ++i) {
        const std::string text = std::to_string(caller) + "-" + std::to_string(i);
        const std::string answer = rig.call(text);
        const std::string said = R"( {"text":")" + text + R"("})";
        if (answer == "build 1.0.0" + said || answer == "build 2.0.0" + said) {
          ++answered;
          continue;
        }
        ++wrong;
        const std::lock_guard lock(mutex);
        if (first_wrong.empty()) first_wrong = answer;
      }
    });
  const int upgrades = testing::rounds(100);
  for (int i = 0; i < upgrades; ++i) {
    const int before = answered;
    rig.load_build(i % 2 == 0 ? "2" : "1");
    if (i % 5 == 4) {
      rig.load_build("bad");
      CHECK(rig.generation() == static_cast<std::uint32_t>(i) + 2);
    }
    CHECK(soon([&] { return answered > before + 16; }));
  }
  over = true;
  for (std::thread& caller : callers) caller.join();
  CHECK_MESSAGE(wrong == 0, first_wrong);
  CHECK(rig.generation() == static_cast<std::uint32_t>(upgrades) + 1);
  CHECK(soon([&] { return rig.log.count("state=retired") == upgrades; }));
}
