#include "mcp/client_side.h"

#include "mcp/notifications.h"

namespace vmcp::mcp {
namespace {

const Json* object_in(const Json& parent, const char* key) {
  const auto it = parent.find(key);
  return it == parent.end() || !it->is_object() ? nullptr : &*it;
}

constexpr std::size_t kMaxTokenBytes = 256;
constexpr milliseconds kBetweenProgress{10};
constexpr int kMaxLogLines = 1'000;

// The last progress that was told: it must grow, and a busy plugin must not flood the client.
struct Told {
  double done = -1;
  SteadyTime at{};
};

}  // namespace

std::set<std::string, std::less<>> client_can(const Json& capabilities, Version version) {
  std::set<std::string, std::less<>> can;
  if (!capabilities.is_object()) return can;
  if (const Json* sampling = object_in(capabilities, "sampling")) {
    can.insert("sampling");
    if (sampling->contains("tools")) can.insert("sampling.tools");
  }
  if (object_in(capabilities, "roots") != nullptr) can.insert("roots");
  if (const Json* elicitation = object_in(capabilities, "elicitation");
      elicitation != nullptr && version != Version::v2025_03_26) {
    // An empty object means forms only.
    if (elicitation->empty() || elicitation->contains("form")) can.insert("elicitation.form");
    if (elicitation->contains("url") && version >= Version::v2025_11_25) can.insert("elicitation.url");
  }
  if (const Json* extensions = object_in(capabilities, "extensions");
      extensions != nullptr && is_modern(version) && extensions->contains(kTasksExtension))
    can.insert("tasks");
  return can;
}

std::string required_capabilities(std::string_view names) {
  Json out = Json::object();
  while (!names.empty()) {
    const std::size_t comma = std::min(names.find(','), names.size());
    const std::string_view name = names.substr(0, comma);
    names.remove_prefix(std::min(comma + 1, names.size()));
    if (name == "tasks") {
      out["extensions"][std::string(kTasksExtension)] = Json::object();
    } else if (const std::size_t dot = name.find('.'); dot != std::string_view::npos) {
      out[std::string(name.substr(0, dot))][std::string(name.substr(dot + 1))] = Json::object();
    } else if (!name.empty()) {
      out[std::string(name)] = Json::object();
    }
  }
  return dump_json(out);
}

void connect(pipeline::ClientSide& side, const Json* meta, int log_level, const OutletPtr& outlet) {
  side.on_close_stream = [outlet] { outlet->close_stream(); };
  if (meta != nullptr) {
    const auto token = meta->find("progressToken");
    if (token != meta->end() && (token->is_string() || token->is_number_integer())) {
      std::string text = dump_json(*token);
      if (text.size() <= kMaxTokenBytes)
        side.on_progress = [outlet, text = std::move(text), told = Told{}](double done, double total,
                                                                           std::string_view note) mutable {
          const SteadyTime now = std::chrono::steady_clock::now();
          const bool last = total > 0 && done >= total;
          if (done <= told.done || (!last && now - told.at < kBetweenProgress)) return;
          told = {done, now};
          outlet->notify(notification("notifications/progress", progress_params(text, done, total, note)));
        };
    }
  }
  if (log_level >= 0)
    side.on_log = [outlet, log_level, lines = 0](std::string_view level, std::string_view logger,
                                                 std::string_view data) mutable {
      if (log_level_of(level) < log_level || ++lines > kMaxLogLines) return;
      outlet->notify(notification("notifications/message", message_params(level, logger, data)));
    };
}

}  // namespace vmcp::mcp
