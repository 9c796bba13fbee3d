// What a process that died has left open in its journal.
#include "audit/unfinished.h"

#include <doctest/doctest.h>

#include "unit/audit/segments.h"

using namespace vmcp;
using namespace vmcp::audit;
using test::record_of;
using test::segmented_in;
using test::TempDir;

namespace {

struct Left {
  TempDir dir;
  const std::string journal = dir / "journal.jsonl";
  SystemClock clock;
  test::MemoryLog log;
  std::unique_ptr<Audit> audit;

  Left() {
    auto opened = Audit::open(segmented_in(dir), clock, log);
    REQUIRE(opened);
    audit = std::move(*opened);
  }
  void write(Event event, const std::string& id, const std::string& task = {}) {
    Record record = record_of(event, id, R"({"vm_id":"vm-1","password":"hunter2"})");
    record.targets = {"vm:vm-1"};
    record.plugin_members = R"("plugin":"org.vmcp.vm","plugin_generation":3)";
    record.task = task;
    REQUIRE(audit->durable(record));
  }
  std::vector<std::string> ids(LookBack look_back = {}) {
    REQUIRE(audit->flush(milliseconds(20'000)));
    const auto found = find_unfinished(journal, look_back);
    REQUIRE(found);
    std::vector<std::string> out;
    for (const Unfinished& u : *found) out.push_back(u.request_id + (u.task.empty() ? "" : ":" + u.task));
    return out;
  }
};

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("unfinished: intents without an outcome, with the task that was accepted, over segments") {
  Left left;
  CHECK(left.ids().empty());
  left.write(Event::intent, "a");
  left.write(Event::intent, "b");
  left.write(Event::accepted, "b", "task-7");
  left.write(Event::intent, "c");
  left.write(Event::intent, "d");
  REQUIRE(left.audit->rotate(milliseconds(20'000)));
  left.write(Event::outcome, "c");
  left.audit->buffered(record_of(Event::refused, "a"));  // no end of anything
  CHECK(left.ids() == Ids{"a", "b:task-7", "d"});
  left.write(Event::outcome, "a");
  CHECK(left.ids() == Ids{"b:task-7", "d"});
  // The next round of a call that had asked its caller.
  left.write(Event::intent, "c");
  CHECK(left.ids() == Ids{"b:task-7", "d", "c"});
}

TEST_CASE("unfinished: what an intent was is in its outcome, masked as it was") {
  Left left;
  left.write(Event::intent, "a");
  REQUIRE(left.audit->flush(milliseconds(20'000)));
  const auto found = find_unfinished(left.journal);
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  const Unfinished& u = found->front();
  REQUIRE(u.at);
  CHECK(left.clock.wall() - *u.at < std::chrono::minutes(5));
  left.audit->buffered(u.unknown());
  CHECK(left.ids().empty());
  const auto lines = test::parse_lines(test::whole_journal(left.dir));
  const Json& intent = lines.at(0);
  const Json& outcome = lines.back();
  CHECK(outcome["event"] == "outcome");
  CHECK(outcome["ok"] == false);
  CHECK(outcome["code"] == "unknown");
  CHECK(outcome["error"].get<std::string>().find("reconcile by reading") != std::string::npos);
  for (const char* same : {"request_id", "identity", "role", "tool", "host", "method", "peer", "args",
                           "targets", "plugin", "plugin_generation"})
    CHECK_MESSAGE(outcome[same] == intent[same], same);
}

TEST_CASE("unfinished: bounded, what is too old or too much is left out") {
  Left left;
  for (int i = 0; i < 50; ++i) left.write(Event::intent, "r" + std::to_string(i));
  LookBack look_back;
  look_back.most_open = 3;
  CHECK(left.ids(look_back) == Ids{"r47", "r48", "r49"});
  look_back = {};
  look_back.bytes = std::filesystem::file_size(left.journal) / 2;
  const auto half = left.ids(look_back);
  CHECK(half.size() > 20);
  CHECK(half.size() < 30);
  CHECK(half.back() == "r49");
}

TEST_CASE("unfinished: a voided intent is none, and words in arguments are no events") {
  Left left;
  left.write(Event::intent, "a");
  Record tricky = record_of(Event::intent, "b", R"({"event":"outcome","request_id":"a"})");
  REQUIRE(left.audit->durable(tricky));
  CHECK(left.ids() == Ids{"a", "b"});
  // As Audit writes it when a sync came too late.
  ChainMac mac(test::test_key());
  left.audit.reset();
  std::string bytes = test::read_file(left.journal);
  bytes +=
      std::string(64, '0') + R"( {"seq":3,"ts":"t","event":"refused","request_id":"a","voids":1})" + "\n";
  test::write_file(left.journal, bytes);
  const auto found = find_unfinished(left.journal);
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  CHECK(found->front().request_id == "b");
}
