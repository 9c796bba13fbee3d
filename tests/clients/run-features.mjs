// What each client can do beyond calling a tool, one kind of client after the other, each with a server of its own.
//   node run-features.mjs PROGRAM [KIND …]        VERBOSE=1 names the checks that pass
import { Checks } from "./checks.mjs";
import { features } from "./features.mjs";
import { Server } from "./server.mjs";

const [program, ...only] = process.argv.slice(2);
if (!program || program === "--help") {
  console.log("usage: node run-features.mjs PROGRAM [KIND …]\nexample: node run-features.mjs build/dev/bin/vsphere-mcp-pro mcpdo");
  console.log("kinds: " + features.map((f) => f.name).join(", "));
  process.exit(program ? 0 : 2);
}
const unknown = only.filter((name) => !features.some((f) => f.name === name));
if (unknown.length > 0) {
  console.error("no such kind: " + unknown.join(", "));
  process.exit(2);
}

let passed = 0;
let failed = 0;
for (const feature of features) {
  if (only.length > 0 && !only.includes(feature.name)) continue;
  const started = Date.now();
  const checks = new Checks(feature.name);
  const servers = [];
  const start = async (options) => {
    const server = await Server.start(program, options);
    servers.push(server);
    return server;
  };
  await checks.check("runs to its end", () => feature.run(checks, start, program), 120_000);
  for (const server of servers) {
    if (checks.failed > 0) console.log(server.tail());
    await checks.check("the server ends cleanly", async () => {
      const code = await server.stop();
      if (code !== 0) throw new Error(`the server ended with ${code}`);
    });
  }
  passed += checks.passed;
  failed += checks.failed;
  const verdict = checks.failed > 0 ? "FAILED " : "ok     ";
  console.log(`${verdict} ${feature.name}: ${checks.passed} checks, ${checks.failed} failed, ${((Date.now() - started) / 1000).toFixed(1)} s`);
}
console.log(`${passed} checks passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
