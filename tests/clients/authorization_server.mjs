// An authorization server for tests: metadata (RFC 8414) and client credentials (RFC 6749, section 4.4). It gives out
// the demo's static tokens, one for each scope; a scope is the name of a role.
import { createServer } from "node:http";

const RANKS = ["read", "ops", "admin"];

export class AuthorizationServer {
  // What was asked at /token: {client, scope, resource, granted}; `granted` is null when it was refused.
  requests = [];

  // clients: {id: {secret, scopes}}, where `scopes` is the most that the client may have.
  static async start(clients) {
    const server = new AuthorizationServer();
    server.clients = clients;
    server.http = createServer((request, response) => server.answer(request, response));
    await new Promise((done) => server.http.listen(0, "127.0.0.1", done));
    server.issuer = `http://127.0.0.1:${server.http.address().port}`;
    return server;
  }

  async answer(request, response) {
    let body = "";
    for await (const bytes of request) body += bytes;
    const [status, json] = this.route(request, new URLSearchParams(body));
    response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
    response.end(JSON.stringify(json));
  }

  route(request, form) {
    if (request.method === "GET" && request.url === "/.well-known/oauth-authorization-server")
      return [200, {
        issuer: this.issuer, token_endpoint: `${this.issuer}/token`, scopes_supported: RANKS,
        authorization_endpoint: `${this.issuer}/authorize`, response_types_supported: ["code"],  // required; not served here
        grant_types_supported: ["client_credentials"], token_endpoint_auth_methods_supported: ["client_secret_basic"],
      }];
    if (request.method === "POST" && request.url === "/token") return this.token(request.headers.authorization, form);
    return [404, { error: "not_found" }];
  }

  token(authorization = "", form) {
    const [id, secret] = Buffer.from(authorization.replace(/^Basic /, ""), "base64").toString().split(":").map(decodeURIComponent);
    const client = this.clients[id];
    const asked = { client: id, scope: form.get("scope"), resource: form.get("resource"), granted: null };
    this.requests.push(asked);
    if (!client || client.secret !== secret) return [401, { error: "invalid_client" }];
    if (form.get("grant_type") !== "client_credentials") return [400, { error: "unsupported_grant_type" }];
    const scopes = (asked.scope ?? "read").split(" ");
    if (!scopes.every((scope) => client.scopes.includes(scope))) return [400, { error: "invalid_scope" }];
    asked.granted = RANKS.findLast((rank) => scopes.includes(rank));
    return [200, { access_token: `demo-${asked.granted}`, token_type: "Bearer", expires_in: 600, scope: scopes.join(" ") }];
  }

  async close() {
    this.http.closeAllConnections();
    await new Promise((done) => this.http.close(done));
  }
}
