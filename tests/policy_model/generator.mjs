// Random policies and calls over few words, so that they meet. All of it follows from the seed.
import { Float } from "./model.mjs";
import { changes, kSpan, kZones, offset } from "./zones.mjs";

// mulberry32, begun anew for each policy: any one of them can be made again alone.
export class Random {
  constructor(seed, index) { this.state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0; }
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below(n) { return Math.floor(this.next() * n); }
  between(a, b) { return a + this.below(b - a + 1); }
  chance(p) { return this.next() < p; }
  of(list) { return list[this.below(list.length)]; }
  // One to `most` different ones.
  some(list, most = 2) {
    const out = new Set();
    for (let n = this.between(1, most); n > 0; n--) out.add(this.of(list));
    return [...out];
  }
  // [[weight, value], …]
  weighted(choices) {
    let at = this.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of choices) if ((at -= weight) < 0) return value;
    return choices.at(-1)[1];
  }
}

// ---- Words.
const kRoles = ["guest", "reader", "tester", "operator", "owner"];
const kIdentities = ["ci", "ci-2", "anna", "token-0badcafe"];
const kIdentityGlobs = ["ci*", "ci", "a???", "token-*", "?i", "*"];
const kTools = [["vm_resize", true], ["vm_delete", true], ["power_on", true], ["power_off", true], ["vm_list", false],
  ["vm_get", false], ["list_hosts", false], ["resource/vsphere://eu-1/inventory", false], ["prompt/plan", false]];
const kToolGlobs = ["vm_*", "power_*", "vm_resize", "power_o?", "*_delete", "list_*", "vm_?et", "resource/*", "prompt/*", "*o*", "v*e"];
const kVcenters = ["eu-1", "eu-2", "us-1"];
const kKinds = ["vm", "host", "datastore", "network", "datacenter", "cluster", "folder"];
const kDatacenters = ["/north", "/eu/north", "/eu/south", "/nor", "/upnorth"];
const kClusters = ["/north/host/c1", "/north/host/xc1", "/eu/north/host/c1", "/eu/south/host/c2"];
const kFolders = ["/north/vm/test", "/north/vm/test2", "/north/vm/test/deep", "/north/vm", "/north/host", "/eu/north/vm/prod", "/eu/south/vm/te", "/north"];
const kTags = ["env/test", "env/prod", "tier/gold"];
const kNames = ["dc-1", "dc-02", "DC-1", "web", "dc-\u00fc", "test", "w\u00f6b\u{1f600}"];
const kNameGlobs = ["dc-*", "dc-?", "web", "w?b*", "DC*", "*t", "?e?", "*"];
const kPower = ["POWERED_ON", "POWERED_OFF", "SUSPENDED"];
const kTexts = ["small", "large", "prod-12", "prod-7", "caf\u00e9", "a.c", "abc", "", "prod-7\n", "5", "true"];
const kPatterns = ["prod-[0-9]+", "small|large", "a\\.c", "a.c", "caf.", "[a-z]*", "(prod|test)-\\d{1,2}", ".*", "x?small", "[^a-z]+", "p.+7."];
const kBig = [9007199254740992n, 9007199254740993n, 9007199254740993n, -9007199254740993n, 18446744073709551615n, -9223372036854775808n, -1];
// The argument, and of what type it mostly is.
const kPointers = { "/cpu_count": "number", "/memory_gb": "number", "/sizes": "numbers", "/guest": "text", "/labels": "texts", "/flag": "boolean",
  "/reason": "text", "/disks/0/size": "number", "/disks/1/size": "number", "/a~1b": "number", "/nested/m~0n": "text", "/nested": "object", "/disks/01/size": "number" };

const kOften = ["/cpu_count", "/memory_gb", "/sizes", "/guest"];

// ---- Policies.
function number(random) {
  if (random.chance(0.08)) return random.of(kBig);
  const n = random.between(-1, 9);
  return random.weighted([[5, n], [1, new Float(n)], [1, new Float(n + 0.5)]]);
}
const bound = (random) => (random.chance(0.08) ? 9007199254740992 : random.between(0, 8) + random.of([0, 0, 0, 0.5]));

function conditionOf(random, pointer) {
  const type = kPointers[pointer];
  const said = { pointer };
  if (random.chance(0.1)) return { ...said, forbidden: true };
  if (random.chance(0.15)) return { ...said, required: true };
  if (random.chance(0.2)) said.required = true;
  const numeric = type.startsWith("number") ? !random.chance(0.1) : random.chance(0.1);
  const limits = () => {
    const both = random.chance(0.15);
    if (both || random.chance(0.5)) said.min = bound(random);
    if (both || said.min === undefined) said.max = bound(random);
    if (said.min > said.max) [said.min, said.max] = [said.max, said.min];
  };
  const values = () => {
    const value = () => random.weighted([[numeric ? 8 : 1, number(random)], [numeric ? 1 : 8, random.of(kTexts)], [type === "boolean" ? 20 : 1, random.chance(0.5)],
      [type === "object" ? 8 : 0.1, random.of([{ "m~n": "small" }, { "m~n": "a.c", x: 1 }, [1, 2]])]]);
    said.one_of = Array.from({ length: random.between(1, 4) }, value);
  };
  const pattern = () => { said.pattern = random.of(kPatterns); };
  const ways = numeric ? [[7, limits], [3, values], [0.4, pattern]] : [[6, pattern], [4, values], [0.5, limits]];
  random.weighted(ways)();
  if (random.chance(0.15)) random.weighted(ways)();
  return said;
}

const kEntries = {
  kinds: (random) => random.some(random.chance(0.6) ? ["vm", "host"] : kKinds, 3),
  vcenters: (random) => random.some(["eu-*", "eu-1", "us-?", "*", "?u-2"]),
  datacenters: (random) => random.some([...kDatacenters, "north", "south"]),
  clusters: (random) => random.some([...kClusters, "c1", "c2"]),
  folders: (random) => random.some(kFolders),
  tags: (random) => random.some(kTags),
  names: (random) => random.some(kNameGlobs),
  power_states: (random) => random.some(kPower),
};

function windowOf(random) {
  const days = random.weighted([[3, [0, 1, 2, 3, 4, 5, 6]], [2, [0, 1, 2, 3, 4]], [2, random.some([0, 1, 2, 3, 4, 5, 6], 3)]]);
  // Many of them near the hours at which clocks change.
  const minute = () => random.weighted([[3, random.between(0, 8) * 30], [3, random.between(0, 1439)], [1, 0]]);
  const from = minute();
  const to = random.weighted([[8, minute()], [1, from], [1, 1440]]);
  return { days, from, to, zone: random.of(kZones) };
}

function ruleOf(random, name, roles, dense) {
  const p = (chance) => random.chance(dense ? chance : chance / 2);
  const rule = { name, effect: random.weighted([[36, "allow"], [13, "deny"], [20, "unasked"], [11, "confirm"], [10, "elicit"], [10, "approve"]]) };
  rule.tools = random.chance(0.6) ? ["*"] : random.some(kToolGlobs);
  rule.roles = p(0.5) ? random.some(roles) : [];
  rule.identities = p(0.25) ? random.some(kIdentityGlobs) : [];
  rule.arguments = p(0.5) ? random.some(random.chance(0.5) ? kOften : Object.keys(kPointers)).map((pointer) => conditionOf(random, pointer)) : [];
  rule.targets = {};
  if (p(0.7)) for (const list of random.some(Object.keys(kEntries), dense ? 3 : 2)) rule.targets[list] = kEntries[list](random);
  if (p(0.35)) rule.when = windowOf(random);
  return rule;
}

export function policyOf(random) {
  const names = kRoles.slice(0, random.between(1, kRoles.length));
  const roles = {};
  for (const [i, name] of names.entries()) {
    const inherits = i > 0 && random.chance(0.5) ? random.some(names.slice(0, i)) : [];
    const allow = random.chance(0.5) ? random.some(random.chance(0.6) ? ["*"] : kToolGlobs) : [];
    const deny = random.chance(0.12) ? random.some(kToolGlobs, 1) : [];
    roles[name] = { allow, deny, inherits };
  }
  const count = random.weighted([[1, 0], [8, random.between(1, 5)], [8, random.between(5, 12)], [1.5, random.between(13, 40)]]);
  const dense = random.chance(0.6);
  const rules = Array.from({ length: count }, (_, i) => ruleOf(random, `r${i}`, names, dense));
  return { roles, read_only: random.chance(0.06), rules };
}

// ---- Objects.
function factsOf(random, kind, cluster) {
  if (random.chance(0.12)) return null;
  const has = kind === "vm" || kind === "host";
  // What is said beside known = false means nothing.
  const known = !random.chance(0.1);
  return {
    known,
    power: has && !random.chance(0.05) ? random.of(kind === "host" ? [...kPower, "STANDBY"] : kPower) : null,
    cluster: has && cluster !== "" ? cluster : null,
    tags: kTags.filter(() => random.chance(0.4)),
  };
}

export function subjectOf(random) {
  const kind = random.chance(0.6) ? "vm" : random.of(kKinds);
  const name = random.of(kNames);
  let path = `${random.of(kFolders)}/${name}`;
  if (random.chance(0.1)) path = random.of(kFolders);
  let datacenter = random.chance(0.9) ? random.of(kDatacenters) : "";
  let cluster = random.chance(0.8) ? random.of(kClusters) : "";
  const facts = factsOf(random, kind, cluster);
  // A VM's is told by its facts alone; datastores and networks are in none.
  if (kind !== "host" && kind !== "cluster") cluster = "";
  if (random.chance(0.15)) {
    // Below something that may not be read: then what is known of its place begins there too.
    const below = (place) => (place === "" || random.chance(0.6) ? "" : `/?${place}`);
    [path, datacenter, cluster] = [random.chance(0.85) ? `/?${path}` : "", below(datacenter), below(cluster)];
  }
  return { kind, vcenter: random.of(kVcenters), name, path, datacenter, cluster, facts };
}

// ---- Calls.
function anyValue(random, depth = 0) {
  return random.weighted([
    [4, () => number(random)], [4, () => random.of(kTexts)], [2, () => random.chance(0.5)], [2, () => null],
    [depth < 2 ? 2 : 0, () => Array.from({ length: random.between(0, 3) }, () => anyValue(random, depth + 1))],
    [depth < 2 ? 2 : 0, () => ({ "m~n": anyValue(random, depth + 1), size: anyValue(random, depth + 1) })],
  ])();
}
function valueOf(random, type) {
  if (random.chance(0.25)) return anyValue(random);
  const list = (make) => Array.from({ length: random.between(0, 3) }, () => (random.chance(0.08) ? anyValue(random) : make()));
  switch (type) {
    case "number": return number(random);
    case "text": return random.of(kTexts);
    case "boolean": return random.chance(0.5);
    case "numbers": return list(() => number(random));
    case "texts": return list(() => random.of(kTexts));
  }
  return anyValue(random);
}

function argumentsOf(random) {
  const out = {};
  const put = (key, type, p = 0.7) => { if (random.chance(p)) out[key] = valueOf(random, type); };
  put("cpu_count", "number", 0.85);
  put("memory_gb", "number", 0.8);
  put("sizes", "numbers");
  put("guest", "text");
  put("labels", "texts");
  put("flag", "boolean", 0.6);
  put("reason", "text", 0.6);
  put("a/b", "number", 0.6);
  const disk = () => (random.chance(0.85) ? { size: valueOf(random, "number") } : anyValue(random));
  if (random.chance(0.6)) out.disks = random.chance(0.95) ? Array.from({ length: random.between(0, 3) }, disk) : { 0: disk(), "01": disk() };
  if (random.chance(0.6)) out.nested = random.chance(0.9) ? { "m~n": valueOf(random, "text") } : anyValue(random);
  return out;
}

// Around changes of summer time, and around the edges of the policy's windows.
function momentOf(random, policy) {
  const [first, last] = kSpan;
  const windows = policy.rules.filter((rule) => rule.when).map((rule) => rule.when);
  const near = () => random.of([-1, 0, 1, -1000, 1000, -60_000, 60_000]) + random.of([0, 0, 0, -1, 1, -2, 24]) * 1_800_000;
  const any = first + random.below((last - first) / 1000) * 1000 + random.below(1000);
  if (windows.length === 0) return any;
  const when = random.of(windows);
  return random.weighted([
    [2, () => any],
    [3, () => {
      const moments = changes(when.zone, new Date(any).getUTCFullYear());
      return moments.length === 0 ? any : random.of(moments) + near();
    }],
    [5, () => {
      const midnight = any - (any % 86_400_000);
      return midnight + random.of([when.from, when.to]) * 60_000 - offset(when.zone, midnight) + near();
    }],
  ])();
}

// `subjects` of the call are indices into the policy's.
export function callOf(random, policy, subjects) {
  const roles = Object.keys(policy.roles);
  const [tool, changesSomething] = random.of(kTools);
  const count = random.weighted([[3, 0], [5, 1], [2, 2], [1, 3], [1, 4]]);
  return {
    identity: random.of(kIdentities),
    role: random.chance(0.02) ? "nobody" : random.of(roles),
    tool,
    changes: changesSomething,
    asks: random.chance(0.55),
    vcenter: random.chance(0.12) ? "" : random.of(kVcenters),
    arguments: argumentsOf(random),
    subjects: Array.from({ length: count }, () => random.below(subjects)),
    now: momentOf(random, policy),
  };
}
