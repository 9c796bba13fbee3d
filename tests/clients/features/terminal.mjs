// Command-line clients of others, each through a short form of the story; and a client of an agent framework.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { MultiServerMCPClient } from "@langchain/mcp-adapters";
import { run } from "../command.mjs";

// call(tool, args): the whole result of the tool.
async function shortStory(call, server) {
  const [vm] = (await call("list_vms", { limit: 1, power_states: ["POWERED_OFF"] })).structuredContent.vms;
  assert.equal((await server.truth(vm.vm)).power, "POWERED_OFF");
  const done = await call("power_on_vm", { vm_id: vm.vm });
  assert.ok(!done.isError && done.structuredContent.ok, JSON.stringify(done));
  assert.equal((await server.truth(vm.vm)).power, "POWERED_ON");
  const refused = await call("modify_vm_resources", { vm_id: vm.vm, cpu_count: 6 });
  assert.equal(refused.isError, true);
  assert.match(refused.content[0].text, /confirm=true/);
}

async function mcporter(server) {
  const config = join(server.folder, "mcporter.json");
  writeFileSync(config, JSON.stringify({ mcpServers: { here: { baseUrl: server.url, headers: { Authorization: "Bearer demo-admin" } } } }));
  const command = async (...args) => {
    const done = await run("mcporter/dist/cli.js", ["--config", config, ...args], { environment: { HOME: server.folder } });
    assert.ok(done.json, `mcporter ${args.join(" ")}: exit ${done.code}: ${done.text}`);
    return done.json;
  };
  assert.equal((await command("list", "here", "--json")).tools.length, 16);
  // It prints the structured answer when there is one, else the result.
  await shortStory(async (tool, args) => {
    const printed = await command("call", `here.${tool}`, "--args", JSON.stringify(args), "--output", "json");
    return printed.content ? printed : { structuredContent: printed };
  }, server);
}

async function mcpc(server) {
  const environment = { HOME: server.folder, MCPC_HOME_DIR: join(server.folder, "mcpc") };
  const command = async (args, input = "") => {
    const done = await run("@apify/mcpc/bin/mcpc", [...args, "--json"], { environment, input });
    assert.ok(done.json, `mcpc ${args.join(" ")}: exit ${done.code}: ${done.text}`);
    return done.json;
  };
  const connected = await command(["connect", server.url, "@here", "--header", "Authorization: Bearer demo-admin"]);
  try {
    assert.equal(connected.protocolVersion, "2025-11-25");
    assert.equal((await command(["@here", "tools-list"])).length, 16);
    await shortStory((tool, args) => command(["@here", "tools-call", tool], JSON.stringify(args)), server);
  } finally {
    await run("@apify/mcpc/bin/mcpc", ["@here", "close"], { environment });
  }
}

async function langchain(server) {
  const client = new MultiServerMCPClient({
    mcpServers: { here: { transport: "http", url: server.url, headers: { Authorization: "Bearer demo-admin" } } },
    throwOnLoadError: true,
  });
  try {
    const tools = await client.getTools();
    assert.equal(tools.length, 16);
    const call = async (name, args) => {
      try {
        const said = await tools.find((t) => t.name === name).invoke(args);
        return { structuredContent: said.structuredContent };
      } catch (error) {
        return { isError: true, content: [{ text: String(error) }] };  // it throws what a tool refused
      }
    };
    await shortStory(call, server);
  } finally {
    await client.close();
  }
}

async function load(server) {
  const done = await run("@modelcontextprotocol/inspector/clients/launcher/build/index.js",
    ["--cli", server.url, "--transport", "http", "--header", "Authorization: Bearer demo-admin", "--protocol-era", "modern", "--method", "tools/call",
      "--tool-name", "list_vms", "--tool-arg", "limit=1", "--format", "json", "--load", "--load-requests", "50", "--load-concurrency", "4"],
    { environment: { HOME: server.folder } });
  assert.equal(done.code, 0, done.text);
  const { requests, ok, errorRate } = done.json.result;
  assert.deepEqual([requests, ok, errorRate], [50, 50, 0]);
}

export async function terminal(checks, start) {
  const server = await start();
  await checks.check("mcporter lives through the short story", () => mcporter(server), 60_000);
  const second = await start();
  await checks.check("mcpc lives through the short story in one session", () => mcpc(second), 60_000);
  const third = await start();
  await checks.check("LangChain's adapters live through the short story", () => langchain(third), 60_000);
  await checks.check("the Inspector's load of 50 calls ends with exit code 0 and no error", () => load(server), 60_000);
}
