// The same inventory over the real client and the embedded vCenter, on real sockets.
#include <set>

#include "unit/inventory/live.h"

using namespace vmcp;
using namespace vmcp::inventory;

TEST_CASE_FIXTURE(Live, "every kind of a vCenter is listed with paths from the root") {
  const std::set<std::string> areas = {"vm", "host", "datastore", "network"};
  for (const char* kind : {"vm", "host", "datastore", "network", "datacenter", "cluster", "folder"}) {
    Json answer = list({{"kind", kind}});
    CHECK_MESSAGE(answer["total"] > 0, kind);
    for (const Json& object : answer["objects"]) {
      auto path = object["path"].get<std::string>();
      CHECK_MESSAGE(path.starts_with("/"), path);
      CHECK_MESSAGE(!path.starts_with("/?"), path);
      auto found = inventory->resolve(*connection, kind, path, everything, call);
      REQUIRE_MESSAGE(found.ok(), path);
      CHECK(found->id == object["id"]);
    }
  }
}

TEST_CASE_FIXTURE(Live, "listed properties are those of one object read alone") {
  const std::vector<std::string> paths = {"runtime.host", "config.hardware.numCPU",
                                          "summary.config.memorySizeMB"};
  Json answer = list({{"kind", "vm"}, {"properties", paths}, {"limit", 5}});
  CHECK(answer["returned"] == 5);
  CHECK(answer["truncated"] == true);
  for (const Json& object : answer["objects"]) {
    auto one = inventory->get(*connection, "vm", object["id"].get<std::string>(), paths, everything, call);
    REQUIRE(one.ok());
    CHECK(Json::parse(*one) == object);
    CHECK(object["properties"].size() == paths.size());
  }
}

TEST_CASE_FIXTURE(Live, "pages by cursor give every VM once") {
  std::set<std::string> seen;
  Json query = {{"kind", "vm"}, {"limit", 17}};
  for (int page = 0; page < 100; ++page) {
    Json answer = list(query);
    for (const Json& object : answer["objects"]) CHECK(seen.insert(object["id"]).second);
    if (!answer["truncated"]) {
      CHECK(seen.size() == answer["total"].get<std::size_t>());
      return;
    }
    query["cursor"] = answer["next"];
  }
  FAIL("the pages never ended");
}

TEST_CASE_FIXTURE(Live, "clusters share out the VMs without rest or overlap") {
  const Json everyone = list({{"kind", "vm"}});
  const Json clusters = list({{"kind", "cluster"}});
  std::size_t sum = 0;
  for (const Json& cluster : clusters["objects"])
    sum += list({{"kind", "vm"}, {"where", {{"clusters", {cluster["id"]}}}}})["total"].get<std::size_t>();
  CHECK(sum == everyone["total"].get<std::size_t>());
}

TEST_CASE_FIXTURE(Live, "an object that vCenter does not know is not found") {
  CHECK(inventory->get(*connection, "vm", "vm-99999", {"name"}, everything, call).error().code ==
        Code::not_found);
  CHECK(inventory->resolve(*connection, "vm", "nobody", everything, call).error().code == Code::not_found);
}
