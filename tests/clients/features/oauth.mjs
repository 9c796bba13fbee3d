// A machine that has client credentials and no token: it finds the authorization server by itself, and asks for a wider
// scope when a tool needs one.
import assert from "node:assert/strict";
import { Client, ClientCredentialsProvider, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { AuthorizationServer } from "../authorization_server.mjs";

const CLIENTS = {
  operator: { secret: "s3cret-operator", scopes: ["read", "ops"] },
  reader: { secret: "s3cret-reader", scopes: ["read"] },
};

const credentials = (authority, clientId, secret = CLIENTS[clientId].secret) =>
  new ClientCredentialsProvider({ clientId, clientSecret: secret, expectedIssuer: authority.issuer });

async function connect(server, authProvider, mode) {
  const answers = [];
  const transport = new StreamableHTTPClientTransport(new URL(server.url), {
    authProvider,
    fetch: async (to, init) => {
      const answer = await fetch(to, init);
      answers.push({ url: String(to), status: answer.status, challenge: answer.headers.get("www-authenticate") ?? "" });
      return answer;
    },
  });
  const client = new Client({ name: "vsphere-mcp-pro-tests", version: "1.0.0" }, { versionNegotiation: { mode } });
  await client.connect(transport);
  return { client, answers, call: (name, args) => client.callTool({ name, arguments: args }) };
}

// One that its id names alone: the simulator has a machine whose name is another's id.
async function poweredOff(call) {
  const { vms } = (await call("list_vms", { limit: 5, power_states: ["POWERED_OFF"] })).structuredContent;
  for (const { vm } of vms) if (!(await call("get_vm_details", { vm_id: vm })).isError) return vm;
  throw new Error("no powered-off machine that its id names alone");
}

async function era(checks, name, mode, server, authority) {
  await checks.check(`${name}: without a token it is led to the authorization server, and asks for the least scope`, async () => {
    const from = authority.requests.length;
    const { client, answers, call } = await connect(server, credentials(authority, "reader"), mode);
    assert.ok((await call("list_vms", { limit: 1 })).structuredContent.ok);
    assert.equal(answers[0].status, 401);
    assert.match(answers[0].challenge, /^Bearer .*resource_metadata="http:\/\/127\.0\.0\.1:\d+\/\.well-known\/oauth-protected-resource\/mcp".*scope="read"/);
    assert.deepEqual(authority.requests.slice(from), [{ client: "reader", scope: "read", resource: server.url, granted: "read" }]);
    await client.close();
  });
  await checks.check(`${name}: who may not have more gets nothing done`, async () => {
    const from = authority.requests.length;
    const { client, call } = await connect(server, credentials(authority, "reader"), mode);
    const vm = await poweredOff(call);
    await assert.rejects(call("power_on_vm", { vm_id: vm }), /invalid_scope|403|scope/i);
    assert.equal((await server.truth(vm)).power, "POWERED_OFF");
    assert.equal(authority.requests.slice(from).at(-1).granted, null);
    await client.close();
  });
  await checks.check(`${name}: with a wrong secret it gets no token and no connection`, async () => {
    await assert.rejects(connect(server, credentials(authority, "reader", "wrong"), mode), /invalid_client/i);
    assert.equal(authority.requests.at(-1).granted, null);
  });
}

// What the challenge said, and what the client asked for then.
function steppedUp(answers, requests) {
  const challenge = answers.find((a) => a.status === 403).challenge;
  assert.match(challenge, /error="insufficient_scope"/);
  assert.match(challenge, /scope="ops"/);
  assert.match(challenge, /resource_metadata="/);
  const [first, second, ...more] = requests;
  assert.equal(more.length, 0);
  assert.equal(first.granted, "read");
  assert.ok(second.scope.split(" ").includes("ops"), second.scope);
  assert.equal(second.granted, "ops");
}

async function stepUp(checks, server, authority) {
  await checks.check("modern: a tool that needs more makes it ask for more, and then succeeds", async () => {
    const from = authority.requests.length;
    const { client, answers, call } = await connect(server, credentials(authority, "operator"), "auto");
    const vm = await poweredOff(call);
    assert.equal((await server.truth(vm)).power, "POWERED_OFF");
    assert.equal((await call("power_on_vm", { vm_id: vm })).structuredContent.ok, true);
    assert.equal((await server.truth(vm)).power, "POWERED_ON");
    steppedUp(answers, authority.requests.slice(from));
    await client.close();
  });
  // A session belongs to the identity that opened it, and the demo's tokens are three identities.
  await checks.check("legacy: the wider token is another identity's here, so its session ends, and a new one succeeds", async () => {
    const from = authority.requests.length;
    const provider = credentials(authority, "operator");
    const { client, answers, call } = await connect(server, provider, "legacy");
    const vm = await poweredOff(call);
    await assert.rejects(call("power_on_vm", { vm_id: vm }), /Session not found/);
    assert.equal((await server.truth(vm)).power, "POWERED_OFF");
    steppedUp(answers, authority.requests.slice(from));
    await client.close();
    const again = await connect(server, provider, "legacy");
    assert.equal((await again.call("power_on_vm", { vm_id: vm })).structuredContent.ok, true);
    assert.equal((await server.truth(vm)).power, "POWERED_ON");
    await again.client.close();
  });
}

export async function oauth(checks, start) {
  const authority = await AuthorizationServer.start(CLIENTS);
  const server = await start({ environment: { AUTH_AUTHORIZATION_SERVERS: authority.issuer } });
  try {
    await era(checks, "modern", "auto", server, authority);
    await era(checks, "legacy", "legacy", server, authority);
    await stepUp(checks, server, authority);
  } finally {
    await authority.close();
  }
}
