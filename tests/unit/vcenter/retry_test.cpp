#include "vcenter/retry.h"

#include "client_fixture.h"

using namespace vmcp;
using namespace vmcp::test;

namespace {

const std::string kBusy =
    R"({"error_type":"RESOURCE_BUSY","messages":[{"id":"i","default_message":"Busy.","args":[]}]})";

}  // namespace

TEST_CASE("a read survives passing failures of every kind") {
  for (const Answer& passing : {Answer{503, ""}, Answer{502, ""}, Answer{504, ""}, Answer{429, ""},
                                Answer{500, kBusy}, Answer{400, kBusy}, Answer{200, "", {}, false, true}}) {
    CAPTURE(passing.status);
    CAPTURE(passing.cut);
    FakeVcenter fake;
    fake.on("GET", kVm, {passing, passing, {200, "{}"}});
    Client client(fake);
    const auto reply = client.get(kVm);
    CHECK(reply.ok());
    CHECK(fake.count("GET", kVm) == 3);
    CHECK(fake.logins() == 1);
  }
}

TEST_CASE("a read is not repeated when that cannot help") {
  for (const Answer& lasting : {Answer{500, R"({"error_type":"ERROR","messages":[]})"}, Answer{404, ""},
                                Answer{400, ""}, Answer{403, ""}}) {
    CAPTURE(lasting.status);
    FakeVcenter fake;
    fake.on("GET", kVm, {lasting, {200, "{}"}});
    Client client(fake);
    CHECK_FALSE(client.get(kVm).ok());
    CHECK(fake.count("GET", kVm) == 1);
  }
  FakeVcenter fake;
  const std::string target = "/api/vcenter/vm/vm-1/guest/identity";
  fake.on("GET", target, {{503, R"({"error_type":"SERVICE_UNAVAILABLE","messages":[]})"}, {200, "{}"}});
  Client client(fake);
  CHECK(contains(client.get(target).error->text, "VMware Tools"));
  CHECK(fake.count("GET", target) == 1);
}

TEST_CASE("retries end, with vCenter's last answer") {
  FakeVcenter fake;
  fake.on(
      "GET", kVm,
      {{503,
        R"({"error_type":"SERVICE_UNAVAILABLE","messages":[{"id":"i","default_message":"Starting.","args":[]}]})"}});
  auto settings = settings_for(fake);
  settings.retries = 2;
  Client client(settings);
  const auto reply = client.get(kVm);
  REQUIRE_FALSE(reply.ok());
  CHECK(contains(reply.error->text, "Starting."));
  CHECK(fake.count("GET", kVm) == 3);
}

TEST_CASE("a change is never repeated, whatever the failure") {
  for (const Answer& passing :
       {Answer{503, ""}, Answer{429, ""}, Answer{500, kBusy}, Answer{200, "", {}, false, true}}) {
    CAPTURE(passing.status);
    for (const char* method : {"POST", "PATCH", "PUT", "DELETE"}) {
      CAPTURE(method);
      FakeVcenter fake;
      fake.on(method, kVm, {passing, {200, "{}"}});
      Client client(fake);
      CHECK_FALSE(client.send(method, kVm, "").ok());
      CHECK(fake.count(method, kVm) == 1);
    }
  }
}

TEST_CASE("Retry-After is honoured, and not waited for beyond the deadline") {
  FakeVcenter fake;
  fake.on("GET", kVm, {{429, "", {{"Retry-After", "1"}}}, {200, "{}"}});
  Client client(fake);
  auto start = std::chrono::steady_clock::now();
  CHECK(client.get(kVm).ok());
  CHECK(ms_since(start) >= 1000);

  fake.on("GET", kVm, {{503, "", {{"Retry-After", "30"}}}, {200, "{}"}});
  start = std::chrono::steady_clock::now();
  const auto reply = client.get(kVm, within(10s));
  CHECK(ms_since(start) < 5000);
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.error->retry_after_ms == 30'000);
}

TEST_CASE("a connection that vCenter closed while it was idle costs nothing") {
  FakeVcenter fake;
  fake.on("GET", kVm, {{200, "{}", {{"Connection", "close"}}}});
  fake.on("DELETE", kVm, {{204, ""}});
  Client client(fake);
  CHECK(client.get(kVm).ok());
  CHECK(client.send("DELETE", kVm).ok());
  CHECK(client.get(kVm).ok());
  CHECK(fake.count("DELETE", kVm) == 1);
  CHECK(fake.count("GET", kVm) == 2);
}

TEST_CASE("a vCenter that is not there is left alone after a few failures") {
  vcenter::Settings settings;
  {
    FakeVcenter gone;
    settings = settings_for(gone);
  }
  settings.retries = 0;
  Client client(settings);
  for (int i = 0; i < 5; ++i) {
    const auto reply = client.get(kVm);
    REQUIRE_FALSE(reply.ok());
    CHECK(reply.error->code == Code::unavailable);
    CHECK(contains(reply.error->text, "cannot be reached"));
    CHECK_FALSE(reply.maybe_happened);
  }
  const auto resting = client.get(kVm);
  REQUIRE_FALSE(resting.ok());
  CHECK(contains(resting.error->text, "left alone"));
  CHECK(resting.error->retry_after_ms > 0);
  CHECK(client.log.count("vcenter_unreachable") >= 1);
}

TEST_CASE("whoever watches the load is told of every answer, and which of them mean too much to do") {
  FakeVcenter fake;
  const std::string guest = "/api/vcenter/vm/vm-1/guest/identity";
  fake.on("GET", kVm, {{429, "", {{"Retry-After", "1"}}}, {503, ""}, {502, ""}, {200, "{}"}});
  fake.on("GET", guest, {{503, R"({"error_type":"SERVICE_UNAVAILABLE","messages":[]})"}});
  std::mutex mutex;
  std::vector<std::string> heard;
  auto settings = settings_for(fake);
  settings.on_answer = [&](const std::string& vcenter, bool overloaded, milliseconds retry_after) {
    const std::lock_guard lock(mutex);
    heard.push_back((vcenter == fake.address() ? "" : "another ") +
                    std::string(overloaded ? "too much " : "fine ") + std::to_string(retry_after.count()));
  };
  Client client(settings);
  CHECK(client.get(kVm).ok());
  CHECK_FALSE(client.get(guest).ok());
  // The login first; the guest whose tools do not run says nothing of vCenter's load.
  CHECK(heard ==
        std::vector<std::string>{"fine 0", "too much 1000", "too much 0", "fine 0", "fine 0", "fine 0"});
}

TEST_CASE("only a sound Retry-After counts") {
  using vcenter::HttpResponse;
  using vcenter::retry_after;
  CHECK(retry_after(HttpResponse{503, {{"retry-after", "7"}}, ""}) == milliseconds{7000});
  for (const char* text : {"", "-1", "7x", "99999999999999999999", "4000"}) {
    CAPTURE(text);
    CHECK(retry_after(HttpResponse{503, {{"retry-after", text}}, ""}) == milliseconds{0});
  }
  CHECK(retry_after(HttpResponse{503, {{"retry-after", "3600"}}, ""}) == milliseconds{3'600'000});
  CHECK(retry_after(HttpResponse{503, {{"retry-after", "3601"}}, ""}) == milliseconds{0});
}

TEST_CASE("Retry-After as a date counts from now, or from the answer's own clock") {
  using vcenter::HttpResponse;
  using vcenter::retry_after;
  const WallTime now = std::chrono::system_clock::from_time_t(1'792'567'680);  // 2026-10-21 07:28:00 UTC
  const auto at = [&](const char* text) {
    return retry_after(HttpResponse{503, {{"retry-after", text}}, ""}, now).count();
  };
  CHECK(at("Wed, 21 Oct 2026 07:28:09 GMT") == 9'000);
  CHECK(at("Wed, 21 Oct 2026 08:28:00 GMT") == 3'600'000);
  for (const char* text :
       {"Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:27:59 GMT", "Wed, 21 Oct 2026 08:28:01 GMT",
        "Wed, 21 Oct 2036 07:28:09 GMT", "Wed, 31 Feb 2026 07:28:09 GMT", "Wed, 21 Oct", "soon",
        "Wednesday, 21-Oct-26 07:28:30 GMT", "Wed, 21 Oct 2026 07:28:09 CET", "Wed, 21 Okt 2026 07:28:09 GMT",
        "Wed, 21 Oct 2026 07:61:09 GMT", "GMT", "Wed,"}) {
    CAPTURE(text);
    CHECK(at(text) == 0);
  }
  // vCenter's clock is a year behind ours: its own Date counts.
  const HttpResponse own{
      503, {{"date", "Tue, 21 Oct 2025 07:28:00 GMT"}, {"retry-after", "Tue, 21 Oct 2025 07:28:05 GMT"}}, ""};
  CHECK(retry_after(own, now) == milliseconds{5'000});
  const HttpResponse odd{503, {{"date", "today"}, {"retry-after", "Wed, 21 Oct 2026 07:28:05 GMT"}}, ""};
  CHECK(retry_after(odd, now) == milliseconds{5'000});
}
