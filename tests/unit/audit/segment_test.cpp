// Closing segments: what is left when all goes well, when the process ends at any point of it, and when the
// disk fails.
#include "audit/segment.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "audit/raw_pass.h"
#include "audit/verify.h"
#include "base/crypto.h"
#include "unit/audit/segments.h"

using namespace vmcp;
using namespace vmcp::audit;
using test::eventually;
using test::parse_lines;
using test::read_file;
using test::record_of;
using test::segmented_in;
using test::TempDir;

namespace {

constexpr milliseconds kLong{20'000};

// The request ids of the intents of the whole journal, in its order.
std::vector<std::string> intents_in(const TempDir& dir) {
  std::vector<std::string> out;
  for (const Json& line : parse_lines(test::whole_journal(dir)))
    if (line["event"] == "intent") out.push_back(line["request_id"].get<std::string>());
  return out;
}

Signer test_signer() {
  auto signer = Signer::make(test::test_seed());
  REQUIRE(signer);
  return std::move(*signer);
}

}  // namespace

TEST_CASE("signer: a signature fits its text and key alone") {
  const Signer signer = test_signer();
  const std::string signature = signer.sign("text");
  CHECK(signer.public_key().size() == kPublicKeyHexBytes);
  CHECK(signature.size() == kSignatureHexBytes);
  CHECK(signature_fits(signer.public_key(), "text", signature));
  CHECK_FALSE(signature_fits(signer.public_key(), "texT", signature));
  CHECK_FALSE(signature_fits(signer.public_key(), "text", signature.substr(2)));
  CHECK_FALSE(signature_fits("", "text", signature));
  auto other = Signer::make(Secret(std::string(32, 'x')));
  REQUIRE(other);
  CHECK_FALSE(signature_fits(other->public_key(), "text", signature));
  CHECK_FALSE(Signer::make(Secret("short")));
}

TEST_CASE("head: any changed byte of it shows") {
  SegmentHead head;
  head.first_seq = 3;
  head.last_seq = 9;
  head.records = 7;
  head.bytes = 4711;
  head.sha256 = std::string(64, 'a');
  head.first_previous = head.last_mac = std::string(64, 'b');
  head.at = "2026-02-03T10:11:12.345Z";
  const std::string text = signed_text(head, test_signer());
  const auto read = parse_head(text);
  REQUIRE(read);
  CHECK(read->signature_fits);
  CHECK(read->head.first_seq == 3);
  CHECK(read->head.bytes == 4711);
  CHECK(read->head.public_key == test_signer().public_key());
  CHECK(read->file_sha256 == to_hex(sha256(text)));
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {
    std::string bad = text;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    const auto changed = parse_head(bad);
    CHECK_MESSAGE((!changed || !changed->signature_fits), at);
  }
  const auto longer = parse_head(text.substr(0, text.size() - 2) + ",\"records\":1}\n");
  CHECK((!longer || !longer->signature_fits));
  CHECK_FALSE(parse_head("{}"));
  CHECK_FALSE(parse_head(""));
}

TEST_CASE("segment names: in order, with or without file and head, nothing else") {
  const TempDir dir;
  const std::string journal = dir / "journal.jsonl";
  CHECK(list_segments(journal)->empty());
  const Segment a = segment_of(journal, 1, 9), b = segment_of(journal, 10, 2000);
  CHECK(a.file == dir / "journal-00000000000000000001-00000000000000000009.jsonl");
  test::write_file(b.file, "x");
  test::write_file(a.head_file, "x");
  for (const char* other : {"journal.jsonl", "journal.jsonl.torn", "journal-1-2.jsonl",
                            "journal-00000000000000000001-00000000000000000009.jsonl.new",
                            "journal-0000000000000000000x-00000000000000000009.jsonl"})
    test::write_file(dir / other, "x");
  const auto found = list_segments(journal);
  REQUIRE(found);
  REQUIRE(found->size() == 2);
  CHECK(found->at(0).has_head);
  CHECK_FALSE(found->at(0).has_file);
  CHECK(found->at(1).has_file);
  CHECK_FALSE(found->at(1).has_head);
  CHECK(found->at(1).first_seq == 10);
  CHECK_FALSE(list_segments(dir / "absent/journal.jsonl"));
}

TEST_CASE("rotate: the closed segment has a signed head, and the chain runs through") {
  const TempDir dir;
  test::MemoryLog log;
  const test::ManualClock clock;
  auto audit = Audit::open(segmented_in(dir), clock, log);
  REQUIRE(audit);
  CHECK((*audit)->rotate(kLong).error().code == Code::conflict);
  for (int round = 0; round < 3; ++round) {
    const std::string id = "r" + std::to_string(round);
    REQUIRE((*audit)->durable(record_of(Event::intent, id)));
    const auto closed = (*audit)->rotate(kLong);
    REQUIRE_MESSAGE(closed, closed.error().text);
    CHECK(std::filesystem::exists(*closed));
  }
  CHECK((*audit)->rotate(kLong).error().code == Code::conflict);
  REQUIRE((*audit)->durable(record_of(Event::intent, "after")));
  CHECK((*audit)->healthy());
  CHECK(intents_in(dir) == std::vector<std::string>{"r0", "r1", "r2", "after"});
  CHECK(test::chain_is_whole(dir));

  const auto segments = list_segments(dir / "journal.jsonl");
  REQUIRE(segments);
  REQUIRE(segments->size() == 3);
  std::string before, previous_mac = Head{}.mac;
  for (const Segment& segment : *segments) {
    const std::string bytes = read_file(segment.file);
    const auto head = read_head(segment.head_file);
    REQUIRE(head);
    CHECK(head->signature_fits);
    CHECK(head->head.public_key == test_signer().public_key());
    CHECK(head->head.sha256 == to_hex(sha256(bytes)));
    CHECK(head->head.bytes == bytes.size());
    const auto lines = test::split_lines(bytes);
    CHECK(head->head.records == lines.size());
    CHECK(head->head.last_mac == lines.back().substr(0, 64));
    CHECK(head->head.first_previous == previous_mac);
    CHECK(head->head.previous_head_sha256 == before);
    before = head->file_sha256;
    previous_mac = head->head.last_mac;
  }
}

TEST_CASE("a segment is closed when it is long enough, while many write, and no record is lost") {
  const TempDir dir;
  test::MemoryLog log;
  const SystemClock clock;
  Settings settings = segmented_in(dir);
  settings.segment_bytes = 20'000;
  {
    auto audit = Audit::open(std::move(settings), clock, log);
    REQUIRE(audit);
    std::vector<std::thread> threads;
    std::atomic<int> refused{0};
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 100; ++i) {
          const std::string id = std::to_string(t) + "-" + std::to_string(i);
          if (!(*audit)->durable(record_of(Event::intent, id))) ++refused;
          (*audit)->buffered(record_of(Event::outcome, id));
        }
      });
    for (std::thread& thread : threads) thread.join();
    CHECK(refused == 0);
    REQUIRE((*audit)->flush(kLong));
    eventually([&] {
      const auto segments = list_segments(dir / "journal.jsonl");
      return segments->size() >= 5 && segments->back().has_head;
    });
  }
  CHECK(test::chain_is_whole(dir));
  const auto intents = intents_in(dir);
  CHECK(intents.size() == 400);
  CHECK(std::set<std::string>(intents.begin(), intents.end()).size() == 400);
}

TEST_CASE("a segment is closed when it is old enough, also one that was begun before the start") {
  const TempDir dir;
  test::MemoryLog log;
  test::ManualClock clock;
  Settings settings = segmented_in(dir);
  settings.segment_age = milliseconds(3'600'000);
  {
    auto audit = Audit::open(settings, clock, log);
    REQUIRE(audit);
    REQUIRE((*audit)->durable(record_of(Event::intent, "a")));
    clock.advance(std::chrono::minutes(50));
    REQUIRE((*audit)->durable(record_of(Event::intent, "b")));
    CHECK(list_segments(dir / "journal.jsonl")->empty());
  }
  auto audit = Audit::open(settings, clock, log);
  REQUIRE(audit);
  clock.advance(std::chrono::minutes(11));
  REQUIRE((*audit)->durable(record_of(Event::intent, "c")));
  eventually([&] {
    const auto segments = list_segments(dir / "journal.jsonl");
    return segments->size() == 1 && segments->front().has_head;
  });
  // The last record may be the first of the next segment, which is then closed in its turn.
  clock.advance(std::chrono::hours(100));
  const auto last = (*audit)->rotate(kLong);
  CHECK_MESSAGE((last || last.error().code == Code::conflict), last.error().text);  // conflict: it is empty
  const std::size_t closed = list_segments(dir / "journal.jsonl")->size();
  CHECK(closed <= 2);
  // What is empty is not closed, however old.
  clock.advance(std::chrono::hours(100));
  REQUIRE((*audit)->flush(kLong));
  CHECK(list_segments(dir / "journal.jsonl")->size() == closed);
}

TEST_CASE("without a signing key the journal is one file") {
  const TempDir dir;
  test::MemoryLog log;
  const SystemClock clock;
  Settings settings = test::settings_in(dir);
  settings.segment_bytes = 1;
  auto audit = Audit::open(std::move(settings), clock, log);
  REQUIRE(audit);
  for (int i = 0; i < 5; ++i) REQUIRE((*audit)->durable(record_of(Event::intent, "x")));
  CHECK((*audit)->rotate(kLong).error().code == Code::unavailable);
  CHECK(list_segments(dir / "journal")->empty());
}

TEST_CASE("crash at any point of closing: the next start goes on, and nothing is lost") {
  for (const std::string point : {"noted", "renamed", "created", "opened", "hashed", "headed"}) {
    CAPTURE(point);
    const TempDir dir;
    const SystemClock clock;
    test::wait_until_alone();
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      SilentLog silent;
      Settings settings = segmented_in(dir);
      settings.at_point = [&](std::string_view at) {
        if (at == point) ::kill(::getpid(), SIGKILL);
      };
      auto audit = Audit::open(std::move(settings), clock, silent);
      if (!audit || !(*audit)->durable(record_of(Event::intent, "before"))) ::_exit(1);
      (void)(*audit)->rotate(kLong);
      ::_exit(2);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));

    test::MemoryLog log;
    auto audit = Audit::open(segmented_in(dir), clock, log);
    REQUIRE_MESSAGE(audit, audit.error().text);
    REQUIRE((*audit)->durable(record_of(Event::intent, "after")));
    CHECK(intents_in(dir) == std::vector<std::string>{"before", "after"});
    REQUIRE((*audit)->rotate(kLong));
    const auto segments = list_segments(dir / "journal.jsonl");
    REQUIRE(segments);
    for (const Segment& segment : *segments) {
      CHECK(segment.has_file);
      REQUIRE(segment.has_head);
      CHECK(read_head(segment.head_file)->head.sha256 == to_hex(sha256(read_file(segment.file))));
    }
    CHECK(test::chain_is_whole(dir));
  }
}

TEST_CASE("crash: a new segment whose first line is torn, or whose file is empty") {
  for (const std::string left : {"", "0123 {\"se"}) {
    CAPTURE(left);
    const TempDir dir;
    const SystemClock clock;
    test::MemoryLog log;
    {
      auto audit = Audit::open(segmented_in(dir), clock, log);
      REQUIRE(audit);
      REQUIRE((*audit)->durable(record_of(Event::intent, "before")));
      REQUIRE((*audit)->rotate(kLong));
    }
    test::write_file(dir / "journal.jsonl", left);
    auto audit = Audit::open(segmented_in(dir), clock, log);
    REQUIRE_MESSAGE(audit, audit.error().text);
    REQUIRE((*audit)->durable(record_of(Event::intent, "after")));
    CHECK(test::chain_is_whole(dir));
    CHECK(intents_in(dir) == std::vector<std::string>{"before", "after"});
  }
}

TEST_CASE("a segment that cannot be closed is tried again and holds up nothing") {
  const TempDir dir;
  const SystemClock clock;
  test::MemoryLog log;
  auto audit = Audit::open(segmented_in(dir), clock, log);
  REQUIRE(audit);
  REQUIRE((*audit)->durable(record_of(Event::intent, "a")));
  // Record 1, and 2 that says that the segment ends.
  const std::string taken = segment_of(dir / "journal.jsonl", 1, 2).file;
  std::filesystem::create_directory(taken);
  const auto refused = (*audit)->rotate(kLong);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text.find(taken) != std::string::npos);
  eventually([&] { return log.count("audit_segment_not_closed") == 1; });
  CHECK((*audit)->healthy());
  REQUIRE((*audit)->durable(record_of(Event::intent, "b")));
  std::filesystem::remove(taken);
  REQUIRE((*audit)->rotate(kLong));
  REQUIRE((*audit)->durable(record_of(Event::intent, "c")));
  CHECK(intents_in(dir) == std::vector<std::string>{"a", "b", "c"});
  CHECK(test::chain_is_whole(dir));
}

TEST_CASE("a disk that is full when the new segment is begun: refused, then it goes on by itself") {
  const TempDir dir;
  const SystemClock clock;
  test::MemoryLog log;
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  Settings settings = segmented_in(dir);
  settings.at_point = [&](std::string_view point) {
    if (point != "created") return;
    const rlimit none{0, before.rlim_max};
    (void)::setrlimit(RLIMIT_FSIZE, &none);
  };
  auto audit = Audit::open(std::move(settings), clock, log);
  REQUIRE(audit);
  REQUIRE((*audit)->durable(record_of(Event::intent, "a")));
  CHECK_FALSE((*audit)->rotate(kLong));
  CHECK_FALSE((*audit)->durable(record_of(Event::intent, "refused")));
  CHECK_FALSE((*audit)->healthy());
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  eventually([&] { return (*audit)->durable(record_of(Event::intent, "b")).ok(); });
  CHECK(test::chain_is_whole(dir));
  const auto intents = intents_in(dir);
  CHECK(intents.front() == "a");
  CHECK(std::find(intents.begin(), intents.end(), "refused") == intents.end());
  // The first line of the new file stands for itself, should the process end now.
  const auto lines = test::split_lines(read_file(dir / "journal.jsonl"));  // what is parsed only borrows
  const auto first = parse_line(lines.at(0));
  REQUIRE(first);
  CHECK_FALSE(stated_previous(*first).empty());
}

TEST_CASE("a segment that does not hold what its name says gets no head") {
  const TempDir dir;
  const SystemClock clock;
  test::MemoryLog log;
  {
    auto audit = Audit::open(segmented_in(dir), clock, log);
    REQUIRE(audit);
    for (const char* id : {"a", "b", "c"}) REQUIRE((*audit)->durable(record_of(Event::intent, id)));
    REQUIRE((*audit)->rotate(kLong));
  }
  const Segment segment = list_segments(dir / "journal.jsonl")->front();
  std::filesystem::remove(segment.head_file);
  const std::string bytes = read_file(segment.file);
  test::write_file(segment.file, bytes.substr(bytes.find('\n') + 1));
  auto audit = Audit::open(segmented_in(dir), clock, log);
  REQUIRE(audit);
  eventually([&] { return log.count("audit_segment_not_signed") == 1; });
  CHECK_FALSE(std::filesystem::exists(segment.head_file));
  CHECK((*audit)->healthy());
}

TEST_CASE("retention: old segments that verify are deleted and leave their heads, others stay") {
  const TempDir dir;
  test::ManualClock clock;
  test::MemoryLog log;
  Settings settings = segmented_in(dir);
  settings.segment_age = std::chrono::hours(24 * 1000);
  {
    auto audit = Audit::open(settings, clock, log);
    REQUIRE(audit);
    for (int i = 0; i < 4; ++i) {
      if (i == 3) clock.advance(std::chrono::hours(24 * 20));
      REQUIRE((*audit)->durable(record_of(Event::intent, "r" + std::to_string(i))));
      REQUIRE((*audit)->rotate(kLong));
    }
  }
  const auto segments = list_segments(dir / "journal.jsonl");
  REQUIRE(segments->size() == 4);
  // 0 is fine, 1 was changed, 2's head was; 3 is not old enough.
  std::string bytes = read_file(segments->at(1).file);
  bytes[80] = static_cast<char>(bytes[80] ^ 1);
  test::write_file(segments->at(1).file, bytes);
  std::string head = read_file(segments->at(2).head_file);
  head[head.find("records") + 9] = '9';
  test::write_file(segments->at(2).head_file, head);
  clock.advance(std::chrono::hours(24 * 15));

  settings.keep_days = 0;
  {
    auto audit = Audit::open(settings, clock, log);
    REQUIRE(audit);
    REQUIRE((*audit)->durable(record_of(Event::intent, "kept for ever")));
  }
  CHECK(std::filesystem::exists(segments->at(0).file));

  settings.keep_days = 30;
  auto audit = Audit::open(settings, clock, log);
  REQUIRE(audit);
  eventually([&] { return log.count("audit_segment_kept") == 2; });
  eventually([&] { return log.count("audit_segment_deleted") == 1; });
  CHECK_FALSE(std::filesystem::exists(segments->at(0).file));
  CHECK(std::filesystem::exists(segments->at(0).head_file));
  for (const int i : {1, 2, 3})
    CHECK(std::filesystem::exists(segments->at(static_cast<std::size_t>(i)).file));
}

TEST_CASE("retention: when every segment is deleted, the chain goes on from the last head") {
  const TempDir dir;
  test::ManualClock clock;
  test::MemoryLog log;
  {
    auto audit = Audit::open(segmented_in(dir), clock, log);
    REQUIRE(audit);
    REQUIRE((*audit)->durable(record_of(Event::intent, "a")));
    REQUIRE((*audit)->rotate(kLong));
  }
  const Segment segment = list_segments(dir / "journal.jsonl")->front();
  std::filesystem::remove(segment.file);
  std::filesystem::remove(dir / "journal.jsonl");
  auto audit = Audit::open(segmented_in(dir), clock, log);
  REQUIRE(audit);
  REQUIRE((*audit)->durable(record_of(Event::intent, "b")));
  const auto lines = test::split_lines(read_file(dir / "journal.jsonl"));
  const auto first = parse_line(lines.at(0));
  REQUIRE(first);
  CHECK(first->seq == segment.last_seq + 1);
  CHECK(std::string(stated_previous(*first)) == read_head(segment.head_file)->head.last_mac);
}
