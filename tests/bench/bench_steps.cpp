// Nanoseconds per pipeline step of one tools/call without upstream work, over the real services: "name ns" a
// line.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "pipeline/guarded_pipeline.h"
#include "pipeline/steps.h"
#include "plugin_host/plugin.h"

namespace {

using namespace vmcp;
using Steady = std::chrono::steady_clock;
constexpr int kCalls = 100'000;

class NoExchange final : public Exchange {
 public:
  CancelFlag disconnected() const override { return {}; }
  void answer_by(SteadyTime, std::function<void()>) override {}
  bool enter_blocking() override { return true; }
  void leave_blocking() override {}
};

// A plugin in memory with one echo tool, so that nothing is loaded from disk.
const vmcp_call_0* call_table = nullptr;
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
const vmcp_tools_0 kTools = {sizeof(vmcp_tools_0), 0, [](const vmcp_plugin*) { return 1u; },
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
                             call_table = static_cast<const vmcp_call_0*>(host->query(host, VMCP_IFACE_CALL));
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

}  // namespace

int main() {
  SystemClock clock;
  SilentLog log;
  std::string folder = (std::filesystem::temp_directory_path() / "vmcp-steps-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  const auto authenticator = take(
      auth::Authenticator::make({{Secret("bench-token-000001"), "", "bench", "read"}}, true, ""), "tokens");
  const auto policy = take(policy::Policy::make({{"read", {{"echo"}, {}, {}}}}, false, "1"), "policy");
  throttle::Settings limits;
  limits.identity = limits.address = {1e6, 1e6};
  throttle::Limiter limiter(limits, clock);
  throttle::Slots slots(limits);
  audit::Settings audit_settings;
  audit_settings.journal_file = folder + "/journal.jsonl";
  audit_settings.view_path = folder + "/audit.jsonl";
  audit_settings.chain_key = Secret(std::string(32, 'k'));
  const auto audit = take(audit::Audit::open(audit_settings, clock, log), "audit");
  tasks::Watcher watcher({}, *audit, clock, log);
  plugin_host::Manifest manifest;
  manifest.id = "org.vmcp.bench";
  manifest.version = "1.0.0";
  manifest.tools.push_back(take(plugin_host::check_tool(&kEcho), "tool"));
  plugin_host::Loaded loaded;
  loaded.plugin = take(plugin_host::Plugin::open([]() { return &kEntry; }, manifest, log), "plugin");
  tools::Registry registry;
  if (auto r = registry.add(loaded); !r) return 1;
  NoFleet fleet;
  const auto inventory = inventory::make_inventory(clock);
  pipeline::ObjectWatch objects({}, fleet, *inventory, policy, log);
  pipeline::SealedRounds rounds(Secret(std::string(32, 'k')), clock);
  tools::Features features;
  pipeline::Services services{{},         authenticator, policy,  limiter, slots,   registry, features, fleet,
                              *inventory, *audit,        watcher, rounds,  objects, clock,    log};
  pipeline::GuardedPipeline pipeline(services);

  const auto list = pipeline::steps();
  std::vector<double> total_ns(list.size());
  const pipeline::Ingress ingress{"127.0.0.1", "Bearer bench-token-000001", 1, {}};
  for (int i = 0; i < kCalls; ++i) {
    auto from = Steady::now();
    const auto mark = [&](std::size_t step) {
      const auto now = Steady::now();
      total_ns[step] += std::chrono::duration<double, std::nano>(now - from).count();
      from = now;
    };
    auto context = pipeline.open(ingress);
    mark(1);
    if (!pipeline.admit(*context, ingress)) return 1;
    mark(3);  // address and authenticate together
    pipeline::Walk walk;
    walk.context = context;
    walk.deadline = context->started + milliseconds(60'000);
    walk.call = {"echo", {{"message", "the quick brown fox"}}, ""};
    walk.args_text = dump_json(walk.call.arguments);
    walk.exchange = std::make_shared<NoExchange>();
    walk.done = [](pipeline::ToolAnswer&&) {};
    from = Steady::now();
    for (std::size_t s = 5; s < list.size(); ++s) {
      if (auto r = list[s].run(services, walk); !r) {
        std::fprintf(stderr, "%s: %s\n", std::string(list[s].name).c_str(), r.error().text.c_str());
        return 1;
      }
      mark(s);
    }
  }
  audit->flush(milliseconds(10'000));
  for (std::size_t s = 0; s < list.size(); ++s)
    if (total_ns[s] > 0) std::printf("%s %.0f\n", std::string(list[s].name).c_str(), total_ns[s] / kCalls);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return 0;
}
