// Desktop clients: they start the program themselves and talk to it through its standard input and output.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { Client as ClientV2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as TransportV2 } from "@modelcontextprotocol/client/stdio";
import { sdkSession } from "../clients.mjs";
import { until } from "../checks.mjs";
import { audit, truth } from "../server.mjs";
import { story } from "../story.mjs";

// A client may overlook a line that is not the protocol; what tee writes is every byte of the output. The program must
// be the child itself: client v2 starts a first one to see which era it speaks, ends it and waits for it by its pid.
const RECORDED = 'exec "$1" stdio --demo > >(exec tee -a "$2")';

async function live(program, client, Transport, token, body) {
  const folder = mkdtempSync(join(tmpdir(), "vmcp-desktop-"));
  const output = join(folder, "output.jsonl");
  const transport = new Transport({
    command: "bash", args: ["-c", RECORDED, "bash", resolve(program), output], cwd: folder, stderr: "pipe",
    env: { PATH: process.env.PATH, STATE_DIR: join(folder, "state"), AUDIT_LOG_PATH: join(folder, "audit.jsonl"), RATE_LIMIT: "false", VMCP_TOKEN: token },
  });
  let log = "";
  transport.stderr.on("data", (bytes) => (log += bytes));
  const faults = [];
  client.onerror = (error) => faults.push(String(error));
  try {
    await client.connect(transport);
    const port = await until("the simulator's port", () => log.match(/simulator\.listening .*port=(\d+)/)?.[1]);
    await body(client, { truth: (vm) => truth(`http://127.0.0.1:${port}`, vm), audit: () => audit(folder) });
    await client.close();
    assert.deepEqual(faults, []);
    const lines = readFileSync(output, "utf8").trimEnd().split("\n");
    assert.ok(lines.length > 1);
    for (const line of lines) assert.equal(JSON.parse(line).jsonrpc, "2.0", line);
  } catch (error) {
    throw new Error(`${error.stack ?? error}\n${log}`);
  } finally {
    await client.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const info = { name: "vsphere-mcp-pro-tests", version: "1.0.0" };
const clientOf = (mode) => new ClientV2(info, { versionNegotiation: { mode } });

export async function desktop(checks, start, program) {
  const kinds = [
    ["SDK v1", () => new ClientV1(info), TransportV1],
    ["client v2, negotiating", () => clientOf("auto"), TransportV2],
    ["client v2, pinned to 2026-07-28", () => clientOf({ pin: "2026-07-28" }), TransportV2],
  ];
  for (const [name, make, Transport] of kinds) {
    await checks.check(`${name}: lives through the story, and hears nothing but the protocol`, () =>
      live(program, make(), Transport, "demo-admin", async (client, server) => {
        if (name !== "SDK v1") assert.equal(client.getNegotiatedProtocolVersion(), "2026-07-28");
        assert.ok((await story(sdkSession(client), server)) > 10);
      }), 40_000);
  }
  await checks.check("the token of the environment decides what may be done", () =>
    live(program, clientOf("auto"), TransportV2, "demo-read", async (client) => {
      const { tools } = await client.listTools();
      assert.ok(tools.some((t) => t.name === "list_vms"));
      assert.ok(!tools.some((t) => t.name === "delete_vm"));
      const refused = await client.callTool({ name: "delete_vm", arguments: { vm_id: "vm-1030", confirm: true } });
      assert.equal(refused.isError, true);
    }), 40_000);
}
