#include "plugin_host/loader.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/mask.h"

namespace vmcp::plugin_host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxAuditText = 128;

struct Candidate {
  std::string name, file;
  Result<Manifest> manifest;  // read once; what is judged is what is loaded
};

std::vector<Candidate> find_candidates(const LoadSettings& settings, Place place) {
  std::map<std::string, std::string> found;  // the first directory that has a name wins
  for (const std::string& directory : settings.directories) {
    std::error_code error;
    for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
      const fs::path& path = it->path();
      if (path.extension() == ".so") found.emplace(path.stem().string(), path.string());
      if (found.size() > 1000) break;
    }
  }
  std::vector<Candidate> out;
  for (auto& [name, file] : found) out.push_back({name, file, read_manifest(manifest_path(file), place)});
  return out;
}

Result<std::shared_ptr<Plugin>> open_here(const Planned& planned, const LoadSettings& settings, Log& log,
                                          SealedLibrary& library) {
  auto entry = map_library(library);
  if (!entry) return entry.error();
  return Plugin::open(*entry, *planned.manifest, log, settings.on_change);
}

Result<std::shared_ptr<Plugin>> open_apart(const Planned& planned, const LoadSettings& settings, Log& log,
                                           const std::shared_ptr<SealedLibrary>& library) {
  child::Settings apart = settings.apart;
  apart.library = library;
  apart.process.library_fd = library->fd();
  apart.process.plugin_id = planned.manifest->id;
  auto opened = child::open_in_child(std::move(apart), planned.manifest->text, *planned.manifest, log,
                                     settings.on_change);
  if (!opened) return opened.error();
  return std::make_shared<Plugin>(std::move(*opened));
}

Result<Trust> judged(const Planned& planned, const SealedLibrary& library, const TrustJudge& judge) {
  return judge.judge({library, *planned.manifest, planned.choice.sha256, planned.choice.allow_downgrade,
                      planned.beside_program});
}

// Everything up to a started plugin; the error is the reason.
Result<std::shared_ptr<Plugin>> load_one(const Planned& planned, const LoadSettings& settings,
                                         TrustJudge& judge, Log& log, Loaded& out) {
  if (!out.library) {
    auto library = seal_library(planned.file, judge.place());
    if (!library) return library.error();
    out.library = std::make_shared<SealedLibrary>(std::move(*library));
  }
  auto trust = judged(planned, *out.library, judge);
  if (!trust) return trust.error();
  out.trust = *trust;
  auto plugin = planned.choice.in_process ? open_here(planned, settings, log, *out.library)
                                          : open_apart(planned, settings, log, out.library);
  if (!plugin) return plugin.error();
  if (auto r = (*plugin)->start(dump_json(planned.choice.config)); !r) return r.error();
  if (auto r = judge.loaded(*planned.manifest, out.trust, planned.choice.allow_downgrade); !r)
    return r.error();
  return *plugin;
}

bool lies_in(const std::string& file, const std::string& directory) {
  std::error_code error;
  return !directory.empty() && fs::equivalent(fs::path(file).parent_path(), directory, error) && !error;
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
           std::to_string(VMCP_ABI_MINOR) +
           (manifest.abi_major > VMCP_ABI_MAJOR || manifest.abi_minor > VMCP_ABI_MINOR
                ? "; upgrade the host, or rebuild the plugin with this host's SDK"
                : "; rebuild it with this host's SDK");
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
  const bool by_name =
      std::find(settings.trusted.begin(), settings.trusted.end(), candidate.name) != settings.trusted.end();
  out.beside_program = by_name && lies_in(candidate.file, settings.trust.program_directory);
  out.first_party = by_name && (out.beside_program || !out.choice.sha256.empty() ||
                                settings.trust.mode == TrustSettings::Mode::dev);
  // Who says nothing has no process of its own for what came with the program, and one for all else.
  if (chosen == nullptr) out.choice.in_process = out.first_party;
  if (candidate.manifest) {
    out.manifest = *candidate.manifest;
    out.choice.id = out.manifest->id;
  }
  if (chosen != nullptr && !chosen->enabled) {
    out.left_out = true;
    out.reason = "its [[plugin]] entry switches it off; set enabled = true there";
  } else if (const auto off = settings.switched_off.find(out.choice.id); off != settings.switched_off.end()) {
    out.left_out = out.switched_off = true;
    out.reason = off->second;
  } else if (settings.only_first_party && !out.first_party) {
    out.left_out = true;
    out.reason = "the server runs in safe mode, without third-party plugins";
  } else if (chosen == nullptr && settings.only_chosen) {
    out.left_out = true;
    out.reason = "the configuration does not name it; add it to PLUGINS or give it a [[plugin]] entry";
  } else {
    out.reason = candidate.manifest ? why_not(out) : candidate.manifest.error().text;
  }
  return out;
}

Planned missing(const Choice& choice, const LoadSettings& settings,
                const std::vector<Candidate>& candidates) {
  Planned out;
  out.name = choice.id;
  out.choice = choice;
  out.left_out = !choice.enabled;
  out.reason = "no plugin of that name is in the plugin folders (" +
               (settings.directories.empty() ? std::string("none") : settings.directories.front()) + ")";
  // Its id is known only from its manifest: one that cannot be read may be the one that is looked for.
  const auto unread =
      std::find_if(candidates.begin(), candidates.end(), [](const Candidate& c) { return !c.manifest.ok(); });
  if (unread != candidates.end())
    out.reason += "; " + unread->file + " is there, but " + unread->manifest.error().text;
  return out;
}

}  // namespace

Loaded load_plugin(const Planned& planned, const LoadSettings& settings, TrustJudge& judge,
                   const std::vector<Loaded>& others, Log& log, std::shared_ptr<SealedLibrary> sealed) {
  Loaded out;
  out.library = std::move(sealed);
  out.name = planned.name;
  out.file = planned.file;
  out.choice = planned.choice;
  out.first_party = planned.first_party;
  out.reason = planned.reason;
  if (out.reason.empty()) out.reason = taken_scheme(planned.manifest->offers.schemes, others);
  if (out.reason.empty() && settings.check_config)
    if (auto r = settings.check_config(*planned.manifest, planned.choice.config); !r)
      out.reason = r.error().text;
  if (!out.reason.empty()) return out;
  auto plugin = load_one(planned, settings, judge, log, out);
  if (plugin)
    out.plugin = *plugin;
  else
    out.reason = plugin.error().text;
  return out;
}

namespace {

bool answers_to(const Candidate& candidate, const std::string& id) {
  return candidate.name == id || (candidate.manifest.ok() && candidate.manifest->id == id);
}

}  // namespace

void report(const Loaded& loaded, Log& log) {
  if (loaded.plugin) {
    log.info("plugin loaded", {{"id", loaded.plugin->id()},
                               {"version", loaded.plugin->version()},
                               {"tools", std::to_string(loaded.plugin->tools().size())},
                               {"trust", loaded.trust.text()},
                               {"sha256", loaded.library->sha256()},
                               {"file", loaded.file}});
  } else {
    log.error("plugin not loaded",
              {{"id", loaded.choice.id}, {"file", loaded.file}, {"reason", loaded.reason}});
  }
}

std::string audit_members(const Loaded& loaded) {
  std::string out = "\"plugin\":";
  append_json_string(out, mask_text(loaded.plugin->id(), kMaxAuditText));
  out += ",\"plugin_version\":";
  append_json_string(out, mask_text(loaded.plugin->version(), kMaxAuditText));
  if (loaded.library) out += ",\"plugin_sha256\":\"" + loaded.library->sha256() + '"';
  return out + ",\"plugin_generation\":" + std::to_string(loaded.generation);
}

Result<Vetted> vet_plugin(const Planned& planned, const TrustJudge& judge) {
  auto library = seal_library(planned.file, judge.place());
  if (!library) return library.error();
  auto trust = judged(planned, *library, judge);
  return Vetted{std::move(*library), std::move(trust)};
}

std::vector<Planned> plan_plugins(const LoadSettings& settings) {
  const Place place = settings.trust.mode == TrustSettings::Mode::dev ? Place::workshop : Place::service;
  std::vector<Candidate> candidates = find_candidates(settings, place);
  std::vector<Planned> out;
  for (const Choice& choice : settings.choices) {
    const auto it = std::find_if(candidates.begin(), candidates.end(),
                                 [&](const Candidate& c) { return answers_to(c, choice.id); });
    if (it == candidates.end()) {
      out.push_back(missing(choice, settings, candidates));
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
  TrustJudge judge(settings.trust);
  for (const Planned& planned : plan_plugins(settings))
    if (!planned.left_out) out.push_back(load_plugin(planned, settings, judge, out, log));

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
