// The story that every client lives through. `session`: {list(): names, call(tool, args): structured, refused(tool, args): text}.
import assert from "node:assert/strict";

const ALL = [
  "list_vms", "get_vm_details", "power_on_vm", "power_off_vm", "restart_vm", "delete_vm",
  "list_vm_snapshots", "create_vm_snapshot", "delete_vm_snapshot",
  "list_hosts", "list_datastores", "list_networks", "list_datacenters", "get_datastore_usage",
  "get_resource_utilization_summary", "modify_vm_resources",
];

export async function story(session, server) {
  let steps = 0;
  const ok = async (tool, args) => {
    steps += 1;
    const answer = await session.call(tool, args);
    assert.equal(answer.ok, true, `${tool}: ${JSON.stringify(answer)}`);
    assert.ok(answer.meta.host, tool);
    return answer;
  };

  assert.deepEqual([...(await session.list())].sort(), [...ALL].sort());
  steps += 1;

  const off = await ok("list_vms", { power_states: ["POWERED_OFF"] });
  let vm = null;
  for (const candidate of off.vms) {
    const snapshots = await ok("list_vm_snapshots", { vm_id: candidate.vm });
    if (snapshots.count === 0) {
      vm = candidate.vm;
      break;
    }
  }
  assert.ok(vm, "a powered-off VM without snapshots");
  assert.equal((await server.truth(vm)).power, "POWERED_OFF");
  const details = await ok("get_vm_details", { vm_id: vm });
  assert.ok(details.vm);

  await ok("power_on_vm", { vm_id: vm });
  assert.equal((await server.truth(vm)).power, "POWERED_ON");
  await ok("restart_vm", { vm_id: vm });

  await ok("create_vm_snapshot", { vm_id: vm, snapshot_name: "before the story", description: "ünïcode" });
  assert.equal((await server.truth(vm)).snapshots[0].name, "before the story");
  const snapshots = await ok("list_vm_snapshots", { vm_id: vm });
  assert.equal(snapshots.count, 1);
  const refusal = await session.refused("delete_vm_snapshot", { vm_id: vm, snapshot_id: "before the story" });
  steps += 1;
  assert.match(refusal, /confirm=true/);
  assert.equal((await server.truth(vm)).snapshots.length, 1);
  await ok("delete_vm_snapshot", { vm_id: vm, snapshot_id: "before the story", confirm: true });
  assert.equal((await server.truth(vm)).snapshots.length, 0);

  await ok("power_off_vm", { vm_id: vm });
  assert.equal((await server.truth(vm)).power, "POWERED_OFF");
  await ok("modify_vm_resources", { vm_id: vm, cpu_count: 6, memory_gb: 10, confirm: true });
  const after = await server.truth(vm);
  assert.equal(after.cpus, 6);
  assert.equal(after.memory_mb, 10240);

  const use = await ok("get_resource_utilization_summary", {});
  assert.ok(use.summary);
  await ok("get_datastore_usage", {});

  const audit = server.audit();
  assert.ok(audit.some((line) => line.event === "intent" && line.tool === "modify_vm_resources"));
  assert.ok(audit.some((line) => line.event === "refused" && line.step === "confirm"));
  return steps;
}
