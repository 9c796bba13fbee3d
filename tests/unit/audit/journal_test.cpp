#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <set>

#include "audit/verify.h"
#include "unit/audit/fakes.h"

using namespace vmcp;
using namespace vmcp::audit;
using namespace std::chrono_literals;
using test::parse_lines;
using test::read_file;
using test::record_of;
using test::settings_in;
using test::TempDir;

namespace {

const SystemClock kClock;

std::unique_ptr<Audit> opened(const Settings& settings, Log& log,
                              std::unique_ptr<JournalFile> file = nullptr) {
  auto audit = Audit::open(settings, kClock, log, std::move(file));
  REQUIRE_MESSAGE(audit.ok(), (audit.ok() ? std::string() : audit.error().text));
  return std::move(*audit);
}

VerifyReport verified(const std::string& path) {
  auto report = verify_journal(path, test::test_key());
  REQUIRE(report);
  return std::move(*report);
}

}  // namespace

TEST_CASE("audit: durable records are in the journal when the call returns, and in the view") {
  const TempDir dir;
  test::MemoryLog log;
  const auto audit = opened(settings_in(dir), log);
  for (int i = 0; i < 10; ++i) {
    REQUIRE(audit->durable(record_of(Event::intent, "r" + std::to_string(i))));
    CHECK(parse_lines(read_file(dir / "journal")).size() == static_cast<std::size_t>(i) + 1);
  }
  CHECK(audit->healthy());
  CHECK(audit->flush(20s));
  const auto journal = parse_lines(read_file(dir / "journal"));
  const auto view = parse_lines(read_file(dir / "view"));
  REQUIRE(view.size() == 10);
  for (std::size_t i = 0; i < 10; ++i) {
    CHECK(journal[i]["seq"] == i + 1);
    CHECK_FALSE(view[i].contains("seq"));
    Json same = journal[i];
    same.erase("seq");
    CHECK(same == view[i]);
  }
  CHECK(verified(dir / "journal").intact());
  struct stat st;
  REQUIRE(::stat((dir / "journal").c_str(), &st) == 0);
  CHECK((st.st_mode & 0777) == 0600);
}

TEST_CASE("audit: buffered records come in order and nothing is lost at the end") {
  const TempDir dir;
  test::MemoryLog log;
  {
    const auto audit = opened(settings_in(dir), log);
    for (int i = 0; i < 5000; ++i)
      audit->buffered(record_of(Event::outcome, std::to_string(i), R"({"vm_id":"vm-1"})"));
  }
  const auto lines = parse_lines(read_file(dir / "journal"));
  REQUIRE(lines.size() == 5000);
  for (std::size_t i = 0; i < lines.size(); ++i) REQUIRE(lines[i]["request_id"] == std::to_string(i));
  CHECK(parse_lines(read_file(dir / "view")).size() == 5000);
  CHECK(verified(dir / "journal").intact());
  CHECK(log.text().empty());
}

TEST_CASE(
    "audit: 32 threads with 200 durable and 200 buffered records each: all there, chain whole, few syncs") {
  const TempDir dir;
  test::MemoryLog log;
  const auto audit = opened(settings_in(dir), log);
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 32; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const std::string id = std::to_string(t) + "-" + std::to_string(i);
        if (!audit->durable(record_of(Event::intent, id))) ++refused;
        audit->buffered(record_of(Event::outcome, id));
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(refused == 0);
  REQUIRE(audit->flush(20s));
  const auto lines = parse_lines(read_file(dir / "journal"));
  CHECK(lines.size() == 12'800);
  std::map<std::string, int> seen;
  for (const Json& line : lines) {
    int& state = seen[line["request_id"].get<std::string>()];
    // An outcome never precedes its intent.
    REQUIRE(state == (line["event"] == "intent" ? 0 : 1));
    ++state;
  }
  CHECK(seen.size() == 6400);
  CHECK(verified(dir / "journal").intact());
  CHECK(parse_lines(read_file(dir / "view")).size() == 12'800);
}

TEST_CASE("audit: callers that come together share syncs") {
  const TempDir dir;
  test::MemoryLog log;
  auto disk = std::make_shared<test::FakeDisk>();
  Settings settings = settings_in(dir);
  settings.journal_file.clear();
  const auto audit = opened(settings, log, std::make_unique<test::FakeFile>(disk));
  disk->set(&test::FakeDisk::hang_sync, true);
  std::vector<std::thread> threads;
  threads.emplace_back([&] { CHECK(audit->durable(record_of(Event::intent, "first"))); });
  disk->wait_until_hanging();
  std::atomic<int> begun{0};
  for (int t = 0; t < 16; ++t)
    threads.emplace_back([&] {
      ++begun;
      CHECK(audit->durable(record_of(Event::intent, "later")));
    });
  test::eventually([&] { return begun == 16; });
  disk->set(&test::FakeDisk::hang_sync, false);
  for (std::thread& thread : threads) thread.join();
  CHECK(disk->with([&] { return disk->syncs; }) <= 17);
  CHECK(parse_lines(disk->durable_bytes()).size() == 17);
}

TEST_CASE("audit: a journal is continued, over many openings") {
  const TempDir dir;
  test::MemoryLog log;
  for (int i = 0; i < 5; ++i) {
    const auto audit = opened(settings_in(dir), log);
    REQUIRE(audit->durable(record_of(Event::intent, std::to_string(i))));
  }
  const VerifyReport report = verified(dir / "journal");
  CHECK(report.intact());
  CHECK(report.records == 5);
  CHECK(report.last_seq == 5);
}

TEST_CASE("audit: an unfinished last line is kept aside, logged, and noted in the journal") {
  const TempDir dir;
  test::MemoryLog log;
  { REQUIRE(opened(settings_in(dir), log)->durable(record_of(Event::intent, "a"))); }
  std::ofstream(dir / "journal", std::ios::app) << "0123456789";
  { REQUIRE(opened(settings_in(dir), log)->durable(record_of(Event::intent, "b"))); }
  CHECK(read_file(dir / "journal.torn") == "0123456789");
  CHECK(log.text().find("journal_torn") != std::string::npos);
  const auto lines = parse_lines(read_file(dir / "journal"));
  REQUIRE(lines.size() == 3);
  CHECK(lines[1]["event"] == "journal");
  CHECK(lines[1]["note"].get<std::string>().find("10 bytes") != std::string::npos);
  CHECK(lines[2]["request_id"] == "b");
  CHECK(verified(dir / "journal").intact());
  for (const Json& line : parse_lines(read_file(dir / "view"))) CHECK(line["event"] != "journal");
}

TEST_CASE("audit: a journal that was changed at its end, or of another key, is not continued") {
  const TempDir dir;
  test::MemoryLog log;
  { REQUIRE(opened(settings_in(dir), log)->durable(record_of(Event::intent, "a"))); }
  Settings other = settings_in(dir);
  other.chain_key = Secret(std::string(32, 'z'));
  CHECK_FALSE(Audit::open(other, kClock, log));
  Settings keyless = settings_in(dir);
  keyless.chain_key = Secret();
  CHECK_FALSE(Audit::open(keyless, kClock, log));
  std::string bytes = read_file(dir / "journal");
  bytes[bytes.size() - 10] ^= 1;
  test::write_file(dir / "journal", bytes);
  CHECK_FALSE(Audit::open(settings_in(dir), kClock, log));
}

TEST_CASE("audit: a journal that others may write, or that is no file, is refused at the start") {
  const TempDir dir;
  test::MemoryLog log;
  test::write_file(dir / "journal", "");
  REQUIRE(::chmod((dir / "journal").c_str(), 0622) == 0);
  CHECK_FALSE(Audit::open(settings_in(dir), kClock, log));
  std::filesystem::remove(dir / "journal");
  std::filesystem::create_directory(dir / "journal");
  CHECK_FALSE(Audit::open(settings_in(dir), kClock, log));
}

TEST_CASE("audit: without a journal the view still shows everything and no change is allowed") {
  const TempDir dir;
  test::MemoryLog log;
  Settings settings = settings_in(dir);
  settings.journal_file.clear();
  const auto audit = opened(settings, log);
  const auto refused = audit->durable(record_of(Event::intent, "a"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::unavailable);
  CHECK(refused.error().text.find("the audit cannot be written; changing tools are refused") == 0);
  audit->buffered(record_of(Event::outcome, "b"));
  CHECK(audit->flush(20s));
  const auto view = parse_lines(read_file(dir / "view"));
  REQUIRE(view.size() == 1);
  CHECK(view[0]["request_id"] == "b");
}

TEST_CASE("audit: a flood of refusals is a few lines that say how many") {
  const TempDir dir;
  test::MemoryLog log;
  const auto audit = opened(settings_in(dir), log);
  for (int i = 0; i < 20'000; ++i) audit->buffered(record_of(Event::refused, std::to_string(i)));
  REQUIRE(audit->flush(20s));
  const auto lines = parse_lines(read_file(dir / "journal"));
  CHECK(lines.size() < 100);
  std::uint64_t sum = 0;
  for (const Json& line : lines) sum += line.contains("repeated") ? line["repeated"].get<std::uint64_t>() : 1;
  CHECK(sum == 20'000);
}

TEST_CASE("audit: the count of a flood is written without anybody asking") {
  const TempDir dir;
  test::MemoryLog log;
  const auto audit = opened(settings_in(dir), log);
  for (int i = 0; i < 10; ++i) audit->buffered(record_of(Event::refused, "r"));
  test::eventually([&] { return read_file(dir / "journal").find("\"repeated\":9") != std::string::npos; });
}

TEST_CASE("audit: a stalled reader of the view holds nobody up and is reported once") {
  const TempDir dir;
  test::MemoryLog log;
  REQUIRE(::mkfifo((dir / "fifo").c_str(), 0600) == 0);
  const int reader = ::open((dir / "fifo").c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  Settings settings = settings_in(dir);
  settings.view_path = dir / "fifo";
  std::string big = "[";
  for (int i = 0; i < 60; ++i) big += (i ? ",\"" : "\"") + std::string(100, 'a') + "\"";
  big += "]";
  {
    const auto audit = opened(settings, log);
    for (int i = 0; i < 7000; ++i) audit->buffered(record_of(Event::outcome, "b", big));  // over the bound
    for (int i = 0; i < 50; ++i) REQUIRE(audit->durable(record_of(Event::intent, "d")));
    CHECK(audit->healthy());
    test::eventually([&] { return log.count("audit_view_drops_lines") == 1; });
    ::close(reader);  // lets the writer go: its write fails
  }
  CHECK(log.count("audit_view_drops_lines") == 1);
  const VerifyReport report = verified(dir / "journal");
  CHECK(report.intact());
  CHECK(report.records == 7050);
}

TEST_CASE("audit: canary secrets in every field and argument are found nowhere") {
  const TempDir dir;
  test::MemoryLog log;
  {
    const auto audit = opened(settings_in(dir), log);
    for (int i = 0; i < 200; ++i) {
      const std::string canary = "canary" + std::to_string(100'000 + i);
      const std::string texts[] = {"Bearer " + canary, "password=" + canary, "token: '" + canary + "'",
                                   "https://u:" + canary + "@h/"};
      const std::string& text = texts[i % 4];
      std::string args = "{\"password\":";
      append_json_string(args, canary);
      args += ",\"note\":";
      append_json_string(args, text + (i % 3 ? " caf\xc3\xa9" : ""));
      args += ",\"deep\":[{\"api_key\":";
      append_json_string(args, canary);
      args += "}]}";
      Record r = record_of(static_cast<Event>(i % 4), text, args);
      for (auto field : {&Record::trace_id, &Record::identity, &Record::role, &Record::method, &Record::tool,
                         &Record::host, &Record::peer, &Record::step, &Record::rule, &Record::task,
                         &Record::error, &Record::code})
        r.*field = text;
      r.targets = {text, text};
      if (i % 2)
        REQUIRE(audit->durable(r));
      else
        audit->buffered(r);
    }
  }
  CHECK(parse_lines(read_file(dir / "journal")).size() >= 200);
  for (const std::string& sink : {read_file(dir / "journal"), read_file(dir / "view"), log.text()})
    CHECK(sink.find("canary") == std::string::npos);
}
