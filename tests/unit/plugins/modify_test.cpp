#include "unit/plugins/support.h"

using namespace vmcp::test;

namespace {

constexpr const char* kModify = "modify_vm_resources";
constexpr const char* kCpu = "PATCH /api/vcenter/vm/vm-1/hardware/cpu";
constexpr const char* kMemory = "PATCH /api/vcenter/vm/vm-1/hardware/memory";

// 4 CPUs of 2 cores per socket, 8192 MiB.
void add_vm(FakeHost& host, const char* power, bool hot_add = false, bool hot_remove = false) {
  host.on_vcenter("GET /api/vcenter/vm/vm-1/power", {.body = {{"state", power}}});
  host.on_vcenter("GET /api/vcenter/vm/vm-1/hardware/cpu", {.body = {{"count", 4},
                                                                     {"cores_per_socket", 2},
                                                                     {"hot_add_enabled", hot_add},
                                                                     {"hot_remove_enabled", hot_remove}}});
  Json memory{{"size_MiB", 8192}, {"hot_add_enabled", hot_add}};
  if (hot_add) {
    memory["hot_add_increment_size_MiB"] = 128;
    memory["hot_add_limit_MiB"] = 16384;
  }
  host.on_vcenter("GET /api/vcenter/vm/vm-1/hardware/memory", {.body = memory});
}

void accept_changes(FakeHost& host) {
  host.on_vcenter(kCpu, {.http_status = 204});
  host.on_vcenter(kMemory, {.http_status = 204});
}

Json with(Json arguments) {
  arguments["vm_id"] = "vm-1";
  return arguments;
}

void check_refused(FakeHost& host, const Json& arguments, vmcp_status status, const char* words) {
  CAPTURE(arguments.dump());
  const Outcome outcome = host.call(kModify, with(arguments));
  CHECK(outcome.status == status);
  CHECK_MESSAGE(mentions(outcome.failure, words), outcome.failure);
  CHECK(host.changing_requests().empty());
}

}  // namespace

TEST_CASE("modify: changes CPUs and memory of one that is off and tells both values") {
  FakeHost host(plugin_file("resource"));
  add_vm(host, "POWERED_OFF");
  accept_changes(host);
  const Outcome outcome =
      host.call(kModify, with({{"cpu_count", 8}, {"cores_per_socket", 4}, {"memory_gb", 16}}));
  check_answer(host, kModify, outcome);
  CHECK(outcome.result()["before"] == Json{{"cpu_count", 4}, {"cores_per_socket", 2}, {"memory_mib", 8192}});
  CHECK(outcome.result()["after"] == Json{{"cpu_count", 8}, {"cores_per_socket", 4}, {"memory_mib", 16384}});
  CHECK(outcome.result()["changed"] == true);
  REQUIRE(host.changing_requests() == std::vector<std::string>{kCpu, kMemory});
  CHECK(host.requests()[3].body == Json{{"count", 8}, {"cores_per_socket", 4}});
  CHECK(host.requests()[4].body == Json{{"size_MiB", 16384}});
}

TEST_CASE("modify: sends only what differs") {
  FakeHost host(plugin_file("resource"));
  add_vm(host, "POWERED_OFF");
  accept_changes(host);
  check_answer(host, kModify, host.call(kModify, with({{"cpu_count", 4}, {"memory_mib", 4096}})));
  CHECK(host.changing_requests() == std::vector<std::string>{kMemory});
}

TEST_CASE("modify: the values that it has already are success that says so") {
  FakeHost host(plugin_file("resource"));
  add_vm(host, "POWERED_ON");
  const Outcome outcome = host.call(kModify, with({{"cpu_count", 4}, {"memory_gb", 8}}));
  check_answer(host, kModify, outcome);
  CHECK(outcome.result()["changed"] == false);
  CHECK(mentions(outcome.result()["message"], "already"));
  CHECK(host.changing_requests().empty());
}

TEST_CASE("modify: arguments that make no sense are refused before vCenter is asked") {
  FakeHost host(plugin_file("resource"));
  check_refused(host, Json::object(), VMCP_E_INVALID, "Nothing to change");
  check_refused(host, {{"memory_gb", 8}, {"memory_mib", 8192}}, VMCP_E_INVALID, "Give one of them");
  check_refused(host, {{"memory_mib", 4098}}, VMCP_E_INVALID, "Choose 4096 or 4100 MiB");
  check_refused(host, {{"memory_gb", 2.3}}, VMCP_E_INVALID, "memory_mib");
  CHECK(host.requests().empty());
}

TEST_CASE("modify: CPUs must fill whole sockets, and the refusal names counts that do") {
  FakeHost host(plugin_file("resource"));
  add_vm(host, "POWERED_OFF");
  check_refused(host, {{"cpu_count", 5}}, VMCP_E_INVALID, "Choose 4 or 6 CPUs");
  check_refused(host, {{"cores_per_socket", 8}}, VMCP_E_INVALID, "Choose 8 CPUs");
}

TEST_CASE("modify: a running VM without hot-add is refused with the rule and the way out") {
  FakeHost host(plugin_file("resource"));
  add_vm(host, "POWERED_ON");
  check_refused(host, {{"cpu_count", 8}}, VMCP_E_CONFLICT, "no CPU hot-add");
  check_refused(host, {{"cpu_count", 2}}, VMCP_E_CONFLICT, "no CPU hot-remove");
  check_refused(host, {{"cores_per_socket", 1}}, VMCP_E_CONFLICT, "cores_per_socket cannot be changed");
  check_refused(host, {{"memory_gb", 16}}, VMCP_E_CONFLICT, "no memory hot-add");
  check_refused(host, {{"memory_gb", 4}}, VMCP_E_CONFLICT, "never be taken away");
  check_refused(host, {{"memory_gb", 4}}, VMCP_E_CONFLICT, "power_off_vm");
}

TEST_CASE("modify: both refusals are told at once") {
  FakeHost host(plugin_file("resource"));
  add_vm(host, "POWERED_ON");
  check_refused(host, {{"cpu_count", 8}, {"memory_gb", 16}}, VMCP_E_CONFLICT, "no CPU hot-add");
  check_refused(host, {{"cpu_count", 8}, {"memory_gb", 16}}, VMCP_E_CONFLICT, "no memory hot-add");
}

TEST_CASE("modify: with hot-add a running VM grows, within step and limit") {
  FakeHost host(plugin_file("resource"));
  add_vm(host, "POWERED_ON", true);
  check_refused(host, {{"memory_mib", 8196}}, VMCP_E_CONFLICT, "steps of 128 MiB");
  check_refused(host, {{"memory_mib", 16512}}, VMCP_E_CONFLICT, "16384 MiB at most");
  accept_changes(host);
  const Outcome outcome = host.call(kModify, with({{"cpu_count", 6}, {"memory_mib", 8320}}));
  check_answer(host, kModify, outcome);
  CHECK(host.changing_requests().size() == 2);
}

TEST_CASE("modify: a suspended VM is changed as little as a running one") {
  FakeHost host(plugin_file("resource"));
  add_vm(host, "SUSPENDED");
  check_refused(host, {{"cpu_count", 8}}, VMCP_E_CONFLICT, "suspended");
}

TEST_CASE("modify: a second request that fails tells what the first has changed") {
  FakeHost host(plugin_file("resource"));
  add_vm(host, "POWERED_OFF");
  host.on_vcenter(kCpu, {.http_status = 204});
  host.on_vcenter(kMemory,
                  vcenter_error(VMCP_E_INVALID, 400, "UNSUPPORTED", "Memory size is not supported."));
  const Outcome outcome = host.call(kModify, with({{"cpu_count", 8}, {"memory_gb", 16}}));
  CHECK(outcome.status == VMCP_E_INVALID);
  CHECK(mentions(outcome.failure, "Memory size is not supported."));
  CHECK(mentions(outcome.failure, "from 4 CPUs (2 cores per socket) to 8 CPUs"));
  CHECK(mentions(outcome.failure, "The memory is unchanged (8192 MiB)."));
}

TEST_CASE("modify: a first request that fails leaves the second unsent") {
  FakeHost host(plugin_file("resource"));
  add_vm(host, "POWERED_OFF");
  host.on_vcenter(kCpu, vcenter_error(VMCP_E_CONFLICT, 500, "RESOURCE_BUSY", "The VM is being cloned."));
  const Outcome outcome = host.call(kModify, with({{"cpu_count", 8}, {"memory_gb", 16}}));
  CHECK(mentions(outcome.failure, "The VM is being cloned. Another operation"));
  CHECK(host.changing_requests() == std::vector<std::string>{kCpu});
}

TEST_CASE("modify: without an answer in time it is running, and says which half is open") {
  FakeHost host(plugin_file("resource"));
  add_vm(host, "POWERED_OFF");
  host.on_vcenter(kCpu, {.http_status = 204});
  host.on_vcenter(kMemory, {.status = VMCP_E_TIMEOUT, .http_status = 0});
  const Outcome outcome = host.call(kModify, with({{"cpu_count", 8}, {"memory_gb", 16}}));
  check_answer(host, kModify, outcome);
  CHECK(outcome.result()["state"] == "running");
  CHECK(mentions(outcome.result()["message"], "The change of the memory"));
  CHECK(mentions(outcome.result()["message"], "The CPUs were changed before"));
}

TEST_CASE("modify: hardware that cannot be read ends the call before anything changes") {
  FakeHost host(plugin_file("resource"));
  host.on_vcenter("GET /api/vcenter/vm/vm-1/power", {.body = {{"state", "POWERED_OFF"}}});
  accept_changes(host);
  const Outcome outcome = host.call(kModify, with({{"cpu_count", 8}, {"memory_mib", 4096}}));
  CHECK(outcome.status == VMCP_E_NOT_FOUND);
  CHECK(host.changing_requests().empty());
}

TEST_CASE("modify: reads the newer spelling of memory fields") {
  FakeHost host(plugin_file("resource"));
  host.on_vcenter("GET /api/vcenter/vm/vm-1/power", {.body = {{"state", "POWERED_OFF"}}});
  host.on_vcenter("GET /api/vcenter/vm/vm-1/hardware/cpu", {.body = {{"count", 4}, {"cores_per_socket", 2}}});
  host.on_vcenter("GET /api/vcenter/vm/vm-1/hardware/memory", {.body = {{"size_mib", 8192}}});
  const Outcome outcome = host.call(kModify, with({{"memory_gb", 8}}));
  check_answer(host, kModify, outcome);
  CHECK(outcome.result()["changed"] == false);
}

TEST_CASE("modify: previews tell before and after, or the refusal, and send nothing that changes") {
  FakeHost host(plugin_file("resource"));
  add_vm(host, "POWERED_ON");
  const Outcome refused = host.preview(kModify, with({{"cpu_count", 8}}));
  check_preview(host, refused);
  CHECK(refused.json["after"]["cpu_count"] == 4);
  CHECK(mentions(refused.json["warnings"].dump(), "would be refused"));

  FakeHost off(plugin_file("resource"));
  add_vm(off, "POWERED_OFF");
  const Outcome outcome = off.preview(kModify, with({{"cpu_count", 8}}));
  check_preview(off, outcome);
  CHECK(outcome.json["before"]["cpu_count"] == 4);
  CHECK(outcome.json["before"]["power_state"] == "POWERED_OFF");
  CHECK(outcome.json["after"]["cpu_count"] == 8);
}
