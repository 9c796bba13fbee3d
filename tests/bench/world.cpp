#include "bench/world.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "plugin_host/plugin.h"

namespace vmcp::bench {
namespace {

// A plugin in memory with one echo tool, so that nothing is loaded from disk.
const vmcp_call_1* call_table = nullptr;
vmcp_status run_echo(const vmcp_plugin*, uint32_t, vmcp_call* call, vmcp_str arguments) {
  return call_table->set_json(call, arguments);
}
const vmcp_tool kEcho = {
    sizeof(vmcp_tool),
    VMCP_EFFECT_READ,
    VMCP_TOOL_NO_UPSTREAM,
    0,
    0,
    0,
    "echo",
    "Echo",
    "Answers with the message.",
    R"({"type":"object","properties":{"message":{"type":"string"}},"required":["message"],"additionalProperties":false})",
    R"({"type":"object","properties":{"message":{"type":"string"}},"required":["message"]})",
    nullptr,
    nullptr,
    nullptr};
const vmcp_tools_1 kTools = {sizeof(vmcp_tools_1), 0, [](const vmcp_plugin*) { return 1u; },
                             [](const vmcp_plugin*, uint32_t) { return &kEcho; }, run_echo};
const vmcp_plugin kPlugin = {sizeof(vmcp_plugin),
                             0,
                             nullptr,
                             [](const vmcp_plugin*, const char* id) -> const void* {
                               return std::string_view(id) == VMCP_IFACE_TOOLS ? &kTools : nullptr;
                             },
                             [](const vmcp_plugin*, vmcp_str) { return static_cast<vmcp_status>(VMCP_OK); },
                             [](const vmcp_plugin*) { return static_cast<vmcp_status>(VMCP_OK); },
                             [](const vmcp_plugin*) {}};
const vmcp_entry kEntry = {sizeof(vmcp_entry),
                           VMCP_ABI_MAJOR,
                           VMCP_ABI_MINOR,
                           "org.vmcp.bench",
                           "1.0.0",
                           [](const vmcp_host* host, const vmcp_plugin** out) {
                             call_table = static_cast<const vmcp_call_1*>(host->query(host, VMCP_IFACE_CALL));
                             *out = &kPlugin;
                             return static_cast<vmcp_status>(VMCP_OK);
                           }};

class NoFleet final : public vcenter::Fleet {
 public:
  Result<vcenter::Connection*> find(std::string_view) override { return make_error(Code::not_found, "none"); }
  std::vector<std::string> names() const override { return {}; }
  void close() override {}
};

template <class T>
T take(Result<T> r, const char* what) {
  if (r) return std::move(*r);
  std::fprintf(stderr, "%s: %s\n", what, r.error().text.c_str());
  std::exit(1);
}

std::string temporary_folder() {
  std::string folder = (std::filesystem::temp_directory_path() / "vmcp-bench-world-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) std::exit(1);
  return folder;
}

throttle::Settings wide_limits() {
  throttle::Settings limits;
  limits.identity = limits.address = {1e6, 1e6};
  limits.identical_calls = 1'000'000'000;
  return limits;
}

}  // namespace

struct World::Impl {
  Impl() {
    plugin_host::Manifest manifest;
    manifest.id = "org.vmcp.bench";
    manifest.version = "1.0.0";
    manifest.interfaces = {VMCP_IFACE_CALL};
    manifest.tools.push_back(take(plugin_host::check_tool(&kEcho), "tool"));
    plugin_host::Loaded loaded;
    loaded.plugin = take(plugin_host::Plugin::open([]() { return &kEntry; }, manifest, log), "plugin");
    if (auto r = offered->registry.add(loaded); !r) std::exit(1);
    catalog.publish(offered);
  }
  ~Impl() {
    audit->flush(milliseconds(10'000));
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  std::unique_ptr<audit::Audit> open_audit() {
    audit::Settings settings;
    settings.journal_file = folder + "/journal.jsonl";
    settings.view_path = folder + "/audit.jsonl";
    settings.chain_key = Secret(std::string(32, 'k'));
    return take(audit::Audit::open(std::move(settings), clock, log), "audit");
  }

  SystemClock clock;
  SilentLog log;
  const std::string folder = temporary_folder();
  const auth::Callers authenticator{
      take(auth::Authenticator::make({{Secret(kToken), "", "bench", "read"}}, true, ""), "tokens")};
  const policy::CurrentPolicy policy{std::make_shared<const policy::Policy>(
      take(policy::Policy::make({{"read", {{"echo"}, {}, {}}}}, false, "1"), "policy"))};
  throttle::Limiter limiter{wide_limits(), clock};
  throttle::Slots slots{wide_limits()};
  std::unique_ptr<audit::Audit> audit = open_audit();
  tasks::Watcher watcher{{}, *audit, clock, log};
  std::shared_ptr<tools::Catalog> offered = std::make_shared<tools::Catalog>();
  tools::CurrentCatalog catalog;
  NoFleet fleet;
  std::unique_ptr<inventory::Inventory> inventory = inventory::make_inventory(clock);
  pipeline::ObjectWatch objects{{}, fleet, *inventory, policy, log};
  pipeline::SealedRounds rounds{Secret(std::string(32, 'k')), clock};
  locks::Locks locks{clock};
  approvals::Approvals approvals{{}, clock};
  pipeline::Services services{{},    authenticator, policy, locks,   approvals, limiter, slots, catalog,
                              fleet, *inventory,    *audit, watcher, rounds,    objects, clock, log};
  pipeline::GuardedPipeline pipeline{services};
  std::unique_ptr<tasks::TaskStore> tasks =
      take(tasks::TaskStore::open(folder + "/tasks", {}, clock, log), "tasks");
};

World::World() : impl_(std::make_unique<Impl>()) {}
World::~World() = default;

pipeline::Services& World::services() {
  return impl_->services;
}
pipeline::Pipeline& World::pipeline() {
  return impl_->pipeline;
}
tasks::TaskStore& World::tasks() {
  return *impl_->tasks;
}
Log& World::log() {
  return impl_->log;
}

}  // namespace vmcp::bench
