// plugin verify: would an operator with these keys, or this pin, have reason to trust the plugin? Runs none
// of it.
#include <algorithm>
#include <cstdio>

#include "app/commands.h"
#include "base/json.h"
#include "config/checks.h"
#include "config/table.h"
#include "plugin_host/trust.h"

namespace vmcp::app {
namespace {

using plugin_host::Place;
using Ordered = nlohmann::ordered_json;

struct Verdict {
  Ordered facts;
  std::string why_not;  // empty: somebody vouches for it
};

Verdict judged(const PluginVerifyOptions& options, const plugin_host::SealedLibrary& library,
               const plugin_host::Manifest& manifest) {
  plugin_host::TrustSettings settings;
  settings.keys = options.keys;
  settings.revoked = config::lower_case(options.revoked);
  if (options.keys.empty()) settings.mode = plugin_host::TrustSettings::Mode::pinned;
  const plugin_host::TrustJudge judge(settings);
  Verdict out;
  out.facts = {{"file", library.path()},
               {"id", manifest.id},
               {"version", manifest.version},
               {"sha256", library.sha256()},
               {"manifest_sha256", manifest.sha256}};
  if (const auto signature =
          plugin_host::read_signature(plugin_host::signature_path(library.path()), Place::workshop)) {
    out.facts["key"] = signature->statement.key;
    out.facts["signed_at"] = signature->statement.signed_at;
  }
  // With both, both must be right.
  std::string trusted_by;
  const auto ask = [&](const std::string& pin) {
    if (!out.why_not.empty()) return;
    const auto trust = judge.judge({library, manifest, pin, false, false});
    if (!trust)
      out.why_not = trust.error().text;
    else
      trusted_by += (trusted_by.empty() ? "" : ", ") + trust->text();
  };
  if (!options.sha256.empty()) ask(config::lower_case(options.sha256));
  if (!options.keys.empty()) ask({});
  out.facts["trusted"] = out.why_not.empty();
  out.facts["trust"] = out.why_not.empty() ? trusted_by : "nobody";
  out.facts["reason"] = out.why_not;
  return out;
}

void print(const Verdict& verdict) {
  const auto text = [&](const char* key) { return config::in_quotes(verdict.facts.value(key, "")); };
  std::printf("plugin    %s %s\n", text("id").c_str(), text("version").c_str());
  std::printf("sha256    %s\n", verdict.facts.value("sha256", "").c_str());
  if (verdict.facts.contains("key"))
    std::printf("key       %s, signed at %s\n", verdict.facts.value("key", "").c_str(),
                text("signed_at").c_str());
  if (verdict.why_not.empty())
    std::printf("trusted   %s\n", verdict.facts.value("trust", "").c_str());
  else
    std::printf("REFUSED   %s\n", verdict.why_not.c_str());
}

}  // namespace

int plugin_verify(const PluginVerifyOptions& options) {
  const auto complain = [](const std::string& text) {
    std::fprintf(stderr, "%s\n", text.c_str());
    return kUnreadable;
  };
  if (options.keys.empty() && options.sha256.empty())
    return complain("name what to trust: --keys FILE|FOLDER, --sha256 HEX, or both");
  if (!options.sha256.empty() && !config::is_sha256(options.sha256))
    return complain("--sha256 takes the 64 hex digits that sha256sum prints");
  const auto library = plugin_host::seal_library(options.file, Place::workshop);
  if (!library) return complain(options.file + ": " + library.error().text);
  const auto manifest = plugin_host::read_manifest(plugin_host::manifest_path(options.file), Place::workshop);
  if (!manifest) return complain(options.file + ": " + manifest.error().text);
  const Verdict verdict = judged(options, *library, *manifest);
  if (options.json)
    std::printf("%s\n", verdict.facts.dump(2, ' ', false, Ordered::error_handler_t::replace).c_str());
  else
    print(verdict);
  return verdict.why_not.empty() ? 0 : 1;
}

}  // namespace vmcp::app
