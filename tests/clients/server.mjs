// The program as a child process on free ports, and the simulator's admin path.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export class Server {
  static async start(program) {
    const server = new Server();
    server.folder = mkdtempSync(join(tmpdir(), "vmcp-clients-"));
    server.log = "";
    const args = ["serve", "--demo", "--listen", "127.0.0.1:0"];
    if (process.env.VMCP_RECORD_DIR)
      args.push("--simulator-record", join(process.env.VMCP_RECORD_DIR, `clients-${process.pid}-${Date.now()}.jsonl`));
    server.child = spawn(resolve(program), args, {
      cwd: server.folder,
      env: { ...process.env, STATE_DIR: join(server.folder, "state"), AUDIT_LOG_PATH: join(server.folder, "audit.jsonl"), RATE_LIMIT: "false" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    server.child.stderr.on("data", (bytes) => (server.log += bytes));
    server.ended = new Promise((done) => server.child.on("exit", (code, signal) => done(code ?? signal)));
    const deadline = Date.now() + 60_000;
    while (!server.url) {
      if (server.child.exitCode !== null || Date.now() > deadline) throw new Error("the server did not start:\n" + server.log);
      await new Promise((done) => setTimeout(done, 50));
      const url = server.log.match(/ at (http:\/\/127\.0\.0\.1:\d+\/mcp)/);
      const simulator = server.log.match(/embedded vCenter on 127\.0\.0\.1:(\d+)/);
      if (url && simulator) [server.url, server.simulator] = [url[1], `http://127.0.0.1:${simulator[1]}`];
    }
    return server;
  }

  // The VM as the vCenter knows it; null when it is gone.
  async truth(vm) {
    const answer = await fetch(`${this.simulator}/simulator/state/vm/${encodeURIComponent(vm)}`);
    return answer.status === 404 ? null : answer.json();
  }

  audit() {
    return readFileSync(join(this.folder, "audit.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line));
  }

  tail() {
    return this.log.split("\n").slice(-15).join("\n");
  }

  async stop() {
    this.child.kill("SIGTERM");
    const code = await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
    return code;
  }
}
