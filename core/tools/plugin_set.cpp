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

PluginSet::PluginSet(CurrentCatalog& catalog, PluginSwitches& switches, bool several_vcenters, Log& log,
                     std::function<void(Change::Kind)> changed)
    : catalog_(catalog),
      switches_(switches),
      several_vcenters_(several_vcenters),
      log_(log),
      changed_(std::move(changed)) {
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
  settings.switched_off = switches_.off();
  settings.check_config = fits_its_schema;
  settings.apart.on_switched_off = [this](const std::string& id) { switched_off(id); };
  LoadedPlugins plugins = next(settings);
  CatalogPtr offered = offer(plugins);
  std::string fatal;
  for (const Loaded& plugin : plugins)
    if (!plugin.plugin && plugin.choice.required)
      fatal += (fatal.empty() ? "" : "; ") + plugin.choice.id + ": " + plugin.reason;
  if (!fatal.empty()) return make_error(Code::unavailable, "A required plugin is not loaded: " + fatal);
  // Nothing at all is a mistake, unless an operator's switches alone have brought it about.
  const bool as_switched = !plugins.empty() && std::all_of(plugins.begin(), plugins.end(),
                                                           [](const Loaded& l) { return l.switched_off; });
  if (offered->registry.all().empty() && !as_switched)
    return make_error(Code::unavailable,
                      "No tool is offered: no plugin could be loaded. The log says why; check "
                      "PLUGINS and plugins.dir.");
  publish(std::move(plugins), std::move(offered));
  settings_ = std::move(settings);
  return {};
}

Result<Loaded> PluginSet::find(const std::string& plugin) const {
  std::string known;
  for (const Loaded& loaded : all()) {
    const std::string& id = loaded.plugin ? loaded.plugin->id() : loaded.choice.id;
    if (id == plugin || loaded.name == plugin) return loaded;
    known += (known.empty() ? "" : ", ") + id;
  }
  return make_error(Code::not_found, "There is no plugin '" + plugin.substr(0, 128) + "' here; there are " +
                                         (known.empty() ? "none" : known) + ".");
}

Result<void> PluginSet::disable(const std::string& plugin, const std::string& by, WallTime at) {
  const std::lock_guard turn(turn_);
  const auto found = find(plugin);
  if (!found) return found.error();
  if (found->switched_off) return {};
  const std::string id = found->plugin ? found->plugin->id() : found->choice.id;
  if (auto r = switches_.turn_off(id, by, at); !r) return r;
  LoadedPlugins plugins = all();
  for (Loaded& loaded : plugins) {
    if (loaded.name != found->name) continue;
    loaded.plugin.reset();
    loaded.choice.id = id;
    loaded.switched_off = true;
    loaded.reason = switches_.off()[id];
  }
  CatalogPtr offered = offer(plugins);
  publish(std::move(plugins), std::move(offered));
  log_.warning("plugin disabled", {{"id", id}, {"by", by}});
  return {};
}

Result<void> PluginSet::enable(const std::string& plugin) {
  const std::lock_guard turn(turn_);
  const auto found = find(plugin);
  if (!found) return found.error();
  if (found->plugin && found->plugin->usable()) return {};
  if (!settings_) return make_error(Code::unavailable, "No plugins were loaded yet.");
  LoadSettings settings = *settings_;
  settings.switched_off = switches_.off();
  settings.switched_off.erase(found->choice.id);
  LoadedPlugins plugins = next(settings, found->name);
  CatalogPtr offered = offer(plugins);
  const auto fresh =
      std::find_if(plugins.begin(), plugins.end(), [&](const Loaded& l) { return l.name == found->name; });
  if (fresh == plugins.end() || !fresh->plugin)
    return make_error(
        Code::conflict,
        "Plugin " + found->choice.id + " is not loaded: " +
            (fresh == plugins.end() ? "its file is gone, or its [[plugin]] entry or safe mode keeps it off; "
                                      "correct that and load the plugins anew"
                                    : fresh->reason));
  if (auto r = switches_.turn_on(found->choice.id); !r) return r;
  publish(std::move(plugins), std::move(offered));
  return {};
}

Result<void> PluginSet::roll_back(const std::string& plugin) {
  const std::lock_guard turn(turn_);
  const auto found = find(plugin);
  if (!found) return found.error();
  const auto refuse = [&](const std::string& why) {
    return make_error(Code::conflict, "Plugin " + plugin.substr(0, 128) + " is not rolled back: " + why);
  };
  if (found->switched_off) return refuse("it is switched off; enable it first");
  if (found->choice.in_process)
    return refuse(
        "it runs in the server's process, which never unloads code; put its former file in place and "
        "restart");
  Former former;
  {
    const std::lock_guard lock(mutex_);
    const auto it = former_.find(found->name);
    if (it == former_.end())
      return refuse("there was no generation before this one since the server started");
    former = it->second;
  }
  former.planned.choice.allow_downgrade = true;  // that is what it is
  LoadedPlugins plugins = all(), others;
  for (const Loaded& loaded : plugins)
    if (loaded.name != found->name) others.push_back(loaded);
  plugin_host::TrustJudge judge(settings_->trust);
  Loaded back = plugin_host::load_plugin(former.planned, *settings_, judge, others, log_, former.library);
  if (!back.plugin) return refuse(back.reason);
  back.generation = found->generation + 1;
  for (Loaded& loaded : plugins)
    if (loaded.name == found->name) loaded = back;
  CatalogPtr offered = offer(plugins);
  if (named(plugins, found->name) == nullptr || named(plugins, found->name)->plugin != back.plugin)
    return refuse("its tools cannot be offered beside those of the other plugins; the log says why");
  if (found->library) held_back_[found->name] = found->library->sha256();
  publish(std::move(plugins), std::move(offered));
  log_.warning("plugin rolled back", {{"id", back.plugin->id()}, {"version", back.plugin->version()}});
  return {};
}

std::pair<std::string, std::string> PluginSet::before(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto it = former_.find(name);
  if (it == former_.end() || it->second.planned.choice.in_process) return {};
  return {it->second.planned.manifest->version, it->second.library->sha256()};
}

// The file that an operator turned away from still lies there.
bool PluginSet::held_back(const Planned& planned, const plugin_host::TrustJudge& judge) const {
  const auto it = held_back_.find(planned.name);
  if (it == held_back_.end()) return false;
  const auto library = plugin_host::seal_library(planned.file, judge.place());
  return library && library->sha256() == it->second;
}

PluginSet::LoadedPlugins PluginSet::next(const LoadSettings& settings, const std::string& only) {
  const LoadedPlugins before = all();
  plugin_host::TrustJudge judge(settings.trust);
  LoadedPlugins out;
  for (const Planned& planned : plugin_host::plan_plugins(settings)) {
    if (!only.empty() && planned.name != only) {
      for (const Loaded& loaded : before)
        if (loaded.name == planned.name) out.push_back(loaded);
      continue;
    }
    if (planned.switched_off) {
      out.push_back(
          {planned.name, planned.file, nullptr, planned.first_party, planned.choice, planned.reason});
      out.back().switched_off = true;
      out.back().choice.required = false;
    } else if (!planned.left_out) {
      out.push_back(next_of(planned, settings, judge, out));
    }
  }
  return out;
}

Loaded PluginSet::next_of(const Planned& planned, const LoadSettings& settings,
                          plugin_host::TrustJudge& judge, const LoadedPlugins& beside) const {
  const LoadedPlugins before = all();
  const Loaded* const running = named(before, planned.name);
  const Compared compared = running == nullptr ? Compared::other_plugin : compare(*running, planned, judge);
  if (compared != Compared::other_plugin) {
    Loaded out = *running;
    out.choice = planned.choice;
    return out;
  }
  if (running != nullptr && running->choice.in_process && planned.choice.in_process) {
    log_.warning("plugin needs a restart",
                 {{"id", running->plugin->id()},
                  {"reason",
                   "its file or configuration has changed, and it runs in the server's process, "
                   "which never unloads code; isolation = \"process\" lets it change meanwhile"}});
    return *running;
  }
  if (running != nullptr && running->plugin->usable() && held_back(planned, judge)) {
    log_.warning(
        "plugin stays rolled back",
        {{"id", running->plugin->id()},
         {"version", running->plugin->version()},
         {"reason", "its file is still the one that was turned away from; put another one in its place"}});
    return *running;
  }
  Loaded fresh =
      plugin_host::load_plugin(planned, settings, judge, beside, log_, known_bytes(planned, judge));
  if (running != nullptr) fresh.generation = running->generation + 1;
  if (!fresh.plugin && running != nullptr && running->plugin->usable()) {
    log_.error(
        "plugin keeps its generation",
        {{"id", running->plugin->id()}, {"version", running->plugin->version()}, {"reason", fresh.reason}});
    return *running;
  }
  plugin_host::report(fresh, log_);
  return fresh;
}

// A library that is switched on again in this process must not be mapped a second time: what was mapped
// stays.
std::shared_ptr<plugin_host::SealedLibrary> PluginSet::known_bytes(
    const Planned& planned, const plugin_host::TrustJudge& judge) const {
  if (!planned.choice.in_process) return nullptr;
  const std::lock_guard lock(mutex_);
  const auto it = former_.find(planned.name);
  if (it == former_.end()) return nullptr;
  const auto library = plugin_host::seal_library(planned.file, judge.place());
  return library && library->sha256() == it->second.library->sha256() ? it->second.library : nullptr;
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
      if (old.library)
        former_[old.name] = {{old.name, old.file, old.choice, old.first_party,
                              old.trust.by == plugin_host::Trust::By::first_party, old.plugin->manifest()},
                             old.library};
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
