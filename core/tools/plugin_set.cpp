#include "tools/plugin_set.h"

#include <algorithm>
#include <chrono>

#include "tools/schema.h"

namespace vmcp::tools {
namespace {

using plugin_host::Change;
using plugin_host::Loaded;
using plugin_host::LoadSettings;
using plugin_host::Planned;

// Between two looks at whether the last call of a generation has ended.
constexpr milliseconds kLook{20};

void report_state(Log& log, const char* state, const Loaded& plugin) {
  log.info("plugin generation", {{"id", plugin.plugin->id()},
                                 {"version", plugin.plugin->version()},
                                 {"generation", std::to_string(plugin.generation)},
                                 {"state", state}});
}

Result<void> fits_its_schema(const plugin_host::Manifest& manifest, const Json& config) {
  if (manifest.config_schema.is_null()) {
    if (config.empty()) return {};
    return make_error(Code::invalid_argument,
                      "it takes no configuration; remove [plugin.config] from its entry");
  }
  const auto schema = Schema::compile(dump_json(manifest.config_schema), "its configuration schema");
  if (!schema) return schema.error();
  if (auto r = (*schema)->check(config); !r)
    return make_error(
        Code::invalid_argument,
        "its configuration is not what it asks for; correct [plugin.config]: " + r.error().text);
  return {};
}

const Loaded* named(const std::vector<Loaded>& plugins, const std::string& name) {
  const auto found = std::find_if(plugins.begin(), plugins.end(),
                                  [&](const Loaded& l) { return l.plugin && l.name == name; });
  return found == plugins.end() ? nullptr : &*found;
}

enum class Compared { same, other_offer, other_plugin };

// The running plugin and the plan for it: the same bytes with the same configuration, perhaps offered
// otherwise?
Compared compare(const Loaded& running, const Planned& planned, const plugin_host::TrustJudge& judge) {
  if (!planned.manifest || !planned.reason.empty() || !running.library || !running.plugin->usable())
    return Compared::other_plugin;
  const auto& is = running.choice;
  const auto& wanted = planned.choice;
  if (is.in_process != wanted.in_process || is.config != wanted.config || is.sha256 != wanted.sha256 ||
      running.plugin->manifest().sha256 != planned.manifest->sha256)
    return Compared::other_plugin;
  const auto library = plugin_host::seal_library(planned.file, judge.place());
  if (!library || library->sha256() != running.library->sha256()) return Compared::other_plugin;
  return is.prefix == wanted.prefix && is.tools == wanted.tools && is.required == wanted.required
             ? Compared::same
             : Compared::other_offer;
}

template <class Items, class Text>
bool lists_the_same(const Items& a, const Items& b, Text text) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](const auto& x, const auto& y) { return text(x) == text(y); });
}

}  // namespace

PluginSet::PluginSet(CurrentCatalog& catalog, bool several_vcenters, Log& log,
                     std::function<void(Change::Kind)> changed)
    : catalog_(catalog), several_vcenters_(several_vcenters), log_(log), changed_(std::move(changed)) {
  tidier_ = std::thread([this] { tidy(); });
}

PluginSet::~PluginSet() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  tidier_.join();
  catalog_.publish(std::make_shared<const Catalog>());
  // While there still is a set that a failing process can tell of it.
  draining_.clear();
  plugins_.clear();
}

std::vector<Loaded> PluginSet::all() const {
  const std::lock_guard lock(mutex_);
  return plugins_;
}

Result<void> PluginSet::load(LoadSettings settings) {
  const std::lock_guard turn(turn_);
  settings.check_config = fits_its_schema;
  settings.apart.on_switched_off = [this](const std::string& id) { switched_off(id); };
  LoadedPlugins plugins = next(settings);
  CatalogPtr offered = offer(plugins);
  std::string fatal;
  for (const Loaded& plugin : plugins)
    if (!plugin.plugin && plugin.choice.required)
      fatal += (fatal.empty() ? "" : "; ") + plugin.choice.id + ": " + plugin.reason;
  if (!fatal.empty()) return make_error(Code::unavailable, "A required plugin is not loaded: " + fatal);
  if (offered->registry.all().empty())
    return make_error(Code::unavailable,
                      "No tool is offered: no plugin could be loaded. The log says why; check "
                      "PLUGINS and plugins.dir.");
  publish(std::move(plugins), std::move(offered));
  return {};
}

PluginSet::LoadedPlugins PluginSet::next(const LoadSettings& settings) const {
  const LoadedPlugins before = all();
  plugin_host::TrustJudge judge(settings.trust);
  LoadedPlugins out;
  for (const Planned& planned : plugin_host::plan_plugins(settings)) {
    if (planned.left_out) continue;
    const Loaded* const running = named(before, planned.name);
    const Compared compared = running == nullptr ? Compared::other_plugin : compare(*running, planned, judge);
    if (compared != Compared::other_plugin) {
      out.push_back(*running);
      out.back().choice = planned.choice;
      continue;
    }
    if (running != nullptr && running->choice.in_process && planned.choice.in_process) {
      log_.warning("plugin needs a restart",
                   {{"id", running->plugin->id()},
                    {"reason",
                     "its file or configuration has changed, and it runs in the server's process, "
                     "which never unloads code; isolation = \"process\" lets it change meanwhile"}});
      out.push_back(*running);
      continue;
    }
    Loaded fresh = plugin_host::load_plugin(planned, settings, judge, out, log_);
    if (running != nullptr) fresh.generation = running->generation + 1;
    if (!fresh.plugin && running != nullptr && running->plugin->usable()) {
      log_.error(
          "plugin keeps its generation",
          {{"id", running->plugin->id()}, {"version", running->plugin->version()}, {"reason", fresh.reason}});
      out.push_back(*running);
      continue;
    }
    plugin_host::report(fresh, log_);
    out.push_back(std::move(fresh));
  }
  return out;
}

bool PluginSet::add(const Loaded& plugin, Catalog& catalog, std::string& why_not) const {
  const Features before = catalog.features;
  auto r = catalog.features.add(plugin, several_vcenters_);
  if (r) r = catalog.registry.add(plugin);
  if (r) return true;
  catalog.features = before;
  why_not = r.error().text;
  return false;
}

// A plugin whose tools cannot be offered is not loaded; when it is a new generation, the one before stays.
std::shared_ptr<const Catalog> PluginSet::offer(LoadedPlugins& plugins) const {
  const LoadedPlugins before = all();
  auto out = std::make_shared<Catalog>();
  for (Loaded& plugin : plugins) {
    if (!plugin.plugin || add(plugin, *out, plugin.reason)) continue;
    log_.error("plugin refused", {{"id", plugin.plugin->id()}, {"reason", plugin.reason}});
    const Loaded* const running = named(before, plugin.name);
    std::string ignored;
    if (running != nullptr && running->plugin != plugin.plugin && add(*running, *out, ignored))
      plugin = *running;
    else
      plugin.plugin.reset();
  }
  return out;
}

void PluginSet::publish(LoadedPlugins plugins, CatalogPtr offered) {
  const CatalogPtr before = catalog_.publish(offered);
  const auto goes_on = [&](const Loaded& old) {
    return std::any_of(plugins.begin(), plugins.end(),
                       [&](const Loaded& l) { return l.plugin == old.plugin && l.plugin; });
  };
  {
    const std::lock_guard lock(mutex_);
    for (const Loaded& plugin : plugins)
      if (plugin.plugin && named(plugins_, plugin.name) == nullptr) report_state(log_, "live", plugin);
    for (Loaded& old : plugins_) {
      if (!old.plugin || goes_on(old)) continue;
      if (const Loaded* const newer = named(plugins, old.name)) report_state(log_, "live", *newer);
      report_state(log_, "draining", old);
      draining_.push_back(std::move(old));
    }
    plugins_ = std::move(plugins);
  }
  wake_.notify_all();
  if (!changed_) return;
  const auto listed = [](const auto& item) -> const std::string& { return item.listed; };
  const auto tool = [](const ToolPtr& item) -> const std::string& { return item->listed_modern; };
  if (!lists_the_same(before->registry.all(), offered->registry.all(), tool)) changed_(Change::Kind::tools);
  if (!lists_the_same(before->features.prompts(), offered->features.prompts(), listed))
    changed_(Change::Kind::prompts);
  if (!lists_the_same(before->features.resources(), offered->features.resources(), listed) ||
      !lists_the_same(before->features.templates(), offered->features.templates(), listed))
    changed_(Change::Kind::resources);
}

void PluginSet::switched_off(const std::string& plugin_id) {
  {
    const std::lock_guard lock(mutex_);
    switched_off_.push_back(plugin_id);
  }
  wake_.notify_all();
}

void PluginSet::take_out(const std::string& plugin_id) {
  const std::lock_guard turn(turn_);
  LoadedPlugins plugins = all();
  for (Loaded& plugin : plugins) {
    // A newer generation may have taken its place since.
    if (!plugin.plugin || plugin.plugin->id() != plugin_id || plugin.plugin->usable()) continue;
    plugin.plugin.reset();
    plugin.reason = "its process failed again and again; mend it, then load the plugins anew (SIGHUP)";
  }
  CatalogPtr offered = offer(plugins);
  publish(std::move(plugins), std::move(offered));
}

void PluginSet::tidy() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto due = [&] { return stopping_ || !switched_off_.empty(); };
    if (draining_.empty())
      wake_.wait(lock, [&] { return due() || !draining_.empty(); });
    else
      wake_.wait_for(lock, kLook, due);
    if (stopping_) return;
    std::vector<std::string> off;
    off.swap(switched_off_);
    std::vector<Loaded> ended;
    const auto unused = std::stable_partition(draining_.begin(), draining_.end(), [](const Loaded& l) {
      return l.plugin.use_count() > 1;  // the other owners are the tools of catalogs that calls still hold
    });
    std::move(unused, draining_.end(), std::back_inserter(ended));
    draining_.erase(unused, draining_.end());
    lock.unlock();
    for (const std::string& id : off) take_out(id);
    for (Loaded& plugin : ended) {
      report_state(log_, "quiesced", plugin);
      const std::string id = plugin.plugin->id(), generation = std::to_string(plugin.generation);
      plugin.plugin.reset();
      log_.info("plugin generation", {{"id", id}, {"generation", generation}, {"state", "retired"}});
    }
    lock.lock();
  }
}

}  // namespace vmcp::tools
