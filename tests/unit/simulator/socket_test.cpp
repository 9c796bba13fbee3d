#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/StreamCopier.h>
#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/crypto.h"
#include "base/json.h"
#include "simulator/simulator.h"

namespace vmcp::simulator {
namespace {

struct Answered {
  int status = 0;
  std::string body;
};

class Client {
 public:
  explicit Client(std::uint16_t port) : connection_("127.0.0.1", port) { connection_.setKeepAlive(true); }

  Answered send(const std::string& method, const std::string& target, const std::string& body = {}) {
    Poco::Net::HTTPRequest request(method, target, Poco::Net::HTTPMessage::HTTP_1_1);
    if (!session.empty()) request.set("vmware-api-session-id", session);
    if (!authorization.empty()) request.set("Authorization", authorization);
    request.setContentLength(static_cast<std::streamsize>(body.size()));
    connection_.sendRequest(request) << body;
    Poco::Net::HTTPResponse response;
    std::istream& in = connection_.receiveResponse(response);
    Answered out;
    out.status = response.getStatus();
    Poco::StreamCopier::copyToString(in, out.body);
    return out;
  }
  void login() {
    authorization = "Basic " + base64_encode("demo@vsphere.local:demo");
    const Answered answer = send("POST", "/api/session");
    authorization.clear();
    REQUIRE(answer.status == 201);
    session = parse_trusted_json(answer.body)->get<std::string>();
  }

  std::string session, authorization;

 private:
  Poco::Net::HTTPClientSession connection_;
};

struct Running {
  explicit Running(Settings settings = {}) : simulator(fast(std::move(settings)), log) {
    const Result<void> started = simulator.start();
    REQUIRE(started.ok());
    REQUIRE(simulator.port() != 0);
  }
  static Settings fast(Settings settings) {
    settings.task_time = milliseconds(20);
    return settings;
  }
  SilentLog log;
  Simulator simulator;
};

}  // namespace

TEST_CASE("over a socket: one connection carries login, reads and a synchronous change") {
  Running running;
  Client client(running.simulator.port());
  CHECK(client.send("GET", "/api/vcenter/vm").status == 401);
  client.login();
  const Result<Json> list =
      parse_trusted_json(client.send("GET", "/api/vcenter/vm?power_states=POWERED_ON").body);
  REQUIRE(list.ok());
  const std::string vm = (*list)[0]["vm"];
  CHECK(client.send("POST", "/api/vcenter/vm/" + vm + "/power?action=stop").status == 204);
  CHECK(client.send("GET", "/api/vcenter/vm/" + vm + "/power").body.find("POWERED_OFF") != std::string::npos);
  CHECK(client.send("GET", "/simulator/sessions").status == 200);
  CHECK(client.send("DELETE", "/api/session").status == 204);
}

TEST_CASE("over a socket: an ordered cut breaks the connection instead of answering") {
  Running running;
  Client client(running.simulator.port());
  REQUIRE(client.send("POST", "/simulator/fault", R"({"path":"/api/*","cut":"before"})").status == 200);
  CHECK_THROWS_AS(client.send("GET", "/api/vcenter/vm"), Poco::Exception);
  Client next(running.simulator.port());
  CHECK(next.send("GET", "/api/vcenter/vm").status == 401);
}

TEST_CASE("over a socket: many clients at once get consistent answers") {
  Running running;
  // Chosen before the first of them is switched off: a list made later is a shorter one, and two threads
  // would share a VM.
  Client chooser(running.simulator.port());
  chooser.authorization = "Basic " + base64_encode("demo@vsphere.local:demo");
  chooser.session = parse_trusted_json(chooser.send("POST", "/api/session").body)->get<std::string>();
  chooser.authorization.clear();
  const Json vms = *parse_trusted_json(chooser.send("GET", "/api/vcenter/vm?power_states=POWERED_ON").body);
  REQUIRE(vms.size() >= 8);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      try {
        Client client(running.simulator.port());
        client.authorization = "Basic " + base64_encode("demo@vsphere.local:demo");
        client.session = parse_trusted_json(client.send("POST", "/api/session").body)->get<std::string>();
        client.authorization.clear();
        const std::string vm = vms[t]["vm"];
        for (int i = 0; i < 5; ++i) {
          if (client.send("POST", "/api/vcenter/vm/" + vm + "/power?action=stop").status != 204) ++wrong;
          if (client.send("GET", "/simulator/state").status != 200) ++wrong;
          if (client.send("POST", "/api/vcenter/vm/" + vm + "/power?action=start").status != 204) ++wrong;
        }
      } catch (const std::exception&) {
        ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("over a socket: a stop ends requests that wait, and frees the port") {
  Settings settings;
  SilentLog log;
  settings.task_time = milliseconds(600'000);
  auto simulator = std::make_unique<Simulator>(settings, log);
  REQUIRE(simulator->start().ok());
  const std::uint16_t port = simulator->port();
  Client client(port);
  client.login();
  const Result<Json> vms =
      parse_trusted_json(client.send("GET", "/api/vcenter/vm?power_states=POWERED_ON").body);
  const std::string vm = (*vms)[0]["vm"];
  std::thread waiting([&] {
    try {
      client.send("POST", "/api/vcenter/vm/" + vm + "/power?action=stop");
    } catch (const std::exception&) {  // the connection may be cut while it waits
    }
  });
  Client watcher(port);
  while (watcher.send("GET", "/simulator/state").body.find(R"("tasks_unfinished":1)") == std::string::npos) {
    std::this_thread::yield();
  }
  simulator->stop();
  waiting.join();
  simulator.reset();
  settings.port = port;
  Simulator again(settings, log);
  CHECK(again.start().ok());
  Simulator third(settings, log);
  const Result<void> taken = third.start();
  REQUIRE_FALSE(taken.ok());
  CHECK(taken.error().text.find(std::to_string(port)) != std::string::npos);
}

TEST_CASE("the admin path is not opened to a network without a token") {
  Settings settings;
  settings.host = "0.0.0.0";
  SilentLog log;
  Simulator open(settings, log);
  CHECK_FALSE(open.start().ok());
}

}  // namespace vmcp::simulator
