// The views' scripts against a document in memory and a host that keeps what it hears: what they draw, what they say,
// what they refuse. No browser needed.   node dom.mjs FOLDER_OF_VIEWS
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import vm from "node:vm";
import { cases, kHostile } from "./cases.mjs";
import { fakeDocument } from "./fake_dom.mjs";

const folder = process.argv[2];
const kViews = ["resource_utilization", "snapshot_tree"];
const pageOf = (view) => readFileSync(join(folder, `${view}.html`), "utf8");
const inner = (page, tag) => page.match(new RegExp(`<${tag}>([^]*?)</${tag}>`))[1];

class View {
  constructor(name) {
    this.sent = [];
    this.document = fakeDocument();
    this.host = { postMessage: (message, target) => { assert.equal(target, "*"); this.sent.push(JSON.parse(JSON.stringify(message))); } };
    const window = { parent: this.host, addEventListener: (type, listener) => { assert.equal(type, "message"); this.listener = listener; } };
    const ResizeObserver = class { constructor(seen) { this.seen = seen; } observe() { this.seen(); } };
    vm.runInNewContext(inner(pageOf(name), "script"), { window, document: this.document, ResizeObserver, Intl });
  }
  hear(message, source = this.host) { this.listener({ source, data: { jsonrpc: "2.0", ...message } }); }
  notify(method, params) { this.hear({ method, params }); }
  welcome(hostContext = {}) { this.hear({ id: 1, result: { protocolVersion: "2026-01-26", hostInfo: {}, hostCapabilities: {}, hostContext } }); }
  get text() { return this.document.view.textContent; }
  root() { return this.document.documentElement; }
}

function shown(view, result, context) {
  const made = new View(view);
  made.welcome(context);
  made.notify("ui/notifications/tool-input", { arguments: {} });
  made.notify("ui/notifications/tool-result", result);
  return made;
}

for (const one of cases) {
  test(`${one.name}: every text is there`, () => {
    const view = shown(one.view, one.result);
    for (const text of one.texts) assert.ok(view.text.includes(text), `no "${text}" in: ${view.text.slice(0, 2000)}`);
  });
}

for (const name of kViews) {
  test(`${name}: allows only its own style and script, and loads nothing`, () => {
    const page = pageOf(name);
    const policy = page.match(/content="(default-src[^"]*)"/)[1];
    const hash = (tag) => `'sha256-${createHash("sha256").update(inner(page, tag)).digest("base64")}'`;
    assert.equal(policy, `default-src 'none'; script-src ${hash("script")}; style-src ${hash("style")}; base-uri 'none'; form-action 'none'`);
    assert.ok(page.startsWith("<!DOCTYPE html>"));
    assert.ok(page.indexOf("Content-Security-Policy") < page.indexOf("<style>"), "the policy stands before what it rules");
    assert.ok(!/\b(src|href|srcset|action)=|@import|url\(|https?:|\bstyle="|\bon[a-z]+="/.test(page), "nothing is loaded, nothing is inline besides the two");
    assert.ok(/^[\x00-\x7f]*$/.test(page));
  });

  test(`${name}: asks to begin, answers, and says its height once`, () => {
    const view = new View(name);
    assert.equal(view.sent.length, 1);
    const [hello] = view.sent;
    assert.equal(hello.method, "ui/initialize");
    assert.equal(hello.params.protocolVersion, "2026-01-26");
    assert.ok(hello.params.appInfo.name && hello.params.appInfo.version);
    assert.deepEqual(hello.params.appCapabilities, { availableDisplayModes: ["inline", "fullscreen"] });
    view.welcome();
    assert.deepEqual(view.sent.slice(1).map((message) => message.method), ["ui/notifications/initialized", "ui/notifications/size-changed"]);
    assert.deepEqual(view.sent[2].params, { height: 100 });
    view.hear({ id: "p", method: "ping" });
    view.hear({ id: 7, method: "ui/resource-teardown", params: { reason: "closed" } });
    view.hear({ id: 8, method: "tools/list" });
    assert.deepEqual(view.sent.slice(3).map(({ id, result, error }) => [id, result ?? error.code]), [["p", {}], [7, {}], [8, -32601]]);
  });

  test(`${name}: listens to its host only, and survives what makes no sense`, () => {
    const view = new View(name);
    const before = view.text;
    const stranger = { postMessage() {} };
    view.hear({ method: "ui/notifications/tool-result", params: { isError: true, content: [{ type: "text", text: "forged" }] } }, stranger);
    assert.equal(view.text, before);
    for (const data of [null, "text", 7, [], {}, { jsonrpc: "1.0", method: "ping", id: 1 }]) view.listener({ source: view.host, data });
    for (const method of ["__proto__", "constructor", "toString", "ui/notifications/unknown"]) view.notify(method, {});
    view.notify("ui/notifications/tool-result", null);
    assert.ok(view.text.includes("nothing to show"));
    for (const structuredContent of [[], { summary: null, snapshots: null }, { summary: { total: 1, clusters: [null, 3] }, snapshots: [null] }]) {
      view.notify("ui/notifications/tool-result", { content: [], structuredContent });
      assert.ok(view.text.length > 0);
    }
    view.notify("ui/notifications/tool-cancelled", { reason: "user" });
    assert.ok(view.text.includes("cancelled"));
    view.hear({ id: 1, error: { code: -32000, message: "no" } });
    assert.ok(view.text.includes("did not accept"));
  });

  test(`${name}: takes the host's theme and its colours, and nothing else of its styles`, () => {
    const view = new View(name);
    const variables = { "--color-text-primary": "#123456", "--font-sans": "Inter", "--evil": "1", "background": "red", "--color-x": 5 };
    view.welcome({ theme: "dark", styles: { variables } });
    assert.equal(view.root().getAttribute("data-theme"), "dark");
    assert.deepEqual([...view.root().style.properties], [["--color-text-primary", "#123456"], ["--font-sans", "Inter"]]);
    view.notify("ui/notifications/host-context-changed", { theme: "light" });
    assert.equal(view.root().getAttribute("data-theme"), "light");
    view.notify("ui/notifications/host-context-changed", { theme: '"><script>' });
    assert.equal(view.root().getAttribute("data-theme"), "light");
  });

  test(`${name}: a locale that nobody knows costs nothing`, () => {
    const { result, view, texts } = cases.find((one) => one.view === name);
    const drawn = shown(view, result, { locale: "no such locale", timeZone: "No/Where" });
    for (const text of texts) if (!/old|[0-9]/.test(text)) assert.ok(drawn.text.includes(text), text);
  });
}

const many = () => cases.find((one) => one.name === "utilization-many");
const names = (view) => view.document.view.querySelectorAll('[class="pool"]').map((item) => item.childNodes[0].childNodes[0].textContent);

test("utilization: bars are meters with words for who cannot see colours", () => {
  const view = shown(many().view, many().result);
  const meters = view.document.view.querySelectorAll('[role="meter"]');
  assert.ok(meters.length > 150);
  for (const meter of meters) {
    const now = Number(meter.getAttribute("aria-valuenow"));
    assert.ok(now >= 0 && now <= 100);
    assert.equal(meter.childNodes[0].style.width, now + "%");
    assert.ok(meter.getAttribute("aria-label").length > 6);
  }
  const over = meters.find((meter) => meter.getAttribute("aria-label") === "CPU of cluster-6");
  assert.equal(over.getAttribute("aria-valuetext"), "125 %, 60 of 48 GHz, critical");
  const limits = (label) => meters.find((meter) => meter.getAttribute("aria-label") === label).getAttribute("class");
  assert.equal(limits("CPU of In all"), "bar warning");
  assert.equal(limits("Storage of In all"), "bar good");
});

test("utilization: many clusters can be ordered and searched, the urgent ones first", () => {
  const view = shown(many().view, many().result);
  assert.equal(names(view)[0], "cluster-6");
  const find = (tag) => view.document.view.querySelector('[class="tools"]').childNodes.flatMap((node) => [node, ...(node.childNodes || [])]).find((node) => node.tag === tag);
  find("select").value = "name";
  find("select").fire("change");
  assert.deepEqual(names(view).filter((name) => name.startsWith("cluster-")).slice(0, 3), ["cluster-0", "cluster-1", "cluster-2"]);
  find("input").value = "ER-5";
  find("input").fire("input");
  assert.ok(names(view).every((name) => name.includes("er-5")));
  assert.ok(view.text.includes("11 of 60 clusters"));
  // A few need no search.
  assert.equal(shown("resource_utilization", cases[0].result).document.view.querySelector('[class="tools"]'), null);
});

test("utilization: hostile names stay text", () => {
  const view = shown(many().view, many().result);
  assert.ok(names(view).includes(kHostile));
});

const deep = () => cases.find((one) => one.name === "snapshots-deep");
const items = (view) => view.document.view.querySelectorAll('[role="treeitem"]');

test("snapshots: the tree has the levels, the places and the current one", () => {
  const view = shown("snapshot_tree", cases.find((one) => one.name === "snapshots").result);
  const facts = items(view).map((item) => ["aria-level", "aria-posinset", "aria-setsize", "aria-current"].map((name) => item.getAttribute(name)));
  assert.deepEqual(facts, [["1", "1", "1", null], ["2", "1", "2", null], ["3", "1", "1", null], ["2", "2", "2", "true"]]);
  assert.deepEqual(items(view).map((item) => item.getAttribute("tabindex")), ["-1", "-1", "-1", "0"]);
  assert.ok(items(shown("snapshot_tree", deep().result)).length === 15);
});

test("snapshots: the keys of a tree", () => {
  const view = shown("snapshot_tree", cases.find((one) => one.name === "snapshots").result);
  const tree = view.document.view.querySelector('[role="tree"]');
  const [root, child, leaf, last] = items(view);
  const press = (on, key) => { tree.fire("keydown", { target: on, key }); return view.document.focused(); };
  assert.equal(press(last, "ArrowUp"), leaf);
  assert.equal(press(leaf, "ArrowLeft"), child);
  assert.equal(press(child, "Home"), root);
  assert.equal(press(root, "End"), last);
  press(child, "ArrowLeft");
  assert.equal(child.getAttribute("aria-expanded"), "false");
  assert.equal(press(child, "ArrowDown"), last);
  press(child, "ArrowRight");
  assert.equal(child.getAttribute("aria-expanded"), "true");
  assert.equal(press(child, "ArrowRight"), leaf);
  assert.equal(press(leaf, "ArrowRight"), leaf);
  assert.deepEqual(items(view).filter((item) => item.getAttribute("tabindex") === "0"), [leaf]);
});

test("snapshots: a chain without end, ids that come twice and parents that come later", () => {
  const chain = Array.from({ length: 500 }, (_, i) => ({ snapshot: `s-${i}`, name: "n", parent: i === 0 ? null : `s-${i - 1}`, current: false }));
  assert.equal(items(shown("snapshot_tree", { content: [], structuredContent: { snapshots: chain } })).length, 500);
  const odd = [{ snapshot: "a", parent: "b", name: "1" }, { snapshot: "b", parent: "a", name: "2" }, { snapshot: "a", parent: "a", name: "3" }];
  assert.equal(items(shown("snapshot_tree", { content: [], structuredContent: { snapshots: odd } })).length, 3);
});
