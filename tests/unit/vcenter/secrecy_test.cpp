// The password, the session id and the Authorization header are found in no error, no log line and no reply.
#include "base/crypto.h"
#include "client_fixture.h"

using namespace vmcp;
using namespace vmcp::test;

namespace {

const std::string kPassword = "pw-of-the-test";

void check_clean(const std::string& text) {
  CAPTURE(text);
  CHECK_FALSE(contains(text, kPassword));
  CHECK_FALSE(contains(text, base64_encode("svc@vsphere.local:" + kPassword)));
  CHECK_FALSE(contains(text, "token-1"));
}

void check_clean(const vcenter::Reply& reply) {
  if (!reply.error) return;
  check_clean(reply.error->text);
  check_clean(reply.error->detail);
  CHECK_FALSE(contains(reply.body, kPassword));
}

}  // namespace

TEST_CASE("nothing that we sent in confidence comes back through an error or a log line") {
  FakeVcenter fake;
  const std::string basic = base64_encode("svc@vsphere.local:" + kPassword);
  const std::string echo =
      R"({"error_type":"INVALID_ARGUMENT","messages":[{"id":"i","default_message":"You sent )" + kPassword +
      " and " + basic + R"( and token-1","args":[]}]})";
  fake.on("GET", "/api/vcenter/vm", {{400, echo}});
  fake.on("POST", "/api/vcenter/vm", {{400, echo}, {200, "", {}, false, true}});
  fake.on("GET", "/sdk/vim25/8.0.2.0/VirtualMachine/vm-1/name",
          {{500, R"({"_typeName":"SystemError","faultstring":"secret )" + kPassword + "\"}"}});
  Client client(fake);
  check_clean(client.get("/api/vcenter/vm"));
  check_clean(client.send("POST", "/api/vcenter/vm", "{}"));
  check_clean(client.send("POST", "/api/vcenter/vm", "{}"));
  check_clean(client.property("VirtualMachine", "vm-1", "name"));
  client.fleet->close();
  fake.refuse_logins(401);
  check_clean(client.get("/api/vcenter/vm"));
  CHECK(client.log.count("vcenter_login_failed") == 1);
  for (const std::string& line : client.log.lines()) check_clean(line);
}
