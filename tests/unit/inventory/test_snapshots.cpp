#include <doctest/doctest.h>

#include "inventory/inventory.h"
#include "unit/inventory/site.h"

using namespace vmcp;
using namespace vmcp::inventory;

namespace {

Json tree_node(int number, const std::string& name, Json children = Json::array()) {
  return {{"_typeName", "VirtualMachineSnapshotTree"},
          {"snapshot", ref("VirtualMachineSnapshot", "snapshot-" + std::to_string(400 + number))},
          {"name", name},
          {"id", number},
          {"childSnapshotList", std::move(children)}};
}

struct SnapshotFixture {
  FakeConnection vc;
  SystemClock clock;
  std::unique_ptr<Inventory> inventory = make_inventory(clock);
  Object vm{"vm", "VirtualMachine", "vc.example", "vm-1", "ledger-db", "/north/vm/ledger-db", ""};
  CallLimits call{std::chrono::steady_clock::now() + std::chrono::seconds(30), {}};

  SnapshotFixture() {
    Json roots = Json::array({tree_node(
        1, "base",
        Json::array({tree_node(2, "patched", Json::array({tree_node(3, "base")})), tree_node(4, "2")}))});
    vc.snapshots["vm-1"] =
        Json{{"_typeName", "VirtualMachineSnapshotInfo"}, {"rootSnapshotList", roots}}.dump();
  }
  Result<Object> resolve(std::string_view text) {
    return inventory->resolve_within(vc, vm, "snapshot", text, call);
  }
};

}  // namespace

TEST_CASE_FIXTURE(SnapshotFixture, "a snapshot is found by id, number and exact name") {
  for (const char* text : {"snapshot-404", "4"}) CHECK(resolve(text)->id == "snapshot-404");
  auto found = resolve("patched");
  REQUIRE(found.ok());
  CHECK(found->kind == "snapshot");
  CHECK(found->type == "VirtualMachineSnapshot");
  CHECK(found->id == "snapshot-402");
  CHECK(found->name == "patched");
  CHECK(found->within == "vm-1");
  CHECK(found->path.empty());
  CHECK(found->vcenter == "vc.example");
}

TEST_CASE_FIXTURE(SnapshotFixture,
                  "a name that two snapshots have, or that is another's number, is ambiguous") {
  auto twice = resolve("base");
  REQUIRE_FALSE(twice.ok());
  CHECK(twice.error().code == Code::invalid_argument);
  CHECK(twice.error().text.find("snapshot-401 (base)") != std::string::npos);
  CHECK(twice.error().text.find("snapshot-403 (base/patched/base)") != std::string::npos);
  CHECK(resolve("2").error().code == Code::invalid_argument);
}

TEST_CASE_FIXTURE(SnapshotFixture, "an unknown snapshot is not found and the error says what there is") {
  for (const char* text : {"", "snapshot-999", "Base", "7"}) {
    auto found = resolve(text);
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().code == Code::not_found);
    CHECK(found.error().text.find("snapshot-402 (base/patched)") != std::string::npos);
  }
  vm.id = "vm-2";
  CHECK(resolve("base").error().text.find("it has none") != std::string::npos);
}

TEST_CASE_FIXTURE(SnapshotFixture, "a vCenter that does not answer is not a missing snapshot") {
  vc.failing = [](const std::string&, int) { return make_error(Code::unavailable, "down"); };
  CHECK(resolve("base").error().code == Code::unavailable);
  vc.failing = nullptr;
  vc.snapshots["vm-1"] = "{broken";
  CHECK(resolve("base").error().code == Code::unavailable);
}

TEST_CASE_FIXTURE(SnapshotFixture, "only VMs have parts, and only snapshots") {
  CHECK(inventory->resolve_within(vc, vm, "disk", "x", call).error().code == Code::invalid_argument);
  vm.kind = "host";
  CHECK(resolve("base").error().code == Code::invalid_argument);
}
