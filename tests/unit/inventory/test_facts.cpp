// What rules ask of objects, over canned answers: every way in which one may not be known.
#include <doctest/doctest.h>

#include <thread>

#include "inventory/inventory.h"
#include "inventory/tags.h"
#include "unit/inventory/site.h"
#include "unit/inventory/test_clock.h"

using namespace vmcp;
using namespace vmcp::inventory;

namespace {

constexpr auto kPower = [] {
  FactsWanted out;
  out.power = true;
  return out;
};
constexpr auto kCluster = [] {
  FactsWanted out;
  out.cluster = true;
  return out;
};
FactsWanted tagged(std::vector<std::string> tags) {
  FactsWanted out;
  out.tags = std::move(tags);
  return out;
}

// A tagging service: names by id, the tags of each category, the objects of each tag.
struct FakeTags {
  std::map<std::string, std::string> names;
  std::map<std::string, std::vector<std::string>> categories, objects;
  std::vector<std::string> requests;
  std::optional<Error> failure;
  std::string instead;  // answers everything, if set

  vcenter::Reply answer(const vcenter::AutomationRequest& request) {
    requests.push_back(std::string(request.method) + " " + std::string(request.path));
    if (failure) return FakeConnection::fail(*failure);
    if (!instead.empty()) return FakeConnection::good(instead);
    const Json body = request.body.empty() ? Json() : Json::parse(request.body);
    Json out = Json::array();
    if (request.path == "/api/cis/tagging/category") {
      for (const auto& [id, tags] : categories) out.push_back(id);
    } else if (request.path == "/api/cis/tagging/tag?action=list-tags-for-category") {
      out = categories.at(body["category_id"].get<std::string>());
    } else if (request.path == "/api/cis/tagging/tag-association?action=list-attached-objects-on-tags") {
      for (const Json& tag : body["tag_ids"]) {
        Json ids = Json::array();
        for (const auto& id : objects[tag]) ids.push_back({{"id", id}, {"type", "VirtualMachine"}});
        out.push_back({{"tag_id", tag}, {"object_ids", ids}});
      }
    } else {
      const std::string id(request.path.substr(request.path.rfind('/') + 1));
      out = {{"id", id}, {"name", names.at(id)}};
    }
    return FakeConnection::good(out.dump());
  }
};

struct FactsFixture {
  FakeConnection vc;
  FakeTags tags;
  TestClock clock;
  Limits limits;
  std::unique_ptr<Inventory> inventory = make_inventory(clock, limits);
  CallLimits call{std::chrono::steady_clock::now() + std::chrono::seconds(30), {}};

  FactsFixture() {
    fill_site(vc);
    tags.names = {{"c1", "env"}, {"c2", "a/b"}, {"t1", "prod"}, {"t2", "test"}, {"t3", "c/d"}};
    tags.categories = {{"c1", {"t1", "t2"}}, {"c2", {"t3"}}};
    tags.objects = {{"t1", {"vm-1", "host-31"}}, {"t2", {"vm-2"}}, {"t3", {"vm-1"}}};
    vc.automate = [this](const vcenter::AutomationRequest& request) { return tags.answer(request); };
  }

  Object object(const char* kind, const char* id) {
    auto found = inventory->find(
        vc, kind, id, [](const Object&) { return true; }, call);
    REQUIRE_MESSAGE(found.ok(), id);
    return *found;
  }
  FakeObject& canned(const std::string& id) {
    return *std::find_if(vc.objects.begin(), vc.objects.end(), [&](const auto& o) { return o.id == id; });
  }
  Result<std::vector<Facts>> ask(const std::vector<Object>& objects, const FactsWanted& wanted) {
    std::vector<const Object*> pointers;
    for (const Object& one : objects) pointers.push_back(&one);
    return inventory->facts(vc, pointers, wanted, call);
  }
  Facts one(const Object& of, const FactsWanted& wanted) {
    auto got = ask({of}, wanted);
    INFO((got ? std::string() : got.error().text));
    REQUIRE(got.ok());
    return got->front();
  }
  Error refused(const Object& of, const FactsWanted& wanted) {
    auto got = ask({of}, wanted);
    REQUIRE_FALSE(got.ok());
    return got.error();
  }
  std::shared_ptr<const FactTable> table(const FactsWanted& wanted) {
    auto got = inventory->all_facts(vc, wanted, call);
    INFO((got ? std::string() : got.error().text));
    REQUIRE(got.ok());
    return *got;
  }
};

bool mentions(const Error& error, const char* part) {
  return error.text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE_FIXTURE(FactsFixture, "facts come in the order of the objects, from one request for all of them") {
  const std::vector<Object> all = {object("vm", "vm-4"), object("folder", "group-v9"), object("vm", "vm-1"),
                                   object("host", "host-31")};
  canned("host-31").properties["runtime.powerState"] = boxed("HostSystemPowerState", "standBy");
  const int before = vc.calls("RetrievePropertiesEx");
  FactsWanted wanted = kPower();
  wanted.cluster = true;
  auto got = ask(all, wanted);
  REQUIRE(got.ok());
  REQUIRE(got->size() == 4);
  CHECK((*got)[0].power == "SUSPENDED");
  CHECK_FALSE((*got)[1].power.has_value());
  CHECK_FALSE((*got)[1].cluster.has_value());
  CHECK((*got)[2].power == "POWERED_ON");
  CHECK((*got)[2].cluster == "/north/host/prod");
  CHECK((*got)[3].power == "STANDBY");
  CHECK((*got)[3].cluster == "/north/host/prod");
  CHECK(vc.calls("RetrievePropertiesEx") == before + 1);
  const Json request = vc.retrievals().back()["specSet"][0];
  CHECK(request["objectSet"].size() == 3);  // of these objects, not of the inventory
}

TEST_CASE_FIXTURE(FactsFixture, "nothing wanted is nothing read") {
  const Object vm = object("vm", "vm-1");
  const int before = vc.calls("RetrievePropertiesEx");
  CHECK(FactsWanted{}.none());
  CHECK_FALSE(one(vm, {}).power.has_value());
  CHECK(ask({}, kPower())->empty());
  CHECK(ask({}, tagged({"env/prod"}))->empty());
  CHECK(vc.calls("RetrievePropertiesEx") == before);
  CHECK(tags.requests.empty());
}

TEST_CASE_FIXTURE(FactsFixture, "a VM on a standalone host is in no cluster") {
  CHECK_FALSE(one(object("vm", "vm-3"), kCluster()).cluster.has_value());
  CHECK_FALSE(one(object("cluster", "domain-s7"), kCluster()).cluster.has_value());
  CHECK(one(object("cluster", "domain-c8"), kCluster()).cluster == "/north/host/prod");
  CHECK_FALSE(one(object("datastore", "datastore-44"), kCluster()).cluster.has_value());
}

TEST_CASE_FIXTURE(FactsFixture, "a power change is seen at once, and a move to another host as well") {
  const Object vm = object("vm", "vm-1");
  CHECK(one(vm, kPower()).power == "POWERED_ON");
  canned("vm-1").properties["runtime.powerState"] = boxed("VirtualMachinePowerState", "poweredOff");
  canned("vm-1").properties["runtime.host"] = ref("HostSystem", "host-33");
  CHECK(one(vm, kPower()).power == "POWERED_OFF");
  CHECK_FALSE(one(vm, kCluster()).cluster.has_value());
}

TEST_CASE_FIXTURE(FactsFixture, "a host that is younger than the tree is looked up in a new one") {
  const Object vm = object("vm", "vm-1");
  clock.advance(1);
  vc.objects.push_back(node("ClusterComputeResource", "domain-c90", "late", "Folder", "group-h3"));
  vc.objects.push_back(node("HostSystem", "host-91", "esx91", "ClusterComputeResource", "domain-c90"));
  canned("vm-1").properties["runtime.host"] = ref("HostSystem", "host-91");
  CHECK(one(vm, kCluster()).cluster == "/north/host/late");
}

TEST_CASE_FIXTURE(FactsFixture, "what cannot be read is an error, never an absent fact") {
  const Object vm = object("vm", "vm-1"), host = object("host", "host-31");
  auto& canned_vm = canned("vm-1");
  canned_vm.properties.erase("runtime.powerState");
  CHECK(refused(vm, kPower()).code == Code::unavailable);
  canned_vm.missing["runtime.powerState"] = "NoPermission";
  const Error power = refused(vm, kPower());
  CHECK(mentions(power, "power state of 'ledger-db' (vm-1)"));
  CHECK(mentions(power, "runtime.powerState: NoPermission System.Read"));
  CHECK(refused(host, kPower()).code == Code::unavailable);  // this host says nothing
  canned("host-31").properties["runtime.powerState"] = boxed("HostSystemPowerState", "unknown");
  CHECK(refused(host, kPower()).code == Code::unavailable);

  canned_vm.properties["runtime.host"] = ref("HostSystem", "host-999");  // one that we may not see
  CHECK(mentions(refused(vm, kCluster()), "cluster of 'ledger-db'"));
  canned_vm.properties.erase("runtime.host");
  canned_vm.missing["runtime.host"] = "NoPermission";
  CHECK(mentions(refused(vm, kCluster()), "runtime.host: NoPermission"));
  vc.objects.push_back(node("HostSystem", "host-72", "esx9", "ClusterComputeResource", "domain-c999"));
  inventory->changed(vc);
  CHECK(mentions(refused(object("host", "host-72"), kCluster()), "cluster of 'esx9'"));
}

TEST_CASE_FIXTURE(FactsFixture, "an object that is gone is an error for all") {
  const std::vector<Object> two = {object("vm", "vm-1"), object("vm", "vm-2")};
  std::erase_if(vc.objects, [](const FakeObject& o) { return o.id == "vm-2"; });
  CHECK(ask(two, kPower()).error().code == Code::not_found);
}

TEST_CASE_FIXTURE(FactsFixture, "a failed reading is an error") {
  const Object vm = object("vm", "vm-1");
  vc.failing = [](const std::string&, int) { return make_error(Code::timeout, "too slow"); };
  CHECK(refused(vm, kPower()).code == Code::timeout);
  CHECK(inventory->all_facts(vc, kPower(), call).error().code == Code::timeout);
}

TEST_CASE_FIXTURE(FactsFixture, "tags are those that are wanted and attached to the object itself") {
  const FactsWanted wanted = tagged({"env/prod", "env/test", "a/b/c/d", "env/none", "no/thing", "plain"});
  using Tags = std::set<std::string, std::less<>>;
  CHECK(one(object("vm", "vm-1"), wanted).tags == Tags{"a/b/c/d", "env/prod"});
  CHECK(one(object("vm", "vm-2"), wanted).tags == Tags{"env/test"});
  CHECK(one(object("vm", "vm-4"), wanted).tags.empty());  // its host has one
  CHECK(one(object("host", "host-31"), wanted).tags == Tags{"env/prod"});
  CHECK(one(object("vm", "vm-1"), tagged({"env/test"})).tags.empty());
  CHECK(table(wanted)->absent_tags() == Tags{"env/none", "no/thing", "plain"});
  CHECK(table(kPower())->absent_tags().empty());
}

TEST_CASE_FIXTURE(FactsFixture, "a tag that nobody has made is attached to nothing") {
  CHECK(one(object("vm", "vm-1"), tagged({"env/none"})).tags.empty());
  tags.categories.clear();
  inventory->changed(vc);
  CHECK(one(object("vm", "vm-1"), tagged({"env/prod"})).tags.empty());
  tags.instead = "null";
  inventory->changed(vc);
  CHECK(one(object("vm", "vm-1"), tagged({"env/prod"})).tags.empty());
}

TEST_CASE_FIXTURE(FactsFixture, "attachments are remembered shortly, names longer, and both not for ever") {
  const Object vm = object("vm", "vm-1");
  CHECK(one(vm, tagged({"env/prod"})).tags.size() == 1);
  CHECK(tags.requests.size() == 7);  // categories, their two names, the tags of env, their names, attachments
  CHECK(one(vm, tagged({"env/prod"})).tags.size() == 1);
  CHECK(tags.requests.size() == 7);
  tags.objects["t1"].clear();
  clock.advance(2'001);
  CHECK(one(vm, tagged({"env/prod"})).tags.empty());
  CHECK(tags.requests.size() == 10);  // all but the names
  tags.objects["t1"] = {"vm-1"};
  inventory->changed(vc);
  CHECK(one(vm, tagged({"env/prod"})).tags.size() == 1);
  tags.names["t1"] = "production";
  clock.advance(30'001);
  CHECK(one(vm, tagged({"env/prod"})).tags.empty());
}

TEST_CASE_FIXTURE(FactsFixture, "names that must be renewed are, however many others there are") {
  for (int i = 0; i < 100; ++i) {
    const std::string id = "b" + std::to_string(i);
    tags.categories[id] = {};
    tags.names[id] = "other" + id;
  }
  const Object vm = object("vm", "vm-1");
  CHECK(one(vm, tagged({"env/prod"})).tags.size() == 1);
  tags.requests.clear();
  clock.advance(30'001);
  (void)one(vm, tagged({"env/prod"}));
  CHECK(tags.requests.size() == 3 + 32);  // a share of the names; the rest comes with the next readings
  tags.requests.clear();
  clock.advance(300'001);
  (void)one(vm, tagged({"env/prod"}));
  CHECK(tags.requests.size() == 3 + 104);
}

TEST_CASE_FIXTURE(FactsFixture, "a tagging service that refuses or answers nonsense is an error") {
  const Object vm = object("vm", "vm-1");
  tags.failure = make_error(Code::denied, "No permission (HTTP 403)");
  CHECK(refused(vm, tagged({"env/prod"})).code == Code::denied);
  CHECK(mentions(refused(vm, tagged({"env/prod"})), "tags that a rule depends on could not be read"));
  tags.failure = make_error(Code::not_found, "nothing here");
  CHECK(refused(vm, tagged({"env/prod"})).code == Code::unavailable);
  CHECK(inventory->all_facts(vc, tagged({"env/prod"}), call).error().code == Code::unavailable);
  tags.failure.reset();
  for (const char* nonsense : {"{}", "[7]", "\"text\"", "{broken"}) {
    tags.instead = nonsense;
    CHECK_MESSAGE(refused(vm, tagged({"env/prod"})).code == Code::unavailable, nonsense);
  }
  tags.instead.clear();
  CHECK(one(vm, tagged({"env/prod"})).tags.size() == 1);  // a failure is not remembered
}

TEST_CASE_FIXTURE(FactsFixture, "attachments of another shape than documented are an error") {
  const Object vm = object("vm", "vm-1");
  const auto usual = vc.automate;
  for (const char* nonsense :
       {R"([{"tag_id":"t1"}])", R"([{"tag_id":"other","object_ids":[]}])", R"([7])", R"({"value":[]})",
        R"([{"tag_id":"t1","object_ids":[{"type":"VirtualMachine"}]}])"}) {
    vc.automate = [&](const vcenter::AutomationRequest& request) {
      const bool last = request.path.find("list-attached") != std::string_view::npos;
      return last ? FakeConnection::good(nonsense) : usual(request);
    };
    CHECK_MESSAGE(refused(vm, tagged({"env/prod"})).code == Code::unavailable, nonsense);
  }
}

TEST_CASE_FIXTURE(FactsFixture, "more categories than are read are an error, not a cut list") {
  limits.max_tag_names = 3;
  inventory = make_inventory(clock, limits);
  const Object vm = object("vm", "vm-1");
  CHECK(mentions(refused(vm, tagged({"env/prod"})), "more than 3"));
  CHECK(one(vm, tagged({"other/thing"})).tags.empty());
}

TEST_CASE_FIXTURE(FactsFixture, "the table says of every object what facts say") {
  canned("host-31").properties["runtime.powerState"] = boxed("HostSystemPowerState", "poweredOn");
  FactsWanted wanted = tagged({"env/prod", "env/test"});
  wanted.power = wanted.cluster = true;
  const auto all = table(wanted);
  for (const auto& [kind, id] : {std::pair{"vm", "vm-1"},
                                 {"vm", "vm-2"},
                                 {"vm", "vm-3"},
                                 {"host", "host-31"},
                                 {"cluster", "domain-c8"},
                                 {"cluster", "domain-s7"},
                                 {"folder", "group-v9"}}) {
    CAPTURE(id);
    const Object what = object(kind, id);
    const Facts expected = one(what, wanted), got = all->of(what);
    CHECK(got.known);
    CHECK(got.power == expected.power);
    CHECK(got.cluster == expected.cluster);
    CHECK(got.tags == expected.tags);
  }
}

TEST_CASE_FIXTURE(FactsFixture, "the table knows what it does not know") {
  const Object vm = object("vm", "vm-1"), healthy = object("vm", "vm-2");
  canned("vm-1").properties.erase("runtime.powerState");
  canned("vm-1").properties["runtime.host"] = ref("HostSystem", "host-999");
  for (const FactsWanted& wanted : {kPower(), kCluster()}) {
    const auto all = table(wanted);
    CHECK_FALSE(all->of(vm).known);
    CHECK(all->of(healthy).known);
    Object newborn = vm;
    newborn.id = "vm-999";
    CHECK_FALSE(all->of(newborn).known);
  }
  Object lost = object("host", "host-31");
  lost.path = "/?/prod/esx1";
  lost.cluster.clear();
  CHECK_FALSE(table(kCluster())->of(lost).known);
  CHECK(table(tagged({"env/prod"}))->of(vm).known);
}

TEST_CASE_FIXTURE(FactsFixture,
                  "a table is one traversal and a second for hosts' power, kept for a short time") {
  REQUIRE(object("vm", "vm-1").id == "vm-1");
  const int before = vc.calls("RetrievePropertiesEx");
  (void)table(kCluster());
  CHECK(vc.calls("RetrievePropertiesEx") == before + 1);
  (void)table(kPower());
  CHECK(vc.calls("RetrievePropertiesEx") == before + 3);
  (void)table(kPower());
  (void)table(kCluster());
  CHECK(vc.calls("RetrievePropertiesEx") == before + 3);
  inventory->changed(vc);
  (void)table(kPower());
  CHECK(vc.calls("RetrievePropertiesEx") > before + 3);
}

TEST_CASE_FIXTURE(FactsFixture, "readers at the same time share one table and one reading of tags") {
  (void)object("vm", "vm-1");
  FactsWanted wanted = tagged({"env/prod"});
  wanted.cluster = true;
  constexpr int kReaders = 8;
  const int before = vc.calls("RetrievePropertiesEx");
  std::atomic<int> good{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < kReaders; ++i)
    readers.emplace_back([&] { good += inventory->all_facts(vc, wanted, call).ok() ? 1 : 0; });
  for (auto& reader : readers) reader.join();
  CHECK(good == kReaders);
  // The clock stands still: whoever comes late finds what the first one read.
  CHECK(vc.calls("RetrievePropertiesEx") == before + 1);
  CHECK(tags.requests.size() == 7);
}

TEST_CASE_FIXTURE(FactsFixture, "a part of an object has no facts of its own") {
  Object snapshot{"snapshot", "VirtualMachineSnapshot", "vc.example", "snapshot-1", "base", {}, "vm-1"};
  FactsWanted wanted = tagged({"env/prod"});
  wanted.power = wanted.cluster = true;
  for (const Facts& facts : {one(snapshot, wanted), table(wanted)->of(snapshot)}) {
    CHECK(facts.known);
    CHECK_FALSE(facts.power.has_value());
    CHECK_FALSE(facts.cluster.has_value());
    CHECK(facts.tags.empty());
  }
}
