// Facts over the real client and the embedded vCenter, in both dialects.
#include "unit/inventory/live.h"

using namespace vmcp;
using namespace vmcp::inventory;

namespace {

struct LiveFacts : Live {
  using Live::Live;

  // A VM whose inventory path has this part.
  Object vm_in(const char* part) {
    const Json all = list({{"kind", "vm"}});
    for (const Json& entry : all["objects"]) {
      if (entry["path"].get<std::string>().find(part) == std::string::npos) continue;
      auto found = inventory->find(*connection, "vm", entry["id"].get<std::string>(), everything, call);
      REQUIRE(found.ok());
      return *found;
    }
    FAIL("no VM there");
    return {};
  }
  Result<std::vector<Facts>> ask(const Object& of, const FactsWanted& wanted) {
    return inventory->facts(*connection, {&of}, wanted, call);
  }
  std::set<std::string, std::less<>> tags_of(const Object& of) {
    FactsWanted wanted;
    wanted.tags = {"env/prod", "env/test", "env/dev"};
    auto got = ask(of, wanted);
    INFO((got ? std::string() : got.error().text + " " + got.error().detail));
    REQUIRE(got.ok());
    return got->front().tags;
  }
  Json send(const char* method, const std::string& path, const Json& body = nullptr) {
    const std::string text = body.is_null() ? "" : body.dump();
    const auto reply = connection->automation({method, path, text}, call);
    REQUIRE_MESSAGE(reply.ok(), (reply.error ? reply.error->text : ""));
    return reply.body.empty() ? Json() : Json::parse(reply.body);
  }
  std::string tag_named(const std::string& name) {
    for (const Json& id : send("GET", "/api/cis/tagging/tag")) {
      if (send("GET", "/api/cis/tagging/tag/" + id.get<std::string>())["name"] == name) return id;
    }
    FAIL("no such tag");
    return {};
  }
};

constexpr vcenter::ApiMode kModes[] = {vcenter::ApiMode::api, vcenter::ApiMode::rest};

}  // namespace

TEST_CASE("the tags of VMs fit their folders, in both dialects") {
  for (const auto mode : kModes) {
    CAPTURE(static_cast<int>(mode));
    LiveFacts live(mode);
    using Tags = std::set<std::string, std::less<>>;
    CHECK(live.tags_of(live.vm_in("/Production/")) == Tags{"env/prod"});
    CHECK(live.tags_of(live.vm_in("/Staging/")) == Tags{"env/test"});
    CHECK(live.tags_of(live.vm_in("/Development/")) == Tags{"env/dev"});
    CHECK(live.tags_of(live.vm_in("/Templates/")).empty());
  }
}

TEST_CASE(
    "a tag that is taken away is seen within the cache's age, and one that is made and attached as well") {
  for (const auto mode : kModes) {
    CAPTURE(static_cast<int>(mode));
    LiveFacts live(mode);
    constexpr milliseconds kAge{50};
    live.inventory = make_inventory(live.clock, {kAge});
    const Object vm = live.vm_in("/Production/");
    REQUIRE(live.tags_of(vm).contains("env/prod"));
    const Json object = {{"object_id", {{"type", "VirtualMachine"}, {"id", vm.id}}}};
    live.send("POST", "/api/cis/tagging/tag-association/" + live.tag_named("prod") + "?action=detach",
              object);
    const auto give_up = std::chrono::steady_clock::now() + kAge + std::chrono::seconds(10);
    bool seen = false;
    while (!seen && std::chrono::steady_clock::now() < give_up) seen = live.tags_of(vm).empty();
    CHECK(seen);

    const Json category = live.send("POST", "/api/cis/tagging/category",
                                    {{"name", "owner/team"},
                                     {"description", ""},
                                     {"cardinality", "MULTIPLE"},
                                     {"associable_types", Json::array()}});
    const Json tag = live.send("POST", "/api/cis/tagging/tag",
                               {{"name", "blue"}, {"description", ""}, {"category_id", category}});
    live.send("POST", "/api/cis/tagging/tag-association/" + tag.get<std::string>() + "?action=attach",
              object);
    live.inventory->changed(*live.connection);
    FactsWanted wanted;
    wanted.tags = {"owner/team/blue", "owner/team/red"};
    auto got = live.ask(vm, wanted);
    REQUIRE(got.ok());
    CHECK(got->front().tags == std::set<std::string, std::less<>>{"owner/team/blue"});
  }
}

TEST_CASE("power and cluster are what the vCenter says now") {
  LiveFacts live;
  const Object vm = live.vm_in("/Production/");
  FactsWanted wanted;
  wanted.power = wanted.cluster = true;
  auto before = live.ask(vm, wanted);
  REQUIRE(before.ok());
  REQUIRE(before->front().cluster.has_value());
  const bool on = before->front().power == "POWERED_ON";
  live.send("POST", "/api/vcenter/vm/" + vm.id + "/power?action=" + (on ? "stop" : "start"));
  auto after = live.ask(vm, wanted);
  REQUIRE(after.ok());
  CHECK(after->front().power == (on ? "POWERED_OFF" : "POWERED_ON"));

  // The cluster is the one that lists the VM.
  const Json clusters = live.list({{"kind", "cluster"}});
  for (const Json& cluster : clusters["objects"]) {
    const Json inside =
        live.list({{"kind", "vm"}, {"where", {{"clusters", {cluster["id"]}}, {"ids", {vm.id}}}}});
    CHECK((cluster["path"] == *before->front().cluster) == (inside["total"] == 1));
  }
}

TEST_CASE("the table of a whole vCenter says what is said of each VM") {
  for (const auto mode : kModes) {
    CAPTURE(static_cast<int>(mode));
    LiveFacts live(mode);
    FactsWanted wanted;
    wanted.power = wanted.cluster = true;
    wanted.tags = {"env/prod", "env/dev"};
    auto all = live.inventory->all_facts(*live.connection, wanted, live.call);
    REQUIRE(all.ok());
    std::vector<Object> vms;
    const Json listed = live.list({{"kind", "vm"}});
    for (const Json& entry : listed["objects"])
      vms.push_back(*live.inventory->find(*live.connection, "vm", entry["id"].get<std::string>(),
                                          live.everything, live.call));
    std::vector<const Object*> pointers;
    for (const Object& vm : vms) pointers.push_back(&vm);
    auto facts = live.inventory->facts(*live.connection, pointers, wanted, live.call);
    REQUIRE(facts.ok());
    for (std::size_t i = 0; i < vms.size(); ++i) {
      const Facts got = (*all)->of(vms[i]);
      CHECK(got.known);
      CHECK(got.power == (*facts)[i].power);
      CHECK(got.cluster == (*facts)[i].cluster);
      CHECK(got.tags == (*facts)[i].tags);
    }
  }
}

TEST_CASE("a tagging service that is denied or down is an error, in both dialects") {
  for (const auto mode : kModes) {
    CAPTURE(static_cast<int>(mode));
    for (const char* part : {"*/cis/tagging/category", "*/cis/tagging/category/*", "*/cis/tagging/tag/*",
                             "*list-tags-for-category*", "*list-attached-objects-on-tags"}) {
      CAPTURE(part);
      const auto rule = [&](int status) {
        return Json{{"path", part}, {"count", 4}, {"status", status}}
            .dump();  // one request and its repetitions
      };
      FactsWanted wanted;
      wanted.tags = {"env/prod"};
      LiveFacts denied(mode, {rule(403)});
      const Object vm = denied.vm_in("/Production/");
      auto refused = denied.ask(vm, wanted);
      REQUIRE_FALSE(refused.ok());
      CHECK(refused.error().text.find("tags that a rule depends on could not be read") != std::string::npos);
      LiveFacts down(mode, {rule(503)});
      CHECK(down.ask(vm, wanted).error().code == Code::unavailable);
      CHECK(down.tags_of(vm).contains("env/prod"));  // a failure is not remembered
    }
  }
}

TEST_CASE("the tagging service refuses as documented, in both dialects") {
  for (const auto mode : kModes) {
    CAPTURE(static_cast<int>(mode));
    LiveFacts live(mode);
    const Object vm = live.vm_in("/Production/");
    const std::string test = live.tag_named("test"), path = "/api/cis/tagging/";
    const auto refusal = [&](const char* method, const std::string& target, const Json& body) {
      const std::string text = body.is_null() ? "" : body.dump();
      const auto reply = live.connection->automation({method, target, text}, live.call);
      REQUIRE_FALSE(reply.ok());
      return reply.http_status;
    };
    const Json object = {{"object_id", {{"type", "VirtualMachine"}, {"id", vm.id}}}};
    const Json tag = {{"name", "x"}, {"description", ""}, {"category_id", "nobody"}};
    CHECK(refusal("POST", path + "tag-association/" + test + "?action=attach", object) == 400);
    CHECK(refusal("POST", path + "tag-association/nobody?action=detach", object) == 404);
    CHECK(refusal("GET", path + "tag/nobody", nullptr) == 404);
    CHECK(refusal("GET", path + "category/nobody", nullptr) == 404);
    CHECK(refusal("POST", path + "tag", tag) == 404);
    CHECK(refusal("POST", path + "tag?action=list-tags-for-category", {{"category_id", "nobody"}}) == 404);
    CHECK(refusal("POST", path + "category",
                  {{"name", "env"},
                   {"description", ""},
                   {"cardinality", "SINGLE"},
                   {"associable_types", Json::array()}}) == 400);
  }
}

TEST_CASE("a VM that is deleted is no object of facts any more") {
  LiveFacts live;
  const Object vm = live.vm_in("/Production/");
  FactsWanted wanted;
  wanted.power = true;
  if (live.ask(vm, wanted)->front().power != "POWERED_OFF")
    live.send("POST", "/api/vcenter/vm/" + vm.id + "/power?action=stop");
  live.send("DELETE", "/api/vcenter/vm/" + vm.id);
  CHECK(live.ask(vm, wanted).error().code == Code::not_found);
}
