#include "approvals/approval.h"

namespace vmcp::approvals {
namespace {

std::optional<State> state_of(std::string_view name) {
  for (const State state : {State::waiting, State::approved, State::denied})
    if (name == state_name(state)) return state;
  return std::nullopt;
}

// A text that is JSON goes out as what it says, else as a text.
Json parsed(const std::string& text) {
  auto json = parse_trusted_json(text, 1u << 20);
  return json ? std::move(*json) : Json(text);
}

}  // namespace

const char* state_name(State state) {
  switch (state) {
    case State::waiting:
      return "waiting";
    case State::approved:
      return "approved";
    case State::denied:
      return "denied";
  }
  return "denied";
}

Json approval_json(const Approval& a, bool with_binding) {
  Json out{{"id", a.id},
           {"state", state_name(a.state)},
           {"identity", a.identity},
           {"role", a.role},
           {"tool", a.tool},
           {"targets", a.targets},
           {"rule", a.rule},
           {"asked", iso8601(a.asked)},
           {"expires", iso8601(a.expires)}};
  if (!a.arguments.empty()) out["arguments"] = parsed(a.arguments);
  if (!a.preview.empty()) out["preview"] = parsed(a.preview);
  if (a.decided) out.update(Json{{"by", a.by}, {"reason", a.reason}, {"decided", iso8601(*a.decided)}});
  if (with_binding) out["binding"] = a.binding;
  return out;
}

std::optional<Approval> read_approval(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  bool whole = true;
  const auto text = [&](const char* key) {
    const auto it = json.find(key);
    whole = whole && it != json.end() && it->is_string();
    return whole ? it->get<std::string>() : std::string();
  };
  Approval out;
  out.id = text("id");
  const auto state = state_of(text("state"));
  out.identity = text("identity");
  out.role = text("role");
  out.tool = text("tool");
  out.rule = text("rule");
  out.binding = text("binding");
  const auto asked = parse_iso8601(text("asked")), expires = parse_iso8601(text("expires"));
  if (!whole || !state || !asked || !expires || out.id.empty() || out.binding.empty()) return std::nullopt;
  out.state = *state;
  out.asked = *asked;
  out.expires = *expires;
  if (const auto it = json.find("targets"); it != json.end() && it->is_array())
    for (const Json& target : *it)
      if (target.is_string()) out.targets.push_back(target.get<std::string>());
  if (json.contains("arguments")) out.arguments = dump_json(json["arguments"]);
  if (json.contains("preview")) out.preview = dump_json(json["preview"]);
  if (out.state == State::waiting) return out;
  out.by = text("by");
  out.reason = text("reason");
  out.decided = parse_iso8601(text("decided"));
  if (!whole || !out.decided || out.by.empty()) return std::nullopt;
  return out;
}

}  // namespace vmcp::approvals
