// Steps 8 and 9 on one call: denials first, then for each target one rule that allows it, then who must
// agree.
#include <algorithm>

#include "policy/policy.h"

namespace vmcp::policy {
namespace {

using State = Holds::State;

constexpr std::size_t kReasonsInRefusal = 3;

std::string quoted_tool(std::string_view text) {
  return "'" + std::string(text.substr(0, 128)) + "'";
}

void note(Notes* notes, const ReadyRule& rule, const Holds& holds) {
  if (notes == nullptr) return;
  const char* verdict = holds.yes()                       ? "matches"
                        : holds.state == State::undecided ? "cannot be decided"
                                                          : "does not match";
  notes->push_back({rule.label(), rule.rule().origin, effect_name(rule.rule().effect), verdict, holds.why});
}

// No beats undecided: a rule that says nothing of the call cannot be broken by it.
Holds both(Holds a, Holds b) {
  if (a.state == State::no) return a;
  if (b.state == State::no) return b;
  return a.yes() ? b : a;
}

Say say_to(const Notes* notes) {
  return notes == nullptr ? Say::nothing : Say::why;
}

Holds who_and_when(const ReadyRule& rule, const Call& call, Say say) {
  if (!rule.names_identity(call.principal.identity))
    return Holds::no(say, [] { return "it names other callers"; });
  return rule.window(call.now, say);
}

Holds on_arguments(const ReadyRule& rule, const Call& call, Say say) {
  static const Json kNone = Json::object();
  return rule.arguments(call.arguments, call.defaults != nullptr ? *call.defaults : kNone, say);
}

// A rule that opens something, for one target; null: the call has none.
Holds opens_for(const ReadyRule& rule, const Call& call, const Subject* target, Say say) {
  Holds who = who_and_when(rule, call, say);
  if (who.state == State::no) return who;
  Holds where;
  if (target != nullptr)
    where = rule.target(*target, say);
  else if (rule.rule().targets.of_objects() && call.tool.changes)
    where = Holds::no(say, [] { return "the call names no object that the rule could allow"; });
  else
    where = rule.vcenter(call.vcenter, say);
  if (where.state == State::no && say == Say::nothing) return where;
  return both(std::move(who), both(on_arguments(rule, call, say), std::move(where)));
}

// A rule that closes something: one target is enough.
Holds closes(const ReadyRule& rule, const Call& call, Say say) {
  Holds who = who_and_when(rule, call, say);
  if (who.state == State::no) return who;
  Holds where = Holds::no(say, [] { return "no object of the call is meant"; });
  // What a change without a named object will touch is not known: it may be what the rule means.
  if (call.targets.empty() && (call.tool.changes || !rule.rule().targets.of_objects()))
    where = rule.vcenter(call.vcenter, say);
  for (const Subject& target : call.targets) {
    Holds one = rule.target(target, say);
    if (one.yes()) {
      where = std::move(one);
      break;
    }
    if (one.state == State::undecided || where.state == State::no) where = std::move(one);
  }
  if (where.state == State::no && say == Say::nothing) return where;
  return both(std::move(who), both(on_arguments(rule, call, say), std::move(where)));
}

Decision undecidable(const ReadyRule& rule, const Call& call) {
  return {false,
          rule.label(),
          rule.label() + " could not be decided (" + closes(rule, call, Say::why).why +
              "), and then nothing is allowed",
          {}};
}

}  // namespace

Decision Policy::judge_denials(const Call& call, const Applicable& of, Notes* notes) const {
  Decision out{true, {}, {}, {}};
  for (const ReadyRule* rule : of.denying) {
    const Holds holds = closes(*rule, call, say_to(notes));
    note(notes, *rule, holds);
    if (holds.state == State::no || !out.allowed) continue;
    out = holds.yes() ? Decision{false,
                                 rule->label(),
                                 quoted_tool(call.tool.name) + " is denied here by " + rule->label() +
                                     "; the operator can say why",
                                 {}}
                      : undecidable(*rule, call);
    if (notes == nullptr) break;
  }
  return out;
}

Decision Policy::judge_allowances(const Call& call, const Applicable& of, Notes* notes) const {
  if (of.allow != nullptr)
    return {true, "role " + of.allow->from + " allow '" + of.allow->pattern + "'", {}, {}};
  const auto one = [&](const Subject* target) -> Decision {
    for (const ReadyRule* allow : of.allowing) {
      Holds holds = opens_for(*allow, call, target, say_to(notes));
      if (notes != nullptr) {
        Holds said = holds;
        if (target != nullptr && call.targets.size() > 1)
          said.why =
              target->object->kind + " " + target->object->id + (said.why.empty() ? "" : ": ") + said.why;
        note(notes, *allow, said);
      }
      if (holds.yes()) return {true, allow->label(), {}, {}};
    }
    if (of.allowing.empty()) return refusal(call.principal, call.tool, "default deny");
    std::string reason = "role '" + call.principal.role.substr(0, 128) + "' may call " +
                         quoted_tool(call.tool.name) + " only as its rules say: ";
    const std::size_t told = std::min(of.allowing.size(), kReasonsInRefusal);
    for (std::size_t i = 0; i < told; ++i)
      reason += (i == 0 ? "" : "; ") + of.allowing[i]->label() + ": " +
                opens_for(*of.allowing[i], call, target, Say::why).why;
    if (of.allowing.size() > told) reason += " (and " + std::to_string(of.allowing.size() - told) + " more)";
    return {false, "default deny", std::move(reason), {}};
  };
  if (call.targets.empty()) return one(nullptr);
  Decision last{true, {}, {}, {}};
  for (const Subject& target : call.targets) {
    Decision decision = one(&target);
    if (!decision.allowed) return decision;
    if (last.rule.empty()) last = std::move(decision);
  }
  return last;
}

bool Policy::judge_consent(const Call& call, const Applicable& of, Judgement& out, Notes* notes) const {
  const ReadyRule* unasked = nullptr;
  for (const ReadyRule* rule : of.asking) {
    if (rule->rule().effect == Effect::unasked) {
      Holds holds;
      if (call.targets.empty()) holds = opens_for(*rule, call, nullptr, say_to(notes));
      for (const Subject& target : call.targets)
        holds = both(std::move(holds), opens_for(*rule, call, &target, say_to(notes)));
      note(notes, *rule, holds);
      if (holds.yes() && unasked == nullptr) unasked = rule;
      continue;
    }
    // What only reads has no argument confirm.
    const Holds holds = rule->rule().effect == Effect::confirm && !call.tool.changes
                            ? Holds::no(say_to(notes), [] { return "the call changes nothing"; })
                            : closes(*rule, call, say_to(notes));
    note(notes, *rule, holds);
    if (holds.state == State::no) continue;
    if (!holds.yes()) {
      out.decision = undecidable(*rule, call);
      return false;
    }
    const Consent asked = rule->rule().effect == Effect::approve  ? Consent::approve
                          : rule->rule().effect == Effect::elicit ? Consent::elicit
                                                                  : Consent::confirm;
    if (asked <= out.consent) continue;
    out.consent = asked;
    out.consent_rule = rule->label();
  }
  if (out.consent != Consent::none) return true;
  if (unasked != nullptr)
    out.consent_rule = unasked->label();
  else if (call.tool_asks)
    out.consent = Consent::confirm;
  return true;
}

Judgement Policy::judge(const Call& call, Notes* notes) const {
  Judgement out;
  out.decision = may_call(call.principal, call.tool, call.now);
  if (!out.decision.allowed) return out;
  const auto of = applicable(call.principal.role, call.tool.name);
  const View seen = view(call.principal, call.now);
  for (const Subject& target : call.targets) {
    if (seen.sees(target)) continue;
    out.decision = {false,
                    "invisible target",
                    "role '" + call.principal.role.substr(0, 128) + "' may not use " +
                        quoted_tool(call.tool.name) + " on this target; ask the operator for access to it",
                    {}};
    return out;
  }
  if (Decision denial = judge_denials(call, *of, notes); !denial.allowed) {
    out.decision = std::move(denial);
    return out;
  }
  out.decision = judge_allowances(call, *of, notes);
  if (out.decision.allowed) judge_consent(call, *of, out, notes);
  return out;
}

}  // namespace vmcp::policy
