#include <doctest/doctest.h>

#include "unit/config/site.h"

using namespace vmcp::config;
using namespace vmcp::config::test;

namespace {

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("policy.rule: every part is read, with its place") {
  const Rule rule =
      Site()
          .needed()
          .toml(
              "[[policy.rule]]\nname = \"r\"\neffect = \"approve\"\nroles = [\"ops\"]\n"
              "identities = [\"ci-*\"]\ntools = [\"delete_*\"]\n"
              "targets = { folders = [\"/a\"], tags = [\"env/x\"], power_states = [\"SUSPENDED\"] }\n"
              "when = { days = [\"fri-mon\"], from = \"22:30\", to = \"24:00\", zone = \"Asia/Tokyo\" }\n"
              "[policy.rule.arguments]\n\"/a/b\" = { required = true }\n"
              "n = { min = 1, max = 2.5, one_of = [1, \"x\"], pattern = \"a+\" }\n")
          .load()
          .loaded.value()
          .settings.policy.rules.at(0);
  CHECK(rule.name == "r");
  CHECK(says(rule.origin, ":1:1"));
  CHECK(rule.effect == RuleEffect::approve);
  CHECK(rule.roles == std::vector<std::string>{"ops"});
  CHECK(rule.identities == std::vector<std::string>{"ci-*"});
  CHECK(rule.folders == std::vector<std::string>{"/a"});
  CHECK(rule.power_states == std::vector<std::string>{"SUSPENDED"});
  REQUIRE(rule.window);
  CHECK(rule.window->days.to_string() == "1110001");  // Sunday first: bits are written from the last
  CHECK(rule.window->from_min == 22 * 60 + 30);
  CHECK(rule.window->to_min == 24 * 60);
  REQUIRE(rule.arguments.size() == 2);
  CHECK(rule.arguments[0].pointer == "/a/b");
  CHECK(rule.arguments[0].required);
  CHECK(rule.arguments[1].pointer == "/n");
  CHECK(rule.arguments[1].max == 2.5);
  CHECK(rule.arguments[1].one_of.size() == 2);
}

TEST_CASE("policy.rule: every mistake is named with its fix") {
  const std::string text = Site()
                               .needed()
                               .toml(
                                   "[[policy.rule]]\neffect = \"permit\"\ntools = [\"a b\"]\nrole = "
                                   "[\"x\"]\nroles = [\"nobody\"]\n"
                                   "when = { days = [\"someday\"], from = \"8:00\", to = \"25:00\" }\n"
                                   "targets = { folder = [\"/a\"] }\narguments = { n = 5, m = { maximum = 3 "
                                   "}, o = { one_of = [] } }\n")
                               .problems();
  for (const char* part :
       {"has no name", "the effects are allow, deny", "not a tool's name", "did you mean roles?", "someday",
        "8:00", "25:00", "did you mean folders?", "n = { max = 8 }", "maximum", "no list of values"})
    CHECK_MESSAGE(says(text, part), part, "\n", text);
  CHECK(says(Site().needed().toml("[policy.rule]\nname = \"x\"\n").problems(), "write [[policy.rule]]"));
  CHECK(says(
      Site()
          .needed()
          .toml("[[policy.rule]]\nname = \"r\"\neffect = \"deny\"\ntools = [\"*\"]\nroles = [\"nobody\"]\n")
          .problems(),
      "does not exist"));
}

TEST_CASE("policy.rule: as JSON in a variable") {
  const auto rules = Site()
                         .needed()
                         .env("VMCP__POLICY__RULE",
                              R"([{"name":"r","effect":"deny","tools":["*"],"arguments":{"n":{"max":3}}}])")
                         .load()
                         .loaded.value()
                         .settings.policy.rules;
  REQUIRE(rules.size() == 1);
  CHECK(rules[0].arguments.at(0).max == 3);
}
