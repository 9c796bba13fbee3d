#include "policy/conditions.h"

#include <algorithm>
#include <charconv>

#include "base/glob.h"

namespace vmcp::policy {
namespace {

constexpr std::size_t kMaxMatchedBytes = 64u << 10;
constexpr std::string_view kUnknownPlace = "/?";  // inventory/tree.h: a parent that may not be read

RE2::Options pattern_options() {
  RE2::Options options(RE2::Quiet);
  options.set_max_mem(1 << 20);
  return options;
}

std::string number_text(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

std::string words(const std::vector<std::string>& list) {
  std::string out;
  for (std::size_t i = 0; i < list.size() && i < 5; ++i) out += (i == 0 ? "'" : ", '") + list[i] + "'";
  return out + (list.size() > 5 ? ", …" : "");
}

// Null when there is no such value; a JSON null counts as none, as it does for plugins.
const Json* value_at(const Json& arguments, const std::vector<std::string>& path) {
  const Json* at = &arguments;
  for (const std::string& part : path) {
    if (at->is_object()) {
      const auto it = at->find(part);
      if (it == at->end()) return nullptr;
      at = &*it;
    } else if (at->is_array()) {
      if (part.size() > 1 && part.front() == '0') return nullptr;  // RFC 6901: an index has no such zero
      std::size_t index = 0;
      const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
      if (error != std::errc() || end != part.data() + part.size() || index >= at->size()) return nullptr;
      at = &(*at)[index];
    } else {
      return nullptr;
    }
  }
  return at->is_null() ? nullptr : at;
}

// long double holds every 64-bit integer exactly where double does not.
long double number_of(const Json& value) {
  if (value.is_number_unsigned()) return static_cast<long double>(value.get<std::uint64_t>());
  if (value.is_number_integer()) return static_cast<long double>(value.get<std::int64_t>());
  return static_cast<long double>(value.get<double>());
}

// Not Json's own equality: that takes an integer beyond 2^63 for a negative one.
bool is_same(const Json& a, const Json& b) {
  return a.is_number() && b.is_number() ? number_of(a) == number_of(b) : a == b;
}

bool is_same_type(const Json& a, const Json& b) {
  return a.type() == b.type() || (a.is_number() && b.is_number());
}

Holds within_limits(const ArgumentCondition& said, const Json& value, Say say) {
  if (!said.min && !said.max) return {};
  if (!value.is_number()) return Holds::undecided(say, [&] { return said.pointer + " must be a number"; });
  if (said.min && number_of(value) < static_cast<long double>(*said.min))
    return Holds::no(say, [&] { return said.pointer + " must be at least " + number_text(*said.min); });
  if (said.max && number_of(value) > static_cast<long double>(*said.max))
    return Holds::no(say, [&] { return said.pointer + " must be at most " + number_text(*said.max); });
  return {};
}

Holds listed_value(const ArgumentCondition& said, const Json& value, Say say) {
  bool of_type = said.one_of.empty();
  for (const Json& one : said.one_of) {
    if (is_same(one, value)) return {};
    of_type = of_type || is_same_type(one, value);
  }
  if (said.one_of.empty()) return {};
  const auto why = [&] {
    std::string all;
    for (const Json& one : said.one_of) all += (all.empty() ? "" : ", ") + dump_json(one);
    return said.pointer + " must be one of " + all.substr(0, 200);
  };
  return of_type ? Holds::no(say, why) : Holds::undecided(say, why);
}

Holds matching_text(const ArgumentCondition& said, const RE2* pattern, const Json& value, Say say) {
  if (pattern == nullptr) return {};
  if (!value.is_string()) return Holds::undecided(say, [&] { return said.pointer + " must be a text"; });
  const std::string& text = value.get_ref<const std::string&>();
  if (text.size() > kMaxMatchedBytes)
    return Holds::undecided(say, [&] { return said.pointer + " is too long to be matched"; });
  if (!RE2::FullMatch(text, *pattern))
    return Holds::no(say, [&] { return said.pointer + " must match " + said.pattern; });
  return {};
}

// What cannot be decided does not hide a plain no: then the rule has nothing to say.
void keep_worst(Holds& worst, Holds next) {
  if (worst.state == Holds::State::no || next.yes()) return;
  if (worst.yes() || next.state == Holds::State::no) worst = std::move(next);
}

Holds one_value(const ArgumentCondition& said, const RE2* pattern, const Json& value, Say say) {
  Holds worst = within_limits(said, value, say);
  keep_worst(worst, listed_value(said, value, say));
  keep_worst(worst, matching_text(said, pattern, value, say));
  return worst;
}

bool looks_at_value(const ArgumentCondition& said) {
  return said.min || said.max || !said.one_of.empty() || !said.pattern.empty();
}

bool is_in(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) &&
         (path.size() == folder.size() || folder == "/" || path[folder.size()] == '/');
}

// "/eu/north" is that very path, "north" any that ends in it.
bool is_named(std::string_view path, std::string_view entry) {
  if (entry.starts_with('/')) return path == entry;
  return path.size() > entry.size() && path.ends_with(entry) && path[path.size() - entry.size() - 1] == '/';
}

bool any_named(const std::vector<std::string>& entries, std::string_view path) {
  return std::any_of(entries.begin(), entries.end(), [&](const auto& e) { return is_named(path, e); });
}

bool any_glob(const std::vector<std::string>& globs, std::string_view text) {
  return std::any_of(globs.begin(), globs.end(), [&](const auto& g) { return glob_match(g, text); });
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool is_unknown_place(const inventory::Object& object) {
  return object.path.empty() || object.path.starts_with(kUnknownPlace);
}

Holds where(const TargetCondition& said, const inventory::Object& object, Say say) {
  if (said.folders.empty() && said.datacenters.empty()) return {};
  if (is_unknown_place(object))
    return Holds::undecided(say, [&] { return "where the " + object.kind + " lies could not be read"; });
  if (!said.folders.empty() && std::none_of(said.folders.begin(), said.folders.end(),
                                            [&](const auto& f) { return is_in(object.path, f); }))
    return Holds::no(say, [&] { return "the " + object.kind + " must be in " + words(said.folders); });
  if (!said.datacenters.empty() && !any_named(said.datacenters, object.datacenter))
    return Holds::no(
        say, [&] { return "the " + object.kind + " must be in the datacenter " + words(said.datacenters); });
  return {};
}

bool is_known(const Subject& subject) {
  return subject.facts != nullptr && subject.facts->known;
}

Holds in_cluster(const TargetCondition& said, const Subject& subject, Say say) {
  if (said.clusters.empty()) return {};
  const inventory::Object& object = *subject.object;
  const bool may_be_in_one = object.kind == "host" || object.kind == "cluster";
  // Of a VM only its facts tell; facts that are not known mean nothing, whatever the object says.
  if ((subject.facts == nullptr && object.kind == "vm") ||
      (subject.facts != nullptr && !subject.facts->known) || (may_be_in_one && is_unknown_place(object)))
    return Holds::undecided(say, [&] { return "the cluster of the " + object.kind + " could not be read"; });
  std::string_view cluster = object.cluster;
  if (object.kind == "vm") cluster = subject.facts->cluster ? *subject.facts->cluster : std::string_view();
  if (any_named(said.clusters, cluster)) return {};
  return Holds::no(say,
                   [&] { return "the " + object.kind + " must be in the cluster " + words(said.clusters); });
}

// No wanted tag is on the object. One that vCenter does not list may still be on it: our account may not be
// allowed to read that tag, and vCenter says the same of both.
Holds tag_not_found(const TargetCondition& said, const inventory::Facts& facts, const std::string& kind,
                    Say say) {
  for (const std::string& tag : said.tags)
    if (facts.absent_tags.contains(tag))
      return Holds::undecided(say, [&] {
        return "this vCenter lists no tag '" + tag + "': it does not exist, or this server may not read it";
      });
  return Holds::no(say, [&] { return "the " + kind + " must have the tag " + words(said.tags); });
}

Holds what_is_known(const TargetCondition& said, const Subject& subject, bool to_see, Say say) {
  const bool asks_power = !said.power_states.empty() && !to_see;
  if (said.tags.empty() && !asks_power) return {};
  const std::string& kind = subject.object->kind;
  if (!is_known(subject))
    return Holds::undecided(say, [&] { return "tags and power state of the " + kind + " were not read"; });
  if (!said.tags.empty() && std::none_of(said.tags.begin(), said.tags.end(),
                                         [&](const auto& t) { return subject.facts->tags.contains(t); }))
    return tag_not_found(said, *subject.facts, kind, say);
  if (asks_power && !subject.facts->power && (kind == "vm" || kind == "host"))
    return Holds::undecided(say, [&] { return "the power state of the " + kind + " was not read"; });
  if (asks_power && (!subject.facts->power || !contains(said.power_states, *subject.facts->power)))
    return Holds::no(say, [&] { return "the " + kind + " must be " + words(said.power_states); });
  return {};
}

}  // namespace

const char* effect_name(Effect e) {
  switch (e) {
    case Effect::allow:
      return "allow";
    case Effect::deny:
      return "deny";
    case Effect::unasked:
      return "unasked";
    case Effect::confirm:
      return "confirm";
    case Effect::elicit:
      return "elicit";
    case Effect::approve:
      return "approve";
  }
  return "deny";
}

std::optional<std::vector<std::string>> pointer_path(std::string_view pointer) {
  if (!pointer.starts_with('/') || pointer.size() > 256) return std::nullopt;
  std::vector<std::string> path;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      path.emplace_back();
    } else if (pointer[i] == '~') {
      if (++i == pointer.size() || (pointer[i] != '0' && pointer[i] != '1')) return std::nullopt;
      path.back() += pointer[i] == '0' ? '~' : '/';
    } else {
      path.back() += pointer[i];
    }
  }
  return path;
}

Result<std::unique_ptr<ReadyRule>> ReadyRule::make(Rule rule, std::set<std::string, std::less<>> roles) {
  std::unique_ptr<ReadyRule> made(new ReadyRule);
  for (const ArgumentCondition& said : rule.arguments) {
    auto path = pointer_path(said.pointer);
    if (!path)
      return make_error(Code::invalid_argument,
                        "'" + said.pointer.substr(0, 64) + "' is no JSON pointer; write it as \"/name\"");
    Argument ready{std::move(*path), nullptr};
    if (!said.pattern.empty()) {
      ready.pattern = std::make_unique<RE2>(said.pattern, pattern_options());
      if (!ready.pattern->ok())
        return make_error(Code::invalid_argument, "the pattern of " + said.pointer +
                                                      " is none that RE2 knows: " + ready.pattern->error());
    }
    made->arguments_.push_back(std::move(ready));
  }
  if (rule.window) {
    auto zone = TimeZone::load(rule.window->zone);
    if (!zone) return zone.error();
    made->zone_ = std::move(*zone);
  }
  made->label_ = "rule '" + rule.name + "'";
  made->rule_ = std::move(rule);
  made->roles_ = std::move(roles);
  return made;
}

bool ReadyRule::names(std::string_view role, std::string_view tool) const {
  return names_role(role) && any_glob(rule_.tools, tool);
}

bool ReadyRule::names_identity(std::string_view identity) const {
  return rule_.identities.empty() || any_glob(rule_.identities, identity);
}

Holds ReadyRule::window(WallTime now, Say say) const {
  if (!rule_.window) return {};
  const WindowCondition& said = *rule_.window;
  const std::int64_t local =
      std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count() + zone_->offset_at(now);
  const std::int64_t day = local >= 0 ? local / 86'400 : (local - 86'399) / 86'400;
  const int minute = static_cast<int>((local - day * 86'400) / 60);
  const auto weekday = static_cast<std::size_t>(((day + 3) % 7 + 7) % 7);  // 1970-01-01 was a Thursday
  const bool over_midnight = said.from_min > said.to_min;
  bool in = false;
  if (said.from_min == said.to_min)
    in = said.days[weekday];
  else if (!over_midnight)
    in = said.days[weekday] && minute >= said.from_min && minute < said.to_min;
  else
    in = (said.days[weekday] && minute >= said.from_min) ||
         (said.days[(weekday + 6) % 7] && minute < said.to_min);
  return in ? Holds() : Holds::no(say, [&] { return "it holds at other hours only"; });
}

Holds ReadyRule::vcenter(std::string_view name, Say say) const {
  if (rule_.targets.vcenters.empty() || (!name.empty() && any_glob(rule_.targets.vcenters, name))) return {};
  return Holds::no(say, [&] { return "the vCenter must be " + words(rule_.targets.vcenters); });
}

Holds ReadyRule::one_argument(const ArgumentCondition& said, const Argument& ready, const Json& given,
                              const Json& defaults, Say say) const {
  const Json* value = value_at(given, ready.path);
  if (said.forbidden) {
    if (value == nullptr) return {};
    return Holds::no(say, [&] { return said.pointer + " must not be given"; });
  }
  const auto must_be_given = [&] { return said.pointer + " must be given"; };
  if (value == nullptr && said.required) return Holds::no(say, must_be_given);
  if (value == nullptr) value = value_at(defaults, ready.path);
  if (value == nullptr) return opens(rule_.effect) ? Holds() : Holds::no(say, must_be_given);
  if (!looks_at_value(said)) return {};  // an empty list is there, too
  if (!value->is_array()) return one_value(said, ready.pattern.get(), *value, say);
  if (!opens(rule_.effect)) {
    // Closes as soon as one fits, and cannot say so of one that it cannot judge.
    Holds last = Holds::no(say, [&] { return said.pointer + " must name something"; });
    for (const Json& one : *value) {
      Holds holds = one_value(said, ready.pattern.get(), one, say);
      if (holds.yes()) return holds;
      if (last.state != Holds::State::undecided) last = std::move(holds);
    }
    return last;
  }
  for (const Json& one : *value)
    if (Holds holds = one_value(said, ready.pattern.get(), one, say); !holds.yes()) return holds;
  return {};
}

Holds ReadyRule::arguments(const Json& given, const Json& defaults, Say say) const {
  Holds worst;
  for (std::size_t i = 0; i < arguments_.size() && worst.state != Holds::State::no; ++i)
    keep_worst(worst, one_argument(rule_.arguments[i], arguments_[i], given, defaults, say));
  return worst;
}

Holds ReadyRule::target(const Subject& subject, Say say, bool to_see) const {
  const TargetCondition& said = rule_.targets;
  const inventory::Object& object = *subject.object;
  if (Holds holds = vcenter(object.vcenter, say); !holds.yes()) return holds;
  if (!said.kinds.empty() && !contains(said.kinds, object.kind))
    return Holds::no(say, [&] { return "the target must be a " + words(said.kinds); });
  if (!said.names.empty() && !any_glob(said.names, object.name))
    return Holds::no(say, [&] { return "the " + object.kind + "'s name must match " + words(said.names); });
  Holds worst;
  keep_worst(worst, where(said, object, say));
  keep_worst(worst, in_cluster(said, subject, say));
  keep_worst(worst, what_is_known(said, subject, to_see, say));
  return worst;
}

}  // namespace vmcp::policy
