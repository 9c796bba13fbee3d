// One plugin, built from the headers of one release, in today's server: every call of its golden file gets
// the answer that it got when it was released. What is a plugin's own answer must be equal; around it a later
// host may say more.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "support/server_process.h"

using namespace vmcp;
using namespace vmcp::testing;
namespace fs = std::filesystem;

namespace {

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  REQUIRE_MESSAGE(value != nullptr, name << " says what to replay");
  return value;
}

Json read_json(const std::string& path) {
  std::ifstream in(path);
  REQUIRE_MESSAGE(in.good(), path);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto parsed = parse_trusted_json(text);
  REQUIRE_MESSAGE(parsed.ok(), path);
  return *parsed;
}

// A server's plugin folder with the one plugin, and the configuration that trusts it.
class OnePlugin {
 public:
  OnePlugin(const std::string& library, const std::string& manifest, const Json& golden,
            const std::string& isolation) {
    std::string pattern = (fs::temp_directory_path() / "vmcp-replay-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    fs::copy_file(library, folder_ + "/replayed.so");
    fs::permissions(folder_ + "/replayed.so", fs::perms(0755));
    fs::copy_file(manifest, folder_ + "/replayed.vmcp.json");
    std::ofstream config(folder_ + "/replay.toml");
    config << "[plugins]\ndir = \"" << folder_
           << "\"\ntrust = \"dev\"\nsandbox = \"best_effort\"\n[[plugin]]\nid = \""
           << golden["plugin"].get<std::string>() << "\"\nisolation = \"" << isolation
           << "\"\nrequired = true\n";
    const Json values = golden.value("config", Json::object());
    for (const auto& [name, value] : values.items())
      config << "[plugin.config]\n" << name << " = " << value.dump() << "\n";
  }
  ~OnePlugin() { fs::remove_all(folder_); }

  ServerOptions options() const {
    ServerOptions out;
    out.arguments = {"serve", "--demo", "--listen", "127.0.0.1:0", "--config", folder_ + "/replay.toml"};
    out.environment = {{"RATE_LIMIT", "false"}};
    out.record = false;
    return out;
  }

 private:
  std::string folder_;
};

// What golden files call "$vm.id", …: of the demo's vCenter, whose objects are no part of the ABI.
std::map<std::string, Json> names_of(const ServerProcess& server) {
  const Answer in =
      send(server.simulator_port(), "POST", "/sdk/vim25/8.0.2.0/SessionManager/SessionManager/Login",
           {{"Content-Type", "application/json"}}, R"({"userName":"demo@vsphere.local","password":"demo"})");
  REQUIRE_MESSAGE(in.status == 200, in.body);
  const Answer answer = send(server.simulator_port(), "GET", "/simulator/state",
                             {{"vmware-api-session-id", in.headers.at("vmware-api-session-id")}}, "");
  REQUIRE_MESSAGE(answer.status == 200, answer.body);
  const Json state = answer.json();
  std::map<std::string, int> times;
  for (const Json& vm : state["vms"]) ++times[vm["name"]];
  std::map<std::string, Json> out{{"$hosts", state["hosts"].size()},
                                  {"$vcenter", "127.0.0.1:" + std::to_string(server.simulator_port())}};
  for (const Json& vm : state["vms"])
    if (vm["power"] == "POWERED_ON" && vm["accessible"] == true && times[vm["name"]] == 1) {
      for (const char* member : {"id", "name", "path"}) out[std::string("$vm.") + member] = vm[member];
      out["$vm.name as JSON"] = vm["name"].dump();
      return out;
    }
  FAIL("the demo has no virtual machine of a name of its own");
  return out;
}

// The texts that begin with '$' replaced by what they name.
Json filled_in(const Json& golden, const std::map<std::string, Json>& names) {
  if (golden.is_string()) {
    const auto it = names.find(golden.get<std::string>());
    return it == names.end() ? golden : it->second;
  }
  if (!golden.is_structured()) return golden;
  Json out = golden;
  for (Json& each : out) each = filled_in(each, names);
  return out;
}

// "" when `actual` is what was expected, else where it is not.
std::string difference(const Json& expected, const Json& actual, const std::string& where) {
  if (expected == "$any") return {};
  if (expected.is_object() && actual.is_object()) {
    for (const auto& [name, value] : expected.items()) {
      if (!actual.contains(name)) return where + "/" + name + " is missing";
      if (auto d = difference(value, actual[name], where + "/" + name); !d.empty()) return d;
    }
    return {};
  }
  if (expected.is_array() && actual.is_array() && expected.size() == actual.size()) {
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (auto d = difference(expected[i], actual[i], where + "/" + std::to_string(i)); !d.empty()) return d;
    return {};
  }
  return expected == actual ? std::string() : where + " is " + actual.dump() + " and was " + expected.dump();
}

// The messages of one answer, whether it came alone or as a stream; the last is the response.
std::vector<Json> messages_of(const Answer& answer) {
  std::vector<Json> out;
  const std::string mark = "data: ";
  std::istringstream lines(answer.body);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(mark, 0) == 0) line.erase(0, mark.size());
    if (line.empty() || line[0] != '{') continue;
    if (auto parsed = parse_trusted_json(line)) out.push_back(*parsed);
  }
  REQUIRE_MESSAGE(!out.empty(), answer.status << " " << answer.body);
  return out;
}

void replay(const ServerProcess& server, const Json& call, std::map<std::string, Json>& names) {
  const std::string what = call["what"];
  const Answer answer = modern(server.port(), "demo-admin", call["method"], filled_in(call["params"], names));
  std::vector<Json> messages = messages_of(answer);
  Json said{{"result", messages.back().value("result", Json())}, {"notifications", Json::array()}};
  messages.pop_back();
  for (const Json& message : messages)
    said["notifications"].push_back({{"method", message["method"]}, {"params", message["params"]}});
  names["$state"] = said["result"].value("requestState", Json());
  Json expected{{"result", filled_in(call["result"], names)},
                {"notifications", filled_in(call.value("notifications", Json::array()), names)}};
  CHECK_MESSAGE(difference(expected, said, "") == "", what << ": " << answer.body);
  if (call.contains("log")) {
    const std::string line = call["log"];
    CHECK_MESSAGE(wait_until([&] { return server.log().find(line) != std::string::npos; }, 10'000),
                  what << ": the log lacks '" << line << "':\n"
                       << server.log());
  }
}

}  // namespace

TEST_CASE("old plugins: a plugin of its release's headers gets the answers that it got then") {
  const Json golden = read_json(setting("VMCP_REPLAY_CALLS"));
  for (const char* isolation : {"inprocess", "process"}) {
    CAPTURE(isolation);
    const OnePlugin plugin(setting("VMCP_REPLAY_LIBRARY"), setting("VMCP_REPLAY_MANIFEST"), golden,
                           isolation);
    ServerProcess server(plugin.options());
    auto names = names_of(server);
    REQUIRE(golden["calls"].size() > 0);
    for (const Json& call : golden["calls"]) replay(server, call, names);
    CHECK(server.stop() == 0);
  }
}
