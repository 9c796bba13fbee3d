// A client that is a program: one process for each command, or one that keeps talking.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const modules = fileURLToPath(new URL("./node_modules/", import.meta.url));

// {code, json, text}: standard output as JSON if it is, and everything that was written.
export function run(script, args, { environment = {}, input = "", limit_ms = 60_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [modules + script, ...args], { env: { ...process.env, ...environment }, timeout: limit_ms });
    let out = "";
    let err = "";
    child.stdout.on("data", (bytes) => (out += bytes));
    child.stderr.on("data", (bytes) => (err += bytes));
    child.stdin.on("error", () => {});  // a client that does not read its input may close it
    child.stdin.end(input);
    child.on("error", reject);
    child.on("close", (code) => {
      let json = null;
      try {
        json = JSON.parse(out);
      } catch {
        // not JSON: the caller sees the text
      }
      resolve({ code, json, text: out + err });
    });
  });
}

// A command that goes on until it is stopped; `output()` is what it has written so far.
export function follow(script, args, { environment = {} } = {}) {
  const child = spawn(process.execPath, [modules + script, ...args], { env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "ignore"] });
  let out = "";
  child.stdout.on("data", (bytes) => (out += bytes));
  const ended = new Promise((done) => child.on("close", done));
  return {
    output: () => out,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
