// Subscriptions to vsphere:// URIs over real streams, in both eras.
#include <Poco/Net/SocketStream.h>
#include <Poco/Net/StreamSocket.h>
#include <doctest/doctest.h>

#include "support/server_process.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

// An answer that stays open: reads events as they come.
class EventStream {
 public:
  EventStream(std::uint16_t port, const std::string& method,
              const std::vector<std::pair<std::string, std::string>>& headers, const std::string& body)
      : socket_(Poco::Net::SocketAddress("127.0.0.1", port)) {
    std::string request = method + " /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    for (const auto& [name, value] : headers) request += name + ": " + value + "\r\n";
    if (method == "POST") request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    request += "\r\n" + body;
    for (std::size_t sent = 0; sent < request.size();)
      sent += static_cast<std::size_t>(
          socket_.sendBytes(request.data() + sent, static_cast<int>(request.size() - sent)));
    socket_.setReceiveTimeout(Poco::Timespan(0, 50'000));
  }
  // Waits until something that was received holds `text`; false when it does not come.
  bool saw(const std::string& text, int limit_ms) {
    return wait_until(
        [&] {
          char buffer[4096];
          try {
            const int n = socket_.receiveBytes(buffer, sizeof buffer);
            if (n > 0) received_.append(buffer, static_cast<std::size_t>(n));
          } catch (const Poco::TimeoutException&) {
          }
          return received_.find(text) != std::string::npos;
        },
        limit_ms);
  }
  const std::string& received() const { return received_; }

 private:
  Poco::Net::StreamSocket socket_;
  std::string received_;
};

ServerOptions watching_often() {
  ServerOptions options;
  options.environment = {{"RATE_LIMIT", "false"}, {"VMCP__VCENTER__WATCH_INTERVAL_S", "0.1"}};
  return options;
}

struct Subject {
  std::string vm, uri;
};

Subject running_vm(const ServerProcess& server) {
  const Json vms =
      call_tool(server.port(), "demo-ops", "list_vms", {{"limit", 1}, {"power_states", {"POWERED_ON"}}})
          .json()["result"]["structuredContent"]["vms"];
  const std::string vm = vms.at(0)["vm"];
  return {vm, "vsphere://127.0.0.1:" + std::to_string(server.simulator_port()) + "/vm/" + vm};
}

void power_off(const ServerProcess& server, const std::string& vm) {
  const Json done = call_tool(server.port(), "demo-ops", "power_off_vm", {{"vm_id", vm}}).json();
  REQUIRE_MESSAGE(done["result"].value("isError", false) == false, done.dump());
}

std::string updated(const std::string& uri) {
  return "\"uri\":" + dump_json(Json(uri));
}

}  // namespace

TEST_CASE(
    "watch: a listener hears when its machine changes, not when another does, and its stream stays quiet "
    "else") {
  ServerProcess server(watching_often());
  const Subject subject = running_vm(server);
  Json params{{"notifications", {{"resourceSubscriptions", {subject.uri, "vsphere://nowhere/vm/x"}}}}};
  params["_meta"] = {{"io.modelcontextprotocol/protocolVersion", "2026-07-28"},
                     {"io.modelcontextprotocol/clientCapabilities", Json::object()},
                     {"io.modelcontextprotocol/clientInfo", {{"name", "t"}, {"version", "1"}}}};
  EventStream stream(server.port(), "POST",
                     {{"Content-Type", "application/json"},
                      {"Accept", "application/json, text/event-stream"},
                      {"Authorization", "Bearer demo-read"},
                      {"MCP-Protocol-Version", "2026-07-28"},
                      {"Mcp-Method", "subscriptions/listen"}},
                     dump_json(Json{{"jsonrpc", "2.0"},
                                    {"id", "watch"},
                                    {"method", "subscriptions/listen"},
                                    {"params", std::move(params)}}));
  REQUIRE(stream.saw("notifications/subscriptions/acknowledged", 10'000));
  CHECK_FALSE(stream.saw("notifications/resources/updated", 500));
  power_off(server, subject.vm);
  REQUIRE(stream.saw("notifications/resources/updated", 10'000));
  CHECK(stream.received().find(updated(subject.uri)) != std::string::npos);
  CHECK(stream.received().find("subscriptionId\":\"watch\"") != std::string::npos);
}

TEST_CASE("watch: a session hears on its own stream when its machine changes") {
  ServerProcess server(watching_often());
  const Subject subject = running_vm(server);
  std::vector<std::pair<std::string, std::string>> headers = {
      {"Content-Type", "application/json"},
      {"Accept", "application/json, text/event-stream"},
      {"Authorization", "Bearer demo-read"}};
  const Json hello{{"jsonrpc", "2.0"},
                   {"id", 1},
                   {"method", "initialize"},
                   {"params",
                    {{"protocolVersion", "2025-11-25"},
                     {"capabilities", Json::object()},
                     {"clientInfo", {{"name", "t"}, {"version", "1"}}}}}};
  const Answer opened = send(server.port(), "POST", "/mcp", headers, dump_json(hello));
  headers.emplace_back("Mcp-Session-Id", opened.headers.at("mcp-session-id"));
  const Json subscribe{
      {"jsonrpc", "2.0"}, {"id", 2}, {"method", "resources/subscribe"}, {"params", {{"uri", subject.uri}}}};
  CHECK(send(server.port(), "POST", "/mcp", headers, dump_json(subscribe)).status == 200);
  EventStream stream(server.port(), "GET", headers, "");
  REQUIRE(stream.saw("text/event-stream", 10'000));
  CHECK_FALSE(stream.saw("notifications/resources/updated", 500));
  power_off(server, subject.vm);
  REQUIRE(stream.saw("notifications/resources/updated", 10'000));
  CHECK(stream.received().find(updated(subject.uri)) != std::string::npos);
}
