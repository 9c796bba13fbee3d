#include <doctest/doctest.h>

#include <algorithm>

#include "site.h"

using namespace vmcp::config;
using namespace vmcp::config::test;

namespace {

std::string problems(const std::string& toml) {
  Site site;
  site.needed().toml(toml);
  return site.problems();
}

}  // namespace

TEST_CASE("limits: each kind takes names with rates, and only tools a cost") {
  CHECK(problems("[limits.tool.delete_vm]\nrps = 0.1\nburst = 2\ncost = 5\n[limits.role.ops]\nrps = 1\n"
                 "[limits.identity.\"name of a token\"]\nrps = 1\n") != "loaded");  // a blank in a name
  Site site;
  site.needed().toml(
      "[limits.tool.delete_vm]\nrps = 0.1\nburst = 2\ncost = 5\n[limits.role.ops]\nrps = 1\n"
      "[limits.identity.robot]\nrps = 0\n[limits.vcenter.\"vc.example\"]\nrps = 20\n");
  REQUIRE(site.problems() == "loaded");
  const auto loaded = site.load().loaded;
  const Limits& limits = loaded->settings.limits;
  CHECK(limits.tools.at("delete_vm").rps == 0.1);
  CHECK(limits.tools.at("delete_vm").burst == 2);
  CHECK(limits.tools.at("delete_vm").cost == 5);
  CHECK_FALSE(limits.roles.at("ops").burst);
  CHECK(limits.identities.at("robot").rps == 0);
  const std::string effective = effective_text(*loaded);
  CHECK(has(effective, "limits.tool = {\"delete_vm\" = {rps = 0.1, burst = 2, cost = 5}}"));
  CHECK(has(effective, "# limits.tool_rps") == false);
  CHECK(has(problems("[limits.role.ops]\nrps = 1\ncost = 2\n"), "limits.role.ops: unknown key \"cost\""));
}

TEST_CASE("limits: a slip is named with its place and the nearest name") {
  CHECK(has(problems("[limits.tool.delete_vm]\nrsp = 1\n"),
            "site.toml:2:7: limits.tool.delete_vm: unknown key \"rsp\"\n    fix: did you mean rps?"));
  CHECK(has(problems("[limits.tools.delete_vm]\nrps = 1\n"), "did you mean limits.tool"));
  CHECK(has(problems("[limits.role.opps]\nrps = 1\n"), "names the role \"opps\", which does not exist"));
  CHECK(has(problems("[limits.vcenter.\"vc.exampel\"]\nrps = 1\n"), "did you mean vc.example?"));
  CHECK(has(problems("[limits.tool.\"delete_*\"]\nrps = 1\n"), "without wildcards"));
  CHECK(has(problems("[limits.tool.delete_vm]\nburst = 3\n"), "has a burst and no rps"));
  CHECK(problems("[limits]\ntool_rps = 1\n[limits.tool.delete_vm]\nburst = 3\n") == "loaded");
  CHECK(has(problems("[limits]\ntool = 3\n"), "limits.tool: is not a table of names"));
  CHECK(has(problems("[limits.tool]\ndelete_vm = 3\n"), "limits.tool.delete_vm is not a table"));
}

TEST_CASE("limits: numbers are held to their range") {
  for (const char* bad : {"rps = -1", "rps = nan", "rps = 1e7", "rps = \"1\"", "burst = 0", "burst = 0.5",
                          "cost = -1", "cost = inf"}) {
    CAPTURE(bad);
    CHECK(has(problems("[limits.tool.delete_vm]\n" + std::string(bad) + "\n"), "takes a number from"));
  }
}

TEST_CASE("limits: a site in shadow mode is reminded of it") {
  Site site;
  site.needed().toml("[limits]\nshadow = true\n");
  const auto warnings = site.load().loaded->warnings;
  CHECK(std::any_of(warnings.begin(), warnings.end(),
                    [](const std::string& w) { return has(w, "limits.shadow is true"); }));
}

TEST_CASE("limits: in a variable the tables are JSON") {
  Site site;
  site.needed().env("VMCP__LIMITS__TOOL", R"({"delete_vm":{"rps":0.5,"cost":2}})");
  REQUIRE(site.problems() == "loaded");
  CHECK(site.load().loaded->settings.limits.tools.at("delete_vm").cost == 2);
}
