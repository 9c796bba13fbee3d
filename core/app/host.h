// The server as one object: builds its parts in the order of the walk, from right to left, and takes them
// down in reverse. No logic of its own.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "admin/api.h"
#include "admin/health.h"
#include "app/mapping.h"
#include "audit/unfinished.h"
#include "config/settings.h"
#include "http/admin_routes.h"
#include "http/routes.h"
#include "http/server.h"
#include "inventory/inventory.h"
#include "locks/locks.h"
#include "pipeline/guarded_pipeline.h"
#include "simulator/simulator.h"
#include "store/state_dir.h"
#include "tasks/watcher.h"
#include "tools/plugin_set.h"
#include "vcenter/client.h"

namespace vmcp::app {

struct DemoSettings {
  std::size_t vms = 120;
  std::uint16_t simulator_port = 0;  // 0 = a free one
  std::string record_file;           // every exchange with it, as JSON lines; empty = none
  std::string running = {};          // HOST:PORT of one in another process, instead; on loopback
};

// The configured vCenters, or an embedded one that `simulator` then owns.
Result<std::unique_ptr<vcenter::Fleet>> upstream_of(const config::Settings& settings,
                                                    std::optional<DemoSettings> demo,
                                                    std::unique_ptr<simulator::Simulator>& simulator,
                                                    Log& log, vcenter::OnAnswer on_answer = {});

class Host {
 public:
  // Everything but the listener. With `demo` the embedded vCenter is started first and the configured one is
  // ignored. `log` outlives the host.
  static Result<std::unique_ptr<Host>> build(const config::Settings& settings,
                                             std::optional<DemoSettings> demo,
                                             const std::string& default_plugin_dir, Log& log);
  ~Host();  // stop()
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // What the admin API's "reload" does; before listen(). Called on a worker of the admin listener.
  void on_reload(std::function<Result<void>()> reload) { reload_ = std::move(reload); }
  Result<void> listen();       // starts answering, also the operator
  std::uint16_t port() const;  // after listen()
  // No call is cut within the grace: drains, flushes the journal, logs out of the vCenters. True when clean.
  bool stop();
  // After stop(): a call still hangs in a plugin, so nothing that it uses may be taken down; end the process
  // instead.
  bool calls_hang() const { return calls_hang_; }

  pipeline::Pipeline& pipeline() { return *pipeline_; }
  mcp::Endpoint& endpoint() { return *endpoint_; }
  pipeline::Background& background() { return *background_; }
  tools::CatalogPtr catalog() const { return catalog_.now(); }
  std::vector<plugin_host::Loaded> plugins() const { return plugins_->all(); }
  // The plugins as this configuration has them, beside calls that run. An error leaves them as they were.
  // [control]
  Result<void> reload_plugins(const config::Plugins& plugins);
  // The policy that this configuration has, and who may come in by it. Errors name every bad entry. [control]
  Result<policy::PolicyPtr> policy_of(const config::Settings& settings) const;
  Result<auth::Authenticator> callers_of(const config::Settings& settings,
                                         const policy::Policy& policy) const;
  // Both from the next request on; calls that run keep their caller and their policy.
  void admit(auth::Authenticator callers, policy::PolicyPtr policy);
  // Closes the live segment of the journal, for SIGHUP. Says itself what went wrong. [control]
  void rotate_audit();
  vcenter::Fleet& fleet() { return *fleet_; }
  const std::string& state_dir() const { return state_->path(); }
  std::uint16_t simulator_port() const { return simulator_ ? simulator_->port() : 0; }

 private:
  Host(const config::Settings& settings, Log& log) : settings_(settings), log_(log) {}
  Result<void> build_upstream(std::optional<DemoSettings> demo);
  void heard_of(const std::string& vcenter, bool overloaded, milliseconds retry_after);  // [any thread]
  Result<void> build_guards();
  std::vector<std::string> roles(const policy::Policy& policy) const;  // the one with the fewest tools first
  void fetch_keys();
  Result<void> build_tools(const std::string& default_plugin_dir);
  plugin_host::LoadSettings load_settings(const config::Plugins& plugins) const;
  void build_front();
  // `going_on`: requests whose OUTCOME is owed by somebody else.
  void settle(const std::vector<std::string>& going_on);
  Result<void> build_admin();
  Result<Json> explain(const Json& question);
  Result<void> listen_for_operator();
  // What a plugin says that changed; nobody is there to hear it before build_front() and after stop(). [any
  // thread]
  void tell(const plugin_host::Change& change) const;

  // Member order is lifetime: what stands lower uses what stands higher.
  config::Settings settings_;
  Log& log_;
  SystemClock clock_;
  std::string demo_state_dir_;  // removed at the end
  std::string default_plugin_dir_;
  std::optional<store::StateDir> state_;
  std::unique_ptr<simulator::Simulator> simulator_;
  std::optional<throttle::Slots> slots_;  // before fleet_, which tells it what the vCenters answer
  std::unique_ptr<vcenter::Fleet> fleet_;
  std::unique_ptr<inventory::Inventory> inventory_;
  std::unique_ptr<auth::Issuers> issuers_;
  std::optional<auth::Callers> callers_;
  std::optional<policy::CurrentPolicy> policy_;
  locks::Locks locks_{clock_};
  std::optional<approvals::Approvals> approvals_;
  std::optional<throttle::Limiter> limiter_;
  std::unique_ptr<audit::Audit> audit_;
  std::vector<audit::Unfinished> unfinished_;  // until settle()
  std::optional<tasks::Watcher> watcher_;
  std::optional<pipeline::SealedRounds> rounds_;
  std::unique_ptr<tasks::TaskStore> tasks_;
  tools::CurrentCatalog catalog_;
  tools::PluginSwitches switches_;
  std::optional<tools::PluginSet> plugins_;
  std::optional<pipeline::ObjectWatch> objects_;
  std::optional<pipeline::GuardedPipeline> pipeline_;
  std::optional<pipeline::Background> background_, task_background_;
  std::optional<mcp::Endpoint> endpoint_;  // after background_, whose calls answer through it
  std::optional<admin::Health> health_;
  std::optional<http::Routes> routes_;
  std::unique_ptr<http::Server> server_;
  std::function<Result<void>()> reload_;
  std::optional<admin::Api> admin_api_;
  std::optional<http::AdminRoutes> admin_routes_;
  std::unique_ptr<http::Server> admin_server_;  // null: admin.enabled is false
  std::atomic<mcp::Endpoint*> listening_{nullptr};
  bool stopped_ = false;
  bool calls_hang_ = false;
};

// Names that mean this machine only.
bool is_loopback(const std::string& host);

}  // namespace vmcp::app
