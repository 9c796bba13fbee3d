#include "fuzz/world.h"

#include <stdexcept>

#include "http/routes.h"
#include "plugin_host/loader.h"
#include "unit/pipeline/rig.h"

namespace vmcp::fuzz {
namespace {

// Those that wait for time to pass are left out.
const std::vector<std::string> kQuickTools = {"test_x_mcp_header",
                                              "test_missing_capability",
                                              "test_streaming_elicitation",
                                              "test_logging_tool",
                                              "test_simple_text",
                                              "test_image_content",
                                              "test_embedded_resource",
                                              "test_multiple_content_types",
                                              "test_error_handling",
                                              "json_schema_*",
                                              "test_sampling",
                                              "test_elicitation*",
                                              "test_input_required_*",
                                              "test_trigger_*",
                                              "greet",
                                              "protocol_error_job",
                                              "confirm_delete",
                                              "multi_input",
                                              "test_tool_with_task"};

class NoJournal final : public audit::JournalFile {
 public:
  Result<void> append(std::string_view) override { return {}; }
  Result<void> sync() override { return {}; }
  Result<void> check() override { return {}; }
};

template <class T>
T sure(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().text);
  return std::move(*result);
}

struct Folder {
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vmcp-fuzz-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string path;
};

rig::Script script() {
  rig::Script s;
  s.run["change_vm"] = rig::power_on();
  s.run["destroy_vm"] = rig::power_on();
  s.run["look"] = [](const vmcp_host* host, vmcp_call* call, std::string_view args) {
    return rig::call_table(host)->add_text(call, rig::str(args));
  };
  s.run["echo"] = s.run["look"];
  s.run["report"] = [](const vmcp_host* host, vmcp_call* call, std::string_view) {
    return rig::call_table(host)->set_json(call, rig::str(R"({"n":1})"));
  };
  s.preview["change_vm"] = s.run["look"];
  // Asks before it changes: its state opens once.
  s.run["change_many"] = [](const vmcp_host* host, vmcp_call* call, std::string_view) -> vmcp_status {
    const vmcp_call_1* table = rig::call_table(host);
    const vmcp_sink nowhere{nullptr, [](void*, vmcp_str) {}};
    if (table->input(call, rig::str("sure"), nowhere) == VMCP_OK)
      return table->add_text(call, rig::str("changed"));
    table->set_state(call, rig::str("asked"));
    const vmcp_status asked = table->need_input(
        call, rig::str("sure"),
        rig::str(
            R"({"method":"elicitation/create","params":{"message":"Sure?","requestedSchema":{"type":"object","properties":{}}}})"));
    return asked == VMCP_OK ? static_cast<vmcp_status>(VMCP_SUSPENDED) : asked;
  };
  return s;
}

throttle::Settings no_limits() {
  throttle::Settings s;
  s.enabled = false;
  return s;
}

mcp::Settings endpoint_settings() {
  mcp::Settings s;
  s.server_version = "1";
  s.page_size = 5;
  s.max_sessions = 64;
  s.max_subscriptions = 64;
  return s;
}

tasks::StoreLimits task_limits() {
  tasks::StoreLimits l;
  l.max_per_owner = 64;
  return l;
}

}  // namespace

// Member order is lifetime, as in app/host.h.
struct World::Parts {
  Parts() {
    rig::script = &plan;
    audit::Settings kept;
    kept.journal_file = folder.path + "/journal.jsonl";
    kept.chain_key = Secret(std::string(32, 'k'));
    kept.view_path = "/dev/null";
    audit = sure(audit::Audit::open(kept, clock, log, std::make_unique<NoJournal>()));
    watcher.emplace(vmcp::tasks::Settings{}, *audit, clock, log);
    tasks = sure(vmcp::tasks::TaskStore::open(folder.path + "/tasks", task_limits(), clock, log));
    load_tools();
    pipeline.emplace(pipeline::Services{{},
                                        authenticator,
                                        policy,
                                        locks,
                                        approvals,
                                        limiter,
                                        slots,
                                        catalog,
                                        fleet,
                                        inventory,
                                        *audit,
                                        *watcher,
                                        rounds,
                                        objects,
                                        clock,
                                        log});
    background.emplace(2, 64, log);
    task_background.emplace(2, 64, log);
    endpoint.emplace(endpoint_settings(), *pipeline, *background, *task_background, *tasks, log);
    routes.emplace("/mcp", http::OriginGuard({"https://app.example"}, {}, true), *endpoint, *pipeline,
                   health);
  }
  ~Parts() {
    endpoint->drain();
    objects.stop();
    background->stop(milliseconds(20'000));
    task_background->stop(milliseconds(20'000));
    endpoint.reset();
  }

  void load_tools() {
    plugin_host::Loaded own;
    own.name = "rig";
    own.plugin = sure(plugin_host::Plugin::open(rig::entry, rig::manifest(), log));
    plugin_host::LoadSettings settings;
    settings.directories = {VMCP_FIXTURES};
    settings.only_chosen = true;
    settings.trust.mode = plugin_host::TrustSettings::Mode::dev;
    plugin_host::Choice everything;
    everything.id = "org.vmcp.fixture.everything";
    everything.required = true;
    everything.in_process = true;
    everything.tools = kQuickTools;
    settings.choices = {everything};
    settings.on_change = [this](const plugin_host::Change& change) {
      if (endpoint) endpoint->changed(change);
    };
    plugins = sure(plugin_host::load_plugins(settings, log));
    plugins.push_back(own);
    for (const plugin_host::Loaded& plugin : plugins) {
      if (auto r = offered->features.add(plugin); !r) throw std::runtime_error(r.error().text);
      if (auto r = offered->registry.add(plugin); !r) throw std::runtime_error(r.error().text);
    }
    catalog.publish(offered);
  }

  Folder folder;
  SystemClock clock;
  SilentLog log;
  rig::Script plan = script();
  rig::FakeConnection connection;
  rig::FakeFleet fleet{connection};
  rig::FakeInventory inventory;
  auth::Callers authenticator{sure(auth::Authenticator::make(
      {{Secret(kReaderToken), "", "reader", "read"}, {Secret(kAdminToken), "", "boss", "admin"}}, true, ""))};
  policy::CurrentPolicy policy{std::make_shared<const policy::Policy>(sure(policy::Policy::make(
      {{"read", {{"echo", "look", "test_*"}, {}, {}}}, {"admin", {{"*"}, {}, {}}}}, false, "v1")))};
  throttle::Limiter limiter{no_limits(), clock};
  throttle::Slots slots{no_limits()};
  std::unique_ptr<audit::Audit> audit;
  std::optional<vmcp::tasks::Watcher> watcher;
  locks::Locks locks{clock};
  approvals::Approvals approvals{{}, clock};
  pipeline::ObjectWatch objects{{}, fleet, inventory, policy, log};
  pipeline::SealedRounds rounds{Secret(std::string(32, 'k')), clock};
  std::unique_ptr<vmcp::tasks::TaskStore> tasks;
  std::vector<plugin_host::Loaded> plugins;
  std::shared_ptr<tools::Catalog> offered = std::make_shared<tools::Catalog>();
  tools::CurrentCatalog catalog;
  std::optional<pipeline::GuardedPipeline> pipeline;
  std::optional<pipeline::Background> background, task_background;
  std::optional<mcp::Endpoint> endpoint;
  admin::Health health{[] { return admin::Readiness{true, {}}; }};
  std::optional<http::Routes> routes;
};

World::World() : parts_(std::make_unique<Parts>()) {}
World::~World() = default;

void World::handle(const http::HttpExchangePtr& exchange) {
  parts_->routes->handle(exchange);
}

}  // namespace vmcp::fuzz
