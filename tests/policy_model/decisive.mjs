// What decided a case: each part of the policy without which the answer would have been another.
import { NO, UNKNOWN, YES, decide, judge, kTargetLists, listed, listsSay, look, matches, opens, sights, visible } from "./model.mjs";

const kValueConditions = ["min", "max", "one_of", "pattern", "required", "forbidden"];

// The rule without one of its conditions, for each that it has: [["arguments.max", rule], …].
function* weakened(rule) {
  if (rule.roles.length > 0) yield ["roles", { ...rule, roles: [] }];
  if (rule.identities.length > 0) yield ["identities", { ...rule, identities: [] }];
  if (!rule.tools.includes("*")) yield ["tools", { ...rule, tools: ["*"] }];
  for (const [i, said] of rule.arguments.entries()) {
    for (const condition of kValueConditions.filter((c) => c in said)) {
      const { [condition]: _, ...rest } = said;
      const left = Object.keys(rest).length > 1 ? [rest] : [];
      yield [`arguments.${condition}`, { ...rule, arguments: spliced(rule.arguments, i, left) }];
    }
  }
  for (const list of kTargetLists.filter((l) => rule.targets[l])) {
    const { [list]: _, ...rest } = rule.targets;
    yield [`targets.${list}`, { ...rule, targets: rest }];
  }
  if (rule.when) {
    const { when, ...rest } = rule;
    yield ["when", rest];
    yield ["when.days", { ...rule, when: { ...when, days: [0, 1, 2, 3, 4, 5, 6] } }];
    yield ["when.hours", { ...rule, when: { ...when, from: 0, to: 0 } }];
    if (when.zone !== "UTC") yield ["when.zone", { ...rule, when: { ...when, zone: "UTC" } }];
  }
}
const spliced = (list, i, put) => [...list.slice(0, i), ...put, ...list.slice(i + 1)];

const same = (a, b) => a.allowed === b.allowed && a.consent === b.consent;
const sameList = (a, b) => a.every((x, i) => x === b[i]);

// Of the call: "deny/targets.folders", and with "?" where that condition could not be decided.
function ofCall(policy, call, out) {
  const said = listsSay(policy, call);
  const answers = policy.rules.map((rule) => matches(policy, rule, call));
  const answer = decide(policy, call, said, answers);
  for (const [i, rule] of policy.rules.entries()) {
    const changed = (put) => !same(answer, decide(policy, call, said, spliced(answers, i, [put])));
    if (!sameList(answers[i], answers[i].map(() => NO)) && changed(answers[i].map(() => NO))) out.add(rule.effect);
    for (const [name, weaker] of weakened(rule)) {
      const then = matches(policy, weaker, call);
      if (sameList(then, answers[i])) continue;
      if (changed(then)) out.add(`${rule.effect}/${name}`);
      // Undecided because of this condition: an opening rule would have opened, a closing one would have been silent.
      const otherwise = opens(rule.effect) ? YES : NO;
      if (changed(answers[i].map((a, t) => (a === UNKNOWN && then[t] !== UNKNOWN ? otherwise : a)))) out.add(`${rule.effect}/${name}?`);
    }
  }
  if (policy.read_only && !same(answer, judge({ ...policy, read_only: false }, call))) out.add("read_only");
  if (!same(answer, judge(policy, { ...call, asks: !call.asks }))) out.add("tool asks");
  if (!answer.allowed && said === "nothing" && policy.rules.length === 0) out.add("default deny");
  if (!(call.role in policy.roles)) out.add("unknown role");
  if (answer.allowed && call.targets.length > 1 && said === "nothing") out.add("several targets by rules");
  if (!answer.allowed && listed(policy, call)) out.add("listed, not allowed");
}

// Of what is seen: "see/deny/targets.folders".
function ofSight(policy, call, subjects, out) {
  const answers = policy.rules.map((rule) => sights(policy, rule, call, subjects));
  const seen = look(policy, call, subjects, answers);
  for (const [i, rule] of policy.rules.entries()) {
    if (rule.effect !== "allow" && rule.effect !== "deny") continue;
    const changed = (put) => !sameList(put, answers[i]) && !sameList(seen, look(policy, call, subjects, spliced(answers, i, [put])));
    if (changed(answers[i].map(() => NO))) out.add(`see/${rule.effect}`);
    // A rule with arguments or power states does not hide: they are no conditions of sight.
    for (const [name, weaker] of weakened(rule))
      if (!name.startsWith("arguments") && name !== "targets.power_states" && changed(sights(policy, weaker, call, subjects)))
        out.add(`see/${rule.effect}/${name}`);
  }
}

// Of both: the roles' lists.
function ofRoles(policy, call, subjects, out) {
  const answer = judge(policy, call), seen = visible(policy, call, subjects);
  for (const list of ["allow", "deny", "inherits"]) {
    const roles = Object.fromEntries(Object.entries(policy.roles).map(([name, role]) => [name, { ...role, [list]: [] }]));
    if (!same(answer, judge({ ...policy, roles }, call))) out.add(`role/${list}`);
    if (!sameList(seen, visible({ ...policy, roles }, call, subjects))) out.add(`see/role/${list}`);
  }
}

export function decisive(policy, call, subjects) {
  const out = new Set();
  ofCall(policy, call, out);
  ofSight(policy, call, subjects, out);
  ofRoles(policy, call, subjects, out);
  return [...out];
}
