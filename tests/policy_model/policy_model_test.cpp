// The engine against a model of packaging/policy.md in another language, on random policies and calls.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "policy_model/model_lines.h"
#include "support/rounds.h"

using namespace vmcp;
using namespace vmcp::policy_model;

namespace {

constexpr int kSeed = 1;
constexpr int kShown = 5;

struct Answer {
  bool allowed = false;
  std::string consent = "none";
  bool operator==(const Answer& o) const { return allowed == o.allowed && consent == o.consent; }
};

std::string text_of(const Answer& a) {
  return a.allowed ? "allowed, consent " + a.consent : "refused";
}

// Only what was asked for, as the inventory would give it.
std::optional<inventory::Facts> limited_to(const inventory::FactsWanted& wanted,
                                           const std::optional<inventory::Facts>& all) {
  if (wanted.none() || !all) return std::nullopt;
  inventory::Facts out;
  out.known = all->known;
  if (wanted.power) out.power = all->power;
  if (wanted.cluster) out.cluster = all->cluster;
  for (const auto& tag : wanted.tags)
    if (all->tags.contains(tag)) out.tags.insert(tag);
  return out;
}

class Comparison {
 public:
  void begin(const std::string& line) {
    given_.text = line;
    read_policy(Json::parse(line), given_);
    ++policies_;
  }

  void compare(const std::string& line) {
    const Case c = read_case(Json::parse(line));
    const std::string before = wrong_;
    compare_call(c);
    compare_sight(c);
    ++cases_;
    for (const auto& what : c.decisive) ++decisive_[what];
    if (wrong_ == before) return;
    if (++disagreements_ <= kShown)
      MESSAGE("node tests/policy_model/cases.mjs --seed " << kSeed << " --cases " << cases_ << " --policy "
                                                          << given_.index << ", call " << c.index << ":"
                                                          << wrong_ << "\nEngine:" << said_ << "\n"
                                                          << line << given_.text);
    wrong_ = before;
  }

  int policies() const { return policies_; }
  int cases() const { return cases_; }
  int disagreements() const { return disagreements_; }
  const std::map<std::string, int>& decisive() const { return decisive_; }

 private:
  void differ(const std::string& what) { wrong_ += "\n  " + what; }
  void same(const std::string& what, const Answer& model, const Answer& engine) {
    if (!(model == engine)) differ(what + ": " + text_of(engine) + ", expected " + text_of(model));
  }
  void same(const std::string& what, bool model, bool engine) {
    if (model != engine) differ(what + (engine ? ": yes, expected no" : ": no, expected yes"));
  }

  Answer ask(const Case& c, const Json& arguments, const inventory::FactsWanted* wanted,
             policy::Notes* notes) {
    std::vector<std::optional<inventory::Facts>> facts;
    for (const std::size_t i : c.targets)
      facts.push_back(wanted != nullptr ? limited_to(*wanted, given_.facts[i]) : given_.facts[i]);
    std::vector<policy::Subject> targets;
    for (std::size_t i = 0; i < c.targets.size(); ++i)
      targets.push_back({&given_.objects[c.targets[i]], facts[i] ? &*facts[i] : nullptr});
    const policy::Judgement said = given_.policy->judge(
        {c.principal, {c.tool, c.changes}, c.asks, c.vcenter, arguments, targets, c.now}, notes);
    if (!said.decision.allowed) return {};
    return {true, policy::consent_name(said.consent)};
  }

  void compare_call(const Case& c) {
    const policy::ToolFacts tool{c.tool, c.changes};
    const policy::Policy& engine = *given_.policy;
    const Answer model{c.allowed, c.consent};
    const bool listed = engine.may_call(c.principal, tool, c.now).allowed;
    same("judge", model, ask(c, c.arguments, nullptr, nullptr));
    same("may_call", c.listed, listed);

    // The shortcuts that the pipeline takes must lead to the same answer.
    policy::Notes notes;
    same("judge with notes", model, ask(c, c.arguments, nullptr, &notes));
    said_.clear();
    for (const auto& note : notes)
      said_ += "\n  " + note.rule + " (" + note.effect + ") " + note.verdict + ": " + note.why;
    const inventory::FactsWanted wanted = engine.facts_for(c.principal, tool);
    same("judge with no other facts than facts_for names", model, ask(c, c.arguments, &wanted, nullptr));
    if (!engine.looks_at_arguments(c.principal, c.tool))
      same("judge without arguments that it does not look at", model,
           ask(c, Json::object(), nullptr, nullptr));
    if (!engine.says_more(c.principal, c.tool))
      same("may_call alone", model, listed ? Answer{true, c.asks ? "confirm" : "none"} : Answer{});
  }

  void compare_sight(const Case& c) {
    const policy::Policy::View view = given_.policy->view(c.principal, c.now);
    const inventory::FactsWanted wanted = given_.policy->facts_to_see(c.principal);
    const bool limited = given_.policy->limited(c.principal);
    for (std::size_t i = 0; i < given_.objects.size(); ++i) {
      const std::string which = "object " + std::to_string(i);
      same("sees " + which, c.visible[i], view.sees(given_.subject(i)));
      const auto facts = limited_to(wanted, given_.facts[i]);
      same("sees with no other facts than facts_to_see names " + which, c.visible[i],
           view.sees({&given_.objects[i], facts ? &*facts : nullptr}));
      if (view.sees_all() || !limited) same("sees all, so " + which, c.visible[i], true);
    }
  }

  Given given_;
  std::string wrong_, said_;
  int policies_ = 0, cases_ = 0, disagreements_ = 0;
  std::map<std::string, int> decisive_;
};

// Each of these must have decided some case, or the comparison has not looked at it: "deny/targets.tags" the
// condition of such a rule, with "?" when it could not be decided, "see/…" whether an object shows.
std::vector<std::string> to_be_hit() {
  std::vector<std::string> out = {"role/allow",         "role/deny",    "role/inherits",
                                  "see/role/allow",     "read_only",    "see/role/inherits",
                                  "tool asks",          "default deny", "unknown role",
                                  "see/allow",          "see/deny",     "several targets by rules",
                                  "listed, not allowed"};
  const std::vector<std::string> who = {"roles",     "identities", "tools",    "when",
                                        "when.days", "when.hours", "when.zone"};
  const std::vector<std::string> places = {"kinds",   "vcenters", "datacenters", "clusters",
                                           "folders", "tags",     "names"};
  for (const std::string effect : {"allow", "deny", "unasked", "confirm", "elicit", "approve"}) {
    out.push_back(effect);
    for (const auto& part : who) out.push_back(effect + "/" + part);
    for (const char* condition : {"min", "max", "one_of", "pattern", "required", "forbidden"})
      out.push_back(effect + "/arguments." + condition);
    for (const auto& list : places) out.push_back(effect + "/targets." + list);
    out.push_back(effect + "/targets.power_states");
    for (const char* undecided :
         {"arguments.min", "arguments.max", "arguments.one_of", "arguments.pattern", "targets.datacenters",
          "targets.clusters", "targets.folders", "targets.tags", "targets.power_states"})
      out.push_back(effect + "/" + undecided + "?");
  }
  for (const std::string effect : {"see/allow/", "see/deny/"}) {
    for (const auto& part : who)
      if (effect == "see/deny/" || part != "tools") out.push_back(effect + part);
    for (const auto& list : places) out.push_back(effect + "targets." + list);
  }
  return out;
}

}  // namespace

TEST_CASE("the engine decides as the documented policy says, on random policies and calls") {
  // Ten times the rounds are a million.
  const int cases = testing::rounds(1) == 1 ? 50'000 : testing::rounds(100'000);
  Lines lines(std::string(VMCP_NODE) + " '" VMCP_CASES "' --seed " + std::to_string(kSeed) + " --cases " +
              std::to_string(cases));
  Comparison comparison;
  std::string line;
  while (lines.next(line)) {
    if (line.starts_with("{\"policy\":"))
      comparison.begin(line);
    else
      comparison.compare(line);
  }
  REQUIRE(lines.end() == 0);
  CHECK(comparison.cases() == cases);
  CHECK(comparison.disagreements() == 0);
  MESSAGE(comparison.cases() << " calls of " << comparison.policies() << " policies, "
                             << comparison.disagreements() << " disagreements");

  std::string never;
  int least = cases;
  for (const auto& what : to_be_hit()) {
    const auto it = comparison.decisive().find(what);
    least = std::min(least, it == comparison.decisive().end() ? 0 : it->second);
    if (it == comparison.decisive().end()) never += " '" + what + "'";
  }
  CHECK_MESSAGE(never.empty(), "never decisive:" << never);
  MESSAGE(to_be_hit().size() << " parts of the grammar were decisive, each at least " << least << " times");
}
