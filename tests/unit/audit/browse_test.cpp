// Reading the journal for people: over segments, filtered, followed, summed up.
#include "audit/browse.h"

#include <doctest/doctest.h>

#include "audit/report.h"
#include "audit/tail.h"
#include "audit/verify.h"
#include "unit/audit/segments.h"

using namespace vmcp;
using namespace vmcp::audit;
using test::read_file;
using test::record_of;
using test::segmented_in;
using test::TempDir;

namespace {

constexpr milliseconds kEnough{20'000};

struct Written {
  TempDir dir;
  test::ManualClock clock;
  test::MemoryLog log;
  std::unique_ptr<Audit> audit;
  const std::string journal = dir / "journal.jsonl";

  Written() {
    auto opened = Audit::open(segmented_in(dir), clock, log);
    REQUIRE(opened);
    audit = std::move(*opened);
  }
  void write(Event event, const std::string& id, const std::string& identity = "alice",
             const std::string& tool = "power_on_vm", const std::string& target = "vm:vm-1", bool ok = true) {
    Record record = record_of(event, id, {});
    record.identity = identity;
    record.tool = tool;
    record.targets = {target};
    if (event == Event::outcome) record.ok = ok;
    audit->buffered(record);
    clock.advance(std::chrono::seconds(2));
  }
  void rotate() { REQUIRE(audit->rotate(kEnough)); }
  void flush() { REQUIRE(audit->flush(kEnough)); }
  std::vector<std::string> ids(const Filter& filter, std::size_t n = 100) {
    const auto found = last_records(journal, filter, n);
    REQUIRE(found);
    std::vector<std::string> out;
    for (const std::string& text : *found) {
      const auto json = parse_trusted_json(text);
      if (json->contains("request_id")) out.push_back((*json)["request_id"].get<std::string>());
    }
    return out;
  }
};

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("browse: the last records, over segments and through every filter") {
  Written w;
  w.write(Event::intent, "r1", "alice", "power_on_vm", "vm:vm-1");
  w.write(Event::outcome, "r1", "alice", "power_on_vm", "vm:vm-1");
  w.rotate();
  const std::string later = iso8601(w.clock.wall());
  w.write(Event::intent, "r2", "bob", "power_off_vm", "vm:vm-12");
  w.rotate();
  w.write(Event::refused, "r3", "mo\"rg", "delete_vm", "vm:vm-3");
  w.flush();

  CHECK(w.ids({}) == Ids{"r1", "r1", "r2", "r3"});
  Filter by;
  by.event = "intent";
  CHECK(w.ids(by) == Ids{"r1", "r2"});
  CHECK(w.ids(by, 1) == Ids{"r2"});
  CHECK(w.ids(by, 0).empty());
  by = {};
  by.identity = "bob";
  CHECK(w.ids(by) == Ids{"r2"});
  by.identity = "mo\"rg";
  CHECK(w.ids(by) == Ids{"r3"});
  by.identity = "bo";
  CHECK(w.ids(by).empty());
  by = {};
  by.tool = "delete_vm";
  CHECK(w.ids(by) == Ids{"r3"});
  by = {};
  by.target = "vm-1";
  CHECK(w.ids(by) == Ids{"r1", "r1", "r2"});
  by = {};
  by.request = "r1";
  CHECK(w.ids(by) == Ids{"r1", "r1"});
  by = {};
  by.since = parse_iso8601(later);
  CHECK(w.ids(by) == Ids{"r2", "r3"});
  by.until = *by.since + std::chrono::seconds(1);
  CHECK(w.ids(by) == Ids{"r2"});
  CHECK(last_records(w.dir / "absent.jsonl", {}, 5).error().code == Code::not_found);
}

TEST_CASE("browse: what follows is given once, also over closed segments") {
  Written w;
  w.write(Event::intent, "old");
  w.flush();
  Follower follower(w.journal);
  Ids seen;
  const auto look = [&] {
    REQUIRE(follower.look([&](const Read& record) {
      const auto json = parse_trusted_json(record.json);
      if (json->contains("request_id")) seen.push_back((*json)["request_id"].get<std::string>());
    }));
  };
  look();
  CHECK(seen.empty());
  w.write(Event::intent, "a");
  w.flush();
  look();
  look();
  CHECK(seen == Ids{"a"});
  w.write(Event::intent, "b");
  w.rotate();
  w.write(Event::intent, "c");
  w.rotate();
  w.write(Event::intent, "d");
  w.flush();
  look();
  CHECK(seen == Ids{"a", "b", "c", "d"});
  w.write(Event::intent, "e");
  w.flush();
  look();
  CHECK(seen == Ids{"a", "b", "c", "d", "e"});
}

TEST_CASE("readable: one line that says who did what, and steers no terminal") {
  const auto line = readable(*parse_trusted_json(
      R"({"seq":7,"ts":"2026-02-03T10:11:12.345Z","event":"outcome","request_id":"r1","tool":"power_on_vm","ok":false,"duration_ms":12,"error":"no \u001b[2J\u009b such\u202e vm","role":"ops","identity":"alice","code":"not_found","targets":["vm:vm-1"],"host":"vc"})"));
  CHECK(
      line ==
      "2026-02-03T10:11:12.345Z FAILED   alice/ops power_on_vm vm:vm-1 @vc 12 ms [r1] (not_found): no ?[2J? "
      "such? vm");
  CHECK(
      readable(*parse_trusted_json(
          R"({"ts":"t","event":"refused","identity":null,"tool":null,"method":"tools/call","step":"authenticate","repeated":4})")) ==
      "t REFUSED  (nobody) tools/call and 4 more like it (authenticate)");
  CHECK(readable(*parse_trusted_json(R"({"ts":"t","event":"journal","note":"n"})")) == "t journal  n");
  CHECK(readable(Json::object()) == "         (nobody)");
}

TEST_CASE("report: sums per caller, refusals by rule, orphans") {
  Written w;
  for (const std::string id : {"a1", "a2", "a3"}) w.write(Event::intent, id);
  w.write(Event::outcome, "a1");
  w.write(Event::outcome, "a2", "alice", "power_on_vm", "vm:vm-1", false);
  w.rotate();
  w.write(Event::outcome, "b1", "bob", "list_vms");
  for (int i = 0; i < 3; ++i) {
    const std::string id = "c" + std::to_string(i);  // a record only borrows it
    Record refused = record_of(Event::refused, id);
    refused.identity = "carol";
    refused.rule = "deny delete_*";
    w.audit->buffered(refused);
  }
  w.clock.advance(std::chrono::seconds(5));
  w.flush();
  Record accepted = record_of(Event::accepted, "a3");
  accepted.task = "task-9";
  w.audit->buffered(accepted);
  Record asked = record_of(Event::outcome, "d1");
  asked.code = "input_required";
  w.audit->buffered(asked);
  w.flush();

  const auto report = activity(w.journal, std::nullopt, std::nullopt);
  REQUIRE(report);
  const auto& by = report->by_caller;
  REQUIRE(by.size() == 3);
  const Sums& alice = by.at({"alice", "power_on_vm"});
  CHECK(alice.ok == 1);
  CHECK(alice.failed == 1);
  CHECK(alice.calls() == 2);
  CHECK(by.at({"bob", "list_vms"}).ok == 1);
  CHECK(by.at({"carol", "power_on_vm"}).refused == 3);
  REQUIRE(report->refusals.size() == 1);
  CHECK(report->refusals[0].first == "authorise: deny delete_*");
  CHECK(report->refusals[0].second == 3);
  REQUIRE(report->orphans.size() == 1);
  CHECK(report->orphans[0].request == "a3");
  CHECK(report->orphans[0].task == "task-9");
  CHECK(report->orphans[0].targets == Ids{"vm:vm-1"});
}

TEST_CASE("report: an intent in the window whose outcome lies behind it is no orphan") {
  Written w;
  w.write(Event::intent, "a");
  const auto until = w.clock.wall();
  w.write(Event::outcome, "a");
  w.write(Event::intent, "b");
  w.flush();
  const auto before = activity(w.journal, std::nullopt, until);
  REQUIRE(before);
  CHECK(before->orphans.empty());
  CHECK(before->by_caller.empty());
  const auto after = activity(w.journal, until, std::nullopt);
  REQUIRE(after);
  CHECK(after->by_caller.at({"alice", "power_on_vm"}).ok == 1);
  REQUIRE(after->orphans.size() == 1);
  CHECK(after->orphans[0].request == "b");
}

TEST_CASE("live_head: a head of the journal as it is, which the journal is then held against") {
  Written w;
  ChainMac mac(test::test_key());
  const auto signer = Signer::make(test::test_seed());
  CHECK_FALSE(live_head(w.journal, mac, *signer, w.clock.wall()));
  w.write(Event::intent, "a");
  w.rotate();
  w.write(Event::intent, "b");
  w.flush();
  const auto text = live_head(w.journal, mac, *signer, w.clock.wall());
  REQUIRE(text);
  auto head = parse_head(*text);
  REQUIRE(head);
  CHECK(head->signature_fits);
  CHECK(head->head.live);
  CHECK(head->head.previous_head_sha256 ==
        read_head(list_segments(w.journal)->front().head_file)->file_sha256);
  w.write(Event::intent, "c");
  w.flush();
  ArchiveToVerify what{w.journal, {}, test::test_key(), signer->public_key(), {{"kept", *head}}, {}};
  CHECK(verify_archive(what)->intact());
  const std::string bytes = read_file(w.journal);
  test::write_file(w.journal, bytes.substr(0, bytes.find('\n') + 1));
  CHECK_FALSE(verify_archive(what)->intact());
}
