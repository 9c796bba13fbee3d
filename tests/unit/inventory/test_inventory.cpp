#include <doctest/doctest.h>

#include <condition_variable>
#include <thread>

#include "inventory/inventory.h"
#include "unit/inventory/site.h"
#include "unit/inventory/test_clock.h"

using namespace vmcp;
using namespace vmcp::inventory;

namespace {

struct Fixture {
  FakeConnection vc;
  TestClock clock;
  Limits limits;
  std::unique_ptr<Inventory> inventory;
  Visible visible = [](const Object&) { return true; };
  CallLimits call{std::chrono::steady_clock::now() + std::chrono::seconds(30), {}};

  explicit Fixture(Limits own = {}) : limits(own) {
    fill_site(vc);
    inventory = make_inventory(clock, limits);
  }
  Result<Object> resolve(std::string_view kind, std::string_view text) {
    return inventory->resolve(vc, kind, text, visible, call);
  }
  Json list(const char* query) {
    auto answer = inventory->list(vc, Json::parse(query), visible, call);
    INFO((answer ? std::string() : answer.error().text));
    REQUIRE(answer.ok());
    return Json::parse(*answer);
  }
  Json get(std::string_view kind, std::string_view id, const std::vector<std::string>& properties) {
    auto answer = inventory->get(vc, kind, id, properties, visible, call);
    INFO((answer ? std::string() : answer.error().text));
    REQUIRE(answer.ok());
    return Json::parse(*answer);
  }
  FakeObject& object(const std::string& id) {
    for (auto& o : vc.objects) {
      if (o.id == id) return o;
    }
    FAIL("no object");
    return vc.objects.front();
  }
};

std::string ids(const Json& answer) {
  std::string out;
  for (const Json& object : answer["objects"])
    out += (out.empty() ? "" : " ") + object["id"].get<std::string>();
  return out;
}

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "an object is found by id, exact name and inventory path") {
  for (const char* text : {"vm-2", "ledger-web", "/north/vm/prod/ledger-web"}) {
    auto found = resolve("vm", text);
    REQUIRE_MESSAGE(found.ok(), text);
    CHECK(found->kind == "vm");
    CHECK(found->type == "VirtualMachine");
    CHECK(found->vcenter == "vc.example");
    CHECK(found->id == "vm-2");
    CHECK(found->name == "ledger-web");
    CHECK(found->path == "/north/vm/prod/ledger-web");
  }
}

TEST_CASE_FIXTURE(Fixture, "every kind has the path that people know") {
  auto path = [&](const char* kind, const char* id) {
    auto found = resolve(kind, id);
    REQUIRE_MESSAGE(found.ok(), id);
    return found->path;
  };
  CHECK(path("host", "host-31") == "/north/host/prod/esx1");
  CHECK(path("host", "host-33") == "/south/host/esx3/esx3");
  CHECK(path("cluster", "domain-c8") == "/north/host/prod");
  CHECK(path("cluster", "domain-s7") == "/south/host/esx3");
  CHECK(path("datastore", "ds-a") == "/north/datastore/ds-a");
  CHECK(path("network", "VM Network") == "/north/network/VM Network");
  CHECK(path("network", "dvportgroup-21") == "/north/network/pg-a");
  CHECK(path("datacenter", "south") == "/south");
  CHECK(path("folder", "group-v9") == "/north/vm/prod");
  CHECK(path("folder", "group-d1") == "/");
}

TEST_CASE_FIXTURE(Fixture, "an unknown object and one of another kind are not found") {
  for (const char* text :
       {"vm-99", "nobody", "/north/vm/ledger-web", "/", "", "ledger", "Ledger-web", "host-31"}) {
    auto found = resolve("vm", text);
    REQUIRE_FALSE_MESSAGE(found.ok(), text);
    CHECK(found.error().code == Code::not_found);
  }
  CHECK(resolve("spaceship", "vm-1").error().code == Code::invalid_argument);
  CHECK(resolve("vm", std::string(100'000, 'x')).error().text.size() < 1'000);
}

TEST_CASE_FIXTURE(Fixture, "a name that several objects have lists them with id and path") {
  auto found = resolve("vm", "ledger-db");
  REQUIRE_FALSE(found.ok());
  CHECK(found.error().code == Code::invalid_argument);
  CHECK(has(found.error().text, "vm-1 (/north/vm/prod/db/ledger-db)"));
  CHECK(has(found.error().text, "vm-3 (/south/vm/ledger-db)"));
  CHECK(resolve("vm", "/south/vm/ledger-db")->id == "vm-3");
}

TEST_CASE_FIXTURE(Fixture, "at most ten candidates are listed") {
  for (int i = 100; i < 125; ++i)
    vc.objects.push_back(machine("vm-" + std::to_string(i), "twin", "group-v3", "host-31", "poweredOn"));
  std::string error = resolve("vm", "twin").error().text;
  CHECK(has(error, "vm-109"));
  CHECK_FALSE(has(error, "vm-110"));
  CHECK(has(error, "15 more"));
}

TEST_CASE_FIXTURE(Fixture, "an id that is also another object's name is ambiguous") {
  vc.objects.push_back(machine("vm-5", "vm-2", "group-v4", "host-33", "poweredOn"));
  auto found = resolve("vm", "vm-2");
  REQUIRE_FALSE(found.ok());
  CHECK(found.error().code == Code::invalid_argument);
  CHECK(has(found.error().text, "vm-5 (/south/vm/vm-2)"));
  CHECK(has(found.error().text, "vm-2 (/north/vm/prod/ledger-web)"));
}

TEST_CASE_FIXTURE(Fixture, "what may not be seen is as if it were not there") {
  std::string absent = resolve("vm", "vm-77").error().text;
  visible = [](const Object& o) { return !o.path.starts_with("/south"); };
  auto hidden = resolve("vm", "vm-3");
  REQUIRE_FALSE(hidden.ok());
  CHECK(hidden.error().code == Code::not_found);
  std::string expected = absent;
  expected.replace(expected.find("vm-77"), 5, "vm-3");
  CHECK(hidden.error().text == expected);
  CHECK(resolve("vm", "ledger-db")->id == "vm-1");  // the other twin cannot be seen
  CHECK(inventory->find(vc, "vm", "vm-3", visible, call).error().code == Code::not_found);
  CHECK(inventory->find(vc, "vm", "vm-1", visible, call)->name == "ledger-db");
  CHECK(inventory->get(vc, "vm", "vm-3", {}, visible, call).error().text == expected);
  CHECK(ids(list(R"({"kind":"vm"})")) == "vm-4 vm-1 vm-2");
}

TEST_CASE_FIXTURE(Fixture, "names with slashes are escaped in paths and found as people write them") {
  vc.objects.push_back(machine("vm-6", "a%2fb", "group-v3", "host-31", "poweredOn"));
  CHECK(resolve("vm", "a%2fb")->path == "/north/vm/a%2fb");
  CHECK(resolve("vm", "a/b")->id == "vm-6");
  CHECK(resolve("vm", "/north/vm/a%2fb")->id == "vm-6");
}

TEST_CASE_FIXTURE(Fixture, "a VM of a vApp stands below the vApp and its folder") {
  FakeObject vapp = node("VirtualApp", "resgroup-v50", "shop", "ResourcePool", "resgroup-1");
  vapp.properties["parentFolder"] = ref("Folder", "group-v9");
  vc.objects.push_back(vapp);
  FakeObject inside{"VirtualMachine",
                    "vm-60",
                    {{"name", text("till")}, {"parentVApp", ref("VirtualApp", "resgroup-v50")}},
                    {}};
  vc.objects.push_back(inside);
  CHECK(resolve("vm", "till")->path == "/north/vm/prod/shop/till");
  CHECK(ids(list(R"({"kind":"vm","where":{"folders":["group-v9"],"names":["till"]}})")) == "vm-60");
}

TEST_CASE_FIXTURE(Fixture, "a parent that cannot be read makes an unknown path, never a shorter one") {
  vc.objects.push_back(machine("vm-7", "lost", "group-v999", "host-31", "poweredOn"));
  FakeObject orphan = node("Folder", "group-v70", "orphan", "", "");
  vc.objects.push_back(orphan);
  vc.objects.push_back(machine("vm-8", "below", "group-v70", "host-31", "poweredOn"));
  CHECK(resolve("vm", "lost")->path == "/?/lost");
  CHECK(resolve("folder", "orphan")->path == "/?/orphan");
  CHECK(resolve("vm", "below")->path == "/?/orphan/below");
}

TEST_CASE_FIXTURE(Fixture, "parents in a ring end as an unknown path") {
  vc.objects.push_back(node("Folder", "group-v71", "a", "Folder", "group-v72"));
  vc.objects.push_back(node("Folder", "group-v72", "b", "Folder", "group-v71"));
  auto found = resolve("folder", "group-v71");
  REQUIRE(found.ok());
  CHECK(found->path.starts_with("/?/"));
  CHECK(list(R"({"kind":"folder","where":{"datacenters":["datacenter-3"],"names":["a"]}})")["total"] == 0);
}

TEST_CASE_FIXTURE(Fixture, "a list is sorted by name and then id, with the answer's counts") {
  Json answer = list(R"({"kind":"vm","properties":["runtime.powerState"]})");
  CHECK(ids(answer) == "vm-4 vm-1 vm-3 vm-2");
  CHECK(answer["returned"] == 4);
  CHECK(answer["total"] == 4);
  CHECK(answer["truncated"] == false);
  CHECK_FALSE(answer.contains("next"));
  CHECK(
      answer["objects"][1] ==
      Json::parse(
          R"({"id":"vm-1","kind":"vm","type":"VirtualMachine","name":"ledger-db","path":"/north/vm/prod/db/ledger-db",
                        "properties":{"runtime.powerState":"poweredOn"}})"));
}

TEST_CASE_FIXTURE(Fixture, "filters take any value within one and all filters together") {
  auto filtered = [&](const std::string& where, const char* kind = "vm") {
    return ids(list((R"({"kind":")" + std::string(kind) + R"(","where":)" + where + "}").c_str()));
  };
  CHECK(filtered(R"({"names":["ledger-*"]})") == "vm-1 vm-3 vm-2");
  CHECK(filtered(R"({"names":["build","ledger-w?b"]})") == "vm-4 vm-2");
  CHECK(filtered(R"({"ids":["vm-2","vm-4","vm-99"]})") == "vm-4 vm-2");
  CHECK(filtered(R"({"power_states":["POWERED_ON"]})") == "vm-1 vm-3");
  CHECK(filtered(R"({"power_states":["POWERED_OFF","SUSPENDED"]})") == "vm-4 vm-2");
  CHECK(filtered(R"({"hosts":["host-31"]})") == "vm-4 vm-1");
  CHECK(filtered(R"({"clusters":["domain-c8"]})") == "vm-4 vm-1 vm-2");
  CHECK(filtered(R"({"clusters":["domain-s7"]})") == "vm-3");
  CHECK(filtered(R"({"datacenters":["datacenter-4"]})") == "vm-3");
  CHECK(filtered(R"({"folders":["group-v9"]})") == "vm-1 vm-2");
  CHECK(filtered(R"({"folders":["group-v10"]})") == "vm-1");
  CHECK(filtered(R"({"folders":["group-d1"]})") == "vm-4 vm-1 vm-3 vm-2");
  CHECK(filtered(R"({"hosts":["host-31"],"names":["ledger*"]})") == "vm-1");
  CHECK(filtered(R"({"hosts":["host-31"],"datacenters":["datacenter-4"]})") == "");
  CHECK(filtered(R"({"clusters":["domain-c8"]})", "host") == "host-31 host-32");
  CHECK(filtered(R"({"hosts":["host-33"]})", "cluster") == "domain-s7");
  CHECK(filtered(R"({"clusters":["domain-c8"]})", "cluster") == "domain-c8");
  CHECK(filtered(R"({"hosts":["host-31"]})", "datastore") == "datastore-44");
  CHECK(filtered(R"({"hosts":["host-32"]})", "datastore") == "");
  CHECK(filtered(R"({"clusters":["domain-c8"]})", "network") == "network-9");
  CHECK(filtered(R"({"datacenters":["datacenter-3"]})", "network") == "network-9 dvportgroup-21");
  CHECK(filtered(R"({"datacenters":["datacenter-3"]})", "datacenter") == "datacenter-3");
}

TEST_CASE_FIXTURE(Fixture, "a filter's own reading does not appear in the answer") {
  Json answer = list(R"({"kind":"vm","where":{"hosts":["host-31"],"power_states":["SUSPENDED"]}})");
  CHECK(ids(answer) == "vm-4");
  CHECK(answer["objects"][0]["properties"] == Json::object());
}

TEST_CASE_FIXTURE(Fixture, "pages follow each other by cursor, also across changes") {
  Json first = list(R"({"kind":"vm","limit":2})");
  CHECK(ids(first) == "vm-4 vm-1");
  CHECK(first["truncated"] == true);
  CHECK(first["total"] == 4);
  vc.objects.push_back(machine("vm-0", "aaa", "group-v3", "host-31", "poweredOn"));  // before the cursor
  std::erase_if(vc.objects, [](const FakeObject& o) { return o.id == "vm-1"; });  // the cursor's own object
  inventory->changed(vc);
  Json query = {{"kind", "vm"}, {"limit", 2}, {"cursor", first["next"]}};
  Json second = list(query.dump().c_str());
  CHECK(ids(second) == "vm-3 vm-2");
  CHECK(second["truncated"] == false);
  CHECK(second["total"] == 4);
  CHECK_FALSE(second.contains("next"));
}

TEST_CASE("no answer holds more than the most that is ever listed") {
  Limits limits;
  limits.max_listed = 3;
  Fixture f(limits);
  Json answer = f.list(R"({"kind":"vm"})");
  CHECK(answer["returned"] == 3);
  CHECK(answer["truncated"] == true);
  CHECK(f.list(R"({"kind":"vm","limit":50})")["returned"] == 3);
}

TEST_CASE_FIXTURE(Fixture,
                  "what could not be read is unavailable with fault and privilege, never just absent") {
  object("vm-1").missing["config"] = "NoPermission";
  object("vm-1").missing["parentVApp"] = "NoPermission";  // nobody asked for it
  Json answer =
      list(R"({"kind":"vm","properties":["config","runtime.powerState"],"where":{"ids":["vm-1"]}})");
  CHECK(answer["objects"][0]["unavailable"] == Json{{"config", "NoPermission System.Read"}});
  CHECK(answer["objects"][0]["properties"] == Json{{"runtime.powerState", "poweredOn"}});
  CHECK(get("vm", "vm-1", {"config"})["unavailable"] == Json{{"config", "NoPermission System.Read"}});
  CHECK_FALSE(get("vm", "vm-2", {"runtime.powerState"}).contains("unavailable"));
}

TEST_CASE_FIXTURE(Fixture, "one object is read with one retrieval and without a view") {
  get("vm", "vm-2", {});  // the tree of names is there now
  int views = vc.calls("CreateContainerView"), retrievals = vc.calls("RetrievePropertiesEx");
  Json answer = get("vm", "vm-2", {"runtime.host", "runtime.powerState", "runtime.host"});
  CHECK(answer["path"] == "/north/vm/prod/ledger-web");
  CHECK(answer["properties"] ==
        Json::parse(
            R"({"runtime.host":{"type":"HostSystem","value":"host-32"},"runtime.powerState":"poweredOff"})"));
  CHECK(vc.calls("CreateContainerView") == views);
  CHECK(vc.calls("RetrievePropertiesEx") == retrievals + 1);
  CHECK(get("network", "dvportgroup-21", {"name"})["type"] == "DistributedVirtualPortgroup");
  CHECK(inventory->get(vc, "vm", "vm-99", {}, visible, call).error().code == Code::not_found);
  CHECK(inventory->get(vc, "network", "vm-2", {}, visible, call).error().code == Code::not_found);
  CHECK(inventory->get(vc, "spaceship", "vm-2", {}, visible, call).error().code == Code::invalid_argument);
}

TEST_CASE_FIXTURE(Fixture, "a property that the type has not is refused before anything is sent") {
  auto answer = inventory->list(vc, Json::parse(R"({"kind":"vm","properties":["name","snapshots","x.y"]})"),
                                visible, call);
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == Code::invalid_argument);
  CHECK(has(answer.error().text, "'snapshots', 'x.y'"));
  CHECK(vc.calls("RetrievePropertiesEx") == 0);
  std::vector<std::string> many(Limits{}.max_properties + 1, "name");
  CHECK(inventory->get(vc, "vm", "vm-1", many, visible, call).error().code == Code::invalid_argument);
}

TEST_CASE_FIXTURE(Fixture, "a property goes only to the types that have it") {
  object("dvportgroup-21").properties["key"] = text("dvportgroup-21");
  Json answer = list(R"({"kind":"network","properties":["key"]})");
  CHECK(answer["objects"][1]["properties"] == Json{{"key", "dvportgroup-21"}});
  for (const Json& retrieval : vc.retrievals()) {
    for (const Json& set : retrieval["specSet"][0]["propSet"]) {
      bool asks = set["pathSet"].dump().find("\"key\"") != std::string::npos;
      if (asks) CHECK(set["type"] == "DistributedVirtualPortgroup");
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "every page is followed and the view is given back") {
  vc.page = 1;
  CHECK(list(R"({"kind":"vm","properties":["runtime.powerState"]})")["total"] == 4);
  CHECK(vc.calls("ContinueRetrievePropertiesEx") > 3);
  CHECK(vc.open_views() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a failure is passed on as it is and the view is given back") {
  vc.page = 1;
  vc.failing = [](const std::string& member, int count) -> std::optional<Error> {
    if (member == "ContinueRetrievePropertiesEx" && count == 2) return make_error(Code::timeout, "too slow");
    return std::nullopt;
  };
  auto answer = inventory->list(vc, Json{{"kind", "vm"}}, visible, call);
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == Code::timeout);
  CHECK(answer.error().text == "too slow");
  CHECK(vc.open_views() == 0);
  vc.failing = nullptr;
  CHECK(list(R"({"kind":"vm"})")["total"] == 4);  // a failure is not remembered
}

TEST_CASE_FIXTURE(Fixture, "a view is given back even when the call was cancelled") {
  vc.before = [&](const std::string& member) {
    if (member == "RetrievePropertiesEx") call.cancel.cancel();
  };
  CHECK_FALSE(inventory->list(vc, Json{{"kind", "vm"}}, visible, call).ok());
  CHECK(vc.open_views() == 0);
}

TEST_CASE("more objects than are read at once are an error, not a cut list") {
  Limits limits;
  limits.max_objects = 30;
  Fixture f(limits);
  for (int i = 100; i < 140; ++i)
    f.vc.objects.push_back(machine("vm-" + std::to_string(i), "m", "group-v3", "host-31", "poweredOn"));
  f.vc.page = 20;
  auto answer = f.inventory->list(f.vc, Json{{"kind", "vm"}}, f.visible, f.call);
  REQUIRE_FALSE(answer.ok());
  CHECK(has(answer.error().text, "more than 30"));
  CHECK(f.vc.calls("CancelRetrievePropertiesEx") == 1);
  CHECK(f.vc.open_views() == 0);
}

TEST_CASE_FIXTURE(Fixture, "names are remembered for a short time and forgotten after a change") {
  REQUIRE(resolve("vm", "vm-1").ok());
  int first = vc.calls("RetrievePropertiesEx");
  CHECK(first == 2);  // the tree and the VMs
  REQUIRE(resolve("vm", "vm-2").ok());
  REQUIRE(resolve("host", "host-31").ok());
  CHECK(vc.calls("RetrievePropertiesEx") == first);

  vc.objects.push_back(machine("vm-9", "new", "group-v3", "host-31", "poweredOn"));
  CHECK_FALSE(resolve("vm", "new").ok());
  inventory->changed(vc);
  CHECK(resolve("vm", "new").ok());

  int second = vc.calls("RetrievePropertiesEx");
  clock.advance(2'001);
  CHECK(resolve("vm", "new").ok());
  CHECK(vc.calls("RetrievePropertiesEx") == second + 2);
}

TEST_CASE_FIXTURE(Fixture, "property values are never remembered") {
  CHECK(list(R"({"kind":"vm","properties":["runtime.powerState"],"where":{"ids":["vm-1"]}})")
            ["objects"][0]["properties"]["runtime.powerState"] == "poweredOn");
  object("vm-1").properties["runtime.powerState"] = boxed("VirtualMachinePowerState", "poweredOff");
  CHECK(list(R"({"kind":"vm","properties":["runtime.powerState"],"where":{"ids":["vm-1"]}})")
            ["objects"][0]["properties"]["runtime.powerState"] == "poweredOff");
}

TEST_CASE_FIXTURE(Fixture, "an object in a folder that is younger than the tree has its path") {
  REQUIRE(resolve("folder", "prod").ok());
  clock.advance(1);
  vc.objects.push_back(node("Folder", "group-v80", "fresh", "Folder", "group-v3"));
  vc.objects.push_back(machine("vm-80", "newborn", "group-v80", "host-31", "poweredOn"));
  CHECK(get("vm", "vm-80", {})["path"] == "/north/vm/fresh/newborn");
}

TEST_CASE_FIXTURE(Fixture, "identical reads at the same time share one traversal") {
  REQUIRE(resolve("folder", "prod").ok());
  const int before = vc.calls("RetrievePropertiesEx");
  constexpr int kCallers = 8;
  constexpr int kLeaderAsks = 3;  // how often the one who reads looks at the clock before it makes the view
  const int asked = clock.asked();
  vc.before = [&](const std::string& member) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (member == "CreateContainerView" && clock.asked() < asked + kLeaderAsks + kCallers - 1 &&
           std::chrono::steady_clock::now() < give_up)
      std::this_thread::yield();
  };
  std::atomic<int> good{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&, i] {
      Visible own = [i](const Object& o) { return i % 2 == 0 || o.id != "vm-1"; };  // filtered per caller
      auto answer =
          inventory->list(vc, Json::parse(R"({"kind":"vm","properties":["runtime.powerState"]})"), own, call);
      if (answer && Json::parse(*answer)["total"] == (i % 2 == 0 ? 4 : 3)) ++good;
    });
  }
  for (auto& caller : callers) caller.join();
  CHECK(good == kCallers);
  // One who was stopped between the clock and the flight may come too late and read on their own.
  CHECK(vc.calls("RetrievePropertiesEx") <= before + 2);
}

TEST_CASE_FIXTURE(Fixture, "a read that began before a change does not answer after it") {
  REQUIRE(resolve("vm", "vm-1").ok());
  clock.advance(5'000);
  bool changed = false;
  vc.before = [&](const std::string& member) {
    if (member != "DestroyView" || changed) return;
    changed = true;  // the tree has been read; now somebody changes the world
    vc.objects.push_back(machine("vm-9", "late", "group-v3", "host-31", "poweredOn"));
    inventory->changed(vc);
  };
  (void)resolve("vm", "vm-1");
  CHECK(changed);
  CHECK(resolve("vm", "late").ok());
}

TEST_CASE_FIXTURE(Fixture, "the requests are as the property collector wants them") {
  list(R"({"kind":"vm","properties":["name"]})");
  for (const Json& retrieval : vc.retrievals()) {
    CHECK(retrieval["options"]["_typeName"] == "RetrieveOptions");
    const Json& filter = retrieval["specSet"][0];
    CHECK(filter["_typeName"] == "PropertyFilterSpec");
    for (const Json& set : filter["propSet"]) CHECK(set["_typeName"] == "PropertySpec");
    for (const Json& set : filter["objectSet"]) {
      CHECK(set["_typeName"] == "ObjectSpec");
      CHECK(set["obj"]["_typeName"] == "ManagedObjectReference");
      if (set.contains("selectSet")) CHECK(set["selectSet"][0]["_typeName"] == "TraversalSpec");
    }
  }
}
