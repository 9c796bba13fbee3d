// Runs the public conformance suites and counts what they found in their result files: exit codes are not enough, since
// the suites call warnings a success and let scenarios that are not scored fail.
//   run [BUILD [SUITE …]]
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const newest = join(modules, "@modelcontextprotocol/conformance/dist/index.js");
const legacy = join(modules, "conformance-legacy/dist/index.js");

// `passed`: no fewer. What the TypeScript SDK's own server passes, without the Tasks scenarios, which it fails in part
// (152, 84, 190, 44), and all 44 checks of those.
const suites = {
  "2026-07-28": { program: newest, args: ["--requirements", "2026-07-28"], passed: 152 + 44 },
  "2025-11-25": { program: newest, args: ["--requirements", "2025-11-25"], passed: 84 },
  all: { program: newest, args: ["--suite", "all"], passed: 190 + 44 },
  "all-0.1.16": { program: legacy, args: ["--suite", "all"], passed: 44 },
};
// The suites skip these themselves: one cannot be observed over HTTP, the others are an extension that we do not offer.
const maySkip = [/^tasks-status-notifications$/, /^sep-2640-skills-/];
const kSuiteTimeout = 240_000;

const [build = "build/dev", ...only] = process.argv.slice(2);
if (build === "--help") {
  console.log("usage: tests/conformance/run [BUILD [SUITE …]]\nexample: tests/conformance/run build/dev 2026-07-28");
  console.log("suites: " + Object.keys(suites).join(", "));
  process.exit(0);
}
const unknown = only.filter((name) => !(name in suites));
if (unknown.length > 0) {
  console.error(`no such suite: ${unknown.join(", ")}; there are ${Object.keys(suites).join(", ")}`);
  process.exit(2);
}

// serve on a port that the system chooses; gives its URL.
async function start() {
  const server = { log: "" };
  server.child = spawn(join(here, "serve"), ["0", resolve(build)], { stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [server.child.stdout, server.child.stderr]) stream.on("data", (bytes) => (server.log += bytes));
  server.ended = new Promise((done) => server.child.on("exit", (code, signal) => done(code ?? signal)));
  const deadline = Date.now() + 60_000;
  while (!server.url) {
    if (server.child.exitCode !== null || Date.now() > deadline) throw new Error("the server did not start:\n" + server.log);
    await new Promise((done) => setTimeout(done, 50));
    server.url = server.log.match(/ at (http:\/\/127\.0\.0\.1:\d+\/mcp)/)?.[1];
  }
  return server;
}

function runSuite(suite, url, folder) {
  const args = [suite.program, "server", "--url", url, ...suite.args, "-o", folder];
  args.push("--expected-failures", join(here, "expected-failures.yml"));
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, args, { cwd: here, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (output += bytes));
    const timer = setTimeout(() => child.kill("SIGKILL"), kSuiteTimeout);
    child.on("error", failed);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      done({ code: code ?? signal, output });
    });
  });
}

// Every check of one run, with its scenario: the folders are called server-SCENARIO-TIME.
function checksIn(folder) {
  return readdirSync(folder).flatMap((name) => {
    const scenario = name.replace(/^server-/, "").replace(/-\d{4}-\d{2}-\d{2}T.*$/, "");
    return JSON.parse(readFileSync(join(folder, name, "checks.json"), "utf8")).map((check) => ({ ...check, scenario }));
  });
}

// What of a run is wrong, one line each.
function complaints(suite, checks, counts, run) {
  const out = [];
  const reason = (check) => (check.errorMessage ?? check.description ?? "").replace(/\s+/g, " ").slice(0, 300);
  for (const check of checks) {
    const where = `${check.scenario} ${check.id}`;
    if (check.status === "FAILURE" || check.status === "WARNING") out.push(`${check.status} ${where}: ${reason(check)}`);
    else if (check.status === "SKIPPED" && !maySkip.some((name) => name.test(check.scenario)))
      out.push(`SKIPPED ${where}, which is not one that may be: ${reason(check)}`);
    else if (!["SUCCESS", "SKIPPED", "INFO"].includes(check.status)) out.push(`unknown status ${check.status} of ${where}`);
  }
  if (counts.SUCCESS < suite.passed) out.push(`only ${counts.SUCCESS} checks passed, ${suite.passed} must`);
  // Should the suites ever write their results otherwise, the files would be an empty proof.
  const total = run.output.match(/Total: (\d+) passed, (\d+) failed/);
  if (!total) out.push("the suite gave no total:\n" + run.output.slice(-2000));
  else if (Number(total[1]) !== counts.SUCCESS || Number(total[2]) !== counts.FAILURE)
    out.push(`the suite counts ${total[1]} passed and ${total[2]} failed, its files ${counts.SUCCESS} and ${counts.FAILURE}`);
  if (run.code !== 0 && out.length === 0) out.push(`the suite ended with ${run.code}:\n` + run.output.slice(-2000));
  return out;
}

const results = resolve(build, "conformance");
rmSync(results, { recursive: true, force: true });
const rows = [];
let wrong = 0;
const server = await start();
try {
  for (const [name, suite] of Object.entries(suites)) {
    if (only.length > 0 && !only.includes(name)) continue;
    const folder = join(results, name);
    mkdirSync(folder, { recursive: true });
    const began = Date.now();
    const run = await runSuite(suite, server.url, folder);
    const checks = checksIn(folder);
    const counts = { SUCCESS: 0, FAILURE: 0, WARNING: 0, SKIPPED: 0 };
    for (const check of checks) if (check.status in counts) counts[check.status] += 1;
    const found = complaints(suite, checks, counts, run);
    wrong += found.length;
    if (found.length > 0) console.log(`${name}:\n` + found.map((line) => `  ${line}`).join("\n"));
    rows.push({ suite: name, passed: counts.SUCCESS, "must pass": suite.passed, failed: counts.FAILURE, warnings: counts.WARNING,
      skipped: counts.SKIPPED, seconds: ((Date.now() - began) / 1000).toFixed(1), verdict: found.length > 0 ? "WRONG" : "ok" });
  }
} finally {
  server.child.kill("SIGTERM");
  const code = await server.ended;
  // serve answers the signal with 143 after the host has ended.
  if (code !== 143) {
    wrong += 1;
    console.log(`the server ended with ${code}`);
  }
  if (wrong > 0) console.log(server.log.split("\n").slice(-15).join("\n"));
}
console.table(rows);
console.log(wrong > 0 || rows.length === 0 ? `${wrong} complaints; results in ${results}` : "all as it should be");
process.exit(wrong > 0 || rows.length === 0 ? 1 : 0);
