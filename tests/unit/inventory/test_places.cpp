// Where an object is: its datacenter and its cluster.
#include <doctest/doctest.h>

#include "inventory/inventory.h"
#include "inventory/rows.h"
#include "unit/inventory/site.h"

using namespace vmcp;
using namespace vmcp::inventory;

namespace {

struct PlacesFixture {
  FakeConnection vc;
  SystemClock clock;
  Limits limits{milliseconds{0}};
  std::unique_ptr<Inventory> inventory = make_inventory(clock, limits);
  CallLimits call{std::chrono::steady_clock::now() + std::chrono::seconds(30), {}};

  PlacesFixture() { fill_site(vc); }

  // "datacenter cluster" of one object, with "-" for empty.
  std::string place(const char* kind, const char* id) {
    auto found = inventory->find(
        vc, kind, id, [](const Object&) { return true; }, call);
    REQUIRE_MESSAGE(found.ok(), id);
    auto word = [](const std::string& text) { return text.empty() ? std::string("-") : text; };
    return word(found->datacenter) + " " + word(found->cluster);
  }
};

}  // namespace

TEST_CASE_FIXTURE(PlacesFixture, "every object says which datacenter it is in") {
  CHECK(place("datacenter", "datacenter-3") == "/north -");
  CHECK(place("folder", "group-v3") == "/north -");
  CHECK(place("folder", "group-v10") == "/north -");
  CHECK(place("datastore", "datastore-44") == "/north -");
  CHECK(place("network", "dvportgroup-21") == "/north -");
  CHECK(place("vm", "vm-1") == "/north -");
  CHECK(place("vm", "vm-3") == "/south -");
  CHECK(place("folder", "group-d1") == "- -");
}

TEST_CASE_FIXTURE(PlacesFixture,
                  "a cluster and what is below it say which one it is, a standalone host none") {
  CHECK(place("cluster", "domain-c8") == "/north /north/host/prod");
  CHECK(place("host", "host-31") == "/north /north/host/prod");
  CHECK(place("cluster", "domain-s7") == "/south -");
  CHECK(place("host", "host-33") == "/south -");
}

TEST_CASE_FIXTURE(PlacesFixture, "a datacenter below folders is named by its whole path") {
  vc.objects.push_back(node("Folder", "group-d20", "europe", "Folder", "group-d1"));
  vc.objects.push_back(node("Folder", "group-d21", "west", "Folder", "group-d20"));
  vc.objects.push_back(node("Datacenter", "datacenter-22", "north", "Folder", "group-d21"));
  vc.objects.push_back(node("Folder", "group-h23", "host", "Datacenter", "datacenter-22"));
  vc.objects.push_back(node("ClusterComputeResource", "domain-c24", "c", "Folder", "group-h23"));
  vc.objects.push_back(node("HostSystem", "host-25", "esx", "ClusterComputeResource", "domain-c24"));
  CHECK(place("folder", "group-d21") == "- -");
  CHECK(place("datacenter", "datacenter-22") == "/europe/west/north -");
  CHECK(place("host", "host-25") == "/europe/west/north /europe/west/north/host/c");
}

TEST_CASE_FIXTURE(PlacesFixture, "a VM of a vApp is in the datacenter of the vApp's folder") {
  FakeObject vapp = node("VirtualApp", "resgroup-v50", "shop", "ResourcePool", "resgroup-1");
  vapp.properties["parentFolder"] = ref("Folder", "group-v9");
  vc.objects.push_back(vapp);
  vc.objects.push_back({"VirtualMachine",
                        "vm-60",
                        {{"name", text("till")}, {"parentVApp", ref("VirtualApp", "resgroup-v50")}},
                        {}});
  CHECK(place("vm", "vm-60") == "/north -");
}

TEST_CASE_FIXTURE(PlacesFixture, "below an unknown parent nothing is made up, and what is known stays") {
  vc.objects.push_back(machine("vm-7", "lost", "group-v999", "host-31", "poweredOn"));
  vc.objects.push_back(node("Datacenter", "datacenter-70", "far", "Folder", "group-d999"));
  vc.objects.push_back(node("Folder", "group-v71", "vm", "Datacenter", "datacenter-70"));
  vc.objects.push_back(machine("vm-8", "below", "group-v71", "host-31", "poweredOn"));
  vc.objects.push_back(node("HostSystem", "host-72", "esx9", "ClusterComputeResource", "domain-c999"));
  CHECK(place("vm", "vm-7") == "- -");
  CHECK(place("vm", "vm-8") == "/?/far -");
  CHECK(place("host", "host-72") == "- -");
}

TEST_CASE_FIXTURE(PlacesFixture, "rows that were read with properties say the same as the tree") {
  for (const char* name : {"datacenter", "cluster", "host", "folder"}) {
    const Kind* kind = find_kind(name);
    auto wanted = plan_rows(*kind, {"name"}, false, false);
    REQUIRE(wanted.ok());
    auto rows = read_rows(vc, *wanted, limits, call);
    REQUIRE(rows.ok());
    auto tree = read_tree(vc, false, limits, call);
    REQUIRE(tree.ok());
    place_rows(**rows, *tree);
    auto expected = rows_of_tree(vc.name(), *kind, *tree);
    REQUIRE((*rows)->rows.size() == expected->rows.size());
    REQUIRE_FALSE(expected->rows.empty());
    for (std::size_t i = 0; i < expected->rows.size(); ++i) {
      CHECK((*rows)->rows[i].object.path == expected->rows[i].object.path);
      CHECK((*rows)->rows[i].object.datacenter == expected->rows[i].object.datacenter);
      CHECK((*rows)->rows[i].object.cluster == expected->rows[i].object.cluster);
    }
  }
}

TEST_CASE_FIXTURE(PlacesFixture, "a snapshot is where its VM is") {
  vc.snapshots["vm-1"] =
      Json{{"rootSnapshotList",
            Json::array(
                {{{"snapshot", ref("VirtualMachineSnapshot", "snapshot-1")}, {"name", "base"}, {"id", 1}}})}}
          .dump();
  auto vm = inventory->find(
      vc, "vm", "vm-1", [](const Object&) { return true; }, call);
  REQUIRE(vm.ok());
  auto found = inventory->resolve_within(vc, *vm, "snapshot", "base", call);
  REQUIRE(found.ok());
  CHECK(found->datacenter == "/north");
  CHECK(found->cluster.empty());
}
