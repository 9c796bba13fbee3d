// A proxy that a client talks through, so that a check can say what went over the wire. Answers pass as they come.
import { createServer, request } from "node:http";

export class Wire {
  // Exchanges, oldest first: {method, session, body, status, answer}; `answer` grows while an event stream is open.
  exchanges = [];

  static async before(url) {
    const wire = new Wire();
    const target = new URL(url);
    wire.server = createServer((asked, answered) => wire.pass(target, asked, answered));
    await new Promise((done) => wire.server.listen(0, "127.0.0.1", done));
    wire.url = `http://127.0.0.1:${wire.server.address().port}${target.pathname}`;
    return wire;
  }

  pass(target, asked, answered) {
    const exchange = { method: asked.method, body: "", status: 0, answer: "" };
    this.exchanges.push(exchange);
    const onward = request({ host: target.hostname, port: target.port, path: asked.url, method: asked.method, headers: { ...asked.headers, host: target.host } });
    onward.on("response", (answer) => {
      exchange.status = answer.statusCode;
      answered.writeHead(answer.statusCode, answer.headers);
      answer.on("data", (bytes) => (exchange.answer += bytes));
      answer.pipe(answered);
    });
    onward.on("error", () => answered.destroy());
    answered.on("close", () => onward.destroy());
    asked.on("data", (bytes) => (exchange.body += bytes));
    asked.pipe(onward);
  }

  // The requests of one JSON-RPC method.
  of(method) {
    return this.exchanges.filter((e) => e.body.includes(`"method":"${method}"`));
  }

  async close() {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
