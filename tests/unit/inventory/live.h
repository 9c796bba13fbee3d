// The inventory over the real client and the embedded vCenter, on real sockets. At the end, every exchange is
// held against the official documents.
#pragma once

#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "base/crypto.h"
#include "contract/exchange_check.h"
#include "inventory/inventory.h"
#include "simulator/simulator.h"
#include "vcenter/client.h"

namespace vmcp::inventory {

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

  static simulator::Settings small_pages(const std::string& record, std::vector<std::string> faults) {
    simulator::Settings settings;
    settings.page_size = 7;
    settings.record_file = record;
    settings.faults = std::move(faults);
    return settings;
  }

  explicit Live(vcenter::ApiMode mode = vcenter::ApiMode::api, std::vector<std::string> faults = {})
      : vcenter(small_pages(record, std::move(faults)), log) {
    REQUIRE(vcenter.start().ok());
    vcenter::Settings settings;
    settings.hosts = {"127.0.0.1:" + std::to_string(vcenter.port())};
    settings.user = simulator::Settings{}.user;
    settings.password = simulator::Settings{}.password;
    settings.plain_http = true;
    settings.mode = mode;
    settings.backoff_s = 0.01;
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

}  // namespace vmcp::inventory
