#include "unit/plugins/support.h"

using namespace vmcp::test;

namespace {

void add(FakeHost& host, const char* name, std::int64_t capacity, std::int64_t free, Json uncommitted,
         bool accessible = true) {
  Json summary{{"type", "VMFS"}, {"capacity", capacity}, {"freeSpace", free}, {"accessible", accessible}};
  if (!uncommitted.is_null()) summary["uncommitted"] = std::move(uncommitted);
  host.add_object("datastore", name, name, {{"summary", std::move(summary)}});
}

Json names(const Json& items) {
  Json out = Json::array();
  for (const Json& item : items) out.push_back(item["name"]);
  return out;
}

}  // namespace

TEST_CASE("get_datastore_usage: tells used and provisioned space, and sorts by risk") {
  FakeHost host(plugin_file("inventory"));
  add(host, "calm", 1000, 900, 0);
  add(host, "promised", 1000, 600, 1600);  // 40 % used, 200 % provisioned
  add(host, "full", 1000, 50, 0);
  add(host, "fuller", 1000, 20, 0);
  add(host, "filling", 1000, 200, 0);
  add(host, "lost", 1000, 999, 0, false);
  const Outcome outcome = host.call("get_datastore_usage", Json::object());
  check_answer(host, "get_datastore_usage", outcome);
  const Json& list = outcome.json["datastores"];
  CHECK(names(list) == Json({"lost", "fuller", "full", "filling", "promised", "calm"}));
  CHECK(list[0]["risk"] == "unknown");
  CHECK(!list[0].contains("used"));
  CHECK(list[0].contains("unavailable"));
  CHECK(list[1]["risk"] == "critical");
  CHECK(list[3]["risk"] == "warning");
  CHECK(list[4]["used"] == 400);
  CHECK(list[4]["percent_used"] == 40.0);
  CHECK(list[4]["provisioned"] == 2000);
  CHECK(list[4]["percent_provisioned"] == 200.0);
  CHECK(list[4]["overcommitted"] == true);
  CHECK(list[5]["risk"] == "ok");
}

TEST_CASE("get_datastore_usage: totals leave out what cannot be measured, and say so") {
  FakeHost host(plugin_file("inventory"));
  add(host, "a", 1000, 600, 100);
  add(host, "b", 3000, 1400, 0);
  add(host, "lost", 5000, 0, 0, false);
  const Outcome outcome = host.call("get_datastore_usage", Json::object());
  check_answer(host, "get_datastore_usage", outcome);
  const Json& summary = outcome.json["summary"];
  CHECK(summary["capacity"] == 4000);
  CHECK(summary["used"] == 2000);
  CHECK(summary["percent_used"] == 50.0);
  CHECK(summary["provisioned"] == 2100);
  CHECK(summary["by_risk"]["unknown"] == 1);
  CHECK(mentions(summary["notes"].dump(), "1 datastore(s) could not be measured"));
}

TEST_CASE("get_datastore_usage: provisioned space that vCenter does not tell is absent, not equal to used") {
  FakeHost host(plugin_file("inventory"));
  add(host, "a", 1000, 600, nullptr);
  const Outcome outcome = host.call("get_datastore_usage", Json::object());
  check_answer(host, "get_datastore_usage", outcome);
  CHECK(!outcome.json["datastores"][0].contains("provisioned"));
  CHECK(!outcome.json["summary"].contains("provisioned"));
  CHECK(mentions(outcome.json["summary"]["notes"].dump(), "provisioned is left out"));
}

TEST_CASE("get_datastore_usage: sorts over all pages of the inventory and cuts afterwards") {
  FakeHost host(plugin_file("inventory"));
  host.set_page_size(2);
  for (const char* name : {"a", "b", "c", "d"}) add(host, name, 1000, 900, 0);
  add(host, "e-full", 1000, 1, 0);
  const Outcome outcome = host.call("get_datastore_usage", {{"limit", 2}});
  check_answer(host, "get_datastore_usage", outcome);
  CHECK(outcome.json["datastores"][0]["name"] == "e-full");
  CHECK(outcome.json["count"] == 2);
  CHECK(outcome.json["total"] == 5);
  CHECK(outcome.json["truncated"] == true);
  CHECK(outcome.json["summary"]["capacity"] == 5000);
}

TEST_CASE("get_datastore_usage: a datastore that may not be read is listed with the reason") {
  FakeHost host(plugin_file("inventory"));
  host.add_object("datastore", "datastore-1", "secret", Json::object());
  host.mark_unavailable("datastore-1", {{"summary", "NoPermission System.Read"}});
  const Outcome outcome = host.call("get_datastore_usage", Json::object());
  check_answer(host, "get_datastore_usage", outcome);
  CHECK(outcome.json["datastores"][0]["risk"] == "unknown");
  CHECK(mentions(outcome.json["datastores"][0]["unavailable"].dump(), "NoPermission"));
}
