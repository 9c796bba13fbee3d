// Full-chain tools/call (authentication, policy, limits, validation, file audit on) of a tool without upstream work,
// against a bare Poco handler that parses and echoes JSON and against the TypeScript SDK's server with the same tool.
// All in one run, in turns, so that the ratios hold when the machine's speed drifts.
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const options = { build: "build/release", seconds: 2, rounds: 3, gate: 0.9, idle: 9900, streams: 9900 };
// Of the server that holds `idle` connections and `streams` open streams. A connection under TLS keeps about 14 KB, of
// which OpenSSL's SSL_new alone takes 7.5: no buffers, the library's objects.
const bounds = { threads: 24, event_ms_worst: 500, resident_mb: { plain: 100, tls: 320 } };
// Of plugins, in this process and apart: what, beside what the same costs bare, and how much is allowed. Idle cores wake
// up slowly, and 50 processes have no bound: both are only told.
const plugin_rows = [
  { what: "crossing the ABI, ns", of: "border_ns", bare: "direct_call_ns", beside: "a call through a pointer", added: 100 },
  { what: "typed call with five fields, µs", of: "typed_us", bare: "border_us", beside: "the crossing alone", most: 4 },
  { what: "1 KB to a child, pinned, µs", of: "child_us_pinned", bare: "socket_us_pinned", beside: "a bare socket pair" },
  { what: "1 KB to a child, busy cores, µs", of: "child_us_busy", bare: "socket_us_busy", beside: "a bare socket pair" },
  { what: "1 KB to a child, idle cores, µs", of: "child_us_idle", bare: "socket_us_idle", beside: "a bare socket pair" },
  { what: "a child adds, pinned, µs", of: "child_adds_us_pinned", bare: "inprocess_us_pinned", beside: "the call in process", most: 15 },
  { what: "a child adds, busy cores, µs", of: "child_adds_us_busy", bare: "inprocess_us_busy", beside: "the call in process", most: 15 },
  { what: "a child adds, idle cores, µs", of: "child_adds_us_idle", bare: "inprocess_us_idle", beside: "the call in process" },
  { what: "runner, start to ready, ms", of: "runner_ready_ms", bare: "bin_true_ms", beside: "/bin/true", most: 5 },
  { what: "the same, median of all 50, ms", of: "runner_ready_median_of_50_ms", bare: "bin_true_ms", beside: "/bin/true" },
  { what: "the same without its sandbox, ms", of: "runner_ready_without_sandbox_ms", bare: "dlopen_ms", beside: "a bare dlopen" },
  { what: "50 plugins, 1,000 tools, in process, ms", of: "load_50_inprocess_ms", bare: "dlopen_50_ms", beside: "50 bare dlopens", most: 1000 },
  { what: "50 plugins, 1,000 tools, apart, ms", of: "load_50_child_ms", bare: "dlopen_50_ms", beside: "50 bare dlopens" },
];
for (let i = 2; i < process.argv.length; i += 2) {
  const name = process.argv[i].replace(/^--/, "");
  if (name === "help" || !(name in options)) {
    console.log("tests/bench/run [--build DIR] [--seconds N] [--rounds N] [--gate RATIO] [--idle N] [--streams N]\nexample: tests/bench/run --seconds 5");
    process.exit(name === "help" ? 0 : 2);
  }
  options[name] = name === "build" ? process.argv[i + 1] : Number(process.argv[i + 1]);
}
const bin = (name) => resolve(options.build, "bin", name);
const folder = mkdtempSync(join(tmpdir(), "vmcp-bench-"));
const children = [];
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"; // check() asks the server with the certificate of this run
process.removeAllListeners("warning");

// Starts a server and waits for the line that tells its port.
function start(command, args, env, pattern, stream, scheme = "http") {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  children.push(child);
  return new Promise((done, fail) => {
    let text = "";
    child[stream].on("data", (bytes) => {
      text += bytes;
      const found = text.match(pattern);
      if (found) done({ pid: child.pid, url: `${scheme}://127.0.0.1:${found[1]}/mcp` });
    });
    child[stream === "stdout" ? "stderr" : "stdout"].resume();
    child.on("exit", (code) => fail(new Error(`${command} ended with ${code}: ${text}`)));
  });
}

// A certificate for one run; nobody verifies it.
function certificate(home) {
  mkdirSync(home);
  const files = { certificate: join(home, "certificate.pem"), key: join(home, "key.pem") };
  const made = spawnSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=bench",
    "-keyout", files.key, "-out", files.certificate], { encoding: "utf8" });
  if (made.status !== 0) throw new Error("openssl: " + made.stderr);
  chmodSync(files.key, 0o600);
  return files;
}

// `files`: of a certificate, for HTTPS.
function ours(files) {
  const home = join(folder, files ? "tls" : "plain");
  const plugins = join(home, "plugins");
  mkdirSync(plugins, { recursive: true });
  for (const ending of [".so", ".vmcp.json"])
    copyFileSync(join(options.build, "lib/vsphere-mcp-pro/fixtures/fixture_echo" + ending), join(plugins, "fixture_echo" + ending));
  const config = join(home, "bench.toml");
  const listener = files ? `[server]\ntls_certificate = "${files.certificate}"\ntls_key = "${files.key}"\n` : "";
  writeFileSync(config, `[plugins]\ndir = "${plugins}"\ntrust = "dev"\n[[plugin]]\nid = "org.vmcp.fixture.echo"\nisolation = "inprocess"\n${listener}`);
  // Limits on, so that they cost what they cost, and wide enough that nothing is refused.
  const env = { STATE_DIR: join(home, "state"), AUDIT_LOG_PATH: join(home, "audit.jsonl"), RATE_LIMIT_RPS: "1000000", RATE_LIMIT_BURST: "1000000",
    VMCP__LIMITS__IDENTICAL_CALLS: "1000000000", VMCP__LIMITS__ADDRESS_RPS: "1000000", VMCP__LIMITS__ADDRESS_BURST: "1000000", TOOL_PARALLEL: "256", VMCP__LOG__LEVEL: "warning" };
  return start(bin("vsphere-mcp-pro"), ["serve", "--demo", "--listen", "127.0.0.1:0", "--config", config], env, / at https?:\/\/127\.0\.0\.1:(\d+)\//, "stderr", files ? "https" : "http");
}

// User and system time of a process in microseconds (Linux: 100 ticks a second).
function cpu_us(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

// That the load will measure the tool's answer and not a refusal, which every server gives with status 200 too.
async function check(server) {
  const script = readFileSync("tests/bench/post.lua", "utf8");
  const headers = Object.fromEntries([...script.matchAll(/^wrk\.headers\["(.*)"\] = "(.*)"$/gm)].map((m) => [m[1], m[2]]));
  const answer = await fetch(server.url, { method: "POST", headers, body: script.match(/^wrk\.body = '(.*)'$/m)[1] });
  const text = await answer.text();
  const result = answer.status === 200 ? JSON.parse(text).result : undefined;
  if (result?.isError || (result?.structuredContent ?? result)?.message !== "the quick brown fox") throw new Error(`${server.name} does not echo: ${answer.status} ${text}`);
}

// `pause_ms`: between an answer and the next request of the same connection.
function load(server, connections, seconds, pause_ms = 0) {
  const before = cpu_us(server.pid);
  const done = spawnSync("wrk", ["-t1", `-c${connections}`, `-d${seconds}s`, "-s", "tests/bench/post.lua", server.url],
    { encoding: "utf8", env: { ...process.env, PAUSE_MS: String(pause_ms) } });
  const line = done.stdout.match(/RESULT (.*)/);
  if (!line) throw new Error("wrk: " + done.stdout + done.stderr);
  const r = JSON.parse(line[1]);
  if (r.bad > 0 || r.requests === 0) throw new Error(`${server.name} at ${connections} connections: ${r.bad} bad of ${r.requests}`);
  return { rps: r.requests / r.seconds, p50: r.p50_us, p99: r.p99_us, cpu: (cpu_us(server.pid) - before) / r.requests };
}

// Clients that only wait, plain and under TLS; what is over a bound comes back as texts.
function waiting(bench) {
  const over = [];
  console.log(`${options.idle} idle connections and ${options.streams} streams   threads   MB resident   event ms, median   worst`);
  for (const kind of ["plain", "tls"]) {
    const run = spawnSync(bin("bench_streams"), [kind, options.idle, options.streams], { encoding: "utf8", timeout: 300_000 });
    if (run.status !== 0) throw new Error(`bench_streams ${kind}: ${run.stdout}${run.stderr}`);
    const found = {};
    for (const line of run.stdout.trim().split("\n")) {
      const [name, value] = line.split(" ");
      bench[name] = found[name.replace(`streams_${kind}_`, "")] = Number(value);
    }
    console.log(`${kind.padEnd(42)}${String(found.threads).padStart(8)}${found.resident_mb.toFixed(1).padStart(14)}${found.event_ms_median.toFixed(1).padStart(19)}${found.event_ms_worst.toFixed(1).padStart(8)}`);
    for (const [name, bound] of Object.entries(bounds)) {
      const most = bound[kind] ?? bound;
      if (found[name] > most) over.push(`${name} of ${kind} streams is ${found[name]}, at most ${most} is allowed`);
    }
  }
  return over;
}

// What is over its bound comes back as texts. A machine that did something else for a moment must not decide: then it is
// measured again.
function plugins(bench) {
  const lib = (name) => resolve(options.build, "lib/vsphere-mcp-pro", name);
  let over = [];
  for (let attempt = 0; attempt < 3; ++attempt) {
    const run = spawnSync(bin("bench_plugins"), [lib("bench"), lib("fixtures"), bin("vsphere-mcp-runner")], { encoding: "utf8", timeout: 60_000 });
    if (run.status !== 0) throw new Error(`bench_plugins: ${run.stdout}${run.stderr}`);
    const found = Object.fromEntries(run.stdout.trim().split("\n").map((line) => line.split(" ")).map(([name, value]) => [name, Number(value)]));
    found.border_us = found.border_ns / 1000;
    console.log(`${"plugins".padEnd(42)}${"".padStart(9)}    ×  of`);
    over = [];
    for (const row of plugin_rows) {
      const value = found[row.of], bare = found[row.bare];
      bench[`plugins_${row.of}`] = value;
      bench[`plugins_${row.bare}`] = bare;
      bench[`plugins_ratio_${row.of}`] = value / bare;
      const most = row.most ?? (row.added === undefined ? Infinity : bare + row.added);
      console.log(`${row.what.padEnd(42)}${value.toPrecision(3).padStart(9)}${(value / bare).toPrecision(3).padStart(9)}  ${row.beside}: ${bare.toPrecision(3)}`);
      if (!(value <= most)) over.push(`${row.what}: ${value}, at most ${most} is allowed`);
    }
    if (over.length === 0) break;
  }
  return over;
}

// The journal beside what the same costs bare, pairwise; a disk that others use too may be slow once.
function audit(bench) {
  let over = [];
  for (let attempt = 0; attempt < 3; ++attempt) {
    const home = mkdtempSync(join(resolve(options.build), "bench-audit-"));
    const run = spawnSync(bin("bench_audit"), [home], { encoding: "utf8", timeout: 120_000 });
    rmSync(home, { recursive: true, force: true });
    if (run.status !== 0) throw new Error(`bench_audit: ${run.stdout}${run.stderr}`);
    const found = Object.fromEntries(run.stdout.trim().split("\n").map((line) => line.split(" ")).map(([name, value]) => [name, Number(value)]));
    for (const [name, value] of Object.entries(found)) bench[`audit_${name}`] = value;
    console.log("callers   intents/s   × bare group commit   × bare fdatasync");
    over = [];
    for (const callers of [1, 8, 32]) {
      const ratio = found[`ratio_group_${callers}`];
      console.log(`${String(callers).padStart(7)}${found[`intents_${callers}`].toFixed(0).padStart(12)}${ratio.toFixed(2).padStart(22)}${found[`ratio_fdatasync_${callers}`].toFixed(2).padStart(19)}`);
      if (!(ratio >= 0.5)) over.push(`durable intents of ${callers} callers: ${ratio} × a bare group commit, at least 0.5 is asked`);
    }
    console.log(`audit verify: ${(found.verify_bytes / 1e6).toFixed(0)} MB/s, × ${found.ratio_verify.toFixed(2)} bare SHA-256`);
    if (!(found.ratio_verify >= 0.3)) over.push(`audit verify: ${found.ratio_verify} × bare SHA-256, at least 0.3 is asked`);
    if (over.length === 0) break;
  }
  return over;
}

// Latencies when nobody is at the limit: all at half of what bare Poco can carry, from many connections that pause.
function half_load(servers, bench) {
  const connections = 256;
  const pause_ms = Math.max(1, Math.round((1000 * connections) / (bench.rps_bare_poco_64 / 2)));
  console.log("half load    requests/s    p50 µs    p99 µs");
  for (const server of servers) {
    const r = load(server, connections, options.seconds, pause_ms);
    for (const k of ["p50", "p99"]) bench[`half_load_${k}_us_${server.name}`] = r[k];
    bench[`half_load_rps_${server.name}`] = r.rps;
    console.log(`${server.name.padEnd(12)}${r.rps.toFixed(0).padStart(11)}${r.p50.toFixed(0).padStart(10)}${r.p99.toFixed(0).padStart(10)}`);
  }
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function main() {
  const files = certificate(join(folder, "certificate"));
  const poco = (scheme, ...args) => start(bin("bench_poco"), args, {}, /port (\d+)/, "stdout", scheme);
  const servers = [
    { name: "full_chain", ...(await ours()) },
    { name: "bare_poco", ...(await poco("http")) },
    { name: "full_tls", ...(await ours(files)) },
    { name: "bare_tls", ...(await poco("https", files.certificate, files.key)) },
    { name: "typescript", ...(await start(process.execPath, ["tests/bench/ts_server.mjs"], {}, /port (\d+)/, "stdout")) },
  ];
  const results = {};
  for (const server of servers) {
    await check(server);
    load(server, 16, 1); // warm
  }
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
  // A machine that did something else for some seconds must not decide: over the gate, more pairs are measured.
  const gated = [["full_chain", "bare_poco"], ["full_tls", "bare_tls"]];
  for (const pair of gated) {
    const ratio_64 = () => median(results[`${pair[0]}_64`].map((r, i) => r.cpu / results[`${pair[1]}_64`][i].cpu));
    for (let more = 0; more < 6 && ratio_64() > options.gate; ++more) {
      console.log(`${pair[0]}: CPU × ${ratio_64().toFixed(2)} is over the gate of ${options.gate}: ${options.rounds} more pairs`);
      for (let round = 0; round < options.rounds; ++round)
        for (const server of servers.filter((s) => pair.includes(s.name))) results[`${server.name}_64`].push(load(server, 64, options.seconds));
    }
  }
  // Ratios pair by pair: the same round of both, side by side in time.
  for (const connections of [1, 16, 64])
    for (const [one, other] of [...gated, ["full_chain", "typescript"]]) {
      const pairs = results[`${other}_${connections}`].map((r, i) => [results[`${one}_${connections}`][i], r]);
      bench[`cpu_ratio_${other}_${connections}`] = median(pairs.map(([a, b]) => a.cpu / b.cpu));
      bench[`rps_ratio_${other}_${connections}`] = median(pairs.map(([a, b]) => a.rps / b.rps));
      console.log(`${one} against ${other} at ${connections}: CPU × ${bench[`cpu_ratio_${other}_${connections}`].toFixed(2)}, requests/s × ${bench[`rps_ratio_${other}_${connections}`].toFixed(2)}`);
    }

  half_load(servers.filter((s) => s.name !== "typescript"), bench);
  const steps = spawnSync(bin("bench_steps"), [], { encoding: "utf8" });
  if (steps.status !== 0) throw new Error("bench_steps: " + steps.stdout + steps.stderr);
  for (const line of steps.stdout.trim().split("\n")) {
    const [name, ns] = line.split(" ");
    bench[`ns_step_${name}`] = Number(ns);
    console.log(`step ${name.padEnd(20)}${Number(ns).toFixed(0).padStart(8)} ns`);
  }
  const over = [...audit(bench), ...plugins(bench), ...waiting(bench)];
  writeFileSync("build/bench.json", JSON.stringify(bench, null, 2) + "\n");
  console.log("written to build/bench.json");
  for (const [one, other] of gated) {
    const ratio = bench[`cpu_ratio_${other}_64`];
    if (ratio > options.gate) over.push(`${one}: CPU per call is ${ratio.toFixed(2)} × that of ${other} at 64 connections, at most ${options.gate} is allowed`);
  }
  if (over.length > 0) throw new Error("gate: " + over.join("\ngate: "));
  console.log(`gate: ${bench.cpu_ratio_bare_poco_64.toFixed(2)} × bare Poco's CPU per call at 64 connections, ${bench.cpu_ratio_bare_tls_64.toFixed(2)} × under TLS, at most ${options.gate}: passed`);
}

let code = 0;
try {
  await main();
} catch (error) {
  console.error(error.message);
  code = 1;
}
// They still write into the folder until they have ended.
await Promise.all(children.map((child) => {
  child.removeAllListeners("exit");
  if (child.exitCode !== null || child.signalCode !== null) return undefined;
  const ended = new Promise((done) => child.once("exit", done));
  child.stdin.end();
  child.kill("SIGTERM");
  return ended;
}));
rmSync(folder, { recursive: true, force: true });
process.exit(code);
