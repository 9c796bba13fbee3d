#include "locks/locks.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "unit/throttle/manual_clock.h"

using namespace vmcp;
using namespace vmcp::locks;

namespace {

struct Folder {
  std::string path;
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vmcp-locks-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file() const { return path + "/locks.json"; }
};

Lock draft(Scope scope, std::string value, std::string reason = "because") {
  Lock out;
  out.scope = scope;
  out.value = std::move(value);
  out.reason = std::move(reason);
  out.by = "somebody";
  return out;
}

PrincipalPtr caller(const char* identity = "agent-7", const char* role = "ops") {
  return std::make_shared<const Principal>(Principal{identity, role});
}

inventory::Object vm(const char* id = "vm-12", const char* path = "/north/vm/prod/db") {
  inventory::Object o;
  o.kind = "vm";
  o.vcenter = "vc.example:8443";
  o.id = id;
  o.name = "db";
  o.path = path;
  return o;
}

}  // namespace

TEST_CASE("locks: each scope hits what it names and nothing else") {
  test::ManualClock clock;
  struct Case {
    Scope scope;
    const char* value;
    bool caller, administrator, tool, object;
  };
  for (const Case& c :
       std::vector<Case>{{Scope::identity, "agent-7", true, true, false, false},
                         {Scope::identity, "agent-*", true, true, false, false},
                         {Scope::identity, "agent", false, false, false, false},
                         {Scope::identity, "ops", false, false, false, false},
                         {Scope::role, "ops", true, true, false, false},
                         {Scope::role, "agent-7", false, false, false, false},
                         {Scope::tool, "power_*", false, false, true, false},
                         {Scope::tool, "power_off_vm", false, false, true, false},
                         {Scope::tool, "power_off", false, false, false, false},
                         {Scope::target, "vc.example:8443:vm:vm-12", false, false, false, true},
                         {Scope::target, "vc.example:8443:vm:vm-1", false, false, false, false},
                         {Scope::target, "*:vm:vm-12", false, false, false, true},
                         {Scope::target, "/north/vm/prod", false, false, false, true},
                         {Scope::target, "/north/vm/prod/", false, false, false, true},
                         {Scope::target, "/north/vm/prod/db", false, false, false, true},
                         {Scope::target, "/north/vm/pro", false, false, false, false},
                         {Scope::target, "/", false, false, false, true},
                         {Scope::everything, "", true, false, false, false}}) {
    CAPTURE(scope_name(c.scope));
    CAPTURE(c.value);
    Locks locks(clock);
    CHECK(locks.caller(*caller()).ok());
    REQUIRE(locks.set(draft(c.scope, c.value)).ok());
    CHECK(locks.caller(*caller()).ok() == !c.caller);
    CHECK(locks.administrator(*caller()).ok() == !c.administrator);
    CHECK(locks.tool("power_off_vm").ok() == !c.tool);
    CHECK(locks.object(vm()).ok() == !c.object);
  }
  Locks locks(clock);
  REQUIRE(locks.set(draft(Scope::target, "/north")).ok());
  CHECK(locks.object(vm("vm-12", "")).ok());  // without a path it lies nowhere
}

TEST_CASE("locks: the refusal names lock, reason and who set it") {
  test::ManualClock clock;
  Locks locks(clock);
  const auto set = locks.set(draft(Scope::identity, "agent-7", "runs away, INC-4711"));
  REQUIRE(set.ok());
  const auto refused = locks.caller(*caller());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Code::denied);
  CHECK(refused.error().rule == "lock " + set->id);
  for (const char* part : {"agent-7", "runs away, INC-4711", "somebody", "operator"})
    CHECK_MESSAGE(refused.error().text.find(part) != std::string::npos, refused.error().text);
  CHECK(refused.error().text.find(set->id) != std::string::npos);
}

TEST_CASE("locks: one ends by itself, one when it is lifted, and what is not there cannot be lifted") {
  test::ManualClock clock;
  Locks locks(clock);
  int changes = 0;
  locks.on_change([&] { ++changes; });
  Lock brief = draft(Scope::tool, "echo");
  brief.expires = clock.wall() + std::chrono::seconds(60);
  REQUIRE(locks.set(brief).ok());
  const auto lasting = locks.set(draft(Scope::tool, "look"));
  REQUIRE(lasting.ok());
  CHECK(locks.all().size() == 2);
  clock.advance(std::chrono::seconds(59));
  CHECK_FALSE(locks.tool("echo").ok());
  clock.advance(std::chrono::seconds(1));
  CHECK(locks.tool("echo").ok());
  CHECK(locks.all().size() == 1);
  CHECK_FALSE(locks.tool("look").ok());
  CHECK(locks.lift("00000000").error().code == Code::not_found);
  REQUIRE(locks.lift(lasting->id).ok());
  CHECK(locks.tool("look").ok());
  CHECK(locks.all().empty());
  CHECK(changes == 3);
}

TEST_CASE("locks: they are there again when the server starts again") {
  test::ManualClock clock;
  const Folder folder;
  std::string id;
  {
    Locks locks(clock);
    REQUIRE(locks.keep_in(folder.file()).ok());
    Lock until = draft(Scope::target, "/north/vm/\"prod\"", "words \xC3\xA4");
    until.expires = clock.wall() + std::chrono::hours(1);
    auto set = locks.set(until);
    REQUIRE(set.ok());
    id = set->id;
    REQUIRE(locks.set(draft(Scope::everything, "")).ok());
  }
  Locks locks(clock);
  REQUIRE(locks.keep_in(folder.file()).ok());
  const auto all = locks.all();
  REQUIRE(all.size() == 2);
  CHECK(all[0].id == id);
  CHECK(all[0].scope == Scope::target);
  CHECK(all[0].value == "/north/vm/\"prod\"");
  CHECK(all[0].reason == "words \xC3\xA4");
  CHECK(all[0].by == "somebody");
  REQUIRE(all[0].expires);
  CHECK_FALSE(locks.caller(*caller()).ok());
  REQUIRE(locks.lift(all[1].id).ok());
  clock.advance(std::chrono::hours(2));
  CHECK(locks.caller(*caller()).ok());
  Locks later(clock);
  REQUIRE(later.keep_in(folder.file()).ok());
  CHECK(later.all().empty());
}

TEST_CASE(
    "locks: a file that cannot be understood stops the start, one that cannot be written lifts nothing") {
  test::ManualClock clock;
  const Folder folder;
  const std::string good =
      R"({"id":"0123abcd","scope":"tool","value":"x","reason":"r","by":"b","at":"2026-01-01T00:00:00.000Z"})";
  const auto start = [&](const std::string& text) {
    std::ofstream(folder.file(), std::ios::trunc) << text;
    Locks locks(clock);
    return locks.keep_in(folder.file());
  };
  CHECK(start(R"({"locks":[)" + good + "]}").ok());
  for (
      const std::string& text :
      {std::string(), std::string("{"), std::string("[]"), std::string("{}"), std::string(R"({"locks":{}})"),
       std::string(R"({"locks":[1]})"), R"({"locks":[)" + good + ",{}]}",
       R"({"locks":[{"id":"../../ab","scope":"tool","value":"x","reason":"r","by":"b","at":"2026-01-01"}]})" +
           std::string(),
       R"({"locks":[{"id":"0123abcd","scope":"vm","value":"x","reason":"r","by":"b","at":"2026-01-01"}]})" +
           std::string(),
       R"({"locks":[{"id":"0123abcd","scope":"tool","value":"x","reason":"r","by":"b","at":"now"}]})" +
           std::string(),
       R"({"locks":[{"id":"0123abcd","scope":"tool","value":"x","reason":"r","by":"b","at":"2026-01-01","expires":5}]})" +
           std::string()}) {
    CAPTURE(text);
    const auto started = start(text);
    REQUIRE_FALSE(started.ok());
    CHECK(started.error().text.find(folder.file()) != std::string::npos);
  }
  std::filesystem::remove(folder.file());
  Locks locks(clock);
  REQUIRE(locks.keep_in(folder.file()).ok());
  const auto kept = locks.set(draft(Scope::tool, "a"));
  REQUIRE(kept.ok());
  CHECK(kept->lasting);
  std::filesystem::remove_all(folder.path);
  const auto unwritten = locks.set(draft(Scope::tool, "b"));
  REQUIRE(unwritten.ok());
  CHECK_FALSE(unwritten->lasting);
  CHECK(lock_json(*unwritten).at("lasting") == false);
  CHECK(locks.lift(kept->id).error().code == Code::unavailable);
  CHECK_FALSE(locks.tool("b").ok());
  CHECK_FALSE(locks.tool("a").ok());
  // With the next change that can be written.
  std::filesystem::create_directories(folder.path);
  REQUIRE(locks.set(draft(Scope::tool, "c")).ok());
  for (const Lock& lock : locks.all()) CHECK(lock.lasting);
  Locks next(clock);
  REQUIRE(next.keep_in(folder.file()).ok());
  CHECK_FALSE(next.tool("b").ok());
}

TEST_CASE("locks: what nobody can mean is refused, and a thousand are enough") {
  test::ManualClock clock;
  Locks locks(clock);
  for (const Lock& wrong :
       {draft(Scope::tool, ""), draft(Scope::everything, "x"), draft(Scope::tool, "a\nb"),
        draft(Scope::tool, std::string(513, 'x')), draft(Scope::tool, "x", ""),
        draft(Scope::tool, "x", "two\nlines"), draft(Scope::tool, "x", std::string(501, 'r')),
        draft(Scope::target, "vm-12"), draft(Scope::target, "vm:vm-12")}) {
    CAPTURE(wrong.value);
    CHECK(locks.set(wrong).error().code == Code::invalid_argument);
  }
  for (int i = 0; i < 1000; ++i) REQUIRE(locks.set(draft(Scope::tool, "t" + std::to_string(i))).ok());
  CHECK(locks.set(draft(Scope::tool, "one_more")).error().code == Code::conflict);
  CHECK(locks.all().size() == 1000);
}

TEST_CASE("locks: a call in flight is stopped by what hits it, and stays stopped") {
  test::ManualClock clock;
  Locks locks(clock);
  const CancelFlag mine, others;
  Guard call, other;
  call.enter(locks, caller(), "power_off_vm", mine);
  other.enter(locks, caller("boss", "admin"), "list_vms", others);
  {
    Guard gone;
    gone.enter(locks, caller(), "power_off_vm", CancelFlag());
  }
  REQUIRE(locks.set(draft(Scope::target, "/north")).ok());
  CHECK(call.check().ok());
  CHECK_FALSE(mine.cancelled());
  call.acts_on(vm());
  CHECK_FALSE(call.check().ok());  // asked, it says no; nobody has stopped it
  CHECK_FALSE(call.hit());
  const auto hit = locks.set(draft(Scope::target, "vc.example:8443:vm:vm-12", "the reason"));
  REQUIRE(hit.ok());
  CHECK(mine.cancelled());
  REQUIRE(call.hit());
  CHECK(call.hit()->rule == "lock " + hit->id);
  CHECK(call.hit()->text.find("the reason") != std::string::npos);
  CHECK(call.hit()->text.find("vm 'db' (vm-12)") != std::string::npos);
  for (const Lock& lock : locks.all()) REQUIRE(locks.lift(lock.id).ok());
  CHECK_FALSE(call.check().ok());
  CHECK_FALSE(others.cancelled());
  CHECK(other.check().ok());
  REQUIRE(locks.set(draft(Scope::everything, "")).ok());
  CHECK(others.cancelled());
  CHECK(other.hit());
}

// Whatever the order of the two, a call either sees the lock or is stopped by it.
TEST_CASE("locks: no call slips through while a lock is set") {
  test::ManualClock clock;
  for (int round = 0; round < 200; ++round) {
    Locks locks(clock);
    std::atomic<int> begun{0}, slipped{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([&] {
        const CancelFlag cancel;
        Guard call;
        ++begun;
        while (begun.load() < 4) std::this_thread::yield();
        call.enter(locks, caller(), "power_off_vm", cancel);
        call.acts_on(vm());
        if (!call.check()) return;
        while (!cancel.cancelled() && begun.load() < 5) std::this_thread::yield();
        if (!call.hit()) ++slipped;
      });
    ++begun;
    while (begun.load() < 4) std::this_thread::yield();
    REQUIRE(locks
                .set(draft(round % 2 == 0 ? Scope::target : Scope::identity,
                           round % 2 == 0 ? "/north" : "agent-7"))
                .ok());
    ++begun;
    for (std::thread& thread : threads) thread.join();
    CHECK(slipped.load() == 0);
  }
}
