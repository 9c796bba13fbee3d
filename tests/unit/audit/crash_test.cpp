// A process that is killed while it writes. This tests what the page cache keeps, not what a power cut
// leaves.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "audit/verify.h"
#include "support/rounds.h"
#include "unit/audit/segments.h"

using namespace vmcp;
using namespace vmcp::audit;
using test::parse_lines;
using test::read_file;
using test::record_of;
using test::TempDir;

namespace {

// Writes for ever with four threads; tells each intent that was promised durable through `promised`.
[[noreturn]] void write_until_killed(Settings settings, int promised) {
  SilentLog log;
  const SystemClock clock;
  auto audit = Audit::open(std::move(settings), clock, log);
  if (!audit) ::_exit(1);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0;; ++i) {
        const std::string id = std::to_string(::getpid()) + "-" + std::to_string(t) + "-" + std::to_string(i);
        if (!(*audit)->durable(record_of(Event::intent, id, R"({"vm_id":"vm-1"})"))) ::_exit(2);
        (void)!::write(promised, (id + "\n").data(), id.size() + 1);
        (*audit)->buffered(record_of(Event::outcome, id));
      }
    });
  for (;;) ::pause();
}

std::string read_some(int fd, std::size_t at_least) {
  std::string out;
  char buffer[4096];
  while (out.size() < at_least) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n <= 0) break;
    out.append(buffer, static_cast<std::size_t>(n));
  }
  return out;
}

std::set<std::string> promises_of_the_killed(const Settings& settings) {
  std::set<std::string> promised;
  const std::size_t kills = static_cast<std::size_t>(vmcp::testing::rounds(8));
  for (std::size_t round = 0; round < kills; ++round) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    test::wait_until_alone();
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::close(ends[0]);
      write_until_killed(settings, ends[1]);
    }
    ::close(ends[1]);
    std::string told = read_some(ends[0], 400 + 997 * (round % 8));
    REQUIRE(::kill(child, SIGKILL) == 0);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    told += read_some(ends[0], SIZE_MAX);
    ::close(ends[0]);
    for (const std::string& id : test::split_lines(told)) promised.insert(id);
  }
  return promised;
}

}  // namespace

TEST_CASE("crash: after kill -9 while writing, every promised intent is there and the chain goes on") {
  const TempDir dir;
  test::MemoryLog log;
  std::set<std::string> promised = promises_of_the_killed(test::settings_in(dir));
  {
    const SystemClock clock;
    auto audit = Audit::open(test::settings_in(dir), clock, log);
    REQUIRE(audit);
    REQUIRE((*audit)->durable(record_of(Event::intent, "afterwards")));
  }
  const auto report = verify_journal(dir / "journal", test::test_key());
  REQUIRE(report);
  CHECK(report->intact());
  CHECK(report->torn_bytes == 0);
  CHECK(promised.size() > 100);
  for (const Json& line : parse_lines(read_file(dir / "journal")))
    if (line["event"] == "intent") promised.erase(line["request_id"].get<std::string>());
  CHECK(promised.empty());
}

TEST_CASE(
    "crash: after kill -9 while segments are closed again and again, nothing that was promised is missing") {
  const TempDir dir;
  test::MemoryLog log;
  Settings settings = test::segmented_in(dir);
  settings.segment_bytes = 3'000;
  std::set<std::string> promised = promises_of_the_killed(settings);
  settings.segment_bytes = 1u << 30;
  {
    const SystemClock clock;
    auto audit = Audit::open(settings, clock, log);
    REQUIRE(audit);
    REQUIRE((*audit)->durable(record_of(Event::intent, "afterwards")));
    REQUIRE((*audit)->rotate(milliseconds(20'000)));
  }
  const auto report = verify_archive({settings.journal_file, {}, test::test_key(), "", {}, {}});
  REQUIRE(report);
  CHECK_MESSAGE(report->intact(),
                (report->faults.empty() ? "" : report->faults[0].file + report->faults[0].what));
  CHECK(report->segments > 20);
  CHECK(promised.size() > 100);
  for (const Json& line : parse_lines(test::whole_journal(dir)))
    if (line["event"] == "intent") promised.erase(line["request_id"].get<std::string>());
  CHECK(promised.empty());
}
