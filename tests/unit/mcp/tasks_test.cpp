// The tasks extension at the endpoint: who gets a task, who may see it, how it ends.
#include <doctest/doctest.h>

#include <thread>

#include "unit/mcp/fakes.h"

using namespace vmcp;
using namespace vmcp::mcp;
using namespace vmcp::mcp::fakes;

namespace {

using Kind = tools::Tool::Task;

Json with_tasks(Json body) {
  body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = {
      {"elicitation", Json::object()}, {"extensions", {{"io.modelcontextprotocol/tasks", Json::object()}}}};
  return body;
}

// A rig whose calls wait until the test lets them go.
struct TaskRig : Rig {
  explicit TaskRig(Kind kind = Kind::optional) {
    pipeline.tools.front()->task = kind;
    pipeline.on_call = [this](FakePipeline::Call& call) {
      const std::lock_guard lock(mutex);
      rounds.push_back(call.call);
      cancels.push_back(call.context->cancel);
      dones.push_back(std::move(call.done));
    };
  }
  Json call() {
    return Json::parse(send(with_tasks(modern_body("tools/call", {{"name", "echo"}})).dump(),
                            modern_headers("tools/call", "echo"))
                           .body);
  }
  Json ask(const std::string& method, const std::string& id, Json params = Json::object()) {
    params["taskId"] = id;
    return Json::parse(
        send(with_tasks(modern_body(method, std::move(params))).dump(), modern_headers(method, id)).body);
  }
  pipeline::Done round(std::size_t number) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < until) {
      const std::lock_guard lock(mutex);
      if (dones.size() > number) return dones[number];
    }
    FAIL("the round did not start");
    return {};
  }
  static void finish(const pipeline::Done& done, const char* text, bool is_error = false,
                     Code code = Code::conflict) {
    pipeline::ToolAnswer answer;
    answer.texts.push_back(text);
    answer.is_error = is_error;
    answer.code = code;
    done(std::move(answer));
  }

  std::mutex mutex;
  std::vector<pipeline::ToolCall> rounds;
  std::vector<CancelFlag> cancels;
  std::vector<pipeline::Done> dones;
};

}  // namespace

TEST_CASE(
    "tasks: a flat answer at once, then the result under tasks/get, and what has ended stays as it is") {
  TaskRig rig;
  const Json created = rig.call()["result"];
  CHECK(created["resultType"] == "task");
  CHECK(created["status"] == "working");
  CHECK(created["ttlMs"] == 3'600'000);
  CHECK(created["createdAt"].get<std::string>().ends_with("Z"));
  for (const char* absent : {"task", "result", "error", "inputRequests", "requestState", "content"})
    CHECK_FALSE(created.contains(absent));
  const std::string id = created["taskId"];
  CHECK(id.size() == 32);
  CHECK(rig.ask("tasks/get", id)["result"]["status"] == "working");
  TaskRig::finish(rig.round(0), "done");
  Json task = rig.ask("tasks/get", id)["result"];
  CHECK(task["resultType"] == "complete");
  CHECK(task["status"] == "completed");
  CHECK(task["result"]["content"][0]["text"] == "done");
  CHECK(rig.ask("tasks/cancel", id).contains("result"));
  CHECK(rig.ask("tasks/get", id)["result"]["status"] == "completed");
}

TEST_CASE("tasks: a failure of the tool is a completed task, a defect is a failed one") {
  TaskRig rig;
  const std::string first = rig.call()["result"]["taskId"], second = rig.call()["result"]["taskId"];
  TaskRig::finish(rig.round(0), "no such VM", true);
  TaskRig::finish(rig.round(1), "the plugin broke", true, Code::internal);
  // Which of the two started first is the background's choice.
  const Json a = rig.ask("tasks/get", first)["result"], b = rig.ask("tasks/get", second)["result"];
  const Json& completed = a["status"] == "completed" ? a : b;
  const Json& failed = a["status"] == "completed" ? b : a;
  CHECK(completed["result"]["isError"] == true);
  CHECK(failed["status"] == "failed");
  CHECK(failed["error"]["code"] == -32603);
  CHECK_FALSE(failed.contains("result"));
}

TEST_CASE("tasks: only for a client that declares them, and only where the tool can") {
  TaskRig rig;
  rig.pipeline.on_call = nullptr;
  const auto plain = [&] {
    return Json::parse(
        rig.send(modern_body("tools/call", {{"name", "echo"}}).dump(), modern_headers("tools/call", "echo"))
            .body);
  };
  CHECK(plain()["result"]["resultType"] == "complete");
  rig.pipeline.tools.front()->task = Kind::required;
  const Json refused = plain();
  CHECK(refused["error"]["code"] == -32021);
  CHECK(refused["error"]["data"]["requiredCapabilities"]["extensions"].contains(
      "io.modelcontextprotocol/tasks"));
  // Recorded, once each.
  REQUIRE(rig.pipeline.refusals.size() == 1);
  CHECK(rig.pipeline.refusals[0].second.code == Code::client_lacks);
  rig.pipeline.tools.front()->task = Kind::never;
  CHECK(rig.call()["result"]["resultType"] == "complete");
  const Answer& get =
      rig.send(modern_body("tasks/get", {{"taskId", "x"}}).dump(), modern_headers("tasks/get", "x"));
  CHECK(get.status == 400);
  CHECK(Json::parse(get.body)["error"]["code"] == -32021);
  CHECK(rig.pipeline.refusals.size() == 2);
}

TEST_CASE("tasks: unknown and foreign ids look the same, for every method") {
  TaskRig rig;
  const auto foreign = rig.tasks->create("somebody else");
  REQUIRE(foreign.ok());
  std::string words;
  for (const std::string& id : {std::string("unknown"), foreign->id}) {
    for (const char* method : {"tasks/get", "tasks/cancel", "tasks/update"}) {
      const Json error = rig.ask(method, id, {{"inputResponses", Json::object()}})["error"];
      CHECK(error["code"] == -32602);
      if (words.empty()) words = error["message"];
      CHECK(error["message"] == words);
    }
  }
  CHECK(rig.tasks->get(foreign->id, "somebody else")->status == tasks::Status::working);
}

TEST_CASE("tasks: questions wait in the task, partial answers leave the rest, and no key is used twice") {
  TaskRig rig;
  const std::string id = rig.call()["result"]["taskId"];
  const auto ask_two = [&](const pipeline::Done& done) {
    pipeline::ToolAnswer answer;
    answer.requests = {{"a", R"({"method":"roots/list"})"}, {"b", R"({"method":"roots/list"})"}};
    answer.request_state = "sealed";
    done(std::move(answer));
  };
  ask_two(rig.round(0));
  Json task = rig.ask("tasks/get", id)["result"];
  CHECK(task["status"] == "input_required");
  CHECK(task["inputRequests"].size() == 2);
  CHECK(rig.ask("tasks/update", id, {{"inputResponses", {{"a", {{"n", 1}}}, {"odd", {{"n", 2}}}}}})["result"]
            .contains("resultType"));
  task = rig.ask("tasks/get", id)["result"];
  CHECK(task["inputRequests"].size() == 1);
  CHECK(task["inputRequests"].contains("b"));
  rig.ask("tasks/update", id, {{"inputResponses", {{"b", {{"n", 3}}}}}});
  ask_two(rig.round(1));
  CHECK(rig.rounds[1].request_state == "sealed");
  CHECK(rig.rounds[1].inputs == std::map<std::string, std::string>{{"a", R"({"n":1})"}, {"b", R"({"n":3})"}});
  task = rig.ask("tasks/get", id)["result"];
  for (const auto& [key, request] : task["inputRequests"].items()) CHECK((key != "a" && key != "b"));
}

TEST_CASE(
    "tasks: a page to open waits in the task as the plugin asked for it, and its answer resumes the call") {
  TaskRig rig;
  const std::string id = rig.call()["result"]["taskId"];
  const Json question{
      {"method", "elicitation/create"},
      {"params",
       {{"mode", "url"}, {"message", "Please consent."}, {"url", "https://consent.example.org/a?b=1"}}}};
  pipeline::ToolAnswer answer;
  answer.requests = {{"page", question.dump()}};
  answer.request_state = "sealed";
  rig.round(0)(std::move(answer));
  const Json task = rig.ask("tasks/get", id)["result"];
  CHECK(task["status"] == "input_required");
  CHECK(task["inputRequests"] == Json{{"page", question}});
  rig.ask("tasks/update", id, {{"inputResponses", {{"page", {{"action", "accept"}}}}}});
  TaskRig::finish(rig.round(1), "consented");
  CHECK(rig.rounds[1].inputs == std::map<std::string, std::string>{{"page", R"({"action":"accept"})"}});
  CHECK(rig.ask("tasks/get", id)["result"]["status"] == "completed");
}

TEST_CASE("tasks: cancelling tells the call, and what it answers afterwards changes nothing") {
  TaskRig rig;
  const std::string id = rig.call()["result"]["taskId"];
  const pipeline::Done done = rig.round(0);
  CHECK_FALSE(rig.cancels[0].cancelled());
  // Leaving is no cancellation of a task.
  rig.inbound->gone.cancel();
  CHECK_FALSE(rig.cancels[0].cancelled());
  CHECK(rig.ask("tasks/cancel", id)["result"].size() == 2);  // resultType and _meta
  CHECK(rig.pipeline.recorded == std::vector<std::string>{"tasks/cancel task/" + id});
  CHECK(rig.cancels[0].cancelled());
  TaskRig::finish(done, "late");
  const Json task = rig.ask("tasks/get", id)["result"];
  CHECK(task["status"] == "cancelled");
  CHECK_FALSE(task.contains("result"));
}

TEST_CASE("tasks: a listener hears of its own tasks only, with their whole state") {
  TaskRig rig;
  const std::string id = rig.call()["result"]["taskId"];
  const auto foreign = rig.tasks->create("somebody else");
  const Json wanted{{"notifications", {{"taskIds", {id, foreign->id}}}}};
  rig.send(with_tasks(modern_body("subscriptions/listen", wanted, "s")).dump(),
           modern_headers("subscriptions/listen"));
  const std::shared_ptr<FakeStream> stream = rig.inbound->stream;
  REQUIRE(stream);
  CHECK(stream->messages[0]["params"]["notifications"]["taskIds"] == Json::array({id}));
  rig.tasks->update(foreign->id, [](tasks::Task& task) { task.status = tasks::Status::cancelled; });
  CHECK(stream->messages.size() == 1);
  TaskRig::finish(rig.round(0), "done");
  REQUIRE(stream->messages.size() == 2);
  CHECK(stream->messages[1]["method"] == "notifications/tasks");
  CHECK(stream->messages[1]["params"]["status"] == "completed");
  CHECK(stream->messages[1]["params"]["result"]["content"][0]["text"] == "done");
  CHECK(stream->messages[1]["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == "s");
}

namespace {

pipeline::ToolAnswer parked_answer() {
  pipeline::ToolAnswer answer;
  answer.parked = R"({"task":"task-1"})";
  return answer;
}

// Another process over the same folder.
struct NextProcess {
  explicit NextProcess(TaskRig& before) {
    store = std::move(*vmcp::tasks::TaskStore::open(before.folder.path, {}, clock, log));
    pipeline.on_call = [this](FakePipeline::Call& call) {
      const std::lock_guard lock(mutex);
      calls.push_back(call.call);
      dones.push_back(std::move(call.done));
    };
    endpoint.emplace(Rig::settings(), pipeline, background, background, *store, log);
    endpoint->go_on();
  }
  template <class F>
  static void until(F&& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done()) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::yield();
    }
  }
  SilentLog log;
  SystemClock clock;
  FakePipeline pipeline;
  std::unique_ptr<vmcp::tasks::TaskStore> store;
  std::mutex mutex;
  std::vector<pipeline::ToolCall> calls;
  std::vector<pipeline::Done> dones;
  pipeline::Background background{2, 16, log};
  std::optional<Endpoint> endpoint;
};

}  // namespace

TEST_CASE("tasks: a call that waits for vCenter holds nothing, and goes on when its task has ended") {
  TaskRig rig;
  const std::string id = rig.call()["result"]["taskId"];
  rig.round(0)(parked_answer());
  CHECK(rig.ask("tasks/get", id)["result"]["status"] == "working");
  REQUIRE(rig.pipeline.followed.size() == 1);
  CHECK(rig.pipeline.followed[0].first == R"({"task":"task-1"})");
  rig.pipeline.followed[0].second(R"({"state":"success"})");
  TaskRig::finish(rig.round(1), "made");
  CHECK(rig.rounds[1].parked == R"({"task":"task-1"})");
  CHECK(rig.rounds[1].inputs.at("task") == R"({"state":"success"})");
  CHECK(rig.ask("tasks/get", id)["result"]["result"]["content"][0]["text"] == "made");
  CHECK(rig.tasks->to_go_on().empty());
}

TEST_CASE("tasks: what waits for vCenter is picked up by the next process") {
  TaskRig rig;
  const std::string id = rig.call()["result"]["taskId"];
  rig.round(0)(parked_answer());
  NextProcess next(rig);
  CHECK(next.store->get(id, "alice")->status == tasks::Status::working);
  REQUIRE(next.pipeline.followed.size() == 1);
  next.pipeline.followed[0].second({});
  NextProcess::until([&] {
    const std::lock_guard lock(next.mutex);
    return !next.dones.empty();
  });
  CHECK(next.calls[0].name == "echo");
  CHECK(next.calls[0].as_task);
  CHECK_FALSE(next.calls[0].inputs.contains("task"));
  TaskRig::finish(next.dones[0], "made");
  CHECK(next.store->get(id, "alice")->status == tasks::Status::completed);
  CHECK(next.store->to_go_on().empty());
}

TEST_CASE("tasks: a cancelled one that vCenter had begun is still looked at to its end") {
  TaskRig rig;
  const std::string id = rig.call()["result"]["taskId"];
  rig.round(0)(parked_answer());
  CHECK(rig.ask("tasks/cancel", id).contains("result"));
  CHECK(rig.ask("tasks/get", id)["result"]["status"] == "cancelled");
  REQUIRE(rig.pipeline.followed.size() == 1);
  CHECK(rig.tasks->to_go_on().size() == 1);
  rig.pipeline.followed[0].second(R"({"state":"success"})");
  const pipeline::Done done = rig.round(1);
  CHECK_FALSE(rig.cancels[1].cancelled());
  TaskRig::finish(done, "made");
  CHECK(rig.ask("tasks/get", id)["result"]["status"] == "cancelled");
  CHECK(rig.tasks->to_go_on().empty());
}

TEST_CASE("tasks: a question outlives the process, and what was answered does not run twice") {
  TaskRig rig;
  const std::string id = rig.call()["result"]["taskId"];
  pipeline::ToolAnswer question;
  question.requests["who"] = R"({"method":"elicitation/create","params":{}})";
  question.request_state = "sealed";
  rig.round(0)(std::move(question));
  NextProcess next(rig);
  const auto asked = next.store->get(id, "alice");
  REQUIRE(asked->status == tasks::Status::input_required);
  CHECK(asked->requests.contains("who"));
  auto inbound = std::make_shared<FakeInbound>();
  inbound->text =
      with_tasks(modern_body("tasks/update",
                             {{"taskId", id}, {"inputResponses", {{"who", {{"action", "accept"}}}}}}))
          .dump();
  for (const auto& header : modern_headers("tasks/update", id)) inbound->headers.push_back(header);
  next.endpoint->handle(inbound);
  NextProcess::until([&] {
    const std::lock_guard lock(next.mutex);
    return !next.dones.empty();
  });
  CHECK(next.calls[0].request_state == "sealed");
  CHECK(next.calls[0].inputs.contains("who"));
  // Should the process end now, the next one must not begin it again.
  CHECK(next.store->to_go_on().empty());
  NextProcess third(rig);
  CHECK(third.store->get(id, "alice")->status == tasks::Status::failed);
  TaskRig::finish(next.dones[0], "made");
}

TEST_CASE("tasks: a note that cannot be read fails its task, in words") {
  TaskRig rig;
  const auto task = rig.tasks->create("alice");
  rig.tasks->update(task->id, [](tasks::Task& t) { t.saved = R"({"name":1})"; });
  NextProcess next(rig);
  const auto after = next.store->get(task->id, "alice");
  CHECK(after->status == tasks::Status::failed);
  CHECK(after->error.find("cannot be read") != std::string::npos);
}

TEST_CASE("tasks: a vCenter task that cannot be followed is gone on with at once, and says so") {
  TaskRig rig;
  rig.pipeline.follows = false;
  const std::string id = rig.call()["result"]["taskId"];
  rig.round(0)(parked_answer());
  TaskRig::finish(rig.round(1), "unknown", true);
  CHECK_FALSE(rig.rounds[1].inputs.contains("task"));
  CHECK(rig.ask("tasks/get", id)["result"]["status"] == "completed");
}
