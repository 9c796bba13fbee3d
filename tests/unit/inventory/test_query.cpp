#include <doctest/doctest.h>

#include "base/crypto.h"
#include "inventory/query.h"

using namespace vmcp;
using namespace vmcp::inventory;

namespace {

Result<Query> parse(const char* text) {
  return parse_query(Json::parse(text), Limits{});
}

std::string complaint(const char* text) {
  auto query = parse(text);
  if (query) return "";
  CHECK(query.error().code == Code::invalid_argument);
  return query.error().text;
}

bool mentions(const std::string& text, const char* word) {
  return text.find(word) != std::string::npos;
}

}  // namespace

TEST_CASE("a full query is read") {
  auto query = parse(
      R"({"kind":"vm","properties":["name"],"where":{"names":["a*"],"ids":["vm-1"],"power_states":["POWERED_ON"],
    "hosts":["host-1"],"clusters":["domain-c8"],"datacenters":["datacenter-3"],"folders":["group-v4"]},"limit":7})");
  REQUIRE(query.ok());
  CHECK(query->kind->name == "vm");
  CHECK(query->properties == std::vector<std::string>{"name"});
  CHECK(query->names == std::vector<std::string>{"a*"});
  CHECK(query->hosts.contains("host-1"));
  CHECK(query->limit == 7);
  CHECK_FALSE(query->after);
}

TEST_CASE("only kind is required, and no limit means the most that is ever listed") {
  auto query = parse(R"({"kind":"folder"})");
  REQUIRE(query.ok());
  CHECK(query->limit == Limits{}.max_listed);
  CHECK(parse(R"({"kind":"vm","limit":4000000000})")->limit == Limits{}.max_listed);
  CHECK(parse(R"({"kind":"vm","where":{"names":[]}})")->names.empty());
}

TEST_CASE("a bad query names the member that is wrong") {
  CHECK(mentions(complaint("[]"), "object"));
  CHECK(mentions(complaint("{}"), "'kind'"));
  CHECK(mentions(complaint(R"({"kind":"snapshot"})"), "'kind'"));
  CHECK(mentions(complaint(R"({"kind":7})"), "'kind'"));
  CHECK(mentions(complaint(R"({"kind":"vm","filter":{}})"), "'filter'"));
  CHECK(mentions(complaint(R"({"kind":"vm","where":[]})"), "'where'"));
  CHECK(mentions(complaint(R"({"kind":"vm","where":{"name":["a"]}})"), "'where.name'"));
  CHECK(mentions(complaint(R"({"kind":"vm","where":{"names":"a"}})"), "'where.names'"));
  CHECK(mentions(complaint(R"({"kind":"vm","where":{"ids":[7]}})"), "'where.ids'"));
  CHECK(mentions(complaint(R"({"kind":"vm","where":{"ids":[""]}})"), "'where.ids'"));
  CHECK(mentions(complaint(R"({"kind":"vm","where":{"power_states":["on"]}})"), "POWERED_ON"));
  CHECK(mentions(complaint(R"({"kind":"datastore","where":{"power_states":["POWERED_ON"]}})"),
                 "'power_states'"));
  CHECK(mentions(complaint(R"({"kind":"folder","where":{"hosts":["host-1"]}})"), "'hosts'"));
  CHECK(mentions(complaint(R"({"kind":"vm","properties":"name"})"), "'properties'"));
  CHECK(mentions(complaint(R"({"kind":"vm","limit":0})"), "'limit'"));
  CHECK(mentions(complaint(R"({"kind":"vm","limit":-1})"), "'limit'"));
  CHECK(mentions(complaint(R"({"kind":"vm","limit":2.5})"), "'limit'"));
  CHECK(mentions(complaint(R"({"kind":"vm","limit":"5"})"), "'limit'"));
  Json many = {{"kind", "vm"}, {"where", {{"ids", Json::array()}}}};
  for (int i = 0; i <= 1000; ++i) many["where"]["ids"].push_back("vm-" + std::to_string(i));
  CHECK_FALSE(parse_query(many, Limits{}).ok());
  Json properties = {{"kind", "vm"}, {"properties", Json::array()}};
  for (std::size_t i = 0; i <= Limits{}.max_properties; ++i) properties["properties"].push_back("name");
  CHECK_FALSE(parse_query(properties, Limits{}).ok());
}

TEST_CASE("a cursor continues its own query and no other") {
  auto first = parse(R"({"kind":"vm","where":{"names":["a*"]},"limit":2})");
  REQUIRE(first.ok());
  std::string cursor = make_cursor(*first, {"na\"me \xc3\xa9", "vm-7"});
  Json next = Json::parse(R"({"kind":"vm","where":{"names":["a*"]},"limit":50})");
  next["cursor"] = cursor;
  auto second = parse_query(next, Limits{});
  REQUIRE(second.ok());
  REQUIRE(second->after);
  CHECK(second->after->name == "na\"me \xc3\xa9");
  CHECK(second->after->id == "vm-7");
  next["where"]["names"] = {"b*"};
  CHECK_FALSE(parse_query(next, Limits{}).ok());
}

TEST_CASE("a spoiled cursor is refused") {
  CHECK(mentions(complaint(R"({"kind":"vm","cursor":7})"), "'cursor'"));
  CHECK(mentions(complaint(R"({"kind":"vm","cursor":"%%%"})"), "'cursor'"));
  for (const char* inside : {"", "x", "{}", "[]", "[\"a\",\"b\"]", "[1,2,3]", "[\"a\",\"b\",\"c\"]"}) {
    Json query = {{"kind", "vm"}, {"cursor", base64_encode(inside)}};
    CHECK_FALSE_MESSAGE(parse_query(query, Limits{}).ok(), inside);
  }
}
