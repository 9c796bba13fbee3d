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
Result<std::shared_ptr<Plugin>> load_one(const Candidate& candidate, const Manifest& manifest,
                                         const Choice& choice, const LoadSettings& settings, Log& log) {
  if (auto r = vet_library(candidate.file); !r) return r.error();
  auto entry = map_library(candidate.file);
  if (!entry) return entry.error();
  auto plugin = Plugin::open(*entry, manifest, log, settings.on_change);
  if (!plugin) return plugin.error();
  if (auto r = (*plugin)->start(dump_json(choice.config)); !r) return r.error();
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

Loaded attempt(const Candidate& candidate, const LoadSettings& settings, const Choice* chosen,
               const std::vector<Loaded>& others, Log& log) {
  Loaded out;
  out.name = candidate.name;
  out.file = candidate.file;
  if (chosen != nullptr)
    out.choice = *chosen;
  else
    out.choice.id = candidate.name;
  const auto manifest = read_manifest(fs::path(candidate.file).replace_extension(".vmcp.json").string());
  if (!manifest) {
    out.reason = manifest.error().text;
    return out;
  }
  out.choice.id = manifest->id;
  if (manifest->abi_major != VMCP_ABI_MAJOR || manifest->abi_minor > VMCP_ABI_MINOR) {
    out.reason = "it was built for ABI " + std::to_string(manifest->abi_major) + "." +
                 std::to_string(manifest->abi_minor) + ", this host speaks " +
                 std::to_string(VMCP_ABI_MAJOR) + "." + std::to_string(VMCP_ABI_MINOR) +
                 "; rebuild it with this host's SDK";
    return out;
  }
  const bool trusted =
      std::find(settings.trusted.begin(), settings.trusted.end(), candidate.name) != settings.trusted.end();
  out.first_party = trusted;
  if (!trusted && !out.choice.in_process) {
    out.reason =
        "only first-party plugins load into the server's process by themselves; set isolation = "
        "\"inprocess\" "
        "in its [[plugin]] entry if you trust it";
    return out;
  }
  if (out.reason = taken_scheme(manifest->offers.schemes, others); !out.reason.empty()) return out;
  auto plugin = load_one(candidate, *manifest, out.choice, settings, log);
  if (plugin)
    out.plugin = *plugin;
  else
    out.reason = plugin.error().text;
  return out;
}

bool answers_to(const Candidate& candidate, const std::string& id) {
  if (candidate.name == id) return true;
  const auto manifest = read_manifest(fs::path(candidate.file).replace_extension(".vmcp.json").string());
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

Result<std::vector<Loaded>> load_plugins(const LoadSettings& settings, Log& log) {
  std::vector<Candidate> candidates = find_candidates(settings.directories);
  std::vector<Loaded> out;
  const auto take = [&](auto it) {
    const Candidate candidate = *it;
    candidates.erase(it);
    return candidate;
  };
  for (const Choice& choice : settings.choices) {
    const auto it = std::find_if(candidates.begin(), candidates.end(),
                                 [&](const Candidate& c) { return answers_to(c, choice.id); });
    if (it == candidates.end()) {
      if (!choice.enabled) continue;
      Loaded missing;
      missing.name = choice.id;
      missing.choice = choice;
      missing.reason = "no plugin of that name is in the plugin folders (" +
                       (settings.directories.empty() ? std::string("none") : settings.directories.front()) +
                       ")";
      out.push_back(std::move(missing));
      continue;
    }
    const Candidate candidate = take(it);
    if (choice.enabled) out.push_back(attempt(candidate, settings, &choice, out, log));
  }
  if (!settings.only_chosen)
    for (const Candidate& candidate : candidates)
      out.push_back(attempt(candidate, settings, nullptr, out, log));

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
