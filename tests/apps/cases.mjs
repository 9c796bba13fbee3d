// What the views are shown, and what must then be read in them. `result` is what a host hands on: the CallToolResult.
import { readFileSync } from "node:fs";

const recorded = (name) => JSON.parse(readFileSync(new URL(`results/${name}.json`, import.meta.url), "utf8"));
export const kHostile = '<img src=x onerror="document.title=1">';

function figures(percent) {
  return {
    cpu: { used_mhz: 480 * percent, total_mhz: 48000, percent_used: percent },
    memory: percent % 7 === 0 ? "unavailable" : { used_mib: 5242.88 * percent, total_mib: 524288, percent_used: percent },
    storage: { used_gib: 40.96 * percent, total_gib: 4096, percent_used: Math.round(percent * 8) / 10 },
    hosts: { total: 4, by_state: { CONNECTED: 3, DISCONNECTED: 1, NOT_RESPONDING: 0 }, in_maintenance_mode: 0 },
    vms: { total: 40 + percent, by_state: { POWERED_ON: 30, POWERED_OFF: 10, SUSPENDED: 0 } },
  };
}

function manyClusters() {
  const clusters = [];
  for (let i = 0; i < 60; i += 1) clusters.push({ cluster: `domain-c${i}`, name: `cluster-${i}`, standalone: i % 20 === 19, ...figures((i * 17) % 101) });
  clusters[3].name = kHostile;
  clusters[4].name = "unavailable";
  clusters[5].notes = ["1 host(s) tell no figures now: counted, but not in CPU and memory."];
  clusters[6].cpu = { used_mhz: 60000, total_mhz: 48000, percent_used: 125 };
  return { content: [], structuredContent: { ok: true, meta: { host: "vcenter.north.example" }, summary: { total: figures(76), clusters, notes: ["A note about all."] } } };
}

function deepTree() {
  const snapshots = [];
  for (let i = 0; i < 14; i += 1)
    snapshots.push({
      snapshot: `snapshot-${i}`, name: i === 2 ? kHostile : `step ${i}`, description: i === 3 ? "first line\nsecond line " + "long ".repeat(60) : "",
      created: new Date(Date.now() - (14 - i) * 3 * 86400000).toISOString(), power_state: "POWERED_ON", quiesced: i % 2 === 0,
      current: i === 13, parent: i === 0 ? null : `snapshot-${i - 1}`, children: [], depth: i,
    });
  snapshots.push({ snapshot: "snapshot-99", name: "orphan", parent: "snapshot-unknown", created: "garbage", current: false });
  return { content: [], structuredContent: { ok: true, meta: { host: "vc" }, vm: { id: "vm-7" }, current: "snapshot-13", truncated: true, snapshots } };
}

export const cases = [
  {
    name: "utilization", view: "resource_utilization", result: recorded("utilization"),
    texts: ["Resource utilization", "vcenter.north.example", "In all", "14.3 %", "prod", "edge", "CPU", "Memory", "Storage", "8 hosts (1 in maintenance)", "120 VMs (93 on)"],
  },
  {
    name: "utilization-many", view: "resource_utilization", result: manyClusters(),
    texts: ["60 clusters", "cluster-59", kHostile, "domain-c4", "not measured", "standalone host", "125 %", "94 %", "76 %", "critical", "warning", "41 GiB of 4 TiB", "(1 not connected)", "A note about all.", "tell no figures now"],
  },
  {
    name: "snapshots", view: "snapshot_tree", result: recorded("snapshots"),
    texts: ["Snapshots of partner-api-02", "vm-1165", "4 snapshots", "pre-patch", "golden", "ask the owner before removing", "current", "taken while off", "snapshot-1169"],
  },
  {
    name: "snapshots-deep", view: "snapshot_tree", result: deepTree(),
    texts: ["Snapshots of vm-7", "15 snapshots", kHostile, "step 13", "second line", "42 days old", "3 days old", "orphan", "date unknown", "quiesced", "more snapshots than are shown"],
  },
  {
    name: "snapshots-none", view: "snapshot_tree",
    result: { content: [], structuredContent: { ok: true, meta: { host: "vc" }, vm: { id: "vm-7", name: "web" }, count: 0, current: null, snapshots: [] } },
    texts: ["Snapshots of web", "0 snapshots", "has no snapshots"],
  },
  {
    name: "refused", view: "snapshot_tree", result: { isError: true, content: [{ type: "text", text: "There is no virtual machine " + kHostile + "." }] },
    texts: ["There is no virtual machine " + kHostile],
  },
];
