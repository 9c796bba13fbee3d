// A change that may have happened is said to, and is never sent twice.
#include "client_fixture.h"

using namespace vmcp;
using namespace vmcp::test;

namespace {

constexpr const char* kSnapshot = "/sdk/vim25/8.0.2.0/VirtualMachine/vm-1/CreateSnapshot_Task";

void check_unknown(const vcenter::Reply& reply) {
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.maybe_happened);
  CHECK(contains(reply.error->text, "may have happened: read the object's state before repeating"));
}

}  // namespace

TEST_CASE("the connection breaks after the request was read") {
  FakeVcenter fake;
  fake.on("DELETE", kVm, {{200, "", {}, false, true}});
  fake.on("POST", kSnapshot, {{200, "", {}, false, true}});
  Client client(fake);
  const auto reply = client.send("DELETE", kVm);
  check_unknown(reply);
  CHECK(reply.error->code == Code::unavailable);
  CHECK(reply.http_status == 0);
  CHECK(fake.count("DELETE", kVm) == 1);
  check_unknown(client.method("VirtualMachine", "vm-1", "CreateSnapshot_Task", "{}"));
  CHECK(fake.count("POST", kSnapshot) == 1);
}

TEST_CASE("no answer comes in time") {
  FakeVcenter fake;
  fake.on("GET", kVm, {{200, "{}"}});
  fake.on("DELETE", kVm, {{204, "", {}, true}});
  Client client(fake);
  REQUIRE(client.get(kVm).ok());
  const auto reply = client.send("DELETE", kVm, "", within(1s));
  check_unknown(reply);
  CHECK(reply.error->code == Code::timeout);
  CHECK(fake.count("DELETE", kVm) == 1);
}

TEST_CASE("a proxy answers in vCenter's place") {
  for (const int status : {502, 503, 504}) {
    CAPTURE(status);
    FakeVcenter fake;
    fake.on("DELETE", kVm, {{status, "upstream connect error", {}, false, false, "text/plain"}});
    Client client(fake);
    check_unknown(client.send("DELETE", kVm));
    CHECK(fake.count("DELETE", kVm) == 1);
  }
}

TEST_CASE("vCenter itself says that it timed out") {
  FakeVcenter fake;
  fake.on("DELETE", kVm, {{500, R"({"error_type":"TIMED_OUT","messages":[]})"}});
  Client client(fake);
  const auto reply = client.send("DELETE", kVm);
  check_unknown(reply);
  CHECK(reply.error->code == Code::timeout);
}

TEST_CASE("an answer of vCenter leaves no doubt") {
  FakeVcenter fake;
  fake.on("DELETE", kVm, {{503, R"({"error_type":"SERVICE_UNAVAILABLE","messages":[]})"}});
  fake.on("POST", kSnapshot, {{500, R"({"_typeName":"TaskInProgress","faultstring":"Another task runs."})"}});
  Client client(fake);
  CHECK_FALSE(client.send("DELETE", kVm).maybe_happened);
  const auto fault = client.method("VirtualMachine", "vm-1", "CreateSnapshot_Task", "{}");
  CHECK_FALSE(fault.maybe_happened);
  CHECK(fault.error->code == Code::conflict);
  CHECK(contains(fault.body, "TaskInProgress"));
}

TEST_CASE("a change that was never sent did not happen") {
  vcenter::Settings settings;
  {
    FakeVcenter gone;
    settings = settings_for(gone);
  }
  Client client(settings);
  const auto reply = client.send("DELETE", kVm);
  REQUIRE_FALSE(reply.ok());
  CHECK_FALSE(reply.maybe_happened);
  CHECK_FALSE(contains(reply.error->text, "may have happened"));
}

TEST_CASE("a POST that only asks is no change, and is repeated like every read") {
  constexpr const char* kAsk = "/api/cis/tagging/tag-association?action=list-attached-objects-on-tags";
  FakeVcenter fake;
  fake.on("POST", kAsk, {{502, "upstream connect error", {}, false, false, "text/plain"}, {200, "[]"}});
  Client client(fake);
  CHECK(client.send("POST", kAsk, R"({"tag_ids":[]})").ok());
  CHECK(fake.count("POST", kAsk) == 2);
  fake.on("POST", kAsk, {{200, "", {}, true}});
  const auto reply = client.send("POST", kAsk, R"({"tag_ids":[]})", within(200ms));
  REQUIRE_FALSE(reply.ok());
  CHECK_FALSE(reply.maybe_happened);
}

TEST_CASE("a read that got no answer is no change") {
  FakeVcenter fake;
  fake.on("GET", kVm, {{200, "", {}, true}});
  Client client(fake);
  const auto reply = client.get(kVm, within(200ms));
  REQUIRE_FALSE(reply.ok());
  CHECK_FALSE(reply.maybe_happened);
}
