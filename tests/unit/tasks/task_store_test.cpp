#include "tasks/task_store.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace vmcp;
using tasks::Status;
using tasks::StoreLimits;
using tasks::Task;
using tasks::TaskStore;

namespace {

class SetClock final : public Clock {
 public:
  SteadyTime now() const override { return SteadyTime{}; }
  WallTime wall() const override { return WallTime(milliseconds(ms)); }
  std::int64_t ms = 1'790'000'000'000;
};

struct Store {
  Store() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vmcp-store-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    reopen();
  }
  ~Store() {
    std::error_code ignored;
    std::filesystem::permissions(folder + "/tasks", std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(folder, ignored);
  }
  void reopen(StoreLimits limits = {}) {
    store.reset();
    auto opened = TaskStore::open(folder + "/tasks", limits, clock, log);
    REQUIRE(opened.ok());
    store = std::move(*opened);
  }
  SetClock clock;
  SilentLog log;
  std::string folder;
  std::unique_ptr<TaskStore> store;
};

}  // namespace

TEST_CASE("task store: a task survives a restart with its result, its owner and nobody else sees it") {
  Store s;
  const auto made = s.store->create("alice");
  REQUIRE(made.ok());
  CHECK(s.store->update(made->id, [](Task& task) {
    task.status = Status::completed;
    task.result = R"({"content":[]})";
  }));
  s.reopen();
  CHECK_FALSE(s.store->get(made->id, "bob"));
  const auto task = s.store->get(made->id, "alice");
  REQUIRE(task);
  CHECK(task->status == Status::completed);
  CHECK(task->result == R"({"content":[]})");
  CHECK_FALSE(s.store->update(made->id, [](Task& t) { t.status = Status::working; }));
  const auto file = std::filesystem::status(s.folder + "/tasks/" + made->id + ".task.json");
  CHECK((file.permissions() & std::filesystem::perms::others_all) == std::filesystem::perms::none);
}

TEST_CASE("task store: what was being worked on when the server ended is failed, with advice") {
  Store s;
  const auto made = s.store->create("alice");
  s.store->update(made->id, [](Task& task) {
    task.status = Status::input_required;
    task.requests["q"] = "{}";
  });
  s.reopen();
  const auto task = s.store->get(made->id, "alice");
  REQUIRE(task);
  CHECK(task->status == Status::failed);
  CHECK(task->requests.empty());
  CHECK(task->error.find("read the state before repeating") != std::string::npos);
}

TEST_CASE(
    "task store: an ended task is forgotten after its time, and one that nobody answered, but not a running "
    "one") {
  Store s;
  const auto ended = s.store->create("alice"), running = s.store->create("alice"),
             waiting = s.store->create("alice");
  s.store->update(waiting->id, [](Task& task) { task.status = Status::input_required; });
  s.store->update(ended->id, [](Task& task) { task.status = Status::cancelled; });
  s.clock.ms += 3'600'000;
  CHECK(s.store->get(ended->id, "alice"));
  s.clock.ms += 1'000;
  CHECK_FALSE(s.store->get(ended->id, "alice"));
  CHECK_FALSE(s.store->get(waiting->id, "alice"));
  CHECK(s.store->get(running->id, "alice"));
  CHECK_FALSE(std::filesystem::exists(s.folder + "/tasks/" + ended->id + ".task.json"));
}

TEST_CASE("task store: bounded per owner and in all, and a result that is too large fails its task") {
  Store s;
  StoreLimits limits;
  limits.max_per_owner = 2;
  limits.max_tasks = 3;
  limits.max_result_bytes = 100;
  s.reopen(limits);
  const auto first = s.store->create("alice");
  REQUIRE(s.store->create("alice").ok());
  CHECK(s.store->create("alice").error().code == Code::unavailable);
  REQUIRE(s.store->create("bob").ok());
  CHECK(s.store->create("carol").error().code == Code::unavailable);
  s.store->update(first->id, [](Task& task) {
    task.status = Status::completed;
    task.result = std::string(101, 'x');
  });
  CHECK(s.store->get(first->id, "alice")->status == Status::failed);
  CHECK(s.store->get(first->id, "alice")->result.empty());
}

TEST_CASE("task store: what cannot be written is not begun, and a broken file harms nobody else") {
  Store s;
  const auto made = s.store->create("alice");
  s.store->update(made->id, [](Task& task) { task.status = Status::cancelled; });
  std::ofstream(s.folder + "/tasks/broken.task.json") << "{not json";
  std::ofstream(s.folder + "/tasks/other.task.json") << R"({"id":"something else"})";
  s.reopen();
  CHECK(s.store->get(made->id, "alice"));
  std::filesystem::remove_all(s.folder + "/tasks");
  CHECK(s.store->create("alice").error().code == Code::unavailable);
}

TEST_CASE("task store: every change is told, with the task as it is then") {
  Store s;
  std::vector<Status> heard;
  s.store->on_change([&](const Task& task) { heard.push_back(task.status); });
  const auto made = s.store->create("alice");
  s.store->update(made->id, [](Task& task) { task.status = Status::input_required; });
  s.store->update(made->id, [](Task& task) { task.status = Status::completed; });
  s.store->update(made->id, [](Task& task) { task.status = Status::failed; });
  CHECK(heard == std::vector<Status>{Status::input_required, Status::completed});
}
