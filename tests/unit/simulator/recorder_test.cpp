#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "simulated.h"
#include "simulator/recorder.h"

namespace vmcp::simulator {
namespace {

class TempFile {
 public:
  TempFile() {
    char name[] = "/tmp/simulator-record-XXXXXX";
    const int fd = mkstemp(name);
    REQUIRE(fd >= 0);
    close(fd);
    path = name;
  }
  ~TempFile() { std::remove(path.c_str()); }
  std::vector<Json> lines() const {
    std::vector<Json> out;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
      Result<Json> parsed = parse_trusted_json(line);
      REQUIRE(parsed.ok());
      out.push_back(std::move(*parsed));
    }
    return out;
  }
  std::string text() const {
    std::ifstream in(path);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  std::string path;
};

Settings recorded(const TempFile& file) {
  Settings settings = instant();
  settings.record_file = file.path;
  settings.password = Secret("s3cret-canary");
  return settings;
}

}  // namespace

TEST_CASE("each exchange is a line with its dialect, bodies and status, the admin path's are not") {
  const TempFile file;
  Simulated sim(recorded(file));
  REQUIRE(sim.login("demo@vsphere.local", "s3cret-canary") == 201);
  sim.get("/api/vcenter/datacenter?names=north");
  sim.post("/rest/vcenter/vm/vm-0/power/start");
  sim.vim("ServiceInstance/ServiceInstance/CurrentTime");
  sim.get("/sdk/vimServiceVersions.xml");
  sim.state();
  const auto lines = file.lines();
  REQUIRE(lines.size() == 5);
  CHECK(lines[0]["dialect"] == "api");
  CHECK(lines[0]["reply_body"] == "[secret]");
  CHECK(lines[1]["path"] == "/api/vcenter/datacenter?names=north");
  CHECK(lines[1]["reply_body"].is_array());
  CHECK(lines[1]["request_body"].is_null());
  CHECK(lines[1]["request_headers"]["session"] == true);
  CHECK(lines[2]["dialect"] == "rest");
  CHECK(lines[2]["status"] == 404);
  CHECK(lines[3]["dialect"] == "vim");
  CHECK(lines[3]["request_body"] == Json::object());
  CHECK(lines[4]["reply_body"].is_string());
}

TEST_CASE("no credential reaches the record") {
  const TempFile file;
  Simulated sim(recorded(file));
  REQUIRE(sim.login("demo@vsphere.local", "s3cret-canary") == 201);
  const std::string first = sim.session();
  const Exchanged login = sim.vim("SessionManager/SessionManager/Login",
                                  {{"userName", "demo@vsphere.local"}, {"password", "s3cret-canary"}});
  REQUIRE(login.status == 200);
  std::string second;
  for (const auto& [name, value] : login.headers) {
    if (name == "vmware-api-session-id") second = value;
  }
  REQUIRE_FALSE(second.empty());
  sim.login("demo@vsphere.local", "s3cret-canarx");
  sim.get("/api/vcenter/vm?names=" + first);
  Request rest;
  rest.method = "POST";
  rest.path = "/rest/com/vmware/cis/session";
  rest.headers = {{"Authorization", "Basic " + base64_encode("demo@vsphere.local:s3cret-canary")}};
  const std::string third = sim.raw(rest).body["value"];
  const std::string text = file.text();
  CHECK(text.find("canar") == std::string::npos);
  CHECK(text.find(base64_encode("demo@vsphere.local:s3cret-canary")) == std::string::npos);
  for (const std::string& id : {first, second, third}) CHECK(text.find(id) == std::string::npos);
}

TEST_CASE("an injected reply is marked, a cut connection without an answer is not recorded") {
  const TempFile file;
  Simulated sim(recorded(file));
  REQUIRE(sim.post("/simulator/fault", {{"status", 418}, {"body", "not json"}}).status == 200);
  sim.get("/api/vcenter/vm");
  REQUIRE(sim.post("/simulator/fault", {{"cut", "before"}}).status == 200);
  sim.get("/api/vcenter/vm");
  const auto lines = file.lines();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["injected"] == true);
  CHECK(lines[0]["reply_body"] == "not json");
}

TEST_CASE("a record file that cannot be opened stops the start") {
  StillClock clock;
  Settings settings;
  settings.record_file = "/nonexistent/record.jsonl";
  VCenter vcenter(settings, clock);
  const Result<void> ready = vcenter.prepare();
  REQUIRE_FALSE(ready.ok());
  CHECK(ready.error().text.find("/nonexistent/record.jsonl") != std::string::npos);
}

}  // namespace vmcp::simulator
