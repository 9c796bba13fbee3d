#include "plugin_host/loader.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "plugin_host/library.h"

namespace vmcp::plugin_host {
namespace {

namespace fs = std::filesystem;

struct Candidate {
  std::string name, file;
};

std::vector<Candidate> find_candidates(const std::vector<std::string>& directories) {
  std::map<std::string, std::string> found;  // the first directory that has a name wins
  for (const std::string& directory : directories) {
    std::error_code error;
    for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
      const fs::path& path = it->path();
      if (path.extension() == ".so") found.emplace(path.stem().string(), path.string());
      if (found.size() > 1000) break;
    }
  }
  std::vector<Candidate> out;
  for (auto& [name, file] : found) out.push_back({name, file});
  return out;
}

// Everything up to a started plugin; the error is the reason.
Result<std::shared_ptr<Plugin>> load_one(const Planned& planned, const LoadSettings& settings, Log& log) {
  if (auto r = vet_library(planned.file); !r) return r.error();
  auto entry = map_library(planned.file);
  if (!entry) return entry.error();
  auto plugin = Plugin::open(*entry, *planned.manifest, log, settings.on_change);
  if (!plugin) return plugin.error();
  if (auto r = (*plugin)->start(dump_json(planned.choice.config)); !r) return r.error();
  return *plugin;
}

// The first scheme that one of `others` has already, with its owner; empty when there is none.
std::string taken_scheme(const std::vector<std::string>& schemes, const std::vector<Loaded>& others) {
  for (const Loaded& other : others) {
    if (!other.plugin) continue;
    for (const std::string& scheme : other.plugin->schemes())
      if (std::find(schemes.begin(), schemes.end(), scheme) != schemes.end())
        return "the URI scheme '" + scheme + "' belongs to plugin " + other.plugin->id() +
               " already; disable one of the two";
  }
  return {};
}

// What speaks against it before any of its code runs; empty when nothing does.
std::string why_not(const Planned& planned) {
  const Manifest& manifest = *planned.manifest;
  if (manifest.abi_major != VMCP_ABI_MAJOR || manifest.abi_minor > VMCP_ABI_MINOR)
    return "it was built for ABI " + std::to_string(manifest.abi_major) + "." +
           std::to_string(manifest.abi_minor) + ", this host speaks " + std::to_string(VMCP_ABI_MAJOR) + "." +
           std::to_string(VMCP_ABI_MINOR) + "; rebuild it with this host's SDK";
  if (!planned.first_party && !planned.choice.in_process)
    return "only first-party plugins load into the server's process by themselves; set isolation = "
           "\"inprocess\" in its [[plugin]] entry if you trust it";
  return {};
}

Planned plan_one(const Candidate& candidate, const LoadSettings& settings, const Choice* chosen) {
  Planned out;
  out.name = candidate.name;
  out.file = candidate.file;
  if (chosen != nullptr)
    out.choice = *chosen;
  else
    out.choice.id = candidate.name;
  out.first_party =
      std::find(settings.trusted.begin(), settings.trusted.end(), candidate.name) != settings.trusted.end();
  auto manifest = read_manifest(manifest_path(candidate.file));
  if (manifest) {
    out.manifest = std::move(*manifest);
    out.choice.id = out.manifest->id;
  }
  if (chosen != nullptr && !chosen->enabled) {
    out.left_out = true;
    out.reason = "its [[plugin]] entry switches it off; set enabled = true there";
  } else if (chosen == nullptr && settings.only_chosen) {
    out.left_out = true;
    out.reason = "the configuration does not name it; add it to PLUGINS or give it a [[plugin]] entry";
  } else {
    out.reason = manifest ? why_not(out) : manifest.error().text;
  }
  return out;
}

Planned missing(const Choice& choice, const LoadSettings& settings) {
  Planned out;
  out.name = choice.id;
  out.choice = choice;
  out.left_out = !choice.enabled;
  out.reason = "no plugin of that name is in the plugin folders (" +
               (settings.directories.empty() ? std::string("none") : settings.directories.front()) + ")";
  return out;
}

Loaded attempt(const Planned& planned, const LoadSettings& settings, const std::vector<Loaded>& others,
               Log& log) {
  Loaded out;
  out.name = planned.name;
  out.file = planned.file;
  out.choice = planned.choice;
  out.first_party = planned.first_party;
  out.reason = planned.reason;
  if (out.reason.empty()) out.reason = taken_scheme(planned.manifest->offers.schemes, others);
  if (!out.reason.empty()) return out;
  auto plugin = load_one(planned, settings, log);
  if (plugin)
    out.plugin = *plugin;
  else
    out.reason = plugin.error().text;
  return out;
}

bool answers_to(const Candidate& candidate, const std::string& id) {
  if (candidate.name == id) return true;
  const auto manifest = read_manifest(manifest_path(candidate.file));
  return manifest.ok() && manifest->id == id;
}

void report(const Loaded& loaded, Log& log) {
  if (loaded.plugin) {
    log.info("plugin loaded", {{"id", loaded.plugin->id()},
                               {"version", loaded.plugin->version()},
                               {"tools", std::to_string(loaded.plugin->tools().size())},
                               {"file", loaded.file}});
  } else {
    log.error("plugin not loaded",
              {{"id", loaded.choice.id}, {"file", loaded.file}, {"reason", loaded.reason}});
  }
}

}  // namespace

std::vector<Planned> plan_plugins(const LoadSettings& settings) {
  std::vector<Candidate> candidates = find_candidates(settings.directories);
  std::vector<Planned> out;
  for (const Choice& choice : settings.choices) {
    const auto it = std::find_if(candidates.begin(), candidates.end(),
                                 [&](const Candidate& c) { return answers_to(c, choice.id); });
    if (it == candidates.end()) {
      out.push_back(missing(choice, settings));
      continue;
    }
    out.push_back(plan_one(*it, settings, &choice));
    candidates.erase(it);
  }
  for (const Candidate& candidate : candidates) out.push_back(plan_one(candidate, settings, nullptr));
  return out;
}

Result<std::vector<Loaded>> load_plugins(const LoadSettings& settings, Log& log) {
  std::vector<Loaded> out;
  for (const Planned& planned : plan_plugins(settings))
    if (!planned.left_out) out.push_back(attempt(planned, settings, out, log));

  std::string fatal;
  for (const Loaded& loaded : out) {
    report(loaded, log);
    if (!loaded.plugin && loaded.choice.required)
      fatal += (fatal.empty() ? "" : "; ") + loaded.choice.id + ": " + loaded.reason;
  }
  if (!fatal.empty()) return make_error(Code::unavailable, "A required plugin is not loaded: " + fatal);
  return out;
}

}  // namespace vmcp::plugin_host
