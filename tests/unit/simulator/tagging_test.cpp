#include <algorithm>

#include "simulated.h"
#include "simulator/traffic.h"

namespace vmcp::simulator {
namespace {

constexpr const char* kApi = "/api/cis/tagging/";
constexpr const char* kRest = "/rest/com/vmware/cis/tagging/";

std::string category_named(Simulated& sim, const std::string& name) {
  for (const Json& id : sim.get(std::string(kApi) + "category").body) {
    if (sim.get(std::string(kApi) + "category/" + id.get<std::string>()).body["name"] == name) return id;
  }
  FAIL("no such category");
  return {};
}

std::string tag_named(Simulated& sim, const std::string& name) {
  for (const Json& id : sim.get(std::string(kApi) + "tag").body) {
    if (sim.get(std::string(kApi) + "tag/" + id.get<std::string>()).body["name"] == name) return id;
  }
  FAIL("no such tag");
  return {};
}

std::vector<std::string> attached(Simulated& sim, const std::string& tag) {
  const Json body = sim.post(std::string(kApi) + "tag-association?action=list-attached-objects-on-tags",
                             {{"tag_ids", {tag}}})
                        .body;
  REQUIRE(body.size() == 1);
  CHECK(body[0]["tag_id"] == tag);
  std::vector<std::string> out;
  for (const Json& object : body[0]["object_ids"]) out.push_back(object["id"]);
  return out;
}

Json object_id(const std::string& id, const char* type = "VirtualMachine") {
  return {{"object_id", {{"type", type}, {"id", id}}}};
}

Json category_spec(const char* name, const char* cardinality = "MULTIPLE", Json types = Json::array()) {
  return {{"name", name}, {"description", "d"}, {"cardinality", cardinality}, {"associable_types", types}};
}

}  // namespace

TEST_CASE("the seed tags each VM by its environment, and no template") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const Json env = sim.get(kApi + ("category/" + category_named(sim, "env"))).body;
  CHECK(env["cardinality"] == "SINGLE");
  std::size_t tagged = 0, machines = 0;
  for (const char* name : {"prod", "test", "dev"}) {
    const auto vms = attached(sim, tag_named(sim, name));
    CHECK_FALSE(vms.empty());
    tagged += vms.size();
    for (const std::string& vm : vms) CHECK_FALSE(sim.vm(vm)["template"]);
  }
  const Json all = sim.state()["vms"];
  for (const Json& vm : all) machines += vm["template"] ? 0 : 1;
  CHECK(tagged == machines);
  Simulated twin;
  REQUIRE(twin.login() == 201);
  CHECK(tag_named(twin, "prod") == tag_named(sim, "prod"));
}

TEST_CASE("categories and tags are made, attached and detached in the /api dialect") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const Exchanged category = sim.post("/api/cis/tagging/category", category_spec("owner"));
  CHECK(category.status == 201);
  const Exchanged tag = sim.post("/api/cis/tagging/tag",
                                 {{"name", "blue"}, {"description", ""}, {"category_id", category.body}});
  CHECK(tag.status == 201);
  const std::string id = tag.body, vm = sim.powered("POWERED_ON");
  CHECK(
      sim.post("/api/cis/tagging/tag?action=list-tags-for-category", {{"category_id", category.body}}).body ==
      Json::array({id}));
  const std::string association = "/api/cis/tagging/tag-association/" + id;
  CHECK(sim.post(association + "?action=attach", object_id(vm)).status == 204);
  CHECK(sim.post(association + "?action=attach", object_id(vm)).status == 204);  // again changes nothing
  CHECK(attached(sim, id) == std::vector<std::string>{vm});
  CHECK(sim.post(association + "?action=detach", object_id(vm)).status == 204);
  CHECK(attached(sim, id).empty());
}

TEST_CASE("the /rest dialect of tags wraps, and names ids and actions in its own way") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const std::string rest = kRest;
  const Exchanged category = sim.post(rest + "category", {{"create_spec", category_spec("owner")}});
  CHECK(category.status == 200);
  const std::string category_id = category.body["value"];
  const Exchanged tag = sim.post(
      rest + "tag", {{"create_spec", {{"name", "blue"}, {"description", ""}, {"category_id", category_id}}}});
  const std::string id = tag.body["value"], vm = sim.powered("POWERED_ON");
  CHECK(sim.get(rest + "tag/id:" + id).body["value"] == sim.get(kApi + ("tag/" + id)).body);
  CHECK(sim.get(rest + "category/id:" + category_id).body["value"]["name"] == "owner");
  CHECK(sim.get(rest + "tag/" + id).status == 404);
  CHECK(sim.post(rest + "tag/id:" + category_id + "?~action=list-tags-for-category").body["value"] ==
        Json::array({id}));
  CHECK(sim.post(rest + "tag-association/id:" + id + "?~action=attach", object_id(vm)).status == 200);
  CHECK(sim.post(rest + "tag-association?~action=list-attached-objects-on-tags", {{"tag_ids", {id}}})
            .body["value"][0]["object_ids"][0]["id"] == vm);
  CHECK(sim.post(rest + "tag-association/id:" + id + "?~action=detach", object_id(vm)).status == 200);
  CHECK(attached(sim, id).empty());
  CHECK(sim.post(rest + "category", category_spec("bare")).status == 400);
}

TEST_CASE("what may not be attached is refused") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const std::string test = "/api/cis/tagging/tag-association/" + tag_named(sim, "test") + "?action=attach";
  const std::string vm = attached(sim, tag_named(sim, "prod"))[0];
  CHECK(sim.post(test, object_id(vm)).body["error_type"] == "INVALID_ARGUMENT");  // one of "env" only
  CHECK(sim.post(test, object_id("vm-999999")).body["error_type"] == "INVALID_ARGUMENT");
  CHECK(sim.post(test, object_id(vm, "HostSystem")).body["error_type"] == "INVALID_ARGUMENT");
  const std::string network = sim.get("/api/vcenter/network").body[0]["network"];
  CHECK(sim.post(test, object_id(network, "Network")).body["error_type"] == "INVALID_ARGUMENT");
  CHECK(sim.post(test).body["error_type"] == "INVALID_ARGUMENT");
  CHECK(sim.post("/api/cis/tagging/tag-association/nobody?action=attach", object_id(vm)).status == 404);
  CHECK(sim.get("/api/cis/tagging/tag/nobody").status == 404);
  CHECK(sim.post("/api/cis/tagging/category", category_spec("env")).body["error_type"] == "ALREADY_EXISTS");
  CHECK(sim.post("/api/cis/tagging/category", category_spec("x", "SOME")).status == 400);
  CHECK(sim.post("/api/cis/tagging/category").status == 400);
  CHECK(sim.post("/api/cis/tagging/tag", {{"name", "n"}, {"description", ""}, {"category_id", "nobody"}})
            .status == 404);
}

TEST_CASE("tags need a session, privileges and the right to see the object") {
  Settings settings = instant();
  settings.accounts.push_back({"blind@vsphere.local", Secret("p"), {"VirtualMachine.*"}, {}, false});
  settings.accounts.push_back({"reader@vsphere.local", Secret("p"), {"System.*"}, {"south"}, false});
  Simulated sim(settings);
  CHECK(sim.get("/api/cis/tagging/tag").status == 401);
  CHECK(sim.get("/rest/com/vmware/cis/tagging/tag").status == 401);
  REQUIRE(sim.login() == 201);
  const std::string prod = tag_named(sim, "prod"), env = category_named(sim, "env");
  const auto everyone = attached(sim, prod);

  REQUIRE(sim.login("blind@vsphere.local", "p") == 201);
  CHECK(sim.get("/api/cis/tagging/category").body.empty());
  CHECK(sim.get("/api/cis/tagging/category/" + env).status == 403);
  CHECK(sim.get("/api/cis/tagging/tag/" + prod).status == 403);
  CHECK(sim.post("/api/cis/tagging/category", category_spec("x")).status == 403);

  REQUIRE(sim.login("reader@vsphere.local", "p") == 201);
  const auto some = attached(sim, prod);
  CHECK_FALSE(some.empty());
  CHECK(some.size() < everyone.size());
  CHECK(sim.post("/api/cis/tagging/tag-association/" + prod + "?action=detach", object_id(some[0])).status ==
        403);
}

TEST_CASE("a deleted VM is attached to nothing") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const Json off = sim.find_vm([](const Json& vm) { return vm["power"] == "POWERED_OFF"; });
  const std::string id = off["id"];
  const auto all_tags = sim.get("/api/cis/tagging/tag").body;
  const auto holds = [&] {
    return std::any_of(all_tags.begin(), all_tags.end(), [&](const Json& tag) {
      const auto objects = attached(sim, tag);
      return std::find(objects.begin(), objects.end(), id) != objects.end();
    });
  };
  CHECK(holds());
  REQUIRE(sim.send("DELETE", "/api/vcenter/vm/" + id).status == 204);
  CHECK_FALSE(holds());
}

TEST_CASE("asking for tags is counted as no change, attaching as one") {
  Simulated sim;
  REQUIRE(sim.login() == 201);
  const std::string prod = tag_named(sim, "prod");
  const std::string vm = attached(sim, prod)[0];
  sim.post("/rest/com/vmware/cis/tagging/tag/id:x?~action=list-tags-for-category");
  CHECK(sim.get("/simulator/requests").body["changing"] == 0);
  sim.post("/api/cis/tagging/tag-association/" + prod + "?action=detach", object_id(vm));
  CHECK(sim.get("/simulator/requests").body["changing"] == 1);
}

}  // namespace vmcp::simulator
