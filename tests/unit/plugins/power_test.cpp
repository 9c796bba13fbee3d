#include "unit/plugins/support.h"

using namespace vmcp::test;

namespace {

struct Power {
  const char* tool;
  const char* action;
  const char* from;
  const char* to;
};
const Power kPowers[] = {{"power_on_vm", "start", "POWERED_OFF", "POWERED_ON"},
                         {"power_on_vm", "start", "SUSPENDED", "POWERED_ON"},
                         {"power_off_vm", "stop", "POWERED_ON", "POWERED_OFF"},
                         {"power_off_vm", "stop", "SUSPENDED", "POWERED_OFF"},
                         {"restart_vm", "reset", "POWERED_ON", "POWERED_ON"}};
const Json kVm{{"vm_id", "vm-1"}};

std::string request(const Power& power) {
  return std::string("POST /api/vcenter/vm/vm-1/power?action=") + power.action;
}

void set_state(FakeHost& host, const char* state) {
  host.on_vcenter("GET /api/vcenter/vm/vm-1/power", {.body = {{"state", state}}});
}

}  // namespace

TEST_CASE("power: each tool sends its one request and tells the states before and after") {
  for (const Power& power : kPowers) {
    CAPTURE(power.tool);
    FakeHost host(plugin_file("vm"));
    set_state(host, power.from);
    host.on_vcenter(request(power), {.http_status = 204});
    const Outcome outcome = host.call(power.tool, kVm);
    check_answer(host, power.tool, outcome);
    CHECK(outcome.result()["changed"] == true);
    CHECK(outcome.result()["previous_power_state"] == power.from);
    CHECK(outcome.result()["power_state"] == power.to);
    CHECK(host.changing_requests() == std::vector<std::string>{request(power)});
  }
}

TEST_CASE("power: already as asked is success that says so, and nothing is sent") {
  for (const auto& [tool, state] :
       {std::pair{"power_on_vm", "POWERED_ON"}, {"power_off_vm", "POWERED_OFF"}}) {
    FakeHost host(plugin_file("vm"));
    set_state(host, state);
    const Outcome outcome = host.call(tool, kVm);
    check_answer(host, tool, outcome);
    CHECK(outcome.result()["changed"] == false);
    CHECK(mentions(outcome.result()["message"], "already"));
    CHECK(host.changing_requests().empty());
  }
}

TEST_CASE("power: somebody who is faster is no error either") {
  FakeHost host(plugin_file("vm"));
  set_state(host, "POWERED_OFF");
  host.on_vcenter(request(kPowers[0]),
                  vcenter_error(VMCP_E_CONFLICT, 400, "ALREADY_IN_DESIRED_STATE", "It is powered on."));
  const Outcome outcome = host.call("power_on_vm", kVm);
  check_answer(host, "power_on_vm", outcome);
  CHECK(outcome.result()["changed"] == false);
}

TEST_CASE("restart_vm: one that does not run is refused with the fix") {
  for (const char* state : {"POWERED_OFF", "SUSPENDED"}) {
    FakeHost host(plugin_file("vm"));
    set_state(host, state);
    const Outcome outcome = host.call("restart_vm", kVm);
    CHECK(outcome.status == VMCP_E_CONFLICT);
    CHECK(mentions(outcome.failure, "power_on_vm"));
    CHECK(host.changing_requests().empty());
  }
}

TEST_CASE("power: a request without an answer in time is running, and is not repeated") {
  FakeHost host(plugin_file("vm"));
  set_state(host, "POWERED_OFF");
  host.on_vcenter(request(kPowers[0]), {.status = VMCP_E_TIMEOUT, .http_status = 0, .error = "No answer."});
  const Outcome outcome = host.call("power_on_vm", kVm);
  check_answer(host, "power_on_vm", outcome);
  CHECK(outcome.result()["state"] == "running");
  CHECK(!outcome.result().contains("changed"));
  CHECK(mentions(outcome.result()["message"], "get_vm_details"));
  CHECK(host.changing_requests().size() == 1);
}

TEST_CASE("power: vCenter's words reach the caller with what to do") {
  FakeHost host(plugin_file("vm"));
  set_state(host, "POWERED_OFF");
  host.on_vcenter(request(kPowers[0]), vcenter_error(VMCP_E_UNAVAILABLE, 500, "UNABLE_TO_ALLOCATE_RESOURCE",
                                                     "Insufficient resources to satisfy failover level."));
  const Outcome outcome = host.call("power_on_vm", kVm);
  CHECK(outcome.status == VMCP_E_UNAVAILABLE);
  CHECK(mentions(outcome.failure, "Insufficient resources to satisfy failover level."));
  CHECK(mentions(outcome.failure, "free some"));
}

TEST_CASE("power: an unreadable state ends the call before anything changes") {
  FakeHost host(plugin_file("vm"));
  const Outcome outcome = host.call("power_off_vm", kVm);
  CHECK(outcome.status == VMCP_E_NOT_FOUND);
  CHECK(host.changing_requests().empty());

  FakeHost odd(plugin_file("vm"));
  odd.on_vcenter("GET /api/vcenter/vm/vm-1/power", {.body = Json::array()});
  CHECK(odd.call("power_off_vm", kVm).status == VMCP_E_FAULT);
  CHECK(odd.changing_requests().empty());
}

TEST_CASE("power: previews tell before and after and send nothing that changes") {
  for (const Power& power : kPowers) {
    FakeHost host(plugin_file("vm"));
    set_state(host, power.from);
    const Outcome outcome = host.preview(power.tool, kVm);
    check_preview(host, outcome);
    CHECK(outcome.json["before"]["power_state"] == power.from);
    CHECK(outcome.json["after"]["power_state"] == power.to);
  }
  FakeHost host(plugin_file("vm"));
  set_state(host, "POWERED_OFF");
  const Outcome refused = host.preview("restart_vm", kVm);
  check_preview(host, refused);
  CHECK(refused.json["after"]["power_state"] == "POWERED_OFF");
  CHECK(mentions(refused.json["warnings"].dump(), "would be refused"));
}
