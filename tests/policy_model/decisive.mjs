// What decided a case: each part of the policy without which the answer would have been another.
import { UNKNOWN, decide, judge, kTargetLists, listed, listsSay, matches, visible } from "./model.mjs";

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

// Of the call: "deny/targets.folders", and with "?" where that condition could not be decided; "see/…" of what is seen.
export function decisive(policy, call, subjects) {
  const out = new Set();
  const said = listsSay(policy, call);
  const answers = policy.rules.map((rule) => matches(policy, rule, call));
  const answer = decide(policy, call, said, answers);
  const seen = subjects.map((s) => visible(policy, call, s));

  const inPlace = (i, ...put) => ({ ...policy, rules: spliced(policy.rules, i, put) });
  const look = (name, other) => {
    for (const [s, subject] of subjects.entries()) if (visible(other, call, subject) !== seen[s]) out.add(`see/${name}`);
  };
  for (const [i, rule] of policy.rules.entries()) {
    const without = decide(inPlace(i), call, said, spliced(answers, i, []));
    if (!same(answer, without)) out.add(rule.effect);
    if (rule.effect === "allow" || rule.effect === "deny") look(rule.effect, inPlace(i));
    for (const [name, weaker] of weakened(rule)) {
      const then = matches(policy, weaker, call);
      if (then.some((a, t) => a !== answers[i][t]) && !same(answer, decide(inPlace(i, weaker), call, said, spliced(answers, i, [then])))) {
        out.add(`${rule.effect}/${name}`);
        if (answers[i].includes(UNKNOWN) && !then.includes(UNKNOWN)) out.add(`${rule.effect}/${name}?`);
      }
      // Without arguments a rule hides that did not: that is no condition of sight.
      if ((rule.effect === "allow" || rule.effect === "deny") && !name.startsWith("arguments")) look(`${rule.effect}/${name}`, inPlace(i, weaker));
    }
  }
  const roles = (change) => ({ ...policy, roles: Object.fromEntries(Object.entries(policy.roles).map(([n, r]) => [n, { ...r, ...change }])) });
  for (const list of ["allow", "deny", "inherits"]) {
    const other = roles({ [list]: [] });
    if (!same(answer, judge(other, call))) out.add(`role/${list}`);
    if (list !== "deny") look(`role/${list}`, other);
  }
  if (policy.read_only && !same(answer, judge({ ...policy, read_only: false }, call))) out.add("read_only");
  if (!same(answer, judge(policy, { ...call, asks: !call.asks }))) out.add("tool asks");
  if (!answer.allowed && said === "nothing" && policy.rules.length === 0) out.add("default deny");
  if (!(call.role in policy.roles)) out.add("unknown role");
  if (answer.allowed && call.targets.length > 1 && said === "nothing") out.add("several targets by rules");
  if (!answer.allowed && listed(policy, call)) out.add("listed, not allowed");
  return [...out];
}
