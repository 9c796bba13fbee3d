// Real MCP clients against the real program: each lists the tools and lives through one operator's story. What became
// of it is read from the simulator's admin path, never through our own tools.
//   node run.mjs PROGRAM [CLIENT …]
import { Server } from "./server.mjs";
import { story } from "./story.mjs";
import { clients } from "./clients.mjs";

const [program, ...only] = process.argv.slice(2);
if (!program || program === "--help") {
  console.log("usage: node run.mjs PROGRAM [CLIENT …]\nexample: node run.mjs build/dev/bin/vsphere-mcp-pro client-v2-auto");
  console.log("clients: " + clients.map((c) => c.name).join(", "));
  process.exit(program ? 0 : 2);
}
const unknown = only.filter((name) => !clients.some((c) => c.name === name));
if (unknown.length > 0) {
  console.error("no such client: " + unknown.join(", "));
  process.exit(2);
}

let failed = 0;
let passed = 0;
for (const client of clients) {
  if (only.length > 0 && !only.includes(client.name)) continue;
  const started = Date.now();
  const server = await Server.start(program);
  try {
    const session = await client.connect(server.url, "demo-admin", server.folder);
    try {
      const steps = await story(session, server);
      console.log(`ok      ${client.name}: ${steps} steps in ${((Date.now() - started) / 1000).toFixed(1)} s`);
      passed += 1;
    } finally {
      await session.close();
    }
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${client.name}: ${error.stack ?? error}`);
    console.log(server.tail());
  } finally {
    const code = await server.stop();
    if (code !== 0) {
      failed += 1;
      console.log(`FAILED  ${client.name}: the server ended with ${code}`);
    }
  }
}
console.log(`${passed} clients passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
