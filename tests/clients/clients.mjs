// The clients, each behind the same three functions.
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from "@modelcontextprotocol/client";
import { createMCPClient } from "@ai-sdk/mcp";

const modules = fileURLToPath(new URL("./node_modules/", import.meta.url));
const info = { name: "vsphere-mcp-pro-tests", version: "1.0.0" };
const headers = (token) => ({ Authorization: `Bearer ${token}` });

// From an MCP tool result: the structured answer, which must also be there as text.
function structured(result) {
  if (result.isError) throw new Error(result.content?.[0]?.text ?? JSON.stringify(result));
  if (!result.structuredContent) throw new Error("no structuredContent: " + JSON.stringify(result).slice(0, 500));
  const text = JSON.parse(result.content[0].text);
  if (JSON.stringify(text) !== JSON.stringify(result.structuredContent)) throw new Error("text and structure differ");
  return result.structuredContent;
}

function refusal(result) {
  if (!result.isError) throw new Error("was not refused: " + JSON.stringify(result).slice(0, 500));
  return result.content[0].text;
}

export function sdkSession(client) {
  return {
    async list() {
      const names = [];
      let cursor;
      do {
        const page = await client.listTools(cursor ? { cursor } : {});
        names.push(...page.tools.map((t) => t.name));
        cursor = page.nextCursor;
      } while (cursor);
      return names;
    },
    call: async (name, args) => structured(await client.callTool({ name, arguments: args })),
    refused: async (name, args) => refusal(await client.callTool({ name, arguments: args })),
    close: () => client.close(),
  };
}

async function v1(url, token) {
  const client = new ClientV1(info);
  await client.connect(new TransportV1(new URL(url), { requestInit: { headers: headers(token) } }));
  return sdkSession(client);
}

const v2 = (mode, expected) => async (url, token) => {
  const client = new ClientV2(info, { versionNegotiation: { mode } });
  await client.connect(new TransportV2(new URL(url), { requestInit: { headers: headers(token) } }));
  const version = client.getNegotiatedProtocolVersion?.() ?? client.negotiatedProtocolVersion;
  if (version && version !== expected) throw new Error(`negotiated ${version}, expected ${expected}`);
  return sdkSession(client);
};

async function aiSdk(url, token) {
  const client = await createMCPClient({ transport: { type: "http", url, headers: headers(token) } });
  const tools = await client.tools();
  const run = (name, args) => tools[name].execute(args, { toolCallId: "1", messages: [] });
  return {
    list: async () => Object.keys(tools),
    call: async (name, args) => structured(await run(name, args)),
    refused: async (name, args) => refusal(await run(name, args)),
    close: () => client.close(),
  };
}

// One process for each request, as a person at a terminal would.
const inspector = (era) => async (url, token, folder) => {
  const launcher = modules + "@modelcontextprotocol/inspector/clients/launcher/build/index.js";
  const run = (...args) => {
    const command = [launcher, "--cli", url, "--transport", "http", "--header", `Authorization: Bearer ${token}`,
      "--protocol-era", era, "--format", "json", ...args];
    const done = spawnSync(process.execPath, command, { encoding: "utf8", timeout: 60_000, env: { ...process.env, HOME: folder } });
    const text = done.stdout.trim();
    let json = null;
    try {
      json = JSON.parse(text);
    } catch {
      // not JSON: the caller sees the text
    }
    return { code: done.status, json: json?.result ?? json, text: text + done.stderr };
  };
  // --tool-arg takes key=value, values that are not text as JSON.
  const call = (name, args) =>
    run("--method", "tools/call", "--tool-name", name,
      ...Object.entries(args).flatMap(([k, v]) => ["--tool-arg", `${k}=${typeof v === "string" ? v : JSON.stringify(v)}`]));
  const strict = run("--method", "tools/list", "--strict");
  if (strict.code !== 0) throw new Error(`--strict: exit ${strict.code}: ${strict.text.slice(0, 2000)}`);
  return {
    list: async () => run("--method", "tools/list").json.tools.map((t) => t.name),
    call: async (name, args) => {
      const done = call(name, args);
      if (done.code !== 0) throw new Error(`${name}: exit ${done.code}: ${done.text.slice(0, 2000)}`);
      return structured(done.json);
    },
    refused: async (name, args) => {
      const done = call(name, args);
      if (done.code !== 5) throw new Error(`${name}: exit ${done.code}, expected 5 (tool error)`);
      return done.text;
    },
    close: async () => {},
  };
};

// A desktop client's view: JSON-RPC lines on the bridge's standard input and output.
async function mcpRemote(url, token, folder) {
  const bridge = spawn(process.execPath,
    [modules + "mcp-remote/dist/proxy.js", url, "--header", `Authorization: Bearer ${token}`, "--allow-http", "--transport", "http-only"],
    { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, HOME: folder } });
  let log = "";
  bridge.stderr.on("data", (bytes) => (log += bytes));
  const waiting = new Map();
  createInterface({ input: bridge.stdout }).on("line", (line) => {
    const message = JSON.parse(line);
    waiting.get(message.id)?.(message);
  });
  let id = 0;
  const request = (method, params) =>
    new Promise((resolve, reject) => {
      id += 1;
      const timer = setTimeout(() => reject(new Error(`${method}: no answer\n${log}`)), 60_000);
      waiting.set(id, (message) => {
        clearTimeout(timer);
        if (message.error) reject(new Error(JSON.stringify(message.error)));
        else resolve(message.result);
      });
      bridge.stdin.write(JSON.stringify({ jsonrpc: "2.0", id, method, params }) + "\n");
    });
  await request("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: info });
  bridge.stdin.write(JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" }) + "\n");
  return {
    list: async () => (await request("tools/list", {})).tools.map((t) => t.name),
    call: async (name, args) => structured(await request("tools/call", { name, arguments: args })),
    refused: async (name, args) => refusal(await request("tools/call", { name, arguments: args })),
    close: async () => {
      const ended = new Promise((done) => bridge.on("exit", done));
      bridge.kill("SIGTERM");
      await ended;
    },
  };
}

export const clients = [
  { name: "sdk-v1", connect: v1 },
  { name: "client-v2-legacy", connect: v2("legacy", "2025-11-25") },
  { name: "client-v2-auto", connect: v2("auto", "2026-07-28") },
  { name: "client-v2-modern", connect: v2({ pin: "2026-07-28" }, "2026-07-28") },
  { name: "ai-sdk", connect: aiSdk },
  { name: "inspector-legacy", connect: inspector("legacy") },
  { name: "inspector-modern", connect: inspector("modern") },
  { name: "mcp-remote", connect: mcpRemote },
];
