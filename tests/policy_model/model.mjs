// packaging/policy.md once more, written from that document alone and as naively as it goes: the second opinion against
// which the engine in core/policy is compared. Nothing here is shared with it, not even the calendar.
// A policy: {roles: {name: {allow, deny, inherits}}, read_only, rules}. A call: see judge().

// ---- Answers of three values: what cannot be decided is neither yes nor no.
export const YES = "yes", NO = "no", UNKNOWN = "unknown";
const all = (answers) => (answers.includes(NO) ? NO : answers.includes(UNKNOWN) ? UNKNOWN : YES);
const any = (answers) => (answers.includes(YES) ? YES : answers.includes(UNKNOWN) ? UNKNOWN : NO);
const yesIf = (condition) => (condition ? YES : NO);

export const opens = (effect) => effect === "allow" || effect === "unasked";

// ---- Globs: * any run of characters, ? one.
const globs = new Map();
export function glob(pattern, text) {
  if (!globs.has(pattern)) {
    const source = [...pattern].map((c) => (c === "*" ? ".*" : c === "?" ? "." : c.replace(/[.+^${}()|[\]\\\/]/u, "\\$&")));
    globs.set(pattern, new RegExp(`^(?:${source.join("")})$`, "us"));
  }
  return globs.get(pattern).test(text);
}
const anyGlob = (patterns, text) => patterns.some((p) => glob(p, text));

// ---- Roles: itself and all that it inherits.
export function lineage(policy, role) {
  const out = [];
  const add = (name) => {
    if (out.includes(name)) return;
    out.push(name);
    policy.roles[name].inherits.forEach(add);
  };
  if (role in policy.roles) add(role);
  return out;
}

// ---- When. The calendar is that of Intl.
const formats = new Map();
const kDays = { Mon: 0, Tue: 1, Wed: 2, Thu: 3, Fri: 4, Sat: 5, Sun: 6 };
// The last moment's, by zone: many rules ask for the same.
let asked, known = new Map();
export function localTime(zone, now) {
  if (asked !== now) [asked, known] = [now, new Map()];
  if (!known.has(zone)) known.set(zone, calendar(zone, now));
  return known.get(zone);
}
function calendar(zone, now) {
  if (!formats.has(zone))
    formats.set(zone, new Intl.DateTimeFormat("en-GB", { timeZone: zone, weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }));
  const parts = {};
  for (const { type, value } of formats.get(zone).formatToParts(now)) parts[type] = value;
  return { day: kDays[parts.weekday], minute: Number(parts.hour) * 60 + Number(parts.minute) };
}

export function inWindow(when, now) {
  const { day, minute } = localTime(when.zone, now);
  const dayBefore = (day + 6) % 7;
  if (when.from === when.to) return when.days.includes(day);
  if (when.from < when.to) return when.days.includes(day) && minute >= when.from && minute < when.to;
  return (when.days.includes(day) && minute >= when.from) || (when.days.includes(dayBefore) && minute < when.to);
}

// ---- Arguments.
// Numbers that must be written as "5.0" are Float; those beyond 2^53 are BigInt.
export class Float {
  constructor(value) { this.value = value; }
}
const plain = (value) => (value instanceof Float ? value.value : value);
function typeOf(value) {
  value = plain(value);
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  return typeof value === "bigint" ? "number" : typeof value;
}
function equal(a, b) {
  if (typeOf(a) !== typeOf(b)) return false;
  if (typeOf(a) === "number") return plain(a) == plain(b);
  if (typeOf(a) === "list") return a.length === b.length && a.every((x, i) => equal(x, b[i]));
  if (typeOf(a) === "object") {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((k) => Object.hasOwn(b, k) && equal(a[k], b[k]));
  }
  return a === b;
}

// RFC 6901; undefined when nothing is there.
function at(value, pointer) {
  for (const escaped of pointer.split("/").slice(1)) {
    const key = escaped.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeOf(value) === "list") value = /^(0|[1-9][0-9]*)$/.test(key) ? value[Number(key)] : undefined;
    else if (typeOf(value) === "object") value = Object.hasOwn(value, key) ? value[key] : undefined;
    else return undefined;
    if (value === undefined) return undefined;
  }
  return value;
}

function oneValue(said, value) {
  const answers = [];
  const type = typeOf(value);
  if (said.min !== undefined) answers.push(type === "number" ? yesIf(plain(value) >= said.min) : UNKNOWN);
  if (said.max !== undefined) answers.push(type === "number" ? yesIf(plain(value) <= said.max) : UNKNOWN);
  if (said.pattern) answers.push(type === "string" ? yesIf(new RegExp(`^(?:${said.pattern})$`, "u").test(value)) : UNKNOWN);
  if (said.one_of) {
    // "large" for 3 is of the wrong type, if all that is named are numbers.
    if (said.one_of.some((x) => equal(x, value))) answers.push(YES);
    else answers.push(said.one_of.some((x) => typeOf(x) === type) ? NO : UNKNOWN);
  }
  return all(answers);
}

function argument(said, opening, args) {
  const value = at(args, said.pointer);
  const there = value !== undefined && value !== null;
  if (said.forbidden) return yesIf(!there);
  if (!there) return yesIf(opening && !said.required);
  const ofValues = said.min !== undefined || said.max !== undefined || said.pattern || said.one_of;
  if (!ofValues) return YES;
  if (typeOf(value) !== "list") return oneValue(said, value);
  const answers = value.map((x) => oneValue(said, x));
  return opening ? all(answers) : any(answers);
}

// ---- Targets. A subject: {kind, vcenter, name, path, datacenter, cluster, facts: null | {known, power, cluster, tags}}.
const somewhereUnknown = (s) => s.path === "" || s.path.startsWith("/?");

// "/north/host/a", null for in none, undefined for not known.
function datacenterOf(s) {
  if (somewhereUnknown(s)) return undefined;
  return s.datacenter === "" ? null : s.datacenter;
}
function clusterOf(s) {
  if (s.facts !== null && !s.facts.known) return undefined;
  // Of a VM only its facts tell; hosts and clusters have their place, and nothing else is in a cluster.
  if (s.kind === "vm") return s.facts === null ? undefined : s.facts.cluster;
  if (s.kind !== "host" && s.kind !== "cluster") return null;
  if (somewhereUnknown(s)) return undefined;
  return s.cluster === "" ? null : s.cluster;
}
// "/eu/north" by path, "north" by name.
function isPlace(entry, path) {
  if (path === undefined) return UNKNOWN;
  if (path === null) return NO;
  return yesIf(entry.startsWith("/") ? path === entry : path.split("/").at(-1) === entry);
}

const kFits = {
  kinds: (entry, s) => yesIf(s.kind === entry),
  vcenters: (entry, s) => yesIf(glob(entry, s.vcenter)),
  datacenters: (entry, s) => isPlace(entry, datacenterOf(s)),
  clusters: (entry, s) => isPlace(entry, clusterOf(s)),
  folders: (entry, s) => (somewhereUnknown(s) ? UNKNOWN : yesIf(s.path === entry || s.path.startsWith(entry + "/"))),
  tags: (entry, s) => (s.facts === null || !s.facts.known ? UNKNOWN : yesIf(s.facts.tags.includes(entry))),
  names: (entry, s) => yesIf(glob(entry, s.name)),
  power_states: (entry, s) => {
    if (s.facts === null || !s.facts.known) return UNKNOWN;
    // Every VM and every host has one.
    if (s.facts.power === null) return s.kind === "vm" || s.kind === "host" ? UNKNOWN : NO;
    return yesIf(s.facts.power === entry);
  },
};
export const kTargetLists = Object.keys(kFits);

const given = (targets) => kTargetLists.filter((list) => targets[list]);
const fits = (targets, subject, lists) => all(lists.map((list) => any(targets[list].map((entry) => kFits[list](entry, subject)))));
const ofObjects = (targets) => given(targets).some((list) => list !== "vcenters");

// A call without objects.
function withoutObjects(rule, call) {
  const vcenter = rule.targets.vcenters ? yesIf(call.vcenter !== "" && anyGlob(rule.targets.vcenters, call.vcenter)) : YES;
  if (!ofObjects(rule.targets)) return vcenter;
  // What reads is filtered afterwards by what the caller sees; what changes something is closed.
  if (opens(rule.effect)) return call.changes ? NO : vcenter;
  return call.changes ? vcenter : NO;
}

// ---- Rules.
function speaksOf(policy, rule, call) {
  return (
    (rule.roles.length === 0 || lineage(policy, call.role).some((r) => rule.roles.includes(r))) &&
    (rule.identities.length === 0 || anyGlob(rule.identities, call.identity)) &&
    (!rule.when || inWindow(rule.when, call.now))
  );
}

// Whether the rule matches: one answer for each target; one in all for a call without objects.
export function matches(policy, rule, call) {
  // Only what changes something has an argument `confirm`.
  const silent = rule.effect === "confirm" && !call.changes;
  if (silent || !anyGlob(rule.tools, call.tool) || !speaksOf(policy, rule, call)) return Array(Math.max(1, call.targets.length)).fill(NO);
  const args = all(rule.arguments.map((a) => argument(a, opens(rule.effect), call.arguments)));
  if (call.targets.length === 0) return [all([args, withoutObjects(rule, call)])];
  return call.targets.map((s) => all([args, fits(rule.targets, s, given(rule.targets))]));
}

// ---- A whole call: {identity, role, tool, changes, asks, vcenter, arguments, targets: [subject], now}.
const kConsents = ["none", "confirm", "elicit", "approve"];
const kRefused = { allowed: false, consent: "none" };

// What the role's lists say: "denied", "allowed" or "nothing".
export function listsSay(policy, call) {
  const roles = lineage(policy, call.role).map((r) => policy.roles[r]);
  if (roles.length === 0) return "denied";
  if (policy.read_only && call.changes) return "denied";
  if (roles.some((r) => anyGlob(r.deny, call.tool))) return "denied";
  return roles.some((r) => anyGlob(r.allow, call.tool)) ? "allowed" : "nothing";
}

// `answers`: those of matches() for each rule.
export function decide(policy, call, said, answers) {
  if (said === "denied") return kRefused;
  let consent = "none";
  for (const [i, rule] of policy.rules.entries()) {
    if (opens(rule.effect)) continue;
    const answer = any(answers[i]);
    if (answer === UNKNOWN || (answer === YES && rule.effect === "deny")) return kRefused;
    if (answer === YES && kConsents.indexOf(rule.effect) > kConsents.indexOf(consent)) consent = rule.effect;
  }
  const of = (effect) => answers.filter((_, i) => policy.rules[i].effect === effect);
  // One answer for each target. (A target that is hidden has no rule that allows it, or one that denies it.)
  const everyTarget = answers.length === 0 ? [] : [...answers[0].keys()];
  const byRules = everyTarget.length > 0 && everyTarget.every((t) => of("allow").some((a) => a[t] === YES));
  if (said !== "allowed" && !byRules) return kRefused;
  if (consent !== "none" || !call.asks) return { allowed: true, consent };
  const unasked = of("unasked").some((a) => all(a) === YES);
  return { allowed: true, consent: unasked ? "none" : "confirm" };
}

export function judge(policy, call) {
  return decide(policy, call, listsSay(policy, call), policy.rules.map((rule) => matches(policy, rule, call)));
}

// tools/list: some call of it could be allowed now.
export function listed(policy, call) {
  const said = listsSay(policy, call);
  if (said === "denied") return false;
  const speaking = policy.rules.filter((rule) => anyGlob(rule.tools, call.tool) && speaksOf(policy, rule, call));
  const always = (rule) => rule.arguments.length === 0 && given(rule.targets).length === 0;
  if (speaking.some((rule) => rule.effect === "deny" && always(rule))) return false;
  return said === "allowed" || speaking.some((rule) => rule.effect === "allow");
}

// Whether the rule shows (`allow`) or hides (`deny`) each object: arguments and power states are not looked at. NO also of
// a rule that does neither.
export function sights(policy, rule, call, subjects) {
  const hides = rule.effect === "deny" && rule.tools.includes("*") && rule.arguments.length === 0 && !rule.targets.power_states;
  if ((rule.effect !== "allow" && !hides) || !speaksOf(policy, rule, call)) return subjects.map(() => NO);
  const lists = given(rule.targets).filter((list) => list !== "power_states");
  return subjects.map((s) => fits(rule.targets, s, lists));
}

// `answers`: those of sights() for each rule.
export function look(policy, call, subjects, answers) {
  const lists = lineage(policy, call.role).map((r) => policy.roles[r]);
  const of = (effect) => answers.filter((_, i) => policy.rules[i].effect === effect);
  const shows = lists.some((r) => r.allow.length > 0);
  return subjects.map((_, s) => {
    if (lists.length === 0 || of("deny").some((a) => a[s] !== NO)) return false;
    return shows || of("allow").some((a) => a[s] === YES);
  });
}

export function visible(policy, call, subjects) {
  return look(policy, call, subjects, policy.rules.map((rule) => sights(policy, rule, call, subjects)));
}
