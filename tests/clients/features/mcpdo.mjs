// mcpdo, a client that keeps its connections in a daemon: questions in both eras, tasks, subscriptions, completion.
import assert from "node:assert/strict";
import { follow, run } from "../command.mjs";
import { until } from "../checks.mjs";
import { Wire } from "../wire.mjs";

const SCRIPT = "@modelcontextprotocol/inspector/clients/mcpdo/build/mcp-bin.js";

// The commands of one connection; the daemon's files live in the server's folder.
function terminal(home, connection) {
  const environment = { HOME: home, MCP_INSPECTOR_SECRET_STORE: "file" };
  const args = (words) => ["--format", "json", ...(connection ? ["--connection", connection] : []), ...words];
  const done = async (...words) => {
    const answer = await run(SCRIPT, args(words), { environment });
    if (answer.code !== 0 || !answer.json) throw new Error(`mcpdo ${words.join(" ")}: exit ${answer.code}: ${answer.text}`);
    return answer.json;
  };
  return {
    done,
    attempt: (...words) => run(SCRIPT, args(words), { environment }),
    follow: (...words) => follow(SCRIPT, args(words), { environment }),
  };
}

const text = (result) => result.content[0].text;

async function asks(checks, mcpdo, era) {
  const origin = { legacy: "server-request", modern: "input-required" }[era];
  await checks.check(`${era}: a question waits, is answered by another command, and the call ends with it`, async () => {
    const { elicitationPending: asked } = await mcpdo.done("tools/call", "test_input_required_result_elicitation");
    assert.equal(asked.message, "What is your name?");
    assert.equal(asked.origin, origin);
    assert.deepEqual(asked.requestedSchema.required, ["name"]);
    assert.equal(text(await mcpdo.done("elicitation/respond", asked.elicitationId, "name:=Bob")), "Hello, Bob!");
  });
  await checks.check(`${era}: a question is declined`, async () => {
    const { elicitationPending: asked } = await mcpdo.done("tools/call", "test_input_required_result_elicitation");
    assert.equal(text(await mcpdo.done("elicitation/respond", asked.elicitationId, "--decline")), "No name was given.");
  });
}

async function reads(checks, mcpdo, era) {
  await checks.check(`${era}: an argument is completed`, async () => {
    const answer = await mcpdo.done("prompts/complete", "--complete-ref-type", "ref/prompt", "--complete-ref", "test_prompt_with_arguments",
      "--complete-arg-name", "arg1", "--complete-arg-value", "test");
    assert.deepEqual((answer.completion ?? answer).values, ["testValue1", "testValue2"]);
  });
  await checks.check(`${era}: a resource is read`, async () => {
    const read = await mcpdo.done("resources/read", "test://static-text");
    assert.match(read.contents[0].text, /static text resource/);
  });
}

// Tasks are an extension of the modern era; the client polls by itself.
// Tasks are an extension of the modern era; the client polls by itself. Which calls became tasks, only the wire says.
async function tasks(checks, mcpdo, other, wire) {
  const created = (exchange) => exchange.answer.match(/"resultType":"task"/) && exchange.answer.match(/"taskId":"([^"]+)"/)?.[1];
  const call = () => wire.of("tools/call").at(-1);
  await checks.check("a tool runs as a task, and its answer is that of the task", async () => {
    assert.equal(text(await mcpdo.done("tools/call", "slow_compute", "seconds:=1", "label:=x")), "Computed x.");
    const id = created(call());
    assert.ok(id, call().answer);
    assert.ok(wire.of("tasks/get").some((e) => e.body.includes(id) && e.answer.includes("Computed x.")));
  }, 40_000);
  await checks.check("a task asks while it runs (input_required), is answered, and ends", async () => {
    const { elicitationPending: asked } = await mcpdo.done("tools/call", "confirm_delete", "filename:=a.txt");
    assert.equal(asked.origin, "task-input-required");
    assert.equal(asked.message, "Delete a.txt?");
    assert.equal(text(await mcpdo.done("elicitation/respond", asked.elicitationId, "confirm:=true")), "Deleted a.txt.");
    const id = created(call());
    assert.ok(wire.of("tasks/get").some((e) => e.body.includes(id) && e.answer.includes('"status":"input_required"')));
    assert.ok(wire.of("tasks/update").some((e) => e.body.includes(id) && e.status === 200));
  }, 40_000);
  await checks.check("a task that fails is an error of its tool", async () => {
    const failed = await mcpdo.attempt("tools/call", "failing_job");
    assert.notEqual(failed.code, 0);
    assert.match(failed.text, /The job failed, as it always does/);
    assert.ok(created(call()));
  });
  // A connection does one command at a time, so that somebody else has to cancel.
  await checks.check("a task that another connection cancels ends its call", async () => {
    const before = wire.of("tools/call").length;
    const running = mcpdo.attempt("tools/call", "slow_compute", "seconds:=60", "label:=never");
    const id = await until("the task's id", () => wire.of("tools/call").length > before && created(call()));
    await other.done("connect", "@other", "--server-url", wire.url, "--transport", "http", "--era", "modern");
    await other.done("tasks/cancel", id);
    const ended = await running;
    assert.doesNotMatch(ended.text, /Computed/);
    assert.match(ended.text, /cancel/i);
    assert.ok(wire.of("tasks/cancel").some((e) => e.body.includes(id) && e.status === 200));
  }, 40_000);
}

async function watches(checks, mcpdo, era, demo) {
  await checks.check(`${era}: a machine that changes is announced to a subscriber`, async () => {
    const vms = JSON.parse(text(await mcpdo.done("tools/call", "list_vms", "limit:=3", 'power_states:=["POWERED_ON"]'))).vms;
    const vm = vms[era === "legacy" ? 0 : 1].vm;
    const uri = `vsphere://${demo.simulator.replace("http://", "")}/vm/${vm}`;
    const watching = mcpdo.follow("resources/subscribe", uri);
    try {
      await until("the subscription", () => watching.output().includes("subscribed") && watching.output().includes(uri));
      const heard = watching.output().length;
      await mcpdo.done("tools/call", "power_off_vm", `vm_id:=${vm}`);
      await until("the update", () => watching.output().slice(heard).includes(uri));
    } finally {
      await watching.stop();
    }
  }, 40_000);
}

export async function mcpdo(checks, start) {
  const everything = await start({ everything: true });
  const demo = await start({ environment: { VMCP__VCENTER__WATCH_INTERVAL_S: "0.1" } });
  const wire = await Wire.before(everything.url);
  const home = everything.folder;
  try {
    for (const era of ["legacy", "modern"]) {
      const one = terminal(home, era);
      await checks.check(`${era}: connects in its era`, async () => {
        const connected = await one.done("connect", `@${era}`, "--server-url", wire.url, "--transport", "http", "--era", era);
        assert.equal(connected.protocolEra, era);
      });
      await asks(checks, one, era);
      await reads(checks, one, era);
      const other = terminal(home, `${era}-demo`);
      await other.done("connect", `@${era}-demo`, "--server-url", demo.url, "--transport", "http", "--era", era, "--header", "Authorization: Bearer demo-admin");
      await watches(checks, other, era, demo);
    }
    await tasks(checks, terminal(home, "modern"), terminal(home, "other"), wire);
  } finally {
    await terminal(home).attempt("daemon", "stop");
    await wire.close();
  }
}
