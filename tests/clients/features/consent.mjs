// A rule that wants the person at the client to agree, in both eras: the host asks there itself.
import assert from "node:assert/strict";
import { CAPABILITIES, connect } from "./client_v2.mjs";

const RULE = JSON.stringify([{ name: "person", effect: "elicit", tools: ["restart_vm"] }]);

export const consent = async (checks, start) => {
  for (const mode of ["legacy", { pin: "2026-07-28" }]) {
    const server = await start({ environment: { VMCP__POLICY__RULE: RULE } });
    const era = mode === "legacy" ? "2025-11-25" : "2026-07-28";
    const { client, call } = await connect(server.url, { mode, token: "demo-admin", capabilities: CAPABILITIES });
    const forms = [];
    let answer;
    client.setRequestHandler("elicitation/create", (request) => (forms.push(request.params), answer));
    const [vm] = (await call("list_vms", { limit: 1, power_states: ["POWERED_ON"] })).structuredContent.vms;
    const sent = async () => (await (await fetch(`${server.simulator}/simulator/requests`)).json()).changing;
    const restart = () => call("restart_vm", { vm_id: vm.vm, confirm: true });

    await checks.check(`${era}: whoever declines, puts aside or does not tick has not agreed`, async () => {
      assert.equal(client.getNegotiatedProtocolVersion(), era);
      for (answer of [{ action: "decline" }, { action: "cancel" }, { action: "accept", content: { approve: false } }]) {
        const refused = await restart();
        assert.equal(refused.isError, true);
        assert.match(refused.content[0].text, /did not agree/);
      }
      assert.equal(forms.length, 3);
      assert.equal(await sent(), 0);
    });
    await checks.check(`${era}: the form names caller, machine and change; a yes runs the call once`, async () => {
      answer = { action: "accept", content: { approve: true } };
      const done = await restart();
      assert.ok(!done.isError, JSON.stringify(done));
      for (const part of ["restart_vm", "demo-admin", "person", vm.vm, vm.name, "Preview:"]) assert.ok(forms.at(-1).message.includes(part), forms.at(-1).message);
      assert.equal(await sent(), 1);
      await restart();
      assert.equal(forms.length, 5);
      const records = server.audit().filter((line) => line.approver === "elicitation").map((line) => line.event);
      assert.deepEqual(records.filter((event) => event === "intent").length, 2);
    });
    await client.close();

    await checks.check(`${era}: a client that shows no forms needs a second person`, async () => {
      const mute = await connect(server.url, { mode, token: "demo-admin" });
      const refused = await mute.call("restart_vm", { vm_id: vm.vm, confirm: true });
      assert.match(refused.content[0].text, /somebody else must approve/);
      assert.equal(await sent(), 2);
      await mute.client.close();
    });
  }
};
