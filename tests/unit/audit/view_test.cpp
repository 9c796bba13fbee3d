#include "audit/view.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/audit/fakes.h"

using namespace vmcp;
using namespace vmcp::audit;
using namespace std::chrono_literals;
using test::read_file;
using test::TempDir;

namespace {

SteadyTime in(std::chrono::milliseconds d) {
  return std::chrono::steady_clock::now() + d;
}

}  // namespace

TEST_CASE("view: lines reach the file in order, behind what was there") {
  const TempDir dir;
  test::write_file(dir / "view", "before\n");
  auto view = View::open(test::settings_in(dir));
  REQUIRE(view);
  std::string expected = "before\n";
  for (int i = 0; i < 1000; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    (*view)->push(line, 1);
    expected += line;
  }
  CHECK((*view)->drain(in(20s)));
  CHECK(read_file(dir / "view") == expected);
  CHECK((*view)->lost() == 0);
  struct stat st;
  REQUIRE(::stat((dir / "view").c_str(), &st) == 0);
  (*view)->stop(10s);
}

TEST_CASE("view: a file that cannot be opened stops the start and names the setting") {
  const TempDir dir;
  Settings settings = test::settings_in(dir);
  settings.view_path = dir / "absent/view";
  const auto view = View::open(settings);
  REQUIRE_FALSE(view);
  CHECK(view.error().text.find("AUDIT_LOG_PATH") != std::string::npos);
  REQUIRE(::mkfifo((dir / "fifo").c_str(), 0600) == 0);
  settings.view_path = dir / "fifo";
  CHECK_FALSE(View::open(settings));  // without a reader, at once
}

TEST_CASE("view: a reader that stalls costs lines, counts them, and blocks nobody") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const auto view = View::on(ends[1]);
  const std::string line(1000, 'x');
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 60'000; ++i) view->push(line + "\n", 1);
  CHECK(std::chrono::steady_clock::now() - begun < 10s);
  CHECK(view->lost() > 20'000);
  CHECK_FALSE(view->drain(in(10ms)));
  // The reader comes back: what was queued arrives whole.
  std::atomic<bool> done{false};
  std::uint64_t lines = 0, odd = 0;
  std::thread reader([&] {
    std::string rest;
    char buffer[65536];
    while (true) {
      const ssize_t n = ::read(ends[0], buffer, sizeof buffer);
      if (n <= 0) break;
      rest.append(buffer, static_cast<std::size_t>(n));
      for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
        ++lines;
        odd += end != 1000;
        rest.erase(0, end + 1);
      }
    }
    done = true;
  });
  CHECK(view->drain(in(20s)));
  view->stop(10s);
  ::close(ends[1]);
  reader.join();
  CHECK(odd == 0);
  CHECK(lines + view->lost() == 60'000);
  ::close(ends[0]);
}

TEST_CASE("view: a reader that went away is a loss and not the end of the process") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const auto view = View::on(ends[1]);
  ::close(ends[0]);
  view->push("one\ntwo\n", 2);
  CHECK(view->drain(in(20s)));
  CHECK(view->lost() == 2);
  view->stop(10s);
  ::close(ends[1]);
}

TEST_CASE("view: a thread that hangs in a write is left behind") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  auto view = View::on(ends[1]);
  view->push(std::string(300'000, 'x') + "\n", 1);
  view->stop(50ms);
  view.reset();
  // Let it go, so that it does not outlive this test's descriptors.
  std::size_t left = 300'001;
  char buffer[65536];
  while (left > 0) left -= static_cast<std::size_t>(::read(ends[0], buffer, sizeof buffer));
  ::close(ends[0]);
  // ends[1] stays open on purpose: the thread may still hold it for an instant.
}

TEST_CASE("view: a file that was moved away is opened anew") {
  const TempDir dir;
  auto view = View::open(test::settings_in(dir));
  REQUIRE(view);
  (*view)->push("old\n", 1);
  REQUIRE((*view)->drain(in(20s)));
  std::filesystem::rename(dir / "view", dir / "view.1");
  test::eventually([&] {
    (*view)->push("new\n", 1);
    REQUIRE((*view)->drain(in(20s)));
    return std::filesystem::exists(dir / "view");
  });
  CHECK(read_file(dir / "view") == "new\n");
  CHECK(read_file(dir / "view.1").starts_with("old\n"));
  (*view)->stop(10s);
}
