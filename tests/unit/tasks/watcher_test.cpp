#include "tasks/watcher.h"

#include <condition_variable>

#include "unit/audit/fakes.h"

using namespace vmcp;
using namespace vmcp::test;
using namespace std::chrono_literals;

namespace {

// A vCenter that knows tasks only: each look at one is answered with the next of its replies, the last one
// for ever.
class TaskConnection final : public vcenter::Connection {
 public:
  struct Next {
    std::string info;            // TaskInfo
    std::optional<Error> error;  // instead
    bool hang = false;           // until the caller gives up
  };

  void on(const std::string& task, std::vector<Next> replies) {
    const std::scoped_lock lock(mutex_);
    replies_[task] = std::move(replies);
  }
  int looks(const std::string& task) {
    const std::scoped_lock lock(mutex_);
    return looks_[task];
  }

  const std::string& name() const override { return name_; }
  vcenter::Reply vim(const vcenter::VimRequest& request, const CallLimits& limits) override {
    Next next;
    {
      const std::scoped_lock lock(mutex_);
      CHECK(request.type == "Task");
      CHECK(request.member == "info");
      CHECK(request.property);
      const std::string task(request.moref);
      const std::vector<Next>& replies = replies_.at(task);
      next = replies.at(std::min<std::size_t>(static_cast<std::size_t>(looks_[task]++), replies.size() - 1));
    }
    while (next.hang && !limits.cancel.cancelled() && std::chrono::steady_clock::now() < limits.deadline)
      std::this_thread::yield();
    if (next.hang) next.error = make_error(Code::cancelled, "the call was cancelled");
    vcenter::Reply reply;
    reply.http_status = next.error ? 0 : 200;
    reply.error = next.error;
    reply.body = next.info;
    return reply;
  }
  vcenter::Reply automation(const vcenter::AutomationRequest&, const CallLimits&) override {
    FAIL_CHECK("tasks are no business of the Automation API");
    return {};
  }
  Result<vcenter::About> about(const CallLimits&) override { return vcenter::About{}; }
  void close() override {}

 private:
  std::mutex mutex_;
  std::string name_ = "vc.example";
  std::map<std::string, std::vector<Next>> replies_;
  std::map<std::string, int> looks_;
};

const char* const kRunning = R"({"_typeName":"TaskInfo","key":"task-1","state":"running"})";
const char* const kSuccess = R"({"_typeName":"TaskInfo","key":"task-1","state":"success"})";

struct Rig {
  explicit Rig(tasks::Settings settings = quick()) {
    audit::Settings audit_settings = settings_in(dir);
    auto opened = audit::Audit::open(std::move(audit_settings), clock, log, std::make_unique<FakeFile>(disk));
    REQUIRE(opened.ok());
    audit = std::move(*opened);
    watcher.emplace(settings, *audit, clock, log);
  }
  static tasks::Settings quick() {
    tasks::Settings settings;
    settings.interval = 1ms;
    return settings;
  }
  void follow(const std::string& task) {
    // As a caller's: nothing of it lives on after the call.
    const std::string id = "request-of-" + task, args = R"({"vm_id":"vm-1"})", target = "vm:vm-1";
    audit::Record record = record_of(audit::Event::accepted, id, args);
    record.targets = {target};
    record.step = "execute";
    watcher->follow(vcenter, task, record, clock.now());
  }
  void wait_until_idle() {
    eventually([&] { return watcher->following() == 0; });
  }
  // Everything in the journal but its own notes.
  std::vector<Json> lines() {
    REQUIRE(audit->flush(10s));
    std::vector<Json> out;
    for (Json& line : parse_lines(disk->with([&] { return disk->bytes; })))
      if (line.contains("request_id") && !line.value("request_id", "").empty())
        out.push_back(std::move(line));
    return out;
  }
  Json only_line() {
    const auto all = lines();
    REQUIRE(all.size() == 1);
    CHECK(all[0].value("event", "") == "outcome");
    return all[0];
  }

  TempDir dir;
  ManualClock clock;
  MemoryLog log;
  std::shared_ptr<FakeDisk> disk = std::make_shared<FakeDisk>();
  TaskConnection vcenter;
  std::unique_ptr<audit::Audit> audit;
  std::optional<tasks::Watcher> watcher;  // last: ends first
};

}  // namespace

TEST_CASE("watcher: a task that succeeds gets its OUTCOME, with all that the call's record said") {
  Rig rig;
  rig.vcenter.on("task-1", {{kRunning, {}}, {R"({"state":"queued"})", {}}, {kSuccess, {}}});
  rig.clock.advance(1s);
  rig.follow("task-1");
  rig.clock.advance(1500ms);
  rig.wait_until_idle();
  const Json line = rig.only_line();
  CHECK(line.value("ok", false));
  CHECK(line.value("request_id", "") == "request-of-task-1");
  CHECK(line.value("tool", "") == "power_on_vm");
  CHECK(line.value("identity", "") == "alice");
  CHECK(line.value("role", "") == "ops");
  CHECK(line.value("host", "") == "vc.example");
  CHECK(line.value("task", "") == "task-1");
  CHECK(line.value("step", "") == "task");
  CHECK(line["args"].value("vm_id", "") == "vm-1");
  CHECK(line["targets"] == Json::array({"vm:vm-1"}));
  CHECK_FALSE(line.contains("code"));
  CHECK(rig.vcenter.looks("task-1") == 3);
}

TEST_CASE("watcher: a task that fails is recorded in vCenter's words with the fix") {
  Rig rig;
  rig.vcenter.on("task-1", {{R"({"state":"error","error":{"_typeName":"LocalizedMethodFault",)"
                             R"("localizedMessage":"Another task is already in progress.",)"
                             R"("fault":{"_typeName":"TaskInProgress"}}})",
                             {}}});
  rig.follow("task-1");
  rig.wait_until_idle();
  const Json line = rig.only_line();
  CHECK_FALSE(line.value("ok", true));
  CHECK(
      line.value("error", "") ==
      "vCenter refused it: Another task is already in progress. (TaskInProgress); fix: wait until the other "
      "operation is over, then repeat");
  CHECK(line.value("code", "") == "conflict");
}

TEST_CASE("watcher: the fault decides the code, and a task without a reason says so") {
  Rig rig;
  rig.vcenter.on("task-1",
                 {{R"({"state":"error","error":{"localizedMessage":"Denied.","fault":)"
                   R"({"_typeName":"NoPermission","privilegeId":"VirtualMachine.Interact.PowerOn"}}})",
                   {}}});
  for (const char* odd : {R"({"state":"error"})", R"({"state":"error","error":null})",
                          R"({"state":"error","error":"because"})"})
    rig.vcenter.on("task-" + std::to_string(std::string(odd).size()), {{odd, {}}});
  rig.follow("task-1");
  rig.wait_until_idle();
  const Json denied = rig.only_line();
  CHECK(denied.value("code", "") == "denied");
  CHECK(denied.value("error", "").find("missing privilege: VirtualMachine.Interact.PowerOn") !=
        std::string::npos);
  for (const char* odd : {R"({"state":"error"})", R"({"state":"error","error":null})",
                          R"({"state":"error","error":"because"})"})
    rig.follow("task-" + std::to_string(std::string(odd).size()));
  rig.wait_until_idle();
  const auto lines = rig.lines();
  REQUIRE(lines.size() == 4);
  for (std::size_t i = 1; i < lines.size(); ++i)
    CHECK(lines[i].value("error", "").find("without a reason") != std::string::npos);
}

TEST_CASE("watcher: a task that vCenter no longer knows is unknown, not failed and not done") {
  Rig rig;
  rig.vcenter.on("task-1", {{{}, make_error(Code::not_found, "gone")}});
  rig.follow("task-1");
  rig.wait_until_idle();
  const Json line = rig.only_line();
  CHECK_FALSE(line.value("ok", true));
  CHECK(line.value("code", "") == "unknown");
  CHECK(line.value("error", "").find("reconcile") != std::string::npos);
}

TEST_CASE("watcher: an unreachable vCenter and answers that say nothing are waited out") {
  Rig rig;
  rig.vcenter.on("task-1", {{{}, make_error(Code::unavailable, "cannot be reached")},
                            {{}, make_error(Code::timeout, "too slow")},
                            {"<html>", {}},
                            {"[]", {}},
                            {"{}", {}},
                            {R"({"state":7})", {}},
                            {kSuccess, {}}});
  rig.follow("task-1");
  rig.wait_until_idle();
  CHECK(rig.only_line().value("ok", false));
  CHECK(rig.vcenter.looks("task-1") == 7);
  CHECK(rig.log.text().find("stopped") == std::string::npos);
}

TEST_CASE("watcher: one task that hangs on does not keep the others from ending") {
  Rig rig;
  for (int i = 0; i < 20; ++i)
    rig.vcenter.on("task-" + std::to_string(i), {{i % 2 == 0 ? kRunning : kSuccess, {}}});
  for (int i = 0; i < 20; ++i) rig.follow("task-" + std::to_string(i));
  eventually([&] { return rig.watcher->following() == 10; });
  CHECK(rig.lines().size() == 10);
}

TEST_CASE("watcher: stopping while tasks run records each as unknown, and waits for no answer") {
  Rig rig;
  rig.vcenter.on("task-1", {{{}, {}, true}});
  rig.vcenter.on("task-2", {{kRunning, {}}});
  rig.follow("task-1");
  rig.follow("task-2");
  eventually([&] { return rig.vcenter.looks("task-1") == 1; });
  const auto started = std::chrono::steady_clock::now();
  rig.watcher.reset();
  CHECK(std::chrono::steady_clock::now() - started < 5s);  // one look may take ten
  const auto lines = rig.lines();
  REQUIRE(lines.size() == 2);
  for (const Json& line : lines) {
    CHECK(line.value("event", "") == "outcome");
    CHECK(line.value("code", "") == "unknown");
    CHECK_FALSE(line.value("ok", true));
    CHECK(line.value("error", "").find("server stopped") != std::string::npos);
  }
}

TEST_CASE("watcher: a task that is too old is given up on, and one too many is not taken") {
  tasks::Settings settings = Rig::quick();
  settings.give_up = std::chrono::duration_cast<milliseconds>(1h);
  settings.max_tasks = 1;
  Rig rig(settings);
  rig.vcenter.on("task-1", {{kRunning, {}}});
  rig.follow("task-1");
  rig.follow("task-2");
  CHECK(rig.only_line().value("error", "").find("too many tasks") != std::string::npos);
  CHECK(rig.only_line().value("code", "") == "unknown");
  rig.clock.advance(1h);
  const int before = rig.vcenter.looks("task-1");
  eventually([&] { return rig.vcenter.looks("task-1") > before + 1; });
  CHECK(rig.watcher->following() == 1);
  rig.clock.advance(1ms);
  rig.wait_until_idle();
  const auto lines = rig.lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[1].value("request_id", "") == "request-of-task-1");
  CHECK(lines[1].value("code", "") == "unknown");
  CHECK(lines[1].value("duration_ms", 0) == 3'600'001);
}

namespace {

// What somebody who waits for a task was told.
struct Told {
  std::mutex mutex;
  std::vector<std::string> infos;
  tasks::Watcher::Ended ended() {
    return [this](const std::string& info) {
      const std::scoped_lock lock(mutex);
      infos.push_back(info);
    };
  }
  std::vector<std::string> all() {
    const std::scoped_lock lock(mutex);
    return infos;
  }
};

}  // namespace

TEST_CASE("watcher: who waits for a task is told once how it ended, and nothing is recorded") {
  Rig rig;
  const std::string failed = R"({"key":"task-2","state":"error","error":{"localizedMessage":"no space"}})";
  rig.vcenter.on("task-1", {{kRunning, {}}, {{}, make_error(Code::unavailable, "down")}, {kSuccess, {}}});
  rig.vcenter.on("task-2", {{kRunning, {}}, {failed, {}}});
  rig.vcenter.on("task-3", {{{}, make_error(Code::not_found, "no such task")}});
  Told first, second, third;
  REQUIRE(rig.watcher->follow(rig.vcenter, "task-1", first.ended()));
  REQUIRE(rig.watcher->follow(rig.vcenter, "task-2", second.ended()));
  REQUIRE(rig.watcher->follow(rig.vcenter, "task-3", third.ended()));
  rig.wait_until_idle();
  CHECK(first.all() == std::vector<std::string>{kSuccess});
  CHECK(second.all() == std::vector<std::string>{failed});
  CHECK(third.all() == std::vector<std::string>{""});  // nothing can be learned of it
  CHECK(rig.lines().empty());
}

TEST_CASE("watcher: who waits is told of a task that takes too long, and refused when there are too many") {
  tasks::Settings settings = Rig::quick();
  settings.give_up = std::chrono::duration_cast<milliseconds>(1h);
  settings.max_tasks = 1;
  Rig rig(settings);
  rig.vcenter.on("task-1", {{kRunning, {}}});
  Told told, refused;
  REQUIRE(rig.watcher->follow(rig.vcenter, "task-1", told.ended()));
  CHECK_FALSE(rig.watcher->follow(rig.vcenter, "task-2", refused.ended()));
  rig.clock.advance(1h + 1ms);
  rig.wait_until_idle();
  CHECK(told.all() == std::vector<std::string>{""});
  CHECK(refused.all().empty());
}

TEST_CASE("watcher: who waits may wait again from within, and hears nothing when the watcher stops") {
  Rig rig;
  rig.vcenter.on("task-1", {{kSuccess, {}}});
  rig.vcenter.on("task-2", {{kRunning, {}}});
  Told told;
  REQUIRE(rig.watcher->follow(rig.vcenter, "task-1", [&](const std::string&) {
    CHECK(rig.watcher->follow(rig.vcenter, "task-2", told.ended()));
  }));
  eventually([&] { return rig.vcenter.looks("task-2") > 0; });
  rig.watcher.reset();
  CHECK(told.all().empty());
  CHECK(rig.lines().empty());
}
