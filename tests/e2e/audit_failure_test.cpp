// No audit, no change: the real program while its journal cannot grow.
#include <doctest/doctest.h>

#include <sys/resource.h>

#include <filesystem>

#include "audit/verify.h"
#include "store/key_file.h"
#include "support/command_output.h"
#include "support/server_process.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

// A server whose files can be kept from growing while it runs. Its vCenter writes no file.
struct FullDisk {
  static ServerOptions options() {
    ServerOptions o;
    o.environment["RATE_LIMIT"] = "false";
    o.record = false;
    return o;
  }
  ServerProcess server{options()};

  std::string journal() const { return server.folder() + "/state/journal.jsonl"; }
  // Only the soft limit, so that it can be taken back.
  void limit_files(rlim_t bytes) const {
    rlimit limit{};
    REQUIRE(::prlimit(server.pid(), RLIMIT_FSIZE, nullptr, &limit) == 0);
    limit.rlim_cur = bytes;
    REQUIRE(::prlimit(server.pid(), RLIMIT_FSIZE, &limit, nullptr) == 0);
  }
  void free_files() const {
    rlimit limit{};
    REQUIRE(::prlimit(server.pid(), RLIMIT_FSIZE, nullptr, &limit) == 0);
    limit_files(limit.rlim_max);
  }
  int status(const std::string& path) const { return send(server.port(), "GET", path, {}, "").status; }
  int changes() const {
    return send(server.simulator_port(), "GET", "/simulator/requests", {}, "").json().value("changing", -1);
  }
  std::string power_of(const std::string& vm) const {
    const Json state = send(server.simulator_port(), "GET", "/simulator/state/vm/" + vm, {}, "").json();
    return state.value("power", "");
  }
  Json call(const std::string& tool, const Json& arguments) const {
    const Answer a = call_tool(server.port(), "demo-ops", tool, arguments);
    CHECK_MESSAGE(a.status == 200, a.body);
    return a.json().value("result", Json::object());
  }
  std::string running_vm() const {
    const Json list = call("list_vms", {{"power_states", {"POWERED_ON"}}, {"limit", 1}});
    REQUIRE(list["structuredContent"]["vms"].size() == 1);
    return list["structuredContent"]["vms"][0].value("vm", "");
  }
};

}  // namespace

TEST_CASE("audit failure: while an intent cannot be written no change reaches the vCenter") {
  FullDisk disk;
  const std::string vm = disk.running_vm();
  REQUIRE(disk.status("/readyz") == 200);
  const int before = disk.changes();
  const std::string power_before = disk.power_of(vm);
  REQUIRE(power_before == "POWERED_ON");
  std::error_code ignored;
  REQUIRE(wait_until([&] { return std::filesystem::file_size(disk.journal(), ignored) > 0; }, 5000));

  // Room for the beginning of the next line: half of it will be on the disk, and must go again.
  disk.limit_files(std::filesystem::file_size(disk.journal()) + 40);
  for (int repeated = 0; repeated < 3; ++repeated) {
    const Json refused = disk.call("power_off_vm", {{"vm_id", vm}});
    CHECK_MESSAGE(refused.value("isError", false), refused.dump());
    CHECK_FALSE(refused.contains("structuredContent"));
    CHECK_MESSAGE(refused["content"][0].value("text", "").starts_with("the audit cannot be written"),
                  refused.dump());
  }
  CHECK(disk.changes() == before);
  CHECK(disk.power_of(vm) == power_before);
  const Answer ready = send(disk.server.port(), "GET", "/readyz", {}, "");
  CHECK(ready.status == 503);
  CHECK(ready.json().value("status", "") == "not ready");
  CHECK(ready.body.find("audit") != std::string::npos);
  CHECK(disk.status("/healthz") == 200);
  const Json read = disk.call("get_vm_details", {{"vm_id", vm}});
  CHECK_MESSAGE(read["structuredContent"].value("ok", false), read.dump());

  // The brake holds all the same.
  const auto [braked, said] =
      output_of(std::string(VMCP_PROGRAM) + " lock tool get_vm_details --reason 'full disk' --state-dir " +
                disk.server.folder() + "/state");
  CHECK(braked == 0);
  CHECK_MESSAGE(said.find("the audit cannot be written") != std::string::npos, said);
  CHECK(disk.call("get_vm_details", {{"vm_id", vm}}).value("isError", false));

  disk.free_files();
  CHECK(wait_until([&] { return disk.status("/readyz") == 200; }, 10'000));
  const Json done = disk.call("power_off_vm", {{"vm_id", vm}});
  CHECK_MESSAGE(done["structuredContent"].value("ok", false), done.dump());
  CHECK(disk.changes() > before);
  CHECK(disk.power_of(vm) == "POWERED_OFF");

  CHECK(disk.server.stop() == 0);
  const auto key = store::read_or_make_key(disk.server.folder() + "/state/keys", "audit-chain");
  REQUIRE(key.ok());
  const auto report = audit::verify_journal(disk.journal(), *key);
  REQUIRE(report.ok());
  CHECK(report->intact());
  CHECK(report->torn_bytes == 0);
  // The cause itself was lost: standard error is a file here, under the same limit.
  CHECK(disk.server.log().find("audit_recovered") != std::string::npos);
}
