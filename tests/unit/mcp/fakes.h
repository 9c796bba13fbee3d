// A caller and a pipeline for the endpoint's tests: both only remember what they were asked.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "mcp/endpoint.h"
#include "tools/schema.h"

namespace vmcp::mcp::fakes {

using Headers = std::vector<std::pair<std::string, std::string>>;

// What the client of an open stream has read.
class FakeStream final : public MessageStream {
 public:
  bool send(std::string_view message, std::string_view event_id) override {
    if (gone || finished) return false;
    messages.push_back(Json::parse(message));
    ids.emplace_back(event_id);
    return true;
  }
  void finish() override { finished = true; }
  void on_gone(std::function<void()> f) override {
    if (gone) return f();
    heard = std::move(f);
  }
  // The client closes the connection.
  void leave() {
    gone = true;
    if (const auto f = std::move(heard); f && !finished) f();
  }

  StreamHead head;
  std::vector<Json> messages;
  std::vector<std::string> ids;
  bool gone = false;
  std::atomic<bool> finished = false;

 private:
  std::function<void()> heard;
};

class FakeInbound final : public Inbound {
 public:
  std::string http_method = "POST";
  Headers headers{{"content-type", "application/json"}, {"accept", "application/json, text/event-stream"}};
  std::string text;
  std::string address = "192.0.2.7";
  CancelFlag gone;
  std::vector<Answer> answers;  // every attempt; only the first reaches the caller
  int armed = 0;
  std::function<void()> overrun;

  CancelFlag disconnected() const override { return gone; }
  void answer_by(SteadyTime, std::function<void()> f) override {
    ++armed;
    overrun = std::move(f);
  }
  bool enter_blocking() override { return true; }
  void leave_blocking() override {}
  std::string_view method() const override { return http_method; }
  std::string_view header(std::string_view name) const override {
    for (const auto& [key, value] : headers)
      if (same(key, name)) return value;
    return {};
  }
  std::size_t header_count(std::string_view name) const override {
    return static_cast<std::size_t>(
        std::count_if(headers.begin(), headers.end(), [&](const auto& h) { return same(h.first, name); }));
  }
  std::vector<std::pair<std::string_view, std::string_view>> headers_with(std::string_view) const override {
    return {};
  }
  std::string_view body() const override { return text; }
  std::string_view peer() const override { return address; }
  std::shared_ptr<FakeStream> stream;  // null until somebody opened it
  MessageStreamPtr open_stream(StreamHead head) override {
    if (!answers.empty() || stream) return nullptr;
    stream = std::make_shared<FakeStream>();
    stream->head = std::move(head);
    return stream;
  }
  bool answer(Answer a) override {
    answers.push_back(std::move(a));
    return answers.size() == 1;
  }

 private:
  static bool same(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
  }
};

inline tools::ToolPtr make_tool(std::string name, const char* schema = R"({"type":"object"})") {
  auto tool = std::make_shared<tools::Tool>();
  tool->listed_2025_03 = R"({"name":")" + name + R"(","description":"d","inputSchema":)" + schema + "}";
  tool->listed_modern =
      R"({"name":")" + name + R"(","title":"T","description":"d","inputSchema":)" + schema + "}";
  tool->name = std::move(name);
  if (auto compiled = tools::Schema::compile(schema, "test")) tool->input = *compiled;
  return tool;
}

class FakePipeline final : public pipeline::Pipeline {
 public:
  struct Call {
    pipeline::ContextPtr context;
    pipeline::ToolCall call;
    std::shared_ptr<Exchange> exchange;
    pipeline::Done done;
  };

  std::optional<Error> admission, throttle, list_error;
  std::vector<tools::ToolPtr> tools{make_tool("echo"), make_tool("second")};
  // What call_tool does; answers with one text unless set.
  std::function<void(Call&)> on_call;
  std::vector<Call> calls;
  std::vector<std::pair<std::string, Error>> refusals;  // (step, error)
  std::vector<std::string> refused_methods, recorded;
  std::vector<std::string> throttled;  // methods
  std::vector<std::string> seen_cursors;
  std::mutex mutex;  // guards what calls in the background touch: followed
  bool follows = true;
  std::vector<std::pair<std::string, std::function<void(const std::string&)>>> followed;
  // URIs that are watched: who is told. `watch_error`: too many.
  std::multimap<std::string, std::weak_ptr<std::function<void()>>> watched;
  std::optional<Error> watch_error;
  int opened = 0;
  bool admission_throws = false;
  bool saw_authorization = false;

  pipeline::ContextPtr open(const pipeline::Ingress& ingress) override {
    ++opened;
    auto context = std::make_shared<pipeline::Context>();
    context->request_id = "req-" + std::to_string(opened);
    context->peer = std::string(ingress.peer);
    return context;
  }
  void trace(pipeline::Context& context, std::string_view traceparent) override {
    context.traceparent.assign(traceparent);
  }
  bool follow(const std::string& parked, std::function<void(const std::string&)> ended) override {
    const std::lock_guard lock(mutex);
    if (!follows) return false;
    followed.emplace_back(parked, std::move(ended));
    return true;
  }
  std::string save(const pipeline::Context& context) override {
    return dump_json(Json{{"request_id", context.request_id},
                          {"identity", context.principal->identity},
                          {"role", context.principal->role}});
  }
  pipeline::ContextPtr load(const std::string& saved) override {
    const Json json = Json::parse(saved);
    auto context = std::make_shared<pipeline::Context>();
    context->request_id = json.at("request_id").get<std::string>();
    context->principal = std::make_shared<Principal>(
        Principal{json.at("identity").get<std::string>(), json.at("role").get<std::string>()});
    return context;
  }
  pipeline::ContextPtr again(const pipeline::Context& context) override {
    return std::make_shared<pipeline::Context>(context);
  }
  Result<void> admit(pipeline::Context& context, const pipeline::Ingress& ingress) override {
    saw_authorization = ingress.authorization.data() != nullptr;
    if (admission_throws) throw std::runtime_error("boom");
    if (admission) return *admission;
    context.principal = std::make_shared<const Principal>(Principal{"alice", "ops"});
    return {};
  }
  void refused(const pipeline::Context& context, std::string_view step, const Error& error) override {
    refusals.emplace_back(std::string(step), error);
    refused_methods.push_back(context.method);
  }
  Result<void> throttle_method(pipeline::Context& context) override {
    throttled.push_back(context.method);
    if (throttle) return *throttle;
    return {};
  }
  Result<pipeline::ToolPage> list_tools(const pipeline::Context&, std::string_view cursor,
                                        std::size_t page_size) override {
    seen_cursors.emplace_back(cursor);
    if (list_error) return *list_error;
    if (!cursor.empty() && cursor != "next")
      return make_error(Code::malformed, "Invalid cursor: start again without one.");
    pipeline::ToolPage page;
    const std::size_t from = cursor.empty() ? 0 : page_size;
    for (std::size_t i = from; i < std::min(tools.size(), from + page_size); ++i)
      page.tools.push_back(tools[i]);
    if (from + page_size < tools.size()) page.next_cursor = "next";
    return page;
  }
  Result<pipeline::Page> list(const pipeline::Context&, pipeline::List what, std::string_view cursor,
                              std::size_t) override {
    seen_cursors.emplace_back(cursor);
    if (list_error) return *list_error;
    pipeline::Page page;
    page.items.push_back(what == pipeline::List::prompts ? R"({"name":"p"})"
                                                         : R"({"uri":"x://y","name":"y"})");
    return page;
  }
  bool may_read(const pipeline::Context&, std::string_view uri) override {
    return !uri.starts_with("secret:");
  }
  Result<std::shared_ptr<void>> watch(const pipeline::Context&, const std::string& uri,
                                      std::function<void()> changed) override {
    if (!uri.starts_with("vsphere://")) return std::shared_ptr<void>();
    if (watch_error) return *watch_error;
    auto handle = std::make_shared<std::function<void()>>(std::move(changed));
    watched.emplace(uri, handle);
    return std::shared_ptr<void>(handle);
  }
  void record(const pipeline::Context& context, std::string_view subject, bool ok) override {
    recorded.push_back(context.method + " " + std::string(subject) + (ok ? "" : " failed"));
  }
  tools::ToolPtr find_tool(const pipeline::Context&, std::string_view name) override {
    for (const auto& tool : tools)
      if (tool->name == name) return tool;
    return nullptr;
  }
  void call_tool(pipeline::ContextPtr context, pipeline::ToolCall call, std::shared_ptr<Exchange> exchange,
                 pipeline::Done done) override {
    calls.push_back({std::move(context), std::move(call), std::move(exchange), std::move(done)});
    Call& now = calls.back();
    if (on_call) return on_call(now);
    pipeline::ToolAnswer answer;
    if (!find_tool(*now.context, now.call.name))
      answer.protocol = make_error(Code::unknown_tool, "Unknown tool: " + now.call.name);
    else
      answer.texts.push_back("done");
    now.done(std::move(answer));
  }
};

// Where a rig keeps its tasks; removed with it.
struct TaskFolder {
  TaskFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vmcp-tasks-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path = pattern;
  }
  ~TaskFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string path;
};

// An endpoint with its fakes; one request at a time.
class Rig {
 public:
  explicit Rig(Settings s = settings())
      : endpoint(std::move(s), pipeline, background, background, *tasks, log) {}

  static Settings settings() {
    Settings s;
    s.server_version = "0.1.0";
    return s;
  }

  std::shared_ptr<FakeInbound> inbound = std::make_shared<FakeInbound>();
  FakePipeline pipeline;
  SilentLog log;
  SystemClock clock;
  TaskFolder folder;
  std::unique_ptr<vmcp::tasks::TaskStore> tasks =
      std::move(*vmcp::tasks::TaskStore::open(folder.path, {}, clock, log));
  pipeline::Background background{2, 16, log};
  Endpoint endpoint;

  // Sends and returns what came first; FAILs are the caller's.
  const Answer& send(std::string body, Headers extra = {}) {
    inbound = std::make_shared<FakeInbound>();
    return send_prepared(std::move(body), std::move(extra));
  }
  const Answer& send_prepared(std::string body, Headers extra = {}) {
    inbound->text = std::move(body);
    inbound->headers.insert(inbound->headers.end(), extra.begin(), extra.end());
    endpoint.handle(inbound);
    static const Answer none{0, "", "", {}};
    return inbound->answers.empty() ? none : inbound->answers.front();
  }
};

inline std::string header_of(const Answer& answer, std::string_view name) {
  for (const auto& [key, value] : answer.headers)
    if (key == name) return value;
  return "(absent)";
}

// What this server can, as discover and initialize declare it.
inline Json capabilities() {
  return {{"completions", Json::object()},
          {"logging", Json::object()},
          {"prompts", {{"listChanged", true}}},
          {"resources", {{"listChanged", true}, {"subscribe", true}}},
          {"tools", {{"listChanged", true}}}};
}

inline constexpr const char* kModern = "2026-07-28";

// A modern request and the headers that belong to it.
inline Json modern_body(const std::string& method, Json params = Json::object(), Json id = 1) {
  params["_meta"]["io.modelcontextprotocol/protocolVersion"] = kModern;
  params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = Json::object();
  params["_meta"]["io.modelcontextprotocol/clientInfo"] = {{"name", "tester"}, {"version", "1"}};
  return {{"jsonrpc", "2.0"}, {"id", std::move(id)}, {"method", method}, {"params", std::move(params)}};
}
inline Headers modern_headers(const std::string& method, const std::string& name = {}) {
  Headers h{{"MCP-Protocol-Version", kModern}, {"Mcp-Method", method}};
  if (!name.empty()) h.emplace_back("Mcp-Name", name);
  return h;
}
inline Json legacy_body(const std::string& method, Json params = nullptr, Json id = 1) {
  Json body{{"jsonrpc", "2.0"}, {"id", std::move(id)}, {"method", method}};
  if (!params.is_null()) body["params"] = std::move(params);
  return body;
}

inline void answer_text(FakePipeline::Call& call, const char* text = "done") {
  pipeline::ToolAnswer answer;
  answer.texts.push_back(text);
  call.done(std::move(answer));
}

}  // namespace vmcp::mcp::fakes
