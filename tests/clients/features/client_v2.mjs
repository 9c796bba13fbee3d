// Client v2, with the era negotiated and pinned: what 2026-07-28 has that the handshake era has not, and what it
// does in another way.
import assert from "node:assert/strict";
import { Client, LOG_LEVEL_META_KEY, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { until } from "../checks.mjs";

export const CAPABILITIES = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };

export async function connect(url, { mode, token, capabilities = {} }) {
  const requests = [];
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: token ? { Authorization: `Bearer ${token}` } : {} },
    // The client's own view of the wire: which requests it made, and what became of them.
    fetch: async (to, init) => {
      const answer = await fetch(to, init);
      requests.push({ method: init?.method ?? "GET", headers: new Headers(init?.headers), body: String(init?.body ?? ""), status: answer.status, session: answer.headers.get("mcp-session-id") });
      return answer;
    },
  });
  const client = new Client({ name: "vsphere-mcp-pro-tests", version: "1.0.0" }, { capabilities, versionNegotiation: { mode } });
  await client.connect(transport);
  const call = (name, args = {}, options = undefined) => client.callTool({ name, arguments: args }, options);
  const calls = (name) => requests.filter((r) => r.body.includes(`"name":"${name}"`));
  return { client, requests, call, calls };
}

const text = (result) => result.content[0].text;

async function rounds(checks, mode, url) {
  const { client, call, calls } = await connect(url, { mode, capabilities: CAPABILITIES });
  const forms = [];
  client.setRequestHandler("elicitation/create", (request) => {
    forms.push(request.params);
    const { properties } = request.params.requestedSchema;
    const content = properties.color ? { color: "green" } : properties.context ? { context: "the night shift" } : properties.ok ? { ok: true } : { name: "Ada" };
    return { action: "accept", content };
  });
  const prompts = [];
  client.setRequestHandler("sampling/createMessage", (request) => {
    prompts.push(request.params);
    return { role: "assistant", model: "none", stopReason: "endTurn", content: { type: "text", text: "Paris" } };
  });
  client.setRequestHandler("roots/list", () => ({ roots: [{ uri: "file:///srv/work", name: "work" }] }));

  await checks.check("a form, a prompt and roots are asked in one round and answered in the next request", async () => {
    assert.match(text(await call("test_input_required_result_multiple_inputs")), /^Paris, Ada\. Roots: .*file:\/\/\/srv\/work/);
    assert.deepEqual([forms.length, prompts.length], [1, 1]);
    const [first, second, ...more] = calls("test_input_required_result_multiple_inputs").map((r) => JSON.parse(r.body).params);
    assert.equal(more.length, 0);
    assert.equal(first.inputResponses, undefined);
    assert.deepEqual(Object.keys(second.inputResponses).sort(), ["client_roots", "greeting", "user_name"]);
    assert.equal(typeof second.requestState, "string");
    assert.ok(!second.requestState.includes("three were asked"), "the plugin's state must be sealed");
  });
  await checks.check("two rounds, one after the other", async () => {
    assert.equal(text(await call("test_input_required_result_multi_round")), "Ada likes green.");
    assert.equal(calls("test_input_required_result_multi_round").length, 3);
  });
  await checks.check("a prompt asks before it is made", async () => {
    const prompt = await client.getPrompt({ name: "test_input_required_result_prompt" });
    assert.equal(prompt.messages[0].content.text, "Use this context: the night shift");
  });
  await checks.check("state that somebody changed is refused", async () => {
    const name = "test_input_required_result_tampered_state";
    const asked = await client.request({ method: "tools/call", params: { name, arguments: {} } }, { allowInputRequired: true });
    assert.equal(asked.resultType, "input_required");
    const [head, ...rest] = asked.requestState;
    const changed = (head === "A" ? "B" : "A") + rest.join("");
    const inputResponses = { confirm: { action: "accept", content: { ok: true } } };
    await assert.rejects(
      client.request({ method: "tools/call", params: { name, arguments: {}, inputResponses, requestState: changed } }),
      (error) => error.code === -32602);
    const whole = await client.request({ method: "tools/call", params: { name, arguments: {}, inputResponses, requestState: asked.requestState } });
    assert.equal(text(whole), "The state came back whole.");
  });
  await client.close();

  await checks.check("a client without the capability that a tool needs is told which (-32021)", async () => {
    const mute = await connect(url, { mode });
    await assert.rejects(mute.call("test_missing_capability"), (error) => error.code === -32021 && "sampling" in error.data.requiredCapabilities);
    assert.equal(text(await mute.call("test_input_required_result_capabilities")), "This client can be asked nothing.");
    await mute.client.close();
  });
}

// Questions that are answered on a page in the browser. 2025-11-25 names each with an id; 2026-07-28 has none.
async function pages(checks, mode, url) {
  const name = "test_elicitation_url";
  const question = { mode: "url", message: "Please give your consent on this page.", url: "https://consent.example/ask?request=42" };
  const asked = [];
  let action = "accept";
  const open = async (elicitation) => {
    const client = await connect(url, { mode, capabilities: { elicitation } });
    client.client.setRequestHandler("elicitation/create", (request) => (asked.push(request.params), { action }));
    return client;
  };
  await checks.check("a page to open is asked, in the form that the era has", async () => {
    const { client, call, calls } = await open({ url: {} });
    assert.equal(text(await call(name)), "The page is being opened; before it: page shown.");
    const [{ elicitationId, ...rest }, ...more] = asked;
    assert.deepEqual([rest, more], [question, []]);
    if (client.getNegotiatedProtocolVersion() === "2026-07-28") {
      const [first, second] = calls(name);
      assert.deepEqual(JSON.parse(second.body).params.inputResponses, { page: { action: "accept" } });
      // The client drops what its schema has not: the bytes themselves.
      const { result } = await (await fetch(url, { method: "POST", headers: first.headers, body: first.body })).json();
      assert.deepEqual(result.inputRequests, { page: { method: "elicitation/create", params: question } });
    } else {
      assert.equal(client.getNegotiatedProtocolVersion(), "2025-11-25");
      assert.match(elicitationId, /^[0-9a-f]{32}$/);
    }
    await client.close();
  });
  await checks.check("a page that is declined and one that is put aside are told apart", async () => {
    const { client, call } = await open({ form: {}, url: {} });
    action = "decline";
    assert.equal(text(await call(name)), "The page was declined.");
    action = "cancel";
    assert.equal(text(await call(name)), "The page was put aside.");
    await client.close();
  });
  for (const [who, elicitation] of [["forms", { form: {} }], ["an empty elicitation", {}]]) {
    await checks.check(`a client that declares ${who} is asked no page, and told what is missing (-32021)`, async () => {
      asked.length = 0;
      const { client, call } = await open(elicitation);
      await assert.rejects(call(name), (error) => error.code === -32021 && /supports elicitation\.url/.test(error.message) && "url" in error.data.requiredCapabilities.elicitation);
      assert.equal(asked.length, 0);
      await client.close();
    });
  }
}

async function streams(checks, mode, server) {
  const { client, call, calls, requests } = await connect(server.url, { mode });
  await checks.check("the era is 2026-07-28, without sessions", async () => {
    assert.equal(client.getNegotiatedProtocolVersion(), "2026-07-28");
    assert.equal(client.getServerVersion().name, "vsphere-mcp-pro");
    await call("test_simple_text");
    assert.ok(requests.every((r) => r.session === null && r.method === "POST"));
  });
  await checks.check("progress arrives while a tool runs, in order", async () => {
    const seen = [];
    await call("test_tool_with_progress", {}, { onprogress: (p) => seen.push([p.progress, p.total]) });
    assert.deepEqual(seen, [[0, 100], [50, 100], [100, 100]]);
  });
  await checks.check("log lines come with the request that asks for them, and with no other", async () => {
    const lines = [];
    client.setNotificationHandler("notifications/message", (n) => void lines.push(n.params));
    await call("test_tool_with_logging");
    assert.deepEqual(lines, []);
    await client.callTool({ name: "test_tool_with_logging", arguments: {}, _meta: { [LOG_LEVEL_META_KEY]: "debug" } });
    assert.deepEqual(lines.map((l) => l.level), ["info", "info", "info"]);
    lines.length = 0;
    await client.callTool({ name: "test_tool_with_logging", arguments: {}, _meta: { [LOG_LEVEL_META_KEY]: "error" } });
    assert.deepEqual(lines, []);
  });
  await checks.check("an argument is repeated in Mcp-Param, in base64 when it must be", async () => {
    await client.listTools();
    assert.equal(text(await call("test_x_mcp_header", { region: "Héllo" })), "region=Héllo");
    assert.equal(calls("test_x_mcp_header").at(-1).headers.get("mcp-param-region"), `=?base64?${Buffer.from("Héllo").toString("base64")}?=`);
    assert.equal(text(await call("test_x_mcp_header", { region: "eu-1", level: 3 })), "region=eu-1");
    assert.equal(calls("test_x_mcp_header").at(-1).headers.get("mcp-param-region"), "eu-1");
  });
  await checks.check("a header that says something else than the body is refused (-32020)", async () => {
    const honest = calls("test_x_mcp_header").at(-1);
    const headers = new Headers(honest.headers);
    headers.set("mcp-param-region", "us-1");
    const answer = await fetch(server.url, { method: "POST", headers, body: honest.body });
    assert.equal(answer.status, 400);
    assert.equal((await answer.json()).error.code, -32020);
  });
  await checks.check("a client that goes away cancels its call", async () => {
    const stop = new AbortController();
    const running = call("slow_compute", { seconds: 60, label: "never" }, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 200);
    await assert.rejects(running, /enough|abort/i);
    await until("the audit says that the call was cancelled", () =>
      server.audit().some((line) => line.tool === "slow_compute" && JSON.stringify(line).includes("cancelled")));
  });
  await client.close();
}

async function listening(checks, mode, url) {
  const { client, call } = await connect(url, { mode });
  let tools = 0;
  let prompts = 0;
  client.setNotificationHandler("notifications/tools/list_changed", () => void (tools += 1));
  client.setNotificationHandler("notifications/prompts/list_changed", () => void (prompts += 1));
  await checks.check("a listener hears what it asked for, nothing else, and nothing after it closed", async () => {
    const listener = await client.listen({ toolsListChanged: true });
    assert.deepEqual(listener.honoredFilter, { toolsListChanged: true });
    await call("test_trigger_prompt_change");
    await call("test_trigger_tool_change");
    await until("tools/list_changed", () => tools === 1);
    assert.equal(prompts, 0);
    await listener.close();
    assert.equal(await listener.closed, "local");
    await call("test_trigger_tool_change");
    const second = await client.listen({ promptsListChanged: true, toolsListChanged: true });
    await call("test_trigger_prompt_change");
    await until("prompts/list_changed", () => prompts === 1);
    assert.equal(tools, 1);
    await second.close();
  });
  await client.close();
}

async function readables(checks, mode, url) {
  const { client } = await connect(url, { mode });
  await checks.check("resources are listed and read; one that does not exist is an error that names it", async () => {
    const { resources, ttlMs, cacheScope } = await client.listResources();
    assert.ok(resources.some((r) => r.uri === "test://static-text"));
    assert.ok(Number.isInteger(ttlMs) && ["public", "private"].includes(cacheScope));
    const { resourceTemplates } = await client.listResourceTemplates();
    assert.ok(resourceTemplates.some((t) => t.uriTemplate === "test://template/{id}/data"));
    assert.match((await client.readResource({ uri: "test://static-text" })).contents[0].text, /static text resource/);
    assert.equal(JSON.parse((await client.readResource({ uri: "test://template/42/data" })).contents[0].text).id, "42");
    await assert.rejects(client.readResource({ uri: "test://nothing" }), (error) => error.code === -32602 && error.data.uri === "test://nothing");
  });
  await checks.check("prompts are listed and made; a missing argument is an error", async () => {
    assert.equal((await client.listPrompts()).prompts.length, 5);
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

async function watching(checks, mode, demo) {
  const { client, call } = await connect(demo.url, { mode, token: "demo-admin" });
  await checks.check("the inventory's names are completed, and a machine that is listened to is announced when it changes", async () => {
    const [vm] = (await call("list_vms", { limit: 1, power_states: ["POWERED_ON"] })).structuredContent.vms;
    const { resourceTemplates } = await client.listResourceTemplates();
    const template = resourceTemplates.find((t) => t.uriTemplate.includes("/vm/")).uriTemplate;
    const { completion } = await client.complete({ ref: { type: "ref/resource", uri: template }, argument: { name: "vm", value: vm.vm } });
    assert.ok(completion.values.includes(vm.vm), JSON.stringify(completion));
    const uri = template.replace("{vcenter}", demo.simulator.replace("http://", "")).replace("{vm}", vm.vm);
    const updated = [];
    client.setNotificationHandler("notifications/resources/updated", (n) => void updated.push(n.params.uri));
    const listener = await client.listen({ resourceSubscriptions: [uri] });
    assert.deepEqual(listener.honoredFilter, { resourceSubscriptions: [uri] });
    await call("power_off_vm", { vm_id: vm.vm });
    await until("notifications/resources/updated", () => updated.length > 0);
    assert.deepEqual([...new Set(updated)], [uri]);
    await listener.close();
  });
  await client.close();
}

async function ending(checks, mode, start) {
  await checks.check("a server that stops ends its listeners gracefully", async () => {
    const server = await start({ everything: true });
    const { client } = await connect(server.url, { mode });
    const listener = await client.listen({ toolsListChanged: true });
    server.child.kill("SIGTERM");
    assert.equal(await listener.closed, "graceful");
    await client.close();
  });
}

export const clientV2 = (mode) => async (checks, start) => {
  const everything = await start({ everything: true });
  const demo = await start({ environment: { VMCP__VCENTER__WATCH_INTERVAL_S: "0.1" } });
  await rounds(checks, mode, everything.url);
  await pages(checks, mode, everything.url);
  await streams(checks, mode, everything);
  await listening(checks, mode, everything.url);
  await readables(checks, mode, everything.url);
  await watching(checks, mode, demo);
  await ending(checks, mode, start);
};

// The handshake era with the same client: what it does in another way than SDK v1.
export const clientV2Legacy = async (checks, start) => pages(checks, "legacy", (await start({ everything: true })).url);
