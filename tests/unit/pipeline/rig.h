// A whole pipeline over fakes: one plugin whose behaviour a test writes as a lambda, one vCenter that counts
// what it receives, one inventory with two VMs, a journal that can be broken.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>

#include "pipeline/guarded_pipeline.h"
#include "plugin_host/plugin.h"

namespace rig {

using namespace vmcp;

// ---- the plugin

using Behaviour = std::function<vmcp_status(const vmcp_host*, vmcp_call*, std::string_view args)>;

struct Script {
  std::map<std::string, Behaviour> run, preview;
};

inline Script* script = nullptr;  // what the plugin under test does; set by Rig
inline const vmcp_host* plugin_host_table = nullptr;

inline const std::vector<vmcp_tool>& declarations() {
  static const std::vector<vmcp_tool> all = [] {
    const auto tool = [](const char* name, uint32_t effect, uint32_t flags, const char* schema,
                         uint32_t parallel) {
      vmcp_tool t{};
      t.size = sizeof t;
      t.effect = effect;
      t.flags = flags;
      t.max_parallel = parallel;
      t.name = name;
      t.title = name;
      t.description = "A tool of the tests.";
      t.input_schema = schema;
      return t;
    };
    constexpr const char* kVm =
        R"({"type":"object","properties":{"vm_id":{"type":"string","x-vmcp-kind":"vm"}},"required":["vm_id"],"additionalProperties":false})";
    constexpr const char* kText =
        R"({"type":"object","properties":{"text":{"type":"string"}},"additionalProperties":false})";
    constexpr const char* kMany =
        R"({"type":"object","properties":{"vm_ids":{"type":"array","items":{"type":"string","x-vmcp-kind":"vm"}},"vm_id":{"type":"string","x-vmcp-kind":"vm"}},"additionalProperties":false})";
    vmcp_tool report = tool("report", VMCP_EFFECT_READ, VMCP_TOOL_NO_UPSTREAM, kText, 0);
    report.output_schema = R"({"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]})";
    return std::vector<vmcp_tool>{
        tool("echo", VMCP_EFFECT_READ, VMCP_TOOL_NO_UPSTREAM, kText, 0),
        tool("look", VMCP_EFFECT_READ, 0, kVm, 0),
        tool("change_vm", VMCP_EFFECT_CHANGE, 0, kVm, 1),
        tool("destroy_vm", VMCP_EFFECT_DESTROY, VMCP_TOOL_NEEDS_CONFIRM, kVm, 0),
        tool("change_many", VMCP_EFFECT_CHANGE, 0, kMany, 0),
        report,
    };
  }();
  return all;
}

inline const vmcp_entry* entry() {
  static const vmcp_tools_1 tools = {
      sizeof(vmcp_tools_1), 0,
      [](const vmcp_plugin*) { return static_cast<uint32_t>(declarations().size()); },
      [](const vmcp_plugin*, uint32_t i) -> const vmcp_tool* { return &declarations().at(i); },
      [](const vmcp_plugin*, uint32_t i, vmcp_call* c, vmcp_str args) {
        const auto it = script->run.find(declarations().at(i).name);
        return it == script->run.end() ? VMCP_OK : it->second(plugin_host_table, c, {args.ptr, args.len});
      }};
  static const vmcp_preview_1 preview = {
      sizeof(vmcp_preview_1), 0, [](const vmcp_plugin*, uint32_t i, vmcp_call* c, vmcp_str args) {
        const auto it = script->preview.find(declarations().at(i).name);
        return it == script->preview.end() ? static_cast<vmcp_status>(VMCP_E_UNSUPPORTED)
                                           : it->second(plugin_host_table, c, {args.ptr, args.len});
      }};
  static const vmcp_plugin plugin = {
      sizeof(vmcp_plugin),
      0,
      nullptr,
      [](const vmcp_plugin*, const char* id) -> const void* {
        if (std::string_view(id) == VMCP_IFACE_TOOLS) return &tools;
        if (std::string_view(id) == VMCP_IFACE_PREVIEW) return &preview;
        return nullptr;
      },
      [](const vmcp_plugin*, vmcp_str) { return static_cast<vmcp_status>(VMCP_OK); },
      [](const vmcp_plugin*) { return static_cast<vmcp_status>(VMCP_OK); },
      [](const vmcp_plugin*) {}};
  static const vmcp_entry e = {sizeof(vmcp_entry),
                               VMCP_ABI_MAJOR,
                               VMCP_ABI_MINOR,
                               "org.example.rig",
                               "1.0.0",
                               [](const vmcp_host* host, const vmcp_plugin** out) {
                                 plugin_host_table = host;
                                 *out = &plugin;
                                 return static_cast<vmcp_status>(VMCP_OK);
                               }};
  return &e;
}

inline plugin_host::Manifest manifest() {
  plugin_host::Manifest m;
  m.id = "org.example.rig";
  m.version = "1.0.0";
  m.previews = true;
  m.interfaces = {VMCP_IFACE_CALL,   VMCP_IFACE_INVENTORY, VMCP_IFACE_LOG,
                  VMCP_IFACE_NOTIFY, VMCP_IFACE_VCENTER,   VMCP_IFACE_VIM};
  for (const vmcp_tool& t : declarations()) m.tools.push_back(*plugin_host::check_tool(&t));
  return m;
}

template <class T>
const T* table(const vmcp_host* host, const char* id) {
  return static_cast<const T*>(host->query(host, id));
}
inline const vmcp_call_1* call_table(const vmcp_host* host) {
  return table<vmcp_call_1>(host, VMCP_IFACE_CALL);
}
inline vmcp_str str(std::string_view s) {
  return {s.data(), s.size()};
}

// ---- the vCenter

class FakeConnection final : public vcenter::Connection {
 public:
  const std::string& name() const override { return name_; }
  vcenter::Reply automation(const vcenter::AutomationRequest& r, const CallLimits& limits) override {
    const std::lock_guard lock(mutex_);
    traceparent = limits.traceparent;
    requests.push_back(std::string(r.method) + " " + std::string(r.path));
    vcenter::Reply reply;
    reply.http_status = failure ? 400 : 204;
    reply.error = failure;
    return reply;
  }
  vcenter::Reply vim(const vcenter::VimRequest& r, const CallLimits&) override {
    const std::lock_guard lock(mutex_);
    requests.push_back(std::string(r.type) + "." + std::string(r.member) + " " + std::string(r.moref));
    vcenter::Reply reply;
    reply.http_status = 200;
    if (r.member == "info") {
      reply.body = std::string(R"({"_typeName":"TaskInfo","key":"task-1","state":)") +
                   (++task_reads > task_ends_after ? R"("success"})" : running_state + "}");
    } else if (r.member.ends_with("_Task")) {
      reply.body = R"({"_typeName":"ManagedObjectReference","type":"Task","value":"task-1"})";
    }
    return reply;
  }
  Result<vcenter::About> about(const CallLimits&) override { return vcenter::About{}; }
  void close() override {}

  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return requests.size();
  }
  std::vector<std::string> requests;
  std::optional<Error> failure;  // of every Automation request
  std::string traceparent;       // of the last one
  int task_reads = 0;
  std::string running_state = R"("running")";  // as JSON
  std::atomic<int> task_ends_after{1};

 private:
  std::string name_ = "vc.example";
  std::mutex mutex_;
};

class FakeFleet final : public vcenter::Fleet {
 public:
  explicit FakeFleet(FakeConnection& c) : c_(c) {}
  Result<vcenter::Connection*> find(std::string_view hostname) override {
    if (hostname.empty() || hostname == c_.name()) return static_cast<vcenter::Connection*>(&c_);
    return make_error(Code::invalid_argument, "Hostname '" + std::string(hostname) + "' not in allowed set");
  }
  std::vector<std::string> names() const override { return {c_.name()}; }
  void close() override {}

 private:
  FakeConnection& c_;
};

class FakeInventory final : public inventory::Inventory {
 public:
  Result<inventory::Object> resolve(vcenter::Connection& vc, std::string_view kind, std::string_view text,
                                    const inventory::Visible& visible, const CallLimits&) override {
    ++resolves;
    // Found, and yet nothing that anybody may use.
    if (text == unusable) return inventory::Object{};
    if (text == broken) throw std::runtime_error("out of the inventory");
    for (const char* name : {"alpha", "beta"}) {
      inventory::Object o;
      o.kind = kind;
      o.vcenter = vc.name();
      o.id = name == std::string_view("alpha") ? "vm-1" : "vm-2";
      o.name = name;
      if ((text == o.id || text == o.name) && visible(o)) return o;
    }
    return make_error(Code::not_found, "No vm '" + std::string(text) + "'");
  }
  Result<inventory::Object> resolve_within(vcenter::Connection&, const inventory::Object&, std::string_view,
                                           std::string_view, const CallLimits&) override {
    return make_error(Code::not_found, "none");
  }
  Result<inventory::Object> find(vcenter::Connection&, std::string_view, std::string_view,
                                 const inventory::Visible&, const CallLimits&) override {
    return make_error(Code::not_found, "none");
  }
  Result<std::string> get(vcenter::Connection&, std::string_view, std::string_view,
                          const std::vector<std::string>& properties, const inventory::Visible&,
                          const CallLimits&) override {
    const std::lock_guard lock(mutex);
    ++reads;
    asked = properties;
    if (reads == becomes_at) state = becomes;
    if (failure) return *failure;
    return state;
  }
  Result<std::string> list(vcenter::Connection&, const Json&, const inventory::Visible&,
                           const CallLimits&) override {
    return std::string(R"({"objects":[]})");
  }
  // Nothing is on, in a cluster or tagged here: a rule that depends on it finds nothing.
  Result<std::vector<inventory::Facts>> facts(vcenter::Connection&,
                                              const std::vector<const inventory::Object*>& objects,
                                              const inventory::FactsWanted&, const CallLimits&) override {
    return std::vector<inventory::Facts>(objects.size());
  }
  Result<std::shared_ptr<const inventory::FactTable>> all_facts(vcenter::Connection&,
                                                                const inventory::FactsWanted&,
                                                                const CallLimits&) override {
    return std::make_shared<const inventory::FactTable>(inventory::FactsWanted{}, nullptr, nullptr);
  }
  void changed(vcenter::Connection&) override { ++changes; }
  void become(std::string json, std::optional<Error> error = std::nullopt) {
    const std::lock_guard lock(mutex);
    state = std::move(json);
    failure = std::move(error);
  }
  std::atomic<int> changes{0}, resolves{0}, reads{0};
  int becomes_at = -1;  // the read that finds `becomes`, as those after it do
  std::string becomes;
  std::mutex mutex;  // guards what get() answers
  std::string state = "{}";
  std::vector<std::string> asked;  // properties of the last get()
  std::optional<Error> failure;
  std::string unusable = "unusable", broken = "broken";
};

// ---- the journal

struct JournalState {
  std::mutex mutex;
  std::string text;
  std::atomic<bool> fail_append{false}, fail_sync{false};
};

class FakeJournal final : public audit::JournalFile {
 public:
  explicit FakeJournal(std::shared_ptr<JournalState> s) : s_(std::move(s)) {}
  Result<void> append(std::string_view bytes) override {
    if (s_->fail_append) return make_error(Code::unavailable, "no space");
    const std::lock_guard lock(s_->mutex);
    s_->text += bytes;
    return {};
  }
  Result<void> sync() override {
    if (s_->fail_sync) return make_error(Code::unavailable, "sync failed");
    return {};
  }
  Result<void> check() override { return {}; }

 private:
  std::shared_ptr<JournalState> s_;
};

// ---- the transport

class FakeExchange final : public Exchange {
 public:
  CancelFlag disconnected() const override { return flag; }
  void answer_by(SteadyTime, std::function<void()> f) override { overrun = std::move(f); }
  bool enter_blocking() override { return allow_blocking && ++blocked > 0; }
  void leave_blocking() override { --blocked; }
  CancelFlag flag;
  std::function<void()> overrun;
  bool allow_blocking = true;
  int blocked = 0;
};

// ---- all of it

class Rig {
 public:
  explicit Rig(pipeline::Settings settings = {}, bool read_only = false,
               const throttle::Settings& throttling = limits())
      : fleet(connection),
        authenticator(*auth::Authenticator::make({{Secret("token-of-reader-0001"), "", "reader", "read"},
                                                  {Secret("token-of-admin-00001"), "", "boss", "admin"}},
                                                 true, "")),
        policy(std::make_shared<const policy::Policy>(std::move(*policy::Policy::make(
            {{"read", {{"echo", "look"}, {}, {}}}, {"admin", {{"*"}, {}, {}}}}, read_only, "v1")))),
        limiter(throttling, clock, &log),
        slots(throttling) {
    script = &plan;
    std::string pattern = (std::filesystem::temp_directory_path() / "vmcp-rig-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    audit::Settings audit_settings;
    audit_settings.journal_file = folder + "/journal.jsonl";
    audit_settings.chain_key = Secret(std::string(32, 'k'));
    audit_settings.view_path = folder + "/audit.jsonl";
    auto opened = audit::Audit::open(audit_settings, clock, log, std::make_unique<FakeJournal>(journal));
    REQUIRE(opened.ok());
    audit = std::move(*opened);
    watcher.emplace(tasks::Settings{milliseconds(20), milliseconds(60'000), 10}, *audit, clock, log);
    auto plugin = plugin_host::Plugin::open(entry, manifest(), log);
    REQUIRE_MESSAGE(plugin.ok(), (plugin.ok() ? "" : plugin.error().text));
    plugin_host::Loaded loaded;
    loaded.name = "rig";
    loaded.plugin = *plugin;
    auto added = registry.add(loaded);
    REQUIRE_MESSAGE(added.ok(), (added.ok() ? "" : added.error().text));
    catalog.publish(offered);
    pipeline.emplace(pipeline::Services{settings, authenticator, policy, locks, approvals, limiter, slots,
                                        catalog, fleet, inventory, *audit, *watcher, rounds, objects, clock,
                                        log});
  }
  ~Rig() {
    watcher.reset();
    audit.reset();
    std::filesystem::remove_all(folder);
  }

  static pipeline::WatchSettings watch_settings() {
    pipeline::WatchSettings s;
    s.interval = milliseconds(5);
    s.pause = milliseconds(1);
    s.max_objects = 3;
    return s;
  }
  static throttle::Settings limits() {
    throttle::Settings s;
    s.identity = {1000, 1000};
    s.address = {1000, 1000};
    return s;
  }

  pipeline::ContextPtr admitted(std::string_view token = "token-of-admin-00001") {
    header = "Bearer " + std::string(token);
    const pipeline::Ingress ingress{"127.0.0.1", header, 1, {}};
    auto context = pipeline->open(ingress);
    auto r = pipeline->admit(*context, ingress);
    REQUIRE(r.ok());
    context->method = "tools/call";
    return context;
  }

  pipeline::ToolAnswer call(const std::string& tool, Json arguments,
                            std::string_view token = "token-of-admin-00001") {
    pipeline::ToolAnswer out;
    int answers = 0;
    exchange = std::make_shared<FakeExchange>();
    pipeline->call_tool(admitted(token), {tool, std::move(arguments), ""}, exchange,
                        [&](pipeline::ToolAnswer&& a) {
                          ++answers;
                          out = std::move(a);
                        });
    CHECK(answers == 1);
    CHECK(exchange->blocked == 0);
    return out;
  }

  // The audit view's lines so far, parsed.
  std::vector<Json> lines() {
    REQUIRE(audit->flush(milliseconds(5000)));
    std::vector<Json> out;
    std::ifstream in(folder + "/audit.jsonl");
    for (std::string line; std::getline(in, line);) out.push_back(Json::parse(line));
    return out;
  }
  std::vector<std::string> events() {
    std::vector<std::string> out;
    for (const Json& line : lines()) out.push_back(line.value("event", ""));
    return out;
  }

  SystemClock clock;
  SilentLog log;
  Script plan;
  std::string folder, header;
  FakeConnection connection;
  FakeFleet fleet;
  FakeInventory inventory;
  auth::Callers authenticator;
  policy::CurrentPolicy policy;
  locks::Locks locks{clock};
  approvals::Approvals approvals{{}, clock};
  throttle::Limiter limiter;
  throttle::Slots slots;
  std::shared_ptr<JournalState> journal = std::make_shared<JournalState>();
  std::unique_ptr<audit::Audit> audit;
  std::optional<tasks::Watcher> watcher;
  pipeline::ObjectWatch objects{watch_settings(), fleet, inventory, policy, log};
  pipeline::SealedRounds rounds{Secret(std::string(32, 'k')), clock};
  std::shared_ptr<tools::Catalog> offered = std::make_shared<tools::Catalog>();
  tools::Registry& registry = offered->registry;
  tools::CurrentCatalog catalog;
  std::optional<pipeline::GuardedPipeline> pipeline;
  std::shared_ptr<FakeExchange> exchange;
};

// The usual behaviour of a changing tool: one request to the target.
inline Behaviour power_on(const char* vm = "vm-1") {
  return [vm](const vmcp_host* host, vmcp_call* call, std::string_view) {
    const auto* vcenter = table<vmcp_vcenter_1>(host, VMCP_IFACE_VCENTER);
    const std::string path = std::string("/api/vcenter/vm/") + vm + "/power?action=start";
    int32_t status = 0;
    const vmcp_status r =
        vcenter->request(call, str("POST"), str(path), str(""), {nullptr, nullptr}, &status);
    if (r < 0) return r;
    return call_table(host)->set_json(call, str(R"({"ok":true})"));
  };
}

}  // namespace rig
