// A host of MCP Apps, without a browser: it finds the views as a host does, and stands between a view and the server.
// What the views look like is tests/apps' business.
import assert from "node:assert/strict";
import { App } from "@modelcontextprotocol/ext-apps";
import { AppBridge, getToolUiResourceUri, RESOURCE_MIME_TYPE } from "@modelcontextprotocol/ext-apps/app-bridge";
import { Client, InMemoryTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { until } from "../checks.mjs";

const VIEWS = {
  get_resource_utilization_summary: "ui://org.vmcp.resource/utilization",
  list_vm_snapshots: "ui://org.vmcp.snapshot/tree",
};

async function servesView(client, tools, name, uri) {
  const tool = tools.find((t) => t.name === name);
  assert.equal(getToolUiResourceUri(tool), uri);
  const { contents } = await client.readResource({ uri });
  assert.equal(contents.length, 1);
  assert.equal(new URL(contents[0].uri).protocol, "ui:");
  assert.equal(contents[0].mimeType, RESOURCE_MIME_TYPE);
  assert.match(contents[0].text, /^\s*<!doctype html>/i);
  assert.match(contents[0].text, /<html[^>]*\blang=/i);
  assert.ok(!/(src|href)\s*=\s*["']?https?:/i.test(contents[0].text), "a view must be self-contained");
  const policy = contents[0]._meta?.ui?.csp ?? {};
  for (const domains of ["connectDomains", "resourceDomains", "frameDomains"]) assert.deepEqual(policy[domains] ?? [], []);
}

// The view's side of the pair is the App class that views are made with.
async function livesInHost(client, name, args) {
  const [hostSide, viewSide] = InMemoryTransport.createLinkedPair();
  const bridge = new AppBridge(client, { name: "tests", version: "1.0.0" }, { serverTools: {}, logging: {} }, { hostContext: { theme: "dark" } });
  const app = new App({ name: "view", version: "1.0.0" }, {}, { autoResize: false });
  const pushed = [];
  app.ontoolresult = (result) => void pushed.push(result);
  let initialized = false;
  bridge.oninitialized = () => void (initialized = true);
  await bridge.connect(hostSide);
  await app.connect(viewSide);
  await until("ui/initialize", () => initialized);
  assert.equal(app.getHostVersion().name, "tests");
  assert.equal(app.getHostContext().theme, "dark");

  const result = await client.callTool({ name, arguments: args });
  assert.equal(result.structuredContent.ok, true);
  await bridge.sendToolInput({ arguments: args });
  await bridge.sendToolResult(result);
  await until("the result reaches the view", () => pushed.length === 1);
  assert.deepEqual(pushed[0].structuredContent, result.structuredContent);

  const fromView = await app.callServerTool({ name, arguments: args });
  assert.equal(fromView.structuredContent.ok, true);
  const refused = await app.callServerTool({ name: "delete_vm", arguments: { vm_id: "vm-1030" } });
  assert.equal(refused.isError, true, "the server guards calls of views as all others");
  await app.close();
  await bridge.close();
}

export async function appsHost(checks, start) {
  const demo = await start();
  for (const [era, mode] of [["legacy", "legacy"], ["modern", { pin: "2026-07-28" }]]) {
    const client = new Client({ name: "tests", version: "1.0.0" },
      { versionNegotiation: { mode }, capabilities: { extensions: { "io.modelcontextprotocol/ui": { mimeTypes: [RESOURCE_MIME_TYPE] } } } });
    await client.connect(new StreamableHTTPClientTransport(new URL(demo.url), { requestInit: { headers: { Authorization: "Bearer demo-read" } } }));
    const { tools } = await client.listTools();
    const [vm] = (await client.callTool({ name: "list_vms", arguments: { limit: 1 } })).structuredContent.vms;
    for (const [name, uri] of Object.entries(VIEWS)) {
      await checks.check(`${era}: ${uri} is a view`, () => servesView(client, tools, name, uri));
      await checks.check(`${era}: ${name} lives in a host`, () => livesInHost(client, name, name === "list_vm_snapshots" ? { vm_id: vm.vm } : {}));
    }
    await client.close();
  }
}
