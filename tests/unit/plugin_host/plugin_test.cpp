// A plugin of C++ lambdas in this very program, behind the same tables and checks as a loaded one.
#include "plugin_host/plugin.h"

#include <doctest/doctest.h>

#include <limits>
#include <stdexcept>
#include <thread>

#include "plugin_host/foreign.h"

using namespace vmcp;
using namespace vmcp::plugin_host;

namespace {

// What the plugin of the running test does.
struct Behaviour {
  std::function<vmcp_status(vmcp_call*)> run, read, get, complete;
  std::function<void()> on_start;
  const char* schemes = "acme";
  const char* resource_uri = "acme://one";
  bool listing_throws = false;
};
Behaviour* behaviour = nullptr;
const vmcp_host* host = nullptr;

vmcp_status behave(const std::function<vmcp_status(vmcp_call*)>& how, vmcp_call* call) {
  return how ? how(call) : static_cast<vmcp_status>(VMCP_OK);
}

const vmcp_tools_1 kTools = {
    sizeof(vmcp_tools_1), 0, [](const vmcp_plugin*) { return 0u; },
    [](const vmcp_plugin*, uint32_t) -> const vmcp_tool* { return nullptr; },
    [](const vmcp_plugin*, uint32_t, vmcp_call* c, vmcp_str) { return behave(behaviour->run, c); }};
const vmcp_resources_1 kResources = {
    sizeof(vmcp_resources_1),
    0,
    [](const vmcp_plugin*) { return 1u; },
    [](const vmcp_plugin*, uint32_t) -> const vmcp_resource* {
      if (behaviour->listing_throws) throw std::runtime_error("listing");
      static vmcp_resource one{
          sizeof(vmcp_resource), 0, nullptr, "one", nullptr, nullptr, nullptr, nullptr, nullptr};
      one.uri = behaviour->resource_uri;
      return &one;
    },
    nullptr,
    nullptr,
    [](const vmcp_plugin*) { return behaviour->schemes; },
    [](const vmcp_plugin*, vmcp_call* c, vmcp_str) { return behave(behaviour->read, c); }};
const vmcp_prompts_1 kPrompts = {
    sizeof(vmcp_prompts_1), 0, [](const vmcp_plugin*) { return 1u; },
    [](const vmcp_plugin*, uint32_t) -> const vmcp_prompt* {
      static const vmcp_prompt begin{sizeof(vmcp_prompt), 0, "begin", nullptr, "How to begin.", nullptr};
      return &begin;
    },
    [](const vmcp_plugin*, uint32_t, vmcp_call* c, vmcp_str) { return behave(behaviour->get, c); }};
const vmcp_completion_1 kCompletion = {sizeof(vmcp_completion_1), 0,
                                       [](const vmcp_plugin*, vmcp_call* c, vmcp_str, vmcp_str, vmcp_str,
                                          vmcp_str) { return behave(behaviour->complete, c); }};
const vmcp_plugin kPlugin = {sizeof(vmcp_plugin),
                             0,
                             nullptr,
                             [](const vmcp_plugin*, const char* iface) -> const void* {
                               const std::string_view id(iface);
                               if (id == VMCP_IFACE_TOOLS) return &kTools;
                               if (id == VMCP_IFACE_RESOURCES) return &kResources;
                               if (id == VMCP_IFACE_PROMPTS) return &kPrompts;
                               if (id == VMCP_IFACE_COMPLETION) return &kCompletion;
                               return nullptr;
                             },
                             [](const vmcp_plugin*, vmcp_str) {
                               if (behaviour->on_start) behaviour->on_start();
                               return static_cast<vmcp_status>(VMCP_OK);
                             },
                             [](const vmcp_plugin*) { return static_cast<vmcp_status>(VMCP_OK); },
                             [](const vmcp_plugin*) {}};
const vmcp_entry kEntry = {sizeof(vmcp_entry),
                           VMCP_ABI_MAJOR,
                           VMCP_ABI_MINOR,
                           "org.example.lambda",
                           "1.0.0",
                           [](const vmcp_host* h, const vmcp_plugin** out) {
                             host = h;
                             *out = &kPlugin;
                             return static_cast<vmcp_status>(VMCP_OK);
                           }};

const vmcp_entry* lambda_entry() {
  return &kEntry;
}

struct Rig {
  Behaviour does;
  SilentLog log;
  std::vector<Change> changes;
  Manifest manifest;
  std::shared_ptr<Plugin> plugin;
  Invocation invocation;

  Rig() {
    behaviour = &does;
    manifest.id = "org.example.lambda";
    manifest.version = "1.0.0";
    manifest.interfaces = {VMCP_IFACE_CALL,   VMCP_IFACE_INVENTORY, VMCP_IFACE_LOG,
                           VMCP_IFACE_NOTIFY, VMCP_IFACE_VCENTER,   VMCP_IFACE_VIM};
    manifest.offers.schemes = {"acme"};
    manifest.offers.reads = true;
    manifest.offers.completion = true;
    manifest.offers.resources.push_back({"acme://one", "one", "", "", "", "", ""});
    manifest.offers.prompts.push_back({"begin", "", "How to begin.", ""});
  }
  ~Rig() { plugin.reset(); }
  Result<std::shared_ptr<Plugin>> open() {
    return Plugin::open(lambda_entry, manifest, log, [this](const Change& c) { changes.push_back(c); });
  }
  void load() {
    auto opened = open();
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.error().text));
    plugin = *opened;
    REQUIRE(plugin->start("{}").ok());
  }
  // One round of a tool that does `what`.
  vmcp_status run(std::function<vmcp_status(vmcp_call*)> what) {
    if (!plugin) load();
    does.run = std::move(what);
    return plugin->run(0, invocation, "{}");
  }
};

const vmcp_call_1& calls() {
  return *static_cast<const vmcp_call_1*>(host->query(host, VMCP_IFACE_CALL));
}
const vmcp_notify_1& notifications() {
  return *static_cast<const vmcp_notify_1*>(host->query(host, VMCP_IFACE_NOTIFY));
}

constexpr const char* kForm =
    R"({"method":"elicitation/create","params":{"message":"m","requestedSchema":{"type":"object","properties":{}}}})";
constexpr const char* kRoots = R"({"method":"roots/list","params":{}})";

vmcp_status ask(vmcp_call* c, std::string_view key, std::string_view request) {
  return calls().need_input(c, span(key), span(request));
}

}  // namespace

TEST_CASE("plugin: finds the host's tables that its manifest names, and no others") {
  Rig rig;
  rig.manifest.interfaces = {VMCP_IFACE_CALL, VMCP_IFACE_INVENTORY};
  rig.load();
  CHECK(host->query(host, VMCP_IFACE_CALL) != nullptr);
  CHECK(host->query(host, VMCP_IFACE_INVENTORY) != nullptr);
  CHECK(host->query(host, VMCP_IFACE_LOG) != nullptr);
  for (const char* withheld : {VMCP_IFACE_VCENTER, VMCP_IFACE_VIM, VMCP_IFACE_NOTIFY})
    CHECK(host->query(host, withheld) == nullptr);
}

TEST_CASE("plugin: progress must grow, is told, and is nothing that cannot be counted") {
  Rig rig;
  std::vector<std::string> told;
  rig.invocation.on_progress = [&](double done, double total, std::string_view note) {
    told.push_back(std::to_string(int(done)) + "/" + std::to_string(int(total)) + " " + std::string(note));
  };
  rig.run([](vmcp_call* c) {
    const vmcp_str note = span("half, password=hunter2");
    CHECK(calls().progress(c, 0, 10, {nullptr, 0}) == VMCP_OK);
    CHECK(calls().progress(c, 0, 10, {nullptr, 0}) == VMCP_E_INVALID);
    CHECK(calls().progress(c, 5, 10, note) == VMCP_OK);
    CHECK(calls().progress(c, 4, 10, note) == VMCP_E_INVALID);
    CHECK(calls().progress(c, std::numeric_limits<double>::quiet_NaN(), 10, note) == VMCP_E_INVALID);
    CHECK(calls().progress(c, 6, std::numeric_limits<double>::infinity(), note) == VMCP_E_INVALID);
    CHECK(calls().progress(c, -7, 0, note) == VMCP_E_INVALID);
    CHECK(calls().progress(nullptr, 8, 0, note) == VMCP_E_FAULT);
    return static_cast<vmcp_status>(VMCP_OK);
  });
  REQUIRE(told.size() == 2);
  CHECK(told[0] == "0/10 ");
  CHECK(told[1].find("hunter2") == std::string::npos);
  CHECK(told[1].substr(0, 5) == "5/10 ");
}

TEST_CASE("plugin: input is asked for only of a client that can be asked it") {
  Rig rig;
  rig.invocation.client_can = {"roots"};
  const vmcp_status status = rig.run([](vmcp_call* c) {
    CHECK(ask(c, "form", kForm) == VMCP_E_UNSUPPORTED);
    CHECK(ask(c, "roots", kRoots) == VMCP_OK);
    CHECK(ask(c, "roots", kRoots) == VMCP_OK);  // the same key again replaces
    CHECK(calls().client_can(c, span("roots")) == 1);
    CHECK(calls().client_can(c, span("sampling")) == 0);
    CHECK(calls().client_can(c, {nullptr, 0}) == 0);
    CHECK(calls().await_task(c, span("task-1")) < 0);
    return static_cast<vmcp_status>(VMCP_SUSPENDED);
  });
  CHECK(status == VMCP_SUSPENDED);
  CHECK(rig.invocation.requests.size() == 1);
  CHECK(rig.invocation.requests["roots"] == kRoots);
  CHECK(rig.invocation.client_lacks == "elicitation.form");
}

TEST_CASE("plugin: keys, requests and their number are bounded") {
  Rig rig;
  rig.invocation.client_can = {"roots"};
  rig.run([](vmcp_call* c) {
    for (const std::string& key : {std::string(), std::string("with blank"), std::string(65, 'k'),
                                   std::string("slash/"), std::string("task")}) {
      CAPTURE(key);
      CHECK(ask(c, key, kRoots) == VMCP_E_INVALID);
    }
    CHECK(ask(c, "bad", R"({"method":"roots/list"})") == VMCP_E_INVALID);
    CHECK(ask(c, "bad", "") == VMCP_E_INVALID);
    const std::string large = R"({"method":"roots/list","params":{"x":")" + std::string(70'000, 'x') + "\"}}";
    CHECK(ask(c, "large", large) == VMCP_E_LIMIT);
    for (int i = 0; i < 16; ++i) CHECK(ask(c, "k" + std::to_string(i), kRoots) == VMCP_OK);
    CHECK(ask(c, "k16", kRoots) == VMCP_E_LIMIT);
    CHECK(ask(c, std::string(64, 'k'), kRoots) == VMCP_E_LIMIT);
    CHECK(ask(c, "k15", kRoots) == VMCP_OK);
    return static_cast<vmcp_status>(VMCP_SUSPENDED);
  });
  CHECK(rig.invocation.requests.size() == 16);
}

TEST_CASE("plugin: nothing is asked once a change was sent or a task is awaited, nor by a completion") {
  Rig rig;
  rig.invocation.client_can = {"roots"};
  rig.invocation.sent_change = true;
  const auto asks = [](vmcp_status expected) {
    return [expected](vmcp_call* c) {
      CHECK(ask(c, "k", kRoots) == expected);
      return static_cast<vmcp_status>(VMCP_OK);
    };
  };
  rig.run(asks(VMCP_E_CONFLICT));
  rig.invocation.sent_change = false;
  rig.invocation.awaited_task = "task-1";
  rig.run(asks(VMCP_E_CONFLICT));
  rig.invocation.awaited_task.clear();
  rig.run(asks(VMCP_OK));
  rig.does.complete = asks(VMCP_E_UNSUPPORTED);
  rig.plugin->complete(rig.invocation, "{}", "a", "", "{}");
}

TEST_CASE("plugin: what was answered is read under its key, what was not is not there") {
  Rig rig;
  rig.invocation.inputs["name"] = R"({"action":"accept"})";
  rig.run([](vmcp_call* c) {
    std::string got;
    const vmcp_sink sink{&got,
                         [](void* to, vmcp_str bytes) { *static_cast<std::string*>(to) = view(bytes); }};
    CHECK(calls().input(c, span("name"), sink) == VMCP_OK);
    CHECK(got == R"({"action":"accept"})");
    CHECK(calls().input(c, span("other"), sink) == VMCP_E_NOT_FOUND);
    return static_cast<vmcp_status>(VMCP_OK);
  });
}

TEST_CASE("plugin: log lines have a known level and JSON data, and are masked") {
  Rig rig;
  std::vector<std::string> lines;
  rig.invocation.on_log = [&](std::string_view level, std::string_view logger, std::string_view data) {
    lines.push_back(std::string(level) + " " + std::string(logger) + " " + std::string(data));
  };
  rig.run([](vmcp_call* c) {
    CHECK(calls().log(c, span("notice"), span("me"), span("{\"a\":1,\n\"password\":\"x\"}")) == VMCP_OK);
    CHECK(calls().log(c, span("loud"), {nullptr, 0}, span("1")) == VMCP_E_INVALID);
    CHECK(calls().log(c, span("info"), {nullptr, 0}, span("not json")) == VMCP_E_INVALID);
    CHECK(calls().log(c, span("info"), {nullptr, 0}, span(std::string(70'000, '1'))) == VMCP_E_LIMIT);
    return static_cast<vmcp_status>(VMCP_OK);
  });
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] == R"(notice me {"a":1,"password":"[secret]"})");
  rig.invocation.on_log = nullptr;
  rig.run([](vmcp_call* c) { return calls().log(c, span("info"), {nullptr, 0}, span("1")); });
}

TEST_CASE("plugin: blocks are checked by what the call is for, and are bounded") {
  Rig rig;
  rig.invocation.output.max_json_bytes = 300;
  rig.invocation.output.max_blocks = 3;
  rig.run([](vmcp_call* c) {
    CHECK(calls().add_content(c, span(R"({"type":"text","text":"1"})")) == VMCP_OK);
    CHECK(calls().add_content(c, span(R"({"uri":"acme://one","text":"1"})")) == VMCP_E_INVALID);
    CHECK(view(calls().last_error(c)).find("type") != std::string_view::npos);
    CHECK(calls().add_content(c, {nullptr, 0}) == VMCP_E_INVALID);
    const std::string large = R"({"type":"text","text":")" + std::string(300, 'x') + "\"}";
    CHECK(calls().add_content(c, span(large)) == VMCP_E_LIMIT);
    CHECK(calls().add_content(c, span(R"({"type":"text","text":"2"})")) == VMCP_OK);
    CHECK(calls().add_content(c, span(R"({"type":"text","text":"3"})")) == VMCP_OK);
    CHECK(calls().add_content(c, span(R"({"type":"text","text":"4"})")) == VMCP_E_LIMIT);
    return static_cast<vmcp_status>(VMCP_OK);
  });
  CHECK(rig.invocation.blocks.size() == 3);
  CHECK(rig.invocation.failure.has_value());
}

TEST_CASE("plugin: the trace is handed on, and a stream is closed where there is one") {
  Rig rig;
  rig.invocation.traceparent = "00-1-2-01";
  int closed = 0;
  const auto closes = [](vmcp_call* c) {
    CHECK(view(calls().traceparent(c)) == "00-1-2-01");
    return calls().close_stream(c);
  };
  CHECK(rig.run(closes) == VMCP_OK);
  rig.invocation.on_close_stream = [&] { ++closed; };
  CHECK(rig.run(closes) == VMCP_OK);
  CHECK(closed == 1);
}

TEST_CASE("plugin: resources, prompts and completions run under read effect and answer in their own shape") {
  Rig rig;
  rig.load();
  CHECK(rig.plugin->resources().size() == 1);
  CHECK(rig.plugin->prompts().size() == 1);
  CHECK(rig.plugin->templates().empty());
  CHECK(rig.plugin->has_completion());
  rig.invocation.allowed = Allowed::change;
  rig.does.read = [](vmcp_call* c) {
    return calls().add_content(c, span(R"({"uri":"acme://one","text":"1"})"));
  };
  CHECK(rig.plugin->read_resource("acme://one", rig.invocation) == VMCP_OK);
  CHECK(rig.invocation.allowed == Allowed::read);
  CHECK(rig.invocation.blocks.size() == 1);
  for (const std::string& foreign :
       {std::string("vsphere://x"), std::string("acm://x"), "acme://" + std::string(3000, 'x')})
    CHECK(rig.plugin->read_resource(foreign, rig.invocation) == VMCP_E_NOT_FOUND);

  rig.invocation = {};
  rig.does.get = [](vmcp_call* c) {
    return calls().add_content(c, span(R"({"role":"user","content":{"type":"text","text":"1"}})"));
  };
  CHECK(rig.plugin->get_prompt(0, rig.invocation, "{}") == VMCP_OK);
  CHECK(rig.invocation.blocks.size() == 1);

  rig.invocation = {};
  rig.does.complete = [](vmcp_call* c) { return calls().set_json(c, span(R"({"values":["a"]})")); };
  CHECK(rig.plugin->complete(rig.invocation, "{}", "a", "", "{}") == VMCP_OK);
  rig.does.complete = [](vmcp_call* c) { return calls().set_json(c, span(R"({"values":7})")); };
  CHECK(rig.plugin->complete(rig.invocation, "{}", "a", "", "{}") == VMCP_E_FAULT);
  rig.does.complete = [](vmcp_call*) { return static_cast<vmcp_status>(VMCP_SUSPENDED); };
  rig.invocation = {};
  CHECK(rig.plugin->complete(rig.invocation, "{}", "a", "", "{}") == VMCP_E_FAULT);
  CHECK(rig.invocation.failure.has_value());
}

TEST_CASE("plugin: an exception out of any of its functions costs that call and nothing else") {
  Rig rig;
  rig.load();
  const auto throws = [](vmcp_call*) -> vmcp_status { throw std::runtime_error("no"); };
  rig.does.run = rig.does.read = rig.does.get = rig.does.complete = throws;
  for (int which = 0; which < 4; ++which) {
    CAPTURE(which);
    Invocation i;
    const vmcp_status status = which == 0   ? rig.plugin->run(0, i, "{}")
                               : which == 1 ? rig.plugin->read_resource("acme://one", i)
                               : which == 2 ? rig.plugin->get_prompt(0, i, "{}")
                                            : rig.plugin->complete(i, "{}", "a", "", "{}");
    CHECK(status == VMCP_E_FAULT);
    REQUIRE(i.failure.has_value());
    CHECK(i.failure->text.find("org.example.lambda") != std::string::npos);
  }
}

TEST_CASE("plugin: notifications arrive from start on, only for its own URIs, and not without bound") {
  Rig rig;
  std::vector<vmcp_status> during_start;
  auto opened = rig.open();
  REQUIRE(opened.ok());
  CHECK(notifications().tools_changed(host) == VMCP_E_UNAVAILABLE);
  rig.does.on_start = [&] { during_start.push_back(notifications().tools_changed(host)); };
  rig.plugin = *opened;
  REQUIRE(rig.plugin->start("{}").ok());
  CHECK(during_start == std::vector<vmcp_status>{VMCP_OK});
  CHECK(notifications().prompts_changed(host) == VMCP_OK);
  CHECK(notifications().resources_changed(host) == VMCP_OK);
  std::thread([] { CHECK(notifications().resource_updated(host, span("acme://one")) == VMCP_OK); }).join();
  CHECK(notifications().resource_updated(host, span("vsphere://one")) == VMCP_E_DENIED);
  CHECK(notifications().resource_updated(host, {nullptr, 0}) == VMCP_E_INVALID);
  CHECK(notifications().tools_changed(nullptr) == VMCP_E_INVALID);
  REQUIRE(rig.changes.size() == 4);
  CHECK(rig.changes[0].kind == Change::Kind::tools);
  CHECK(rig.changes[1].kind == Change::Kind::prompts);
  CHECK(rig.changes[2].kind == Change::Kind::resources);
  CHECK(rig.changes[3].kind == Change::Kind::updated);
  CHECK(rig.changes[3].uri == "acme://one");
  CHECK(rig.changes[3].plugin_id == "org.example.lambda");
  int refused = 0;
  for (int i = 0; i < 5000; ++i)
    if (notifications().tools_changed(host) == VMCP_E_LIMIT) ++refused;
  CHECK(refused > 0);
}

TEST_CASE("plugin: declarations that cannot be trusted refuse the load") {
  const auto reason = [](auto change) {
    Rig rig;
    change(rig);
    auto opened = rig.open();
    REQUIRE_FALSE(opened.ok());
    return opened.error().text;
  };
  const auto names = [](const std::string& text, const char* word) {
    CHECK_MESSAGE(text.find(word) != std::string::npos, text);
  };
  names(reason([](Rig& r) { r.does.listing_throws = true; }), "exception");
  names(reason([](Rig& r) { r.does.resource_uri = "other://one"; }), "not this plugin's");
  names(reason([](Rig& r) { r.does.resource_uri = nullptr; }), "URI");
  names(reason([](Rig& r) { r.does.schemes = "https"; }), "cannot belong");
  names(reason([](Rig& r) { r.does.schemes = "acme,more"; }), "manifest");
  names(reason([](Rig& r) { r.manifest.offers.prompts.clear(); }), "prompts");
  names(reason([](Rig& r) { r.manifest.offers.completion = false; }), "completion");
  static const std::string endless(5000, 'a');
  names(reason([](Rig& r) { r.does.schemes = endless.c_str(); }), "too long");
}
