#include <atomic>
#include <latch>
#include <thread>

#include "client_fixture.h"

using namespace vmcp;
using namespace vmcp::test;

namespace {

int run_together(int callers, const std::function<bool()>& call) {
  std::latch start(callers);
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < callers; ++i) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      good += call();
    });
  }
  for (auto& thread : threads) thread.join();
  return good;
}

}  // namespace

TEST_CASE("sixteen first callers share one login") {
  FakeVcenter fake;
  fake.on("GET", kVm, {{200, "{}"}});
  fake.hold_logins();
  Client client(fake);
  std::thread opener([&] {
    CHECK(fake.wait_for("POST", "/api/session", 1));
    fake.release();
  });
  CHECK(run_together(16, [&] { return client.get(kVm).ok(); }) == 16);
  opener.join();
  CHECK(fake.logins() == 1);
}

TEST_CASE(
    "an expired session is renewed exactly once, however many callers meet it, and every call succeeds") {
  FakeVcenter fake;
  fake.on("GET", kVm, {{200, "{}"}});
  fake.on("DELETE", kVm, {{204, ""}});
  Client client(fake);
  REQUIRE(client.get(kVm).ok());
  fake.expire_sessions();
  CHECK(run_together(16, [&] { return client.get(kVm).ok(); }) == 16);
  CHECK(fake.logins() == 2);
  fake.expire_sessions();
  // A 401 says that the change was not carried out: it is sent again with the new session.
  const auto change = client.send("DELETE", kVm);
  CHECK(change.ok());
  CHECK(fake.logins() == 3);
  CHECK(fake.count("DELETE", kVm) == 2);
}

TEST_CASE("a session that is refused right after its login ends the call, without a loop") {
  FakeVcenter fake;
  fake.on("GET", kVm, {{200, "{}"}});
  fake.refuse_all_sessions(true);
  Client client(fake);
  const auto reply = client.get(kVm);
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.error->code == Code::unavailable);
  CHECK(contains(reply.error->text, "refused the session"));
  CHECK(fake.count("GET", kVm) == 2);
  CHECK(fake.logins() == 2);
  // And the next callers do not hammer.
  const auto next = client.get(kVm);
  REQUIRE_FALSE(next.ok());
  CHECK(next.error->retry_after_ms > 0);
  CHECK(fake.logins() == 2);
}

TEST_CASE("a wrong password is said in the known words, once, and not tried again at once") {
  FakeVcenter fake;
  auto settings = settings_for(fake);
  settings.password = Secret("not the password");
  Client client(settings);
  CHECK(run_together(16, [&] { return client.get(kVm).ok(); }) == 0);
  const auto reply = client.get(kVm);
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.error->code == Code::unavailable);
  CHECK(contains(reply.error->text, "login failed: HTTP 401"));
  CHECK(contains(reply.error->text, "check VCENTER_USER and VCENTER_PASSWORD"));
  CHECK(reply.error->retry_after_ms > 0);
  CHECK_FALSE(reply.maybe_happened);
  CHECK(fake.logins() == 1);
}

TEST_CASE(
    "a login that fails in passing is tried again, one that fails for long is reported with its status") {
  FakeVcenter fake;
  fake.on("GET", kVm, {{200, "{}"}});
  fake.refuse_logins(503);
  Client client(fake);
  const auto reply = client.send("DELETE", kVm);
  REQUIRE_FALSE(reply.ok());
  CHECK(contains(reply.error->text, "login failed: HTTP 503"));
  CHECK_FALSE(reply.maybe_happened);
  CHECK(fake.logins() == 4);
  CHECK(fake.count("DELETE", kVm) == 0);
  fake.refuse_logins(0);
  CHECK(client.get(kVm).ok());
  fake.refuse_logins(404);
  fake.expire_sessions();
  CHECK(contains(client.get(kVm).error->text, "does not serve /api"));
}

TEST_CASE("close logs out, and a later request logs in again") {
  FakeVcenter fake;
  fake.on("GET", kVm, {{200, "{}"}});
  Client client(fake);
  client.fleet->close();
  CHECK(fake.received().empty());
  REQUIRE(client.get(kVm).ok());
  client.fleet->close();
  CHECK(fake.logouts() == 1);
  REQUIRE(client.get(kVm).ok());
  CHECK(fake.logins() == 2);
}

TEST_CASE("a caller whose time is up while another logs in leaves at its own deadline") {
  FakeVcenter fake;
  fake.on("GET", kVm, {{200, "{}"}});
  fake.hold_logins();
  Client client(fake);
  std::thread patient([&] { CHECK(client.get(kVm).ok()); });
  REQUIRE(fake.wait_for("POST", "/api/session", 1));
  const long took = shortest_ms(400, [&] {
    const auto hurried = client.get(kVm, within(100ms));
    REQUIRE_FALSE(hurried.ok());
    CHECK(hurried.error->code == Code::timeout);
  });
  CHECK(took < 400);
  fake.release();
  patient.join();
  CHECK(fake.logins() == 1);
}
