// SDK v1: everything that a client of the handshake era (2025-11-25) may use.
import assert from "node:assert/strict";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema, LoggingMessageNotificationSchema,
  PromptListChangedNotificationSchema, ResourceUpdatedNotificationSchema, ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { until } from "../checks.mjs";

async function connect(url, { token, capabilities = {} } = {}) {
  const requests = [];
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers },
    // The client's own view of the wire: which requests it made, and what became of them.
    fetch: async (to, init) => {
      const answer = await fetch(to, init);
      requests.push({ method: init?.method ?? "GET", headers: new Headers(init?.headers), body: init?.body, status: answer.status, type: answer.headers.get("content-type") });
      return answer;
    },
    reconnectionOptions: { initialReconnectionDelay: 100, maxReconnectionDelay: 1000, reconnectionDelayGrowFactor: 1.5, maxRetries: 3 },
  });
  const client = new Client({ name: "vsphere-mcp-pro-tests", version: "1.0.0" }, { capabilities });
  await client.connect(transport);
  const call = async (name, args = {}, options = undefined) => client.callTool({ name, arguments: args }, undefined, options);
  return { client, transport, requests, call };
}

const text = (result) => result.content[0].text;
const ended = (requests, method) => requests.find((r) => r.method === method);

async function sessions(checks, url) {
  await checks.check("a session is given, ended by DELETE, and unknown afterwards", async () => {
    const { client, transport, requests } = await connect(url);
    const id = transport.sessionId;
    assert.match(id, /^[\x21-\x7e]{16,}$/);
    assert.equal(client.getServerVersion().name, "vsphere-mcp-pro");
    assert.deepEqual(await client.ping(), {});
    await transport.terminateSession();
    assert.equal(ended(requests, "DELETE").status, 204);
    assert.equal(transport.sessionId, undefined);
    const after = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json, text/event-stream", "Mcp-Session-Id": id, "MCP-Protocol-Version": "2025-11-25" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
    });
    assert.equal(after.status, 404);
    await after.body.cancel();
    await client.close();
  });
}

async function streams(checks, url) {
  const { client, call, requests } = await connect(url);
  await checks.check("progress arrives while a tool runs, in order", async () => {
    const seen = [];
    await call("test_tool_with_progress", {}, { onprogress: (p) => seen.push([p.progress, p.total]) });
    assert.deepEqual(seen, [[0, 100], [50, 100], [100, 100]]);
  });
  const lines = [];
  client.setNotificationHandler(LoggingMessageNotificationSchema, (n) => void lines.push(n.params));
  await checks.check("log lines arrive at the level that was set, and not below it", async () => {
    await client.setLoggingLevel("info");
    await call("test_tool_with_logging");
    assert.deepEqual(lines.map((l) => l.level), ["info", "info", "info"]);
    assert.match(JSON.stringify(lines[0].data), /Tool execution started/);
    lines.length = 0;
    await client.setLoggingLevel("error");
    await call("test_tool_with_logging");
    assert.deepEqual(lines, []);
  });
  await checks.check("an answer is fetched again after the server closed its stream (Last-Event-ID)", async () => {
    const from = requests.length;
    let resumable = 0;
    const result = await call("test_reconnection", {}, { onresumptiontoken: () => (resumable += 1) });
    assert.match(text(result), /Reconnection test completed/);
    assert.ok(resumable > 0);
    const again = requests.slice(from).find((r) => r.method === "GET" && r.headers.get("last-event-id"));
    assert.ok(again, "no GET with Last-Event-ID");
    assert.equal(again.status, 200);
  });
  await checks.check("a cancelled call ends at once, and the server hears of it", async () => {
    const from = requests.length;
    const stop = new AbortController();
    const running = call("slow_compute", { seconds: 60 }, { signal: stop.signal });
    setTimeout(() => stop.abort("enough"), 200);
    await assert.rejects(running, /enough/);
    const told = await until("notifications/cancelled", () =>
      requests.slice(from).find((r) => String(r.body).includes("notifications/cancelled")));
    assert.equal(told.status, 202);
    assert.match(text(await call("test_simple_text")), /simple text/);
  });
  await checks.check("tools and prompts that change are announced on the session's own stream", async () => {
    let tools = 0;
    let prompts = 0;
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => void (tools += 1));
    client.setNotificationHandler(PromptListChangedNotificationSchema, () => void (prompts += 1));
    await until("the GET stream", () => requests.some((r) => r.method === "GET" && r.status === 200));
    await call("test_trigger_tool_change");
    await call("test_trigger_prompt_change");
    await until("list_changed of tools and of prompts", () => tools === 1 && prompts === 1);
  });
  await client.close();
}

async function questions(checks, url) {
  const { client, call, requests } = await connect(url, { capabilities: { elicitation: { form: {}, url: {} }, sampling: {}, roots: { listChanged: true } } });
  const forms = [];
  let answer = (request) => ({ action: "accept", content: request.params.requestedSchema.properties.name ? { name: "Ada" } : { username: "ada", email: "ada@example.org" } });
  client.setRequestHandler(ElicitRequestSchema, (request) => (forms.push(request.params), answer(request)));
  const prompts = [];
  client.setRequestHandler(CreateMessageRequestSchema, (request) => {
    prompts.push(request.params);
    return { role: "assistant", model: "none", stopReason: "endTurn", content: { type: "text", text: "Paris" } };
  });
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: "file:///srv/work", name: "work" }] }));

  await checks.check("a form is asked and its answer comes back to the tool", async () => {
    const result = await call("test_elicitation", { message: "Who are you?" });
    assert.equal(forms.at(-1).message, "Who are you?");
    assert.deepEqual(forms.at(-1).requestedSchema.required, ["username", "email"]);
    assert.match(text(result), /action=accept/);
    assert.match(text(result), /ada@example\.org/);
  });
  await checks.check("a declined and a cancelled form are told apart", async () => {
    const accept = answer;
    answer = () => ({ action: "decline" });
    assert.match(text(await call("test_elicitation", { message: "?" })), /action=decline/);
    answer = () => ({ action: "cancel" });
    assert.match(text(await call("test_elicitation", { message: "?" })), /action=cancel/);
    answer = accept;
  });
  await checks.check("the client's model is asked", async () => {
    assert.equal(text(await call("test_sampling", { prompt: "Capital of France?" })), "LLM response: Paris");
    assert.equal(prompts.at(-1).messages[0].content.text, "Capital of France?");
    assert.equal(prompts.at(-1).maxTokens, 100);
  });
  await checks.check("a tool written in rounds asks for roots, and gets them", async () => {
    assert.match(text(await call("test_input_required_result_list_roots")), /file:\/\/\/srv\/work/);
  });
  await checks.check("three questions of one round are all put", async () => {
    const before = forms.length + prompts.length;
    const told = text(await call("test_input_required_result_multiple_inputs"));
    assert.match(told, /^Paris, Ada\. Roots: /);
    assert.equal(forms.length + prompts.length, before + 2);
  });
  await checks.check("two rounds, one after the other", async () => {
    answer = (request) => ({ action: "accept", content: request.params.requestedSchema.properties.color ? { color: "green" } : { name: "Ada" } });
    assert.equal(text(await call("test_input_required_result_multi_round")), "Ada likes green.");
  });
  await checks.check("a prompt asks before it is made", async () => {
    answer = () => ({ action: "accept", content: { context: "the night shift" } });
    const prompt = await client.getPrompt({ name: "test_input_required_result_prompt" });
    assert.equal(prompt.messages[0].content.text, "Use this context: the night shift");
  });
  await checks.check("questions come on the stream of their call, answers are posted", async () => {
    const asked = requests.filter((r) => String(r.body).includes("test_input_required_result_multi_round"));
    assert.equal(asked.length, 1);
    assert.match(asked[0].type, /text\/event-stream/);
    assert.ok(requests.some((r) => r.status === 202 && String(r.body).includes('"green"')));
  });
  await client.close();

  await checks.check("a client that can be asked nothing is asked nothing", async () => {
    const mute = await connect(url);
    assert.equal(text(await mute.call("test_input_required_result_capabilities")), "This client can be asked nothing.");
    await mute.client.close();
  });
}

// Questions that are answered on a page in the browser. 2025-11-25 names each with an id of its own.
async function pages(checks, url) {
  const name = "test_elicitation_url";
  const asked = [];
  let action = "accept";
  const answering = (client) => client.setRequestHandler(ElicitRequestSchema, (request) => (asked.push(request.params), { action }));
  await checks.check("a page to open is asked, each time under an id of its own", async () => {
    const { client, call } = await connect(url, { capabilities: { elicitation: { url: {} } } });
    answering(client);
    assert.equal(text(await call(name)), "The page is being opened; before it: page shown.");
    assert.equal(text(await call(name)), "The page is being opened; before it: page shown.");
    assert.equal(asked.length, 2);
    for (const { elicitationId, ...question } of asked) {
      assert.match(elicitationId, /^[0-9a-f]{32}$/);
      assert.deepEqual(question, { mode: "url", message: "Please give your consent on this page.", url: "https://consent.example/ask?request=42" });
    }
    assert.notEqual(asked[0].elicitationId, asked[1].elicitationId);
    await client.close();
  });
  await checks.check("a page that is declined and one that is put aside are told apart", async () => {
    const { client, call } = await connect(url, { capabilities: { elicitation: { form: {}, url: {} } } });
    answering(client);
    action = "decline";
    assert.equal(text(await call(name)), "The page was declined.");
    action = "cancel";
    assert.equal(text(await call(name)), "The page was put aside.");
    await client.close();
  });
  for (const [who, elicitation] of [["forms", { form: {} }], ["an empty elicitation", {}]]) {
    await checks.check(`a client that declares ${who} is asked no page, and told what is missing`, async () => {
      asked.length = 0;
      const { client, call, requests } = await connect(url, { capabilities: { elicitation } });
      answering(client);
      await assert.rejects(call(name), (error) => error.code === -32021 && /supports elicitation\.url/.test(error.message) && "url" in error.data.requiredCapabilities.elicitation);
      assert.equal(asked.length, 0);
      assert.ok(!requests.some((r) => String(r.body).includes('"result"')), "the client answered something");
      await client.close();
    });
  }
  await checks.check("a client that opens pages only is asked no form", async () => {
    asked.length = 0;
    const { client, call } = await connect(url, { capabilities: { elicitation: { url: {} } } });
    answering(client);
    await assert.rejects(call("test_elicitation", { message: "?" }), (error) => error.code === -32021 && "form" in error.data.requiredCapabilities.elicitation);
    assert.equal(asked.length, 0);
    await client.close();
  });
}

async function readables(checks, url) {
  const { client } = await connect(url);
  await checks.check("resources are listed and read, text and bytes", async () => {
    const { resources } = await client.listResources();
    const plugins = resources.map((r) => r.uri).filter((uri) => uri.startsWith("test:"));  // the host adds vsphere://
    assert.deepEqual(plugins.sort(), ["test://static-binary", "test://static-text", "test://watched-resource"]);
    assert.match((await client.readResource({ uri: "test://static-text" })).contents[0].text, /static text resource/);
    const picture = (await client.readResource({ uri: "test://static-binary" })).contents[0];
    assert.equal(picture.mimeType, "image/png");
    assert.equal(Buffer.from(picture.blob, "base64").subarray(1, 4).toString(), "PNG");
  });
  await checks.check("a template is listed and read; a resource that does not exist is an error", async () => {
    const { resourceTemplates } = await client.listResourceTemplates();
    assert.ok(resourceTemplates.some((t) => t.uriTemplate === "test://template/{id}/data"));
    const read = await client.readResource({ uri: "test://template/42/data" });
    assert.equal(JSON.parse(read.contents[0].text).id, "42");
    await assert.rejects(client.readResource({ uri: "test://nothing" }), (error) => error.code === -32002);
  });
  await checks.check("prompts are listed and made; a missing argument is an error", async () => {
    const { prompts } = await client.listPrompts();
    assert.equal(prompts.length, 5);
    const made = await client.getPrompt({ name: "test_prompt_with_arguments", arguments: { arg1: "a", arg2: "ü" } });
    assert.equal(made.messages[0].content.text, "Prompt with arguments: arg1='a', arg2='ü'");
    await assert.rejects(client.getPrompt({ name: "test_prompt_with_arguments", arguments: { arg1: "a" } }), (error) => error.code === -32602);
  });
  await checks.check("an argument is completed", async () => {
    const { completion } = await client.complete({ ref: { type: "ref/prompt", name: "test_prompt_with_arguments" }, argument: { name: "arg1", value: "test" } });
    assert.deepEqual(completion.values, ["testValue1", "testValue2"]);
  });
  await client.close();
}

async function watching(checks, demo) {
  const { client, call } = await connect(demo.url, { token: "demo-admin" });
  await checks.check("a machine that was subscribed to is announced when it changes, and not after unsubscribing", async () => {
    const [vm] = (await call("list_vms", { limit: 1, power_states: ["POWERED_ON"] })).structuredContent.vms;
    const { resourceTemplates } = await client.listResourceTemplates();
    const template = resourceTemplates.find((t) => t.uriTemplate.includes("/vm/")).uriTemplate;
    const uri = template.replace("{vcenter}", demo.simulator.replace("http://", "")).replace(/\{[a-z]+\}$/, vm.vm);
    const read = await client.readResource({ uri });
    assert.equal(read.contents[0].mimeType, "application/json");
    const updated = [];
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, (n) => void updated.push(n.params.uri));
    await client.subscribeResource({ uri });
    await call("power_off_vm", { vm_id: vm.vm });
    await until("notifications/resources/updated", () => updated.length > 0);
    assert.deepEqual([...new Set(updated)], [uri]);
    await client.unsubscribeResource({ uri });
    const before = updated.length;
    await call("power_on_vm", { vm_id: vm.vm });
    await new Promise((done) => setTimeout(done, 600));
    assert.equal(updated.length, before);
  });
  await client.close();
}

export async function sdkV1(checks, start) {
  const everything = await start({ everything: true });
  const demo = await start({ environment: { VMCP__VCENTER__WATCH_INTERVAL_S: "0.1" } });
  await sessions(checks, everything.url);
  await streams(checks, everything.url);
  await questions(checks, everything.url);
  await pages(checks, everything.url);
  await readables(checks, everything.url);
  await watching(checks, demo);
}
