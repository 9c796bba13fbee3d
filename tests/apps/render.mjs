// Shows the views in a headless Chromium, dark and light, wide and narrow, and reads what a person would see. Leaves a
// picture of each in FOLDER_OF_PICTURES.   node render.mjs FOLDER_OF_VIEWS FOLDER_OF_PICTURES
// Ends with 77 when there is no browser.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Browser, findBrowser } from "./browser.mjs";
import { cases } from "./cases.mjs";

const [views, pictures] = process.argv.slice(2);
const program = findBrowser();
if (program === null) {
  console.log("skipped: no Chromium here; install one or name it in VMCP_CHROMIUM");
  process.exit(77);
}
mkdirSync(pictures, { recursive: true });

// What a view must be able to show: contrast by WCAG 2 of every text against what lies behind it, nothing wider than
// the frame, and the texts.
const kLook = `(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => { for (let at = node; at; at = at.parentElement) { const c = rgb(getComputedStyle(at).backgroundColor); if (c[3] > 0) return c; } return [255, 255, 255, 255]; };
  let worst = { contrast: 99 };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() === "" || ["SCRIPT", "STYLE", "OPTION"].includes(node.tagName)) continue;
    const [a, b] = [light(rgb(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < worst.contrast) worst = { contrast, text: walker.currentNode.data };
  }
  return { text: document.getElementById("view").textContent, worst, title: document.title, images: document.images.length,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth, ground: rgb(getComputedStyle(document.body).backgroundColor) };
})()`;

// Script that the view did not come with: must not run.
const kIntrusion = `new Promise((done) => {
  const script = document.createElement("script");
  script.textContent = "window.intruded = true";
  document.addEventListener("securitypolicyviolation", (event) => done({ intruded: window.intruded === true, directive: event.effectiveDirective }));
  document.body.append(script);
  setTimeout(() => done({ intruded: window.intruded === true, directive: null }), 2000);
})`;

async function until(what, condition) {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error("waited in vain for " + what);
    await new Promise((done) => setTimeout(done, 20));
  }
}

async function look(browser, one, { theme, width, byHost }) {
  const complaints = [];
  let frame = null;
  const listener = ({ method, params }) => {
    if (method === "Runtime.executionContextCreated" && params.context.auxData?.type === "default" && params.context.origin !== "file://") frame = params.context.id;
    if (method === "Log.entryAdded" && params.entry.level === "error") complaints.push(params.entry.text);
    if (method === "Runtime.exceptionThrown") complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
  };
  browser.listeners.add(listener);
  try {
    await browser.ask("Emulation.setDeviceMetricsOverride", { width, height: 600, deviceScaleFactor: 1, mobile: false });
    // The other half of the runs: the host says nothing, the browser's preference decides.
    const preferred = byHost ? (theme === "dark" ? "light" : "dark") : theme;
    await browser.ask("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: preferred }] });
    await browser.ask("Page.navigate", { url: "about:blank" });
    await browser.ask("Page.navigate", { url: new URL("host.html", import.meta.url).href });
    await until("the host page", () => browser.evaluate("document.readyState === 'complete' && typeof show === 'function'").catch(() => false));
    frame = null;
    const page = readFileSync(join(views, `${one.view}.html`), "utf8");
    const context = { locale: "en-GB", timeZone: "Europe/Berlin", ...(byHost ? { theme } : {}) };
    await browser.evaluate(`show(${[page, one.result, context].map((value) => JSON.stringify(value)).join(", ")})`);
    await until("the view to say its size", () => browser.evaluate(`heard.some((m) => m.method === "ui/notifications/size-changed")`));
    await until("the view to be drawn", () => frame !== null && browser.evaluate(`document.getElementById("view").textContent.includes(${JSON.stringify(one.texts[0])})`, frame));
    const seen = await browser.evaluate(kLook, frame);
    const height = await until("the frame to fit", () => browser.evaluate(`(() => {
      const said = heard.filter((m) => m.method === "ui/notifications/size-changed").pop().params.height;
      return document.documentElement.scrollHeight >= said && said;
    })()`));
    const { data } = await browser.ask("Page.captureScreenshot", { format: "png", captureBeyondViewport: true, clip: { x: 0, y: 0, width, height: Math.min(height, 2500), scale: 1 } });
    writeFileSync(join(pictures, `${one.name}-${theme}-${width}.png`), Buffer.from(data, "base64"));
    assert.deepEqual(complaints, [], "nothing is refused by a policy and nothing is thrown");
    assert.deepEqual(await browser.evaluate(kIntrusion, frame), { intruded: false, directive: "script-src-elem" });
    return seen;
  } finally {
    browser.listeners.delete(listener);
  }
}

function check(one, theme, seen) {
  for (const text of one.texts) assert.ok(seen.text.includes(text), `no "${text}" in: ${seen.text.slice(0, 1000)}`);
  assert.ok(seen.worst.contrast >= 4.5, `a contrast of ${seen.worst.contrast.toFixed(2)} for "${seen.worst.text}"`);
  assert.equal(seen.overflow, 0, "nothing is wider than the frame");
  assert.equal(seen.images, 0);
  assert.ok(!seen.title.includes("1"), "a name became markup");
  const brightness = (seen.ground[0] + seen.ground[1] + seen.ground[2]) / 3;
  assert.ok(theme === "dark" ? brightness < 80 : brightness > 180, `a ${theme} ground of ${seen.ground}`);
}

const browser = await Browser.start(program);
let failed = 0;
try {
  for (const domain of ["Page.enable", "Runtime.enable", "Log.enable"]) await browser.ask(domain);
  for (const one of cases) {
    for (const how of [{ theme: "light", width: 820, byHost: false }, { theme: "dark", width: 820, byHost: false },
      { theme: "light", width: 380, byHost: true }, { theme: "dark", width: 380, byHost: true }]) {
      const name = `${one.name}, ${how.theme}${how.byHost ? " by the host" : ""}, ${how.width} wide`;
      try {
        check(one, how.theme, await look(browser, one, how));
        console.log(`ok      ${name}`);
      } catch (error) {
        failed += 1;
        console.log(`FAILED  ${name}: ${error.message}`);
      }
    }
  }
} finally {
  await browser.stop();
}
console.log(`${cases.length * 4 - failed} of ${cases.length * 4} looks are as they should be`);
process.exit(failed === 0 ? 0 : 1);
