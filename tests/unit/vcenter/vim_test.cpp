#include <atomic>
#include <latch>
#include <thread>

#include "client_fixture.h"
#include "vcenter/vim_channel.h"

using namespace vmcp;
using namespace vmcp::test;

namespace {

constexpr const char* kBase = "/sdk/vim25/8.0.2.0";

FakeVcenter::Options options(const std::function<void(FakeVcenter::Options&)>& change) {
  FakeVcenter::Options out;
  change(out);
  return out;
}

}  // namespace

TEST_CASE("a property and a method travel as VI/JSON with the shared session") {
  FakeVcenter fake;
  fake.on("GET", std::string(kBase) + "/VirtualMachine/vm-1/name", {{200, "\"ledger-db\""}});
  fake.on("POST", std::string(kBase) + "/VirtualMachine/vm-1/CreateSnapshot_Task",
          {{200, R"({"_typeName":"ManagedObjectReference","type":"Task","value":"task-1"})"}});
  fake.on("POST", std::string(kBase) + "/ContainerView/session%5B52%5D%20x/DestroyView", {{204, ""}});
  Client client(fake);
  CHECK(client.property("VirtualMachine", "vm-1", "name").body == "\"ledger-db\"");
  const auto task = client.method("VirtualMachine", "vm-1", "CreateSnapshot_Task", R"({"name":"s"})");
  CHECK(contains(task.body, "task-1"));
  CHECK(client.method("ContainerView", "session[52] x", "DestroyView").ok());
  CHECK(fake.logins() == 1);
  CHECK(fake.vim_logins() == 0);
  for (const auto& seen : fake.received()) {
    if (contains(seen.target, "CreateSnapshot")) CHECK(seen.body == R"({"name":"s"})");
    if (contains(seen.target, "DestroyView")) CHECK(seen.body == "{}");
    if (contains(seen.target, "VirtualMachine")) CHECK(seen.session() == "token-1");
  }
}

TEST_CASE("content is read once, without a session, and tells About") {
  FakeVcenter fake;
  Client client(fake);
  std::latch start(8);
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      const auto about = client.connection->about(within(20s));
      good += about.ok() && about->session_manager == "sm-9" && about->vim_release == "8.0.2.0";
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(good == 8);
  CHECK(fake.count("GET", std::string(kBase) + "/ServiceInstance/ServiceInstance/content") == 1);
  CHECK(fake.logins() == 0);
}

TEST_CASE("without hello the release comes from vimServiceVersions.xml") {
  FakeVcenter fake(options([](auto& o) {
    o.hello = false;
    o.versions_xml = versions_xml("8.0.2.0", {"8.0.1.0"});
  }));
  Client client(fake);
  const auto about = client.connection->about(within(20s));
  REQUIRE(about.ok());
  CHECK(about->vim_release == "8.0.2.0");
}

TEST_CASE("a vCenter before 8.0 U1 is refused in clear words, and not asked every time") {
  FakeVcenter fake(options([](auto& o) {
    o.hello = false;
    o.versions_xml = versions_xml("8.0.0.2", {"8.0.0.1"});
  }));
  Client client(fake);
  for (int i = 0; i < 3; ++i) {
    const auto reply = client.property("VirtualMachine", "vm-1", "name");
    REQUIRE_FALSE(reply.ok());
    CHECK(reply.error->code == Code::unavailable);
    CHECK(contains(reply.error->text, "VI/JSON needs vCenter 8.0 U1"));
  }
  CHECK(fake.count("GET", "/sdk/vimServiceVersions.xml") == 1);
}

TEST_CASE("where the session is not shared VI/JSON logs in on its own, once for all callers") {
  FakeVcenter fake(options([](auto& o) { o.share_session = false; }));
  const std::string name = std::string(kBase) + "/VirtualMachine/vm-1/name";
  fake.on("GET", name, {{200, "\"n\""}});
  Client client(fake);
  std::latch start(16);
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      good += client.property("VirtualMachine", "vm-1", "name").ok();
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(good == 16);
  CHECK(fake.logins() == 1);
  CHECK(fake.vim_logins() == 1);
  // From then on the own session is used at once.
  const int before = fake.count("GET", name);
  CHECK(client.property("VirtualMachine", "vm-1", "name").ok());
  CHECK(fake.count("GET", name) == before + 1);
  client.connection->close();
  CHECK(fake.vim_logouts() == 1);
  CHECK(fake.logouts() == 1);
}

TEST_CASE("an expired session is renewed once on this side too, shared or not") {
  for (const bool share : {true, false}) {
    CAPTURE(share);
    FakeVcenter fake(options([&](auto& o) { o.share_session = share; }));
    fake.on("POST", std::string(kBase) + "/VirtualMachine/vm-1/PowerOnVM_Task",
            {{200, R"({"value":"task-1"})"}});
    Client client(fake);
    REQUIRE(client.method("VirtualMachine", "vm-1", "PowerOnVM_Task").ok());
    const int logins = fake.logins(), vim_logins = fake.vim_logins();
    fake.expire_sessions();
    CHECK(client.method("VirtualMachine", "vm-1", "PowerOnVM_Task").ok());
    CHECK(fake.logins() == logins + (share ? 1 : 0));
    CHECK(fake.vim_logins() == vim_logins + (share ? 0 : 1));
  }
}

TEST_CASE("a session that is never accepted ends the call, without a loop") {
  FakeVcenter fake;
  fake.refuse_all_sessions(true);
  Client client(fake);
  const auto reply = client.method("VirtualMachine", "vm-1", "PowerOnVM_Task");
  REQUIRE_FALSE(reply.ok());
  CHECK(contains(reply.error->text, "refused the session"));
  CHECK_FALSE(reply.maybe_happened);
  CHECK(fake.count("POST", std::string(kBase) + "/VirtualMachine/vm-1/PowerOnVM_Task") == 2);
  CHECK(fake.logins() + fake.vim_logins() == 2);
}

TEST_CASE("a new id on any answer replaces the old one") {
  FakeVcenter fake(options([](auto& o) { o.share_session = false; }));
  fake.on("GET", std::string(kBase) + "/VirtualMachine/vm-1/name", {{200, "\"n\""}});
  Client client(fake);
  REQUIRE(client.property("VirtualMachine", "vm-1", "name").ok());
  fake.reissue_next_vim_id();
  CHECK(client.property("VirtualMachine", "vm-1", "name").ok());
  CHECK(client.property("VirtualMachine", "vm-1", "name").ok());
  CHECK(fake.vim_logins() == 1);
}

TEST_CASE("a wrong password is said once for VI/JSON as well") {
  FakeVcenter fake;
  auto settings = settings_for(fake);
  settings.password = Secret("wrong-password");
  Client client(settings);
  for (int i = 0; i < 3; ++i) {
    const auto reply = client.property("VirtualMachine", "vm-1", "name");
    REQUIRE_FALSE(reply.ok());
    CHECK(contains(reply.error->text, "login failed: HTTP 401"));
  }
  CHECK(fake.logins() + fake.vim_logins() == 1);
}

TEST_CASE("a dotted path is walked inside the property") {
  FakeVcenter fake;
  fake.on(
      "GET", std::string(kBase) + "/VirtualMachine/vm-1/runtime",
      {{200,
        R"({"_typeName":"VirtualMachineRuntimeInfo","powerState":"poweredOn","host":{"value":"host-1"}})"}});
  fake.on("GET", std::string(kBase) + "/VirtualMachine/vm-1/snapshot", {{204, ""}});
  Client client(fake);
  CHECK(client.property("VirtualMachine", "vm-1", "runtime.powerState").body == "\"poweredOn\"");
  CHECK(client.property("VirtualMachine", "vm-1", "runtime.host.value").body == "\"host-1\"");
  CHECK(client.property("VirtualMachine", "vm-1", "runtime.absent.more").body == "null");
  CHECK(client.property("VirtualMachine", "vm-1", "runtime.powerState.x").error->code ==
        Code::invalid_argument);
  const auto unset = client.property("VirtualMachine", "vm-1", "snapshot.currentSnapshot");
  CHECK(unset.ok());
  CHECK(unset.body.empty());
}

TEST_CASE("what is no vim25 call never leaves") {
  FakeVcenter fake;
  Client client(fake);
  for (const auto& [type, moref, member] : {std::array<const char*, 3>{"Virtual/Machine", "vm-1", "name"},
                                            {"VirtualMachine", "", "name"},
                                            {"VirtualMachine", "vm-1", "../x"},
                                            {"VirtualMachine", "vm-1", "a..b"},
                                            {"VirtualMachine", "vm-1", "a."},
                                            {"VirtualMachine", "vm-1", ""},
                                            {"", "vm-1", "name"},
                                            {"VirtualMachine", "vm-1", "device[2000]"}}) {
    CAPTURE(member);
    const auto reply = client.property(type, moref, member);
    REQUIRE_FALSE(reply.ok());
    CHECK(reply.error->code == Code::invalid_argument);
  }
  CHECK(client.method("VirtualMachine", "vm-1", "a.b").error->code == Code::invalid_argument);
  CHECK(client.method("SessionManager", "sm-9", "Logout").error->code == Code::denied);
  CHECK(fake.received().empty());
}

TEST_CASE("reads of the operation table are repeated on passing failures, changes and cursors are not") {
  FakeVcenter fake;
  const std::string read = std::string(kBase) + "/PropertyCollector/pc-7/RetrievePropertiesEx";
  const std::string change = std::string(kBase) + "/VirtualMachine/vm-1/PowerOffVM_Task";
  const std::string property = std::string(kBase) + "/VirtualMachine/vm-1/name";
  for (const auto& [method, target] : {std::pair{"POST", read}, {"POST", change}, {"GET", property}}) {
    fake.on(method, target, {{503, ""}, {200, "{}"}});
  }
  Client client(fake);
  CHECK(client.method("PropertyCollector", "pc-7", "RetrievePropertiesEx", "{}").ok());
  CHECK(client.property("VirtualMachine", "vm-1", "name").ok());
  CHECK(client.method("VirtualMachine", "vm-1", "PowerOffVM_Task").maybe_happened);
  CHECK(fake.count("POST", read) == 2);
  CHECK(fake.count("GET", property) == 2);
  CHECK(fake.count("POST", change) == 1);
  using vcenter::table_vim_reads;
  for (const auto& [type, method] : {std::pair{"PropertyCollector", "ContinueRetrievePropertiesEx"},
                                     {"ViewManager", "CreateContainerView"},
                                     {"PerformanceManager", "QueryPerf"},
                                     {"ServiceInstance", "CurrentTime"},
                                     {"ClusterComputeResource", "GetResourceUsage"}}) {
    CAPTURE(method);
    CHECK(table_vim_reads(type, method));
  }
  CHECK_FALSE(table_vim_reads("EventHistoryCollector", "ReadNextEvents"));
  CHECK_FALSE(table_vim_reads("VirtualMachine", "CreateSnapshot_Task"));
  CHECK_FALSE(table_vim_reads("SessionManager", "Login"));
  CHECK_FALSE(table_vim_reads("NoSuchType", "QueryPerf"));
}

TEST_CASE("in rest mode VI/JSON works without touching /api") {
  FakeVcenter fake(options([](auto& o) {
    o.rest = true;
    o.versions_xml = versions_xml("8.0.2.0", {});
  }));
  fake.on("GET", std::string(kBase) + "/VirtualMachine/vm-1/name", {{200, "\"n\""}});
  auto settings = settings_for(fake);
  settings.mode = vcenter::ApiMode::rest;
  Client client(settings);
  CHECK(client.property("VirtualMachine", "vm-1", "name").ok());
  for (const auto& seen : fake.received()) CHECK_FALSE(contains(seen.target, "/api/"));
}
