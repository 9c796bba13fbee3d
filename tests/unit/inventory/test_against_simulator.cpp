// The same inventory over the real client and the embedded vCenter, on real sockets.
#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>

#include "base/crypto.h"
#include "contract/exchange_check.h"
#include "inventory/inventory.h"
#include "simulator/simulator.h"
#include "vcenter/client.h"

using namespace vmcp;
using namespace vmcp::inventory;

namespace {

struct Live {
  SilentLog log;
  SystemClock clock;
  std::string record = "inventory-" + random_id() + ".jsonl";  // beside the test, removed at the end
  simulator::Simulator vcenter;
  std::unique_ptr<vcenter::Fleet> fleet;
  vcenter::Connection* connection = nullptr;
  std::unique_ptr<Inventory> inventory = make_inventory(clock);
  Visible everything = [](const Object&) { return true; };
  CallLimits call{std::chrono::steady_clock::now() + std::chrono::seconds(60), {}};

  static simulator::Settings small_pages(const std::string& record) {
    simulator::Settings settings;
    settings.page_size = 7;
    settings.record_file = record;
    return settings;
  }

  Live() : vcenter(small_pages(record), log) {
    REQUIRE(vcenter.start().ok());
    vcenter::Settings settings;
    settings.hosts = {"127.0.0.1:" + std::to_string(vcenter.port())};
    settings.user = simulator::Settings{}.user;
    settings.password = simulator::Settings{}.password;
    settings.plain_http = true;
    auto made = vcenter::make_fleet(settings, log);
    REQUIRE(made.ok());
    fleet = std::move(*made);
    auto found = fleet->find("");
    REQUIRE(found.ok());
    connection = *found;
  }
  ~Live() {
    fleet->close();
    vcenter.stop();
    check_record();
    std::remove(record.c_str());
  }

  // Every exchange of the test is as the official documents say.
  void check_record() const {
    auto read = [](const std::string& path) {
      std::ifstream file(path, std::ios::binary);
      std::ostringstream text;
      text << file.rdbuf();
      return parse_trusted_json(text.str());
    };
    auto facts = read(VMCP_CONTRACT_DIR "/official-facts.json");
    auto list = read(VMCP_CONTRACT_DIR "/exceptions.json");
    CHECK(facts.ok());
    CHECK(list.ok());
    if (!facts || !list) return;
    auto exceptions = contract::Exceptions::parse(*list);
    auto check = contract::ExchangeCheck::make(std::move(*facts), std::move(*exceptions));
    std::ifstream file(record, std::ios::binary);
    std::string line;
    int exchanges = 0;
    for (; std::getline(file, line); ++exchanges) {
      auto exchange = contract::parse_exchange(line);
      CHECK_MESSAGE(exchange.ok(), line);
      if (!exchange) continue;
      for (const auto& deviation : check->check(*exchange)) {
        const std::string text = deviation.operation + ": " + deviation.text;
        FAIL_CHECK(text);
      }
    }
    CHECK(exchanges > 0);
  }

  Json list(const Json& query) {
    auto answer = inventory->list(*connection, query, everything, call);
    INFO((answer ? std::string() : answer.error().text + " " + answer.error().detail));
    REQUIRE(answer.ok());
    return Json::parse(*answer);
  }
};

}  // namespace

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
