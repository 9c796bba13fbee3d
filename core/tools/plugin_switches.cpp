#include "tools/plugin_switches.h"

#include "base/json.h"
#include "store/small_file.h"

namespace vmcp::tools {
namespace {

constexpr std::size_t kMaxSwitchesBytes = 256u << 10, kMaxSwitches = 1000;

}  // namespace

Result<void> PluginSwitches::keep_in(const std::string& file) {
  const auto damaged = [&](const std::string& why) {
    return make_error(Code::unavailable, "the list of plugins that are switched off, " + file + ", " + why +
                                             "; repair it, or remove it if no plugin must stay off");
  };
  const std::lock_guard lock(mutex_);
  file_ = file;
  const auto text = store::read_file(file, kMaxSwitchesBytes);
  if (!text && text.error().code == Code::not_found) return {};
  if (!text) return damaged("cannot be read (" + text.error().text + ")");
  const auto json = parse_trusted_json(*text, kMaxSwitchesBytes);
  if (!json || !json->is_object()) return damaged("is damaged");
  for (const auto& [id, entry] : json->items()) {
    if (!entry.is_object() || !entry.contains("by") || !entry["by"].is_string() || !entry.contains("at") ||
        !entry["at"].is_string())
      return damaged("is damaged");
    off_[id] = {entry["by"].get<std::string>(), entry["at"].get<std::string>()};
  }
  return {};
}

std::map<std::string, std::string> PluginSwitches::off() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::string> out;
  for (const auto& [id, entry] : off_)
    out[id] = "switched off by " + entry.by + " at " + entry.at + "; `vsphere-mcp-pro plugin enable " + id +
              "` switches it on";
  return out;
}

Result<void> PluginSwitches::turn_off(const std::string& id, const std::string& by, WallTime at) {
  const std::lock_guard lock(mutex_);
  Switches next = off_;
  if (next.size() >= kMaxSwitches && !next.contains(id))
    return make_error(Code::conflict, "more than a thousand plugins are switched off; remove them instead");
  next[id] = {by, iso8601(at)};
  return put(std::move(next));
}

Result<void> PluginSwitches::turn_on(const std::string& id) {
  const std::lock_guard lock(mutex_);
  Switches next = off_;
  if (next.erase(id) == 0) return {};
  return put(std::move(next));
}

Result<void> PluginSwitches::put(Switches next) {
  Json json = Json::object();
  for (const auto& [id, entry] : next) json[id] = {{"by", entry.by}, {"at", entry.at}};
  if (!file_.empty())
    if (auto r = store::replace_file(file_, json.dump(2) + "\n"); !r) return r;
  off_ = std::move(next);
  return {};
}

}  // namespace vmcp::tools
