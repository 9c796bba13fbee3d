#include "policy_model/model_lines.h"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <map>
#include <utility>

namespace vmcp::policy_model {
namespace {

using Texts = std::vector<std::string>;

policy::Effect effect_of(const std::string& name) {
  using policy::Effect;
  for (const Effect e :
       {Effect::allow, Effect::deny, Effect::unasked, Effect::confirm, Effect::elicit, Effect::approve})
    if (policy::effect_name(e) == name) return e;
  FAIL("an effect that the engine does not have: " << name);
  return Effect::deny;
}

policy::ArgumentCondition argument_of(const Json& line) {
  policy::ArgumentCondition out;
  out.pointer = line.at("pointer");
  if (line.contains("min")) out.min = line["min"].get<double>();
  if (line.contains("max")) out.max = line["max"].get<double>();
  if (line.contains("one_of")) out.one_of = line["one_of"].get<std::vector<Json>>();
  out.pattern = line.value("pattern", "");
  out.required = line.value("required", false);
  out.forbidden = line.value("forbidden", false);
  return out;
}

policy::TargetCondition targets_of(const Json& line) {
  const auto list = [&](const char* name) { return line.value(name, Texts()); };
  return {list("kinds"),   list("vcenters"), list("datacenters"), list("clusters"),
          list("folders"), list("tags"),     list("names"),       list("power_states")};
}

policy::Rule rule_of(const Json& line) {
  policy::Rule out;
  out.name = line.at("name");
  out.origin = "model";
  out.effect = effect_of(line.at("effect"));
  out.roles = line.at("roles").get<Texts>();
  out.identities = line.at("identities").get<Texts>();
  out.tools = line.at("tools").get<Texts>();
  for (const Json& said : line.at("arguments")) out.arguments.push_back(argument_of(said));
  out.targets = targets_of(line.at("targets"));
  if (line.contains("when")) {
    const Json& when = line["when"];
    policy::WindowCondition& window = out.window.emplace();
    for (const Json& day : when.at("days")) window.days.set(day.get<std::size_t>());
    window.from_min = when.at("from");
    window.to_min = when.at("to");
    window.zone = when.at("zone");
  }
  return out;
}

inventory::Object object_of(const Json& line) {
  inventory::Object out;
  out.kind = line.at("kind");
  out.vcenter = line.at("vcenter");
  out.id = "id-1";
  out.name = line.at("name");
  out.path = line.at("path");
  out.datacenter = line.at("datacenter");
  out.cluster = line.at("cluster");
  return out;
}

std::optional<inventory::Facts> facts_of(const Json& line) {
  if (line.is_null()) return std::nullopt;
  inventory::Facts out;
  out.known = line.at("known");
  if (!line.at("power").is_null()) out.power = line["power"].get<std::string>();
  if (!line.at("cluster").is_null()) out.cluster = line["cluster"].get<std::string>();
  for (const Json& tag : line.at("tags")) out.tags.insert(tag.get<std::string>());
  return out;
}

}  // namespace

void read_policy(const Json& line, Given& out) {
  out.index = line.at("policy");
  std::map<std::string, policy::RoleRules> roles;
  for (const auto& [name, role] : line.at("roles").items())
    roles[name] = {role.at("allow").get<Texts>(), role.at("deny").get<Texts>(),
                   role.at("inherits").get<Texts>()};
  std::vector<policy::Rule> rules;
  for (const Json& rule : line.at("rules")) rules.push_back(rule_of(rule));
  auto made =
      policy::Policy::make(std::move(roles), line.at("read_only").get<bool>(), "model", std::move(rules));
  if (!made) FAIL("policy " << out.index << " is refused: " << made.error().text);
  out.policy.emplace(std::move(*made));
  out.objects.clear();
  out.facts.clear();
  for (const Json& subject : line.at("subjects")) {
    out.objects.push_back(object_of(subject));
    out.facts.push_back(facts_of(subject.at("facts")));
  }
}

Case read_case(const Json& line) {
  Case out;
  out.index = line.at("case");
  out.principal = {line.at("identity"), line.at("role")};
  out.tool = line.at("tool");
  out.vcenter = line.at("vcenter");
  out.changes = line.at("changes");
  out.asks = line.at("asks");
  out.arguments = line.at("arguments");
  out.targets = line.at("subjects").get<std::vector<std::size_t>>();
  out.now = WallTime(milliseconds(line.at("now").get<std::int64_t>()));
  const Json& expect = line.at("expect");
  out.allowed = expect.at("allowed");
  out.consent = expect.at("consent");
  out.listed = expect.at("listed");
  out.visible = expect.at("visible").get<std::vector<bool>>();
  if (line.contains("decisive")) out.decisive = line["decisive"].get<Texts>();
  return out;
}

Lines::Lines(const std::string& command) : pipe_(::popen(command.c_str(), "r")) {
  REQUIRE(pipe_ != nullptr);
}

Lines::~Lines() {
  if (pipe_ != nullptr) ::pclose(pipe_);
  std::free(buffer_);
}

bool Lines::next(std::string& line) {
  const ssize_t got = ::getline(&buffer_, &capacity_, pipe_);
  if (got <= 0) return false;
  line.assign(buffer_, static_cast<std::size_t>(got));
  return true;
}

int Lines::end() {
  const int status = ::pclose(std::exchange(pipe_, nullptr));
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace vmcp::policy_model
