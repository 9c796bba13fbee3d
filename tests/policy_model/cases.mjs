// Random policies and calls with the answers that the model gives, as JSON lines.
//   node cases.mjs --seed 1 --cases 50000 [--policy 17]      with --policy only that one, and what each rule says
// A line with "policy" begins a policy; those after it are its calls.
import { Float, judge, listed, matches, visible } from "./model.mjs";
import { decisive } from "./decisive.mjs";
import { Random, callOf, policyOf, subjectOf } from "./generator.mjs";
import { writeSync } from "node:fs";

const kCallsOfPolicy = 20, kSubjects = 6;

const option = (name, otherwise) => {
  const i = process.argv.indexOf(`--${name}`);
  return i < 0 ? otherwise : Number(process.argv[i + 1]);
};
const seed = option("seed", 1), cases = option("cases", 1000), only = option("policy", -1);

// JSON with 5.0 for what is no integer, and with integers of 64 bits.
function text(value) {
  if (value instanceof Float) return Number.isInteger(value.value) ? value.value.toFixed(1) : String(value.value);
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return `[${value.map(text).join(",")}]`;
  if (value !== null && typeof value === "object")
    return `{${Object.entries(value).filter(([, v]) => v !== undefined).map(([k, v]) => `${JSON.stringify(k)}:${text(v)}`).join(",")}}`;
  return JSON.stringify(value);
}

let waiting = "";
function flush() {
  const bytes = Buffer.from(waiting);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if (error.code === "EPIPE") process.exit(0);
      if (error.code !== "EAGAIN") throw error;
    }
  }
  waiting = "";
}
function write(line) {
  waiting += text(line) + "\n";
  if (waiting.length > 1 << 16) flush();
}

for (let index = 0; index * kCallsOfPolicy < cases; index++) {
  if (only >= 0 && index !== only) continue;
  const random = new Random(seed, index);
  const policy = policyOf(random);
  const subjects = Array.from({ length: kSubjects }, () => subjectOf(random));
  write({ policy: index, ...policy, subjects });
  for (let i = 0; i < kCallsOfPolicy; i++) {
    const call = callOf(random, policy, kSubjects);
    call.targets = call.subjects.map((s) => subjects[s]);
    const { targets, ...sent } = call;
    write({
      case: i,
      ...sent,
      expect: { ...judge(policy, call), listed: listed(policy, call), visible: visible(policy, call, subjects) },
      decisive: decisive(policy, call, subjects),
      rules: only >= 0 ? policy.rules.map((rule) => `${rule.name}: ${matches(policy, rule, call)}`) : undefined,
    });
  }
}
flush();
