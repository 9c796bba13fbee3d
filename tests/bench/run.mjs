// Full-chain tools/call (authentication, policy, limits, validation, file audit on) of a tool without upstream work,
// against a bare Poco handler that parses and echoes JSON and against the TypeScript SDK's server with the same tool.
// All in one run, in turns, so that the ratios hold when the machine's speed drifts.
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const options = { build: "build/release", seconds: 3, rounds: 3, gate: 1.3 };
for (let i = 2; i < process.argv.length; i += 2) {
  const name = process.argv[i].replace(/^--/, "");
  if (name === "help" || !(name in options)) {
    console.log("tests/bench/run [--build DIR] [--seconds N] [--rounds N] [--gate RATIO]\nexample: tests/bench/run --seconds 5");
    process.exit(name === "help" ? 0 : 2);
  }
  options[name] = name === "build" ? process.argv[i + 1] : Number(process.argv[i + 1]);
}
const bin = (name) => resolve(options.build, "bin", name);
const folder = mkdtempSync(join(tmpdir(), "vmcp-bench-"));
const children = [];

// Starts a server and waits for the line that tells its port.
function start(command, args, env, pattern, stream) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  children.push(child);
  return new Promise((done, fail) => {
    let text = "";
    child[stream].on("data", (bytes) => {
      text += bytes;
      const found = text.match(pattern);
      if (found) done({ pid: child.pid, port: Number(found[1]) });
    });
    child[stream === "stdout" ? "stderr" : "stdout"].resume();
    child.on("exit", (code) => fail(new Error(`${command} ended with ${code}: ${text}`)));
  });
}

function ours() {
  const plugins = join(folder, "plugins");
  mkdirSync(plugins);
  for (const ending of [".so", ".vmcp.json"])
    copyFileSync(join(options.build, "lib/vsphere-mcp-pro/fixtures/fixture_echo" + ending), join(plugins, "fixture_echo" + ending));
  const config = join(folder, "bench.toml");
  writeFileSync(config, `[plugins]\ndir = "${plugins}"\n[[plugin]]\nid = "org.vmcp.fixture.echo"\nisolation = "inprocess"\n
[auth.role.read]\nallow = ["echo", "list_*", "get_*"]\n`);
  // Limits on, so that they cost what they cost, and wide enough that nothing is refused.
  const env = { STATE_DIR: join(folder, "state"), AUDIT_LOG_PATH: join(folder, "audit.jsonl"), RATE_LIMIT_RPS: "1000000", RATE_LIMIT_BURST: "1000000",
    VMCP__LIMITS__ADDRESS_RPS: "1000000", VMCP__LIMITS__ADDRESS_BURST: "1000000", TOOL_PARALLEL: "256", VMCP__LOG__LEVEL: "warning" };
  return start(bin("vsphere-mcp-pro"), ["serve", "--demo", "--listen", "127.0.0.1:0", "--config", config], env, / at http:\/\/127\.0\.0\.1:(\d+)\//, "stderr");
}

// User and system time of a process in microseconds (Linux: 100 ticks a second).
function cpu_us(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function load(server, connections, seconds) {
  const before = cpu_us(server.pid);
  const done = spawnSync("wrk", ["-t1", `-c${connections}`, `-d${seconds}s`, "-s", "tests/bench/post.lua", `http://127.0.0.1:${server.port}/mcp`], { encoding: "utf8" });
  const line = done.stdout.match(/RESULT (.*)/);
  if (!line) throw new Error("wrk: " + done.stdout + done.stderr);
  const r = JSON.parse(line[1]);
  if (r.bad > 0 || r.requests === 0) throw new Error(`${server.name} at ${connections} connections: ${r.bad} bad of ${r.requests}`);
  return { rps: r.requests / r.seconds, p50: r.p50_us, p99: r.p99_us, cpu: (cpu_us(server.pid) - before) / r.requests };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function main() {
  const servers = [
    { name: "full_chain", ...(await ours()) },
    { name: "bare_poco", ...(await start(bin("bench_poco"), [], {}, /port (\d+)/, "stdout")) },
    { name: "typescript", ...(await start(process.execPath, ["tests/bench/ts_server.mjs"], {}, /port (\d+)/, "stdout")) },
  ];
  const results = {};
  for (const server of servers) load(server, 16, 1); // warm
  for (const connections of [1, 16, 64])
    for (const server of servers) results[`${server.name}_${connections}`] = [];
  for (const connections of [1, 16, 64])
    for (let round = 0; round < options.rounds; ++round)
      for (const server of servers) results[`${server.name}_${connections}`].push(load(server, connections, options.seconds));

  const bench = {};
  console.log("server      conn   requests/s    p50 µs    p99 µs   CPU µs/call");
  for (const connections of [1, 16, 64])
    for (const server of servers) {
      const rows = results[`${server.name}_${connections}`];
      const m = Object.fromEntries(["rps", "p50", "p99", "cpu"].map((k) => [k, median(rows.map((r) => r[k]))]));
      for (const [k, v] of Object.entries(m)) bench[`${k === "p50" || k === "p99" ? k + "_us" : k === "cpu" ? "cpu_us" : k}_${server.name}_${connections}`] = v;
      console.log(`${server.name.padEnd(12)}${String(connections).padStart(4)}${m.rps.toFixed(0).padStart(13)}${m.p50.toFixed(0).padStart(10)}${m.p99.toFixed(0).padStart(10)}${m.cpu.toFixed(1).padStart(14)}`);
    }
  // Ratios pair by pair: the same round of both, side by side in time.
  for (const connections of [1, 16, 64])
    for (const other of ["bare_poco", "typescript"]) {
      const pairs = results[`full_chain_${connections}`].map((r, i) => [r, results[`${other}_${connections}`][i]]);
      bench[`cpu_ratio_${other}_${connections}`] = median(pairs.map(([a, b]) => a.cpu / b.cpu));
      bench[`rps_ratio_${other}_${connections}`] = median(pairs.map(([a, b]) => a.rps / b.rps));
      console.log(`against ${other} at ${connections}: CPU × ${bench[`cpu_ratio_${other}_${connections}`].toFixed(2)}, requests/s × ${bench[`rps_ratio_${other}_${connections}`].toFixed(2)}`);
    }

  const steps = spawnSync(bin("bench_steps"), [], { encoding: "utf8" });
  if (steps.status !== 0) throw new Error("bench_steps: " + steps.stdout + steps.stderr);
  for (const line of steps.stdout.trim().split("\n")) {
    const [name, ns] = line.split(" ");
    bench[`ns_step_${name}`] = Number(ns);
    console.log(`step ${name.padEnd(20)}${Number(ns).toFixed(0).padStart(8)} ns`);
  }
  writeFileSync("build/bench.json", JSON.stringify(bench, null, 2) + "\n");
  console.log("written to build/bench.json");
  const ratio = bench.cpu_ratio_bare_poco_64;
  if (ratio > options.gate) throw new Error(`gate: CPU per call is ${ratio.toFixed(2)} × bare Poco's at 64 connections, at most ${options.gate} is allowed`);
  console.log(`gate: ${ratio.toFixed(2)} × bare Poco's CPU per call at 64 connections, at most ${options.gate}: passed`);
}

let code = 0;
try {
  await main();
} catch (error) {
  console.error(error.message);
  code = 1;
}
for (const child of children) {
  child.removeAllListeners("exit");
  child.stdin.end();
  child.kill("SIGTERM");
}
rmSync(folder, { recursive: true, force: true });
process.exit(code);
