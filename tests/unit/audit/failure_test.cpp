#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "audit/verify.h"
#include "unit/audit/fakes.h"

using namespace vmcp;
using namespace vmcp::audit;
using namespace std::chrono_literals;
using test::FakeDisk;
using test::parse_lines;
using test::read_file;
using test::record_of;
using test::TempDir;

namespace {

// An Audit over a FakeDisk, with a short patience.
struct Bench {
  explicit Bench(milliseconds timeout = 20s) {
    Settings settings = test::settings_in(dir);
    settings.journal_file.clear();
    settings.sync_timeout = timeout;
    auto made = Audit::open(settings, clock, log, std::make_unique<test::FakeFile>(disk));
    REQUIRE(made);
    audit = std::move(*made);
  }
  ~Bench() {
    disk->set(&FakeDisk::hang_sync, false);
    audit.reset();
  }
  Result<void> intent(std::string_view id) { return audit->durable(record_of(Event::intent, id)); }
  std::vector<Json> lines() {
    return parse_lines(disk->with([&] { return disk->bytes; }));
  }
  VerifyReport verified() {
    test::write_file(dir / "copy", disk->with([&] { return disk->bytes; }));
    return *verify_journal(dir / "copy", test::test_key());
  }
  const Json* find(const std::vector<Json>& all, std::string_view event, std::string_view id) {
    for (const Json& line : all)
      if (line["event"] == event && line.value("request_id", "") == id) return &line;
    return nullptr;
  }

  TempDir dir;
  test::MemoryLog log;
  SystemClock clock;
  std::shared_ptr<FakeDisk> disk = std::make_shared<FakeDisk>();
  std::unique_ptr<Audit> audit;
};

void check_refusal(const Result<void>& result) {
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Code::unavailable);
  CHECK(result.error().text.find("the audit cannot be written; changing tools are refused") == 0);
  CHECK(result.error().text.find("fake") == std::string::npos);
}

}  // namespace

TEST_CASE("failure: an append that fails refuses, leaves nothing behind, and heals without a restart") {
  Bench b;
  REQUIRE(b.intent("before"));
  b.disk->set(&FakeDisk::fail_append, true);
  check_refusal(b.intent("lost"));
  CHECK_FALSE(b.audit->healthy());
  b.audit->buffered(record_of(Event::outcome, "read"));
  check_refusal(b.intent("lost too"));
  test::eventually([&] { return b.log.count("fake: no space left") == 1; });
  CHECK(b.log.count("audit_failed") == 1);
  b.disk->set(&FakeDisk::fail_append, false);
  REQUIRE(b.intent("after"));
  CHECK(b.audit->healthy());
  REQUIRE(b.audit->flush(20s));
  const auto lines = b.lines();
  CHECK(b.find(lines, "intent", "before"));
  CHECK(b.find(lines, "intent", "after"));
  CHECK(b.find(lines, "outcome", "read"));
  CHECK_FALSE(b.find(lines, "intent", "lost"));
  CHECK_FALSE(b.find(lines, "intent", "lost too"));
  CHECK(b.find(lines, "journal", ""));
  CHECK(b.verified().intact());
  // The writer tells its callers before it tells the log.
  test::eventually([&] { return b.log.count("audit_recovered") == 1; });
}

TEST_CASE("failure: a sync that fails refuses, and the record it may have left is declared void") {
  Bench b;
  b.disk->set(&FakeDisk::fail_sync, true);
  check_refusal(b.intent("doubtful"));
  CHECK_FALSE(b.audit->healthy());
  check_refusal(b.intent("second"));
  b.disk->set(&FakeDisk::fail_sync, false);
  REQUIRE(b.intent("after"));
  REQUIRE(b.audit->flush(20s));
  const auto lines = b.lines();
  const Json* const left = b.find(lines, "intent", "doubtful");
  REQUIRE(left);
  const Json* const mark = b.find(lines, "refused", "doubtful");
  REQUIRE(mark);
  CHECK((*mark)["voids"] == (*left)["seq"]);
  CHECK((*mark)["step"] == "intent");
  CHECK((*mark)["ok"] == false);
  CHECK_FALSE(b.find(lines, "intent", "second"));
  CHECK(b.verified().intact());
}

TEST_CASE("failure: a sync that keeps failing fills neither the journal nor the log") {
  Bench b;
  b.disk->set(&FakeDisk::fail_sync, true);
  for (int i = 0; i < 200; ++i) check_refusal(b.intent("x"));
  CHECK(b.lines().size() == 1);
  CHECK(b.log.count("audit_failed") == 1);
}

TEST_CASE("failure: a sync that hangs refuses every caller on time, and the late record is declared void") {
  Bench b(100ms);
  b.disk->set(&FakeDisk::hang_sync, true);
  const auto begun = std::chrono::steady_clock::now();
  check_refusal(b.intent("hung"));
  const auto first = std::chrono::steady_clock::now() - begun;
  CHECK(first >= 100ms);
  CHECK(first < 5s);
  CHECK_FALSE(b.audit->healthy());
  const auto again = std::chrono::steady_clock::now();
  for (int i = 0; i < 50; ++i) check_refusal(b.intent("at once"));
  CHECK(std::chrono::steady_clock::now() - again < 5s);
  b.audit->buffered(record_of(Event::outcome, "read"));  // does not block
  CHECK_FALSE(b.audit->flush(20ms));
  b.disk->set(&FakeDisk::hang_sync, false);
  test::eventually([&] { return b.audit->healthy(); });
  REQUIRE(b.intent("after"));
  REQUIRE(b.audit->flush(20s));
  const auto lines = b.lines();
  const Json* const late = b.find(lines, "intent", "hung");
  REQUIRE(late);
  const Json* const mark = b.find(lines, "refused", "hung");
  REQUIRE(mark);
  CHECK((*mark)["voids"] == (*late)["seq"]);
  CHECK_FALSE(b.find(lines, "intent", "at once"));
  CHECK(b.find(lines, "outcome", "read"));
  CHECK(b.verified().intact());
}

TEST_CASE("failure: an intent that still waits behind a hanging sync is withdrawn, not written later") {
  Bench b(200ms);
  b.disk->set(&FakeDisk::hang_sync, true);
  std::thread first([&] { check_refusal(b.intent("in the file")); });
  b.disk->wait_until_hanging();
  check_refusal(b.intent("in the queue"));
  first.join();
  b.disk->set(&FakeDisk::hang_sync, false);
  test::eventually([&] { return b.audit->healthy(); });
  REQUIRE(b.audit->flush(20s));
  const auto lines = b.lines();
  CHECK(b.find(lines, "refused", "in the file"));
  CHECK_FALSE(b.find(lines, "intent", "in the queue"));
  CHECK_FALSE(b.find(lines, "refused", "in the queue"));
  CHECK(b.verified().intact());
}

TEST_CASE("failure: an outcome that could not be written is written later") {
  Bench b;
  REQUIRE(b.intent("call"));
  b.disk->set(&FakeDisk::fail_append, true);
  check_refusal(b.audit->durable(record_of(Event::outcome, "call")));
  check_refusal(b.audit->durable(record_of(Event::accepted, "other call")));
  CHECK_FALSE(b.find(b.lines(), "outcome", "call"));
  b.disk->set(&FakeDisk::fail_append, false);
  test::eventually([&] { return b.audit->healthy(); });
  REQUIRE(b.audit->flush(20s));
  const auto lines = b.lines();
  CHECK(b.find(lines, "outcome", "call"));
  CHECK(b.find(lines, "accepted", "other call"));
  CHECK(b.verified().intact());
}

TEST_CASE("failure: a file that is no longer at its path refuses until it is back") {
  Bench b;
  b.disk->set(&FakeDisk::fail_check, true);
  check_refusal(b.intent("nowhere"));
  CHECK_FALSE(b.audit->healthy());
  CHECK(b.lines().empty());
  b.disk->set(&FakeDisk::fail_check, false);
  REQUIRE(b.intent("here"));
  CHECK(b.audit->healthy());
  CHECK(b.verified().intact());
}

TEST_CASE("failure: health comes back by itself, without another call") {
  Bench b;
  b.disk->set(&FakeDisk::fail_sync, true);
  check_refusal(b.intent("x"));
  CHECK_FALSE(b.audit->healthy());
  b.disk->set(&FakeDisk::fail_sync, false);
  test::eventually([&] { return b.audit->healthy(); });
}

TEST_CASE("failure: what is read while the journal fails is in the view at once") {
  Bench b;
  b.disk->set(&FakeDisk::fail_append, true);
  check_refusal(b.intent("x"));
  b.audit->buffered(record_of(Event::outcome, "seen"));
  test::eventually([&] { return read_file(b.dir / "view").find("\"seen\"") != std::string::npos; });
  b.disk->set(&FakeDisk::fail_append, false);
  REQUIRE(b.audit->flush(20s));
  int shown = 0;
  for (const Json& line : parse_lines(read_file(b.dir / "view")))
    shown += line.value("request_id", "") == "seen";
  CHECK(shown == 1);
  CHECK(b.find(b.lines(), "outcome", "seen"));
}

TEST_CASE(
    "failure: a queue that overflows while the disk hangs is bounded, and the loss is counted in the "
    "journal") {
  Bench b(50ms);
  b.disk->set(&FakeDisk::hang_sync, true);
  check_refusal(b.intent("hung"));
  std::string big = "[";
  for (int i = 0; i < 60; ++i) big += (i ? ",\"" : "\"") + std::string(100, 'a') + "\"";
  big += "]";
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 3000; ++i) b.audit->buffered(record_of(Event::outcome, "flood", big));
  CHECK(std::chrono::steady_clock::now() - begun < 60s);  // not one timeout per record
  b.disk->set(&FakeDisk::hang_sync, false);
  test::eventually([&] { return b.audit->healthy(); });
  REQUIRE(b.audit->flush(20s));
  std::uint64_t written = 0, lost = 0;
  for (const Json& line : b.lines()) {
    written += line.value("request_id", "") == "flood";
    const std::string note = line.value("note", "");
    if (const auto at = note.find("; "); at != std::string::npos) lost += std::stoull(note.substr(at + 2));
  }
  CHECK(written < 3000);
  CHECK(written + lost == 3000);
  CHECK(b.verified().intact());
}

TEST_CASE("failure: an audit over a disk that never answers can still be closed") {
  TempDir dir;
  const auto disk = std::make_shared<FakeDisk>();
  {
    test::MemoryLog log;
    SystemClock clock;
    Settings settings = test::settings_in(dir);
    settings.journal_file.clear();
    settings.sync_timeout = 50ms;
    auto audit = Audit::open(settings, clock, log, std::make_unique<test::FakeFile>(disk));
    REQUIRE(audit);
    disk->set(&FakeDisk::hang_sync, true);
    check_refusal((*audit)->durable(record_of(Event::intent, "x")));
  }
  // The log and the clock are gone; the thread that was left behind must not use them.
  disk->set(&FakeDisk::hang_sync, false);
  disk->wait_until_released();
}

TEST_CASE("failure: threads against a disk that fails now and then lose nothing that was promised") {
  Bench b;
  std::atomic<bool> stop{false};
  std::thread chaos([&] {
    for (int i = 0; !stop; ++i) {
      bool FakeDisk::*const flags[] = {&FakeDisk::fail_append, &FakeDisk::fail_sync, &FakeDisk::fail_check};
      b.disk->set(flags[i % 3], true);
      std::this_thread::yield();
      b.disk->set(flags[i % 3], false);
      std::this_thread::sleep_for(1ms);  // the spacing of the faults, not a wait for anything
    }
  });
  std::mutex mutex;
  std::vector<std::string> promised, refused;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const std::string id = std::to_string(t) + "-" + std::to_string(i);
        const bool ok = b.intent(id).ok();
        const std::scoped_lock lock(mutex);
        (ok ? promised : refused).push_back(id);
      }
    });
  for (std::thread& thread : threads) thread.join();
  stop = true;
  chaos.join();
  REQUIRE(b.audit->flush(20s));
  std::map<std::string, int> intents, marks;
  for (const Json& line : b.lines()) {
    if (line["event"] == "intent") ++intents[line["request_id"]];
    if (line["event"] == "refused") ++marks[line["request_id"]];
  }
  for (const std::string& id : promised) REQUIRE((intents[id] == 1 && marks[id] == 0));
  for (const std::string& id : refused) REQUIRE(intents[id] == marks[id]);  // absent, or there and void
  CHECK(b.verified().intact());
}

namespace {

// A journal on the real file system that somebody meddles with.
struct Meddled {
  Meddled() {
    auto made = Audit::open(test::settings_in(dir), clock, log);
    REQUIRE(made);
    audit = std::move(*made);
    REQUIRE(audit->durable(record_of(Event::intent, "one")));
    REQUIRE(audit->durable(record_of(Event::intent, "two")));
  }
  TempDir dir;
  test::MemoryLog log;
  SystemClock clock;
  std::unique_ptr<Audit> audit;
};

}  // namespace

TEST_CASE("failure: a removed journal refuses, and a new one goes on and tells of the gap") {
  Meddled m;
  std::filesystem::remove(m.dir / "journal");
  check_refusal(m.audit->durable(record_of(Event::intent, "into nowhere")));
  test::eventually([&] { return m.log.count("somebody removed the journal") == 1; });
  test::eventually([&] { return m.audit->healthy(); });
  REQUIRE(m.audit->durable(record_of(Event::intent, "after")));
  const auto lines = parse_lines(read_file(m.dir / "journal"));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["event"] == "journal");
  CHECK(lines[0]["seq"] == 3);
  CHECK(lines[0].contains("previous"));
  CHECK(lines[1]["request_id"] == "after");
  const auto report = verify_journal(m.dir / "journal", test::test_key());
  REQUIRE(report);
  CHECK(report->fault_count == 1);
  CHECK(report->faults[0].line == 1);
  // And a later start goes on from there.
  m.audit.reset();
  auto again = Audit::open(test::settings_in(m.dir), m.clock, m.log);
  REQUIRE(again);
  REQUIRE((*again)->durable(record_of(Event::intent, "next day")));
  CHECK(verify_journal(m.dir / "journal", test::test_key())->fault_count == 1);
}

TEST_CASE("failure: a journal that was renamed and put back goes on as if nothing had been") {
  Meddled m;
  std::filesystem::rename(m.dir / "journal", m.dir / "aside");
  check_refusal(m.audit->durable(record_of(Event::intent, "x")));
  std::filesystem::rename(m.dir / "aside", m.dir / "journal");
  test::eventually([&] { return m.audit->healthy(); });
  REQUIRE(m.audit->durable(record_of(Event::intent, "y")));
}

TEST_CASE("failure: a journal replaced by a copy of itself is found and continued") {
  Meddled m;
  std::filesystem::copy_file(m.dir / "journal", m.dir / "copy");
  std::filesystem::rename(m.dir / "copy", m.dir / "journal");
  check_refusal(m.audit->durable(record_of(Event::intent, "x")));
  test::eventually([&] { return m.log.count("somebody replaced the journal") == 1; });
  test::eventually([&] { return m.audit->healthy(); });
  REQUIRE(m.audit->durable(record_of(Event::intent, "y")));
  CHECK(verify_journal(m.dir / "journal", test::test_key())->intact());
}

TEST_CASE("failure: a journal cut while in use refuses, and the gap shows") {
  Meddled m;
  std::filesystem::resize_file(m.dir / "journal", read_file(m.dir / "journal").find('\n') + 1);
  check_refusal(m.audit->durable(record_of(Event::intent, "x")));
  test::eventually([&] { return m.log.count("somebody else changed the journal") == 1; });
  test::eventually([&] { return m.audit->healthy(); });
  REQUIRE(m.audit->durable(record_of(Event::intent, "y")));
  const auto report = verify_journal(m.dir / "journal", test::test_key());
  CHECK(report->fault_count == 1);
  CHECK(report->faults[0].line == 2);
}

TEST_CASE("failure: a journal replaced by something else is never written to") {
  Meddled m;
  test::write_file(m.dir / "other", "not a journal\n");
  std::filesystem::rename(m.dir / "other", m.dir / "journal");
  check_refusal(m.audit->durable(record_of(Event::intent, "x")));
  check_refusal(m.audit->durable(record_of(Event::intent, "y")));
  CHECK(read_file(m.dir / "journal") == "not a journal\n");
  std::filesystem::remove(m.dir / "journal");
  test::eventually([&] { return m.audit->healthy(); });
  REQUIRE(m.audit->durable(record_of(Event::intent, "z")));
}

TEST_CASE("failure: a directory that takes no files refuses until it does again") {
  Meddled m;
  std::filesystem::remove(m.dir / "journal");
  std::filesystem::create_directory(m.dir / "journal");
  check_refusal(m.audit->durable(record_of(Event::intent, "x")));
  check_refusal(m.audit->durable(record_of(Event::intent, "x")));
  std::filesystem::remove(m.dir / "journal");
  REQUIRE(m.audit->durable(record_of(Event::intent, "y")));
}

namespace {

// Files of this process may not grow beyond `bytes` while this lives: writes come back short, then fail, as
// on a full disk.
class FullDisk {
 public:
  explicit FullDisk(std::uintmax_t bytes) {
    old_action_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit low{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &low);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_action_);
  }

 private:
  rlimit old_{};
  void (*old_action_)(int) = nullptr;
};

}  // namespace

TEST_CASE("journal file: an append is whole or leaves nothing, also when the disk fills within it") {
  const TempDir dir;
  auto file = open_journal_file(dir / "j");
  REQUIRE(file);
  REQUIRE((*file)->append("first line\n"));
  REQUIRE((*file)->sync());
  {
    const FullDisk full(15);
    CHECK_FALSE((*file)->append("a line that does not fit\n"));
    CHECK(read_file(dir / "j") == "first line\n");
    CHECK((*file)->check());
    CHECK((*file)->append("abc\n"));  // what fits is taken
    CHECK_FALSE((*file)->append("d"));
  }
  REQUIRE((*file)->append("second line\n"));
  REQUIRE((*file)->sync());
  CHECK(read_file(dir / "j") == "first line\nabc\nsecond line\n");
}

TEST_CASE("failure: a disk that is full refuses, and the chain is whole when there is room again") {
  Meddled m;
  const auto size = std::filesystem::file_size(m.dir / "journal");
  {
    const FullDisk full(size + 100);  // within the next line
    for (int i = 0; i < 3; ++i) check_refusal(m.audit->durable(record_of(Event::intent, "lost")));
    CHECK_FALSE(m.audit->healthy());
  }
  test::eventually([&] { return m.audit->healthy(); });
  REQUIRE(m.audit->durable(record_of(Event::intent, "after")));
  CHECK(read_file(m.dir / "journal").find("lost") == std::string::npos);
  CHECK(verify_journal(m.dir / "journal", test::test_key())->intact());
}
