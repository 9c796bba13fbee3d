#include "approvals/approvals.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

using namespace vmcp;
using approvals::Approval;
using approvals::Approvals;
using approvals::State;

namespace {

class HandClock final : public Clock {
 public:
  SteadyTime now() const override { return SteadyTime(std::chrono::seconds(at)); }
  WallTime wall() const override { return WallTime(std::chrono::seconds(1'770'000'000 + at)); }
  std::int64_t at = 0;
};

struct Folder {
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vmcp-approvals-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file() const { return path + "/approvals.json"; }
  std::string path;
};

Approval call(const char* who, const char* binding) {
  Approval out;
  out.identity = who;
  out.role = "ops";
  out.tool = "delete_vm";
  out.arguments = R"({"vm_id":"web"})";
  out.targets = {"vm 'web' (vm-1) in vc"};
  out.preview = R"({"power_state":"POWERED_OFF"})";
  out.rule = "rule 'two'";
  out.binding = binding;
  return out;
}

}  // namespace

TEST_CASE("approvals: asked once, decided by another, used once") {
  HandClock clock;
  Approvals all({}, clock);
  const auto asked = all.ask(call("ada", "b1"));
  REQUIRE(asked);
  CHECK(asked->id.size() == 10);
  CHECK(all.ask(call("ada", "b1"))->id == asked->id);
  CHECK(all.all().size() == 1);
  CHECK(all.use("b1").error().code == Code::needs_confirm);  // it only waits
  CHECK(all.decide(asked->id, true, "ada", "").error().code == Code::denied);
  CHECK(all.decide("0000000000", true, "bob", "").error().code == Code::not_found);
  CHECK(all.decide(asked->id, true, "bob", std::string(501, 'x')).error().code == Code::invalid_argument);
  REQUIRE(all.decide(asked->id, true, "bob", "fine"));
  CHECK(all.decide(asked->id, false, "eve", "").error().code == Code::conflict);
  CHECK(all.find("b1")->by == "bob");
  CHECK_FALSE(all.find("b2"));
  CHECK(all.use("b2").error().code == Code::needs_confirm);
  CHECK(all.use("b1")->by == "bob");
  CHECK(all.use("b1").error().code == Code::needs_confirm);
  CHECK_FALSE(all.find("b1"));
  CHECK(all.all().empty());
}

TEST_CASE("approvals: a denial stays until its time is over, and an approval ends by itself") {
  HandClock clock;
  Approvals all({milliseconds(60'000)}, clock);
  const auto no = all.ask(call("ada", "b1")), yes = all.ask(call("ada", "b2"));
  REQUIRE(all.decide(no->id, false, "bob", "never"));
  REQUIRE(all.decide(yes->id, true, "bob", ""));
  CHECK(all.ask(call("ada", "b1"))->state == State::denied);
  CHECK(all.use("b1").error().code == Code::needs_confirm);
  clock.at = 60;
  CHECK(all.use("b2").error().code == Code::needs_confirm);
  CHECK(all.all().empty());
  CHECK(all.ask(call("ada", "b1"))->state == State::waiting);
}

TEST_CASE("approvals: bounded in all and of one") {
  HandClock clock;
  approvals::Settings settings;
  settings.most = 5;
  settings.most_each = 3;
  Approvals all(settings, clock);
  for (const char* binding : {"1", "2", "3"}) REQUIRE(all.ask(call("ada", binding)));
  const auto fourth = all.ask(call("ada", "4"));
  REQUIRE_FALSE(fourth);
  CHECK(fourth.error().code == Code::throttled);
  CHECK(fourth.error().retry_after_ms > 0);
  REQUIRE(all.ask(call("bob", "5")));
  REQUIRE(all.ask(call("eve", "6")));
  CHECK_FALSE(all.ask(call("dan", "7")));
  CHECK(all.ask(call("ada", "1")));  // is there already
  clock.at = 3'600;
  CHECK(all.ask(call("ada", "4")));
}

TEST_CASE("approvals: outlive the process, and what was used stays used") {
  const Folder folder;
  HandClock clock;
  std::string id;
  {
    Approvals all({}, clock);
    REQUIRE(all.keep_in(folder.file()));
    id = all.ask(call("ada", "b1"))->id;
    REQUIRE(all.ask(call("ada", "b2")));
    REQUIRE(all.decide(id, true, "bob", "ok"));
  }
  {
    Approvals all({}, clock);
    REQUIRE(all.keep_in(folder.file()));
    REQUIRE(all.all().size() == 2);
    const auto one = all.find("b1");
    REQUIRE(one);
    CHECK(one->reason == "ok");
    CHECK(one->preview == R"({"power_state":"POWERED_OFF"})");
    CHECK(one->targets.size() == 1);
    REQUIRE(all.use("b1"));
  }
  Approvals all({}, clock);
  REQUIRE(all.keep_in(folder.file()));
  CHECK(all.all().size() == 1);
  CHECK_FALSE(all.use("b1"));
}

TEST_CASE("approvals: what cannot be kept is not given, and a damaged file stops the start") {
  const Folder folder;
  HandClock clock;
  Approvals all({}, clock);
  REQUIRE(all.keep_in(folder.path + "/no/such/folder/approvals.json"));
  CHECK_FALSE(all.ask(call("ada", "b1")));
  CHECK(all.all().empty());
  for (const char* text :
       {"", "{", "[]", R"({"approvals":[{}]})", R"({"approvals":[{"id":"x","state":"approved"}]})"}) {
    std::ofstream(folder.file()) << text;
    Approvals damaged({}, clock);
    const auto kept = damaged.keep_in(folder.file());
    REQUIRE_FALSE(kept);
    CHECK(kept.error().text.find("asked anew") != std::string::npos);
  }
}

TEST_CASE("approvals: of many who use one at the same time one gets it") {
  HandClock clock;
  Approvals all({}, clock);
  const auto asked = all.ask(call("ada", "b1"));
  REQUIRE(all.decide(asked->id, true, "bob", ""));
  std::atomic<int> got{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      if (all.use("b1")) ++got;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(got == 1);
}

TEST_CASE("approvals: for people without what makes them good") {
  Approval one = call("ada", "secret-binding");
  one.id = "0123456789";
  CHECK(dump_json(approvals::approval_json(one, false)).find("secret-binding") == std::string::npos);
  CHECK(approvals::approval_json(one, false)["arguments"]["vm_id"] == "web");
}
