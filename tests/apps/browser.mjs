// A headless Chromium, led through its debugging pipe (file descriptors 3 and 4, messages that end with a zero byte).
import { spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const kNames = ["chromium", "chromium-browser", "google-chrome", "chrome"];

// The program to start, or null: VMCP_CHROMIUM, else the first on the path.
export function findBrowser() {
  if (process.env.VMCP_CHROMIUM) return process.env.VMCP_CHROMIUM;
  for (const folder of (process.env.PATH || "").split(delimiter))
    for (const name of kNames) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // the next one
      }
    }
  return null;
}

export class Browser {
  static async start(program) {
    const browser = new Browser();
    browser.profile = mkdtempSync(join(tmpdir(), "vmcp-browser-"));
    const args = ["--headless=new", "--remote-debugging-pipe", `--user-data-dir=${browser.profile}`, "--no-first-run", "--disable-gpu",
      "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars",
      // The sandboxed frame stays in the page's process, where one session can look into it.
      "--disable-features=IsolateSandboxedIframes,SitePerProcess", "about:blank"];
    if (process.getuid() === 0) args.unshift("--no-sandbox");  // Chromium's own sandbox does not work for root
    browser.child = spawn(program, args, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    browser.waiting = new Map();
    browser.listeners = new Set();
    browser.next = 1;
    browser.ended = new Promise((done) => browser.child.on("exit", done));
    browser.ended.then(() => { for (const { reject } of browser.waiting.values()) reject(new Error("the browser ended")); });
    let rest = "";
    browser.child.stdio[4].setEncoding("utf8");
    browser.child.stdio[4].on("data", (text) => {
      const parts = (rest + text).split("\0");
      rest = parts.pop();
      for (const part of parts) browser.hear(JSON.parse(part));
    });
    const { targetInfos } = await browser.ask("Target.getTargets");
    const page = targetInfos.find((target) => target.type === "page");
    browser.session = (await browser.ask("Target.attachToTarget", { targetId: page.targetId, flatten: true })).sessionId;
    return browser;
  }

  hear(message) {
    const waiting = this.waiting.get(message.id);
    if (!waiting) return void this.listeners.forEach((listener) => listener(message));
    this.waiting.delete(message.id);
    if (message.error) waiting.reject(new Error(message.error.message));
    else waiting.resolve(message.result);
  }

  ask(method, params = {}) {
    const id = this.next;
    this.next += 1;
    const done = new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    this.child.stdio[3].write(JSON.stringify({ id, method, params, sessionId: this.session }) + "\0");
    return done;
  }

  // The value of an expression in the page, or in a context of one of its frames.
  async evaluate(expression, contextId) {
    const { result, exceptionDetails } = await this.ask("Runtime.evaluate", { expression, contextId, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async stop() {
    this.child.kill("SIGTERM");
    await this.ended;
    rmSync(this.profile, { recursive: true, force: true });
  }
}
