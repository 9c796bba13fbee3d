// The program as a child process on free ports, and the simulator's admin path.
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const EVERYTHING = "org.vmcp.fixture.everything";

// The everything plugin alone, without authentication and without a vCenter: nobody asks for one.
function everythingPlugin(program, folder) {
  const built = join(dirname(resolve(program)), "../lib/vsphere-mcp-pro/fixtures/fixture_everything");
  const plugins = join(folder, "plugins");
  mkdirSync(plugins);
  for (const ending of [".so", ".vmcp.json"]) copyFileSync(built + ending, join(plugins, "fixture_everything" + ending));
  const config = join(folder, "site.toml");
  writeFileSync(config, `[server]
resumable_answers = true
[plugins]
dir = "${plugins}"
trust = "dev"
[[plugin]]
id = "${EVERYTHING}"
isolation = "inprocess"
required = true
`);
  return {
    args: ["--config", config],
    environment: { AUTH_ENFORCE: "false", PLUGINS: EVERYTHING, VCENTER_HOST: "vcenter.invalid", VCENTER_USER: "nobody", VCENTER_PASSWORD: "none" },
  };
}

export class Server {
  // With `everything` the conformance plugin is served instead of the demo.
  static async start(program, { everything = false, environment = {} } = {}) {
    const server = new Server();
    server.folder = mkdtempSync(join(tmpdir(), "vmcp-clients-"));
    server.log = "";
    const args = ["serve", "--listen", "127.0.0.1:0"];
    let extra = environment;
    if (everything) {
      const plugin = everythingPlugin(program, server.folder);
      args.push(...plugin.args);
      extra = { ...plugin.environment, ...environment };
    } else {
      args.push("--demo");
      if (process.env.VMCP_RECORD_DIR)
        args.push("--simulator-record", join(process.env.VMCP_RECORD_DIR, `clients-${process.pid}-${Date.now()}.jsonl`));
    }
    server.child = spawn(resolve(program), args, {
      cwd: server.folder,
      env: { ...process.env, STATE_DIR: join(server.folder, "state"), AUDIT_LOG_PATH: join(server.folder, "audit.jsonl"), RATE_LIMIT: "false", ...extra },
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
      if (simulator) server.simulator = `http://127.0.0.1:${simulator[1]}`;
      if (url && (simulator || everything)) server.url = url[1];
    }
    return server;
  }

  truth(vm) {
    return truth(this.simulator, vm);
  }

  audit() {
    return audit(this.folder);
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

// The VM as the vCenter knows it; null when it is gone.
export async function truth(simulator, vm) {
  const answer = await fetch(`${simulator}/simulator/state/vm/${encodeURIComponent(vm)}`);
  return answer.status === 404 ? null : answer.json();
}

export function audit(folder) {
  return readFileSync(join(folder, "audit.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line));
}
