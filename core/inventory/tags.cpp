#include "inventory/tags.h"

#include "vcenter/wire.h"

namespace vmcp::inventory {
namespace {

constexpr int kRenewalsAtOnce = 32;

class TagReading {
 public:
  TagReading(vcenter::Connection& vc, TagNames& names, const Clock& clock, const Limits& limits,
             const CallLimits& call)
      : vc_(vc), names_(names), clock_(clock), limits_(limits), call_(call) {}

  // Ids of the wanted tags → what rules call them.
  Result<std::map<std::string, std::string>> find(const std::set<std::string, std::less<>>& wanted) {
    std::map<std::string, std::string> out;
    auto categories = ids(ask("GET", "/api/cis/tagging/category", ""));
    if (!categories) return categories.error();
    for (const std::string& category : *categories) {
      auto name = name_of("/api/cis/tagging/category/", category);
      if (!name) return name.error();
      const std::string prefix = *name + "/";
      const auto first = wanted.lower_bound(prefix);
      if (first == wanted.end() || !first->starts_with(prefix)) continue;
      auto tags = ids(ask("POST", "/api/cis/tagging/tag?action=list-tags-for-category",
                          dump_json(Json{{"category_id", category}})));
      if (!tags) return tags.error();
      for (const std::string& tag : *tags) {
        auto word = name_of("/api/cis/tagging/tag/", tag);
        if (!word) return word.error();
        if (wanted.contains(prefix + *word)) out[tag] = prefix + *word;
      }
    }
    return out;
  }

  Result<void> attachments(const std::map<std::string, std::string>& tags, TagTable& out) {
    Json asked = Json::array();
    for (const auto& [id, name] : tags) asked.push_back(id);
    auto answer = ask("POST", "/api/cis/tagging/tag-association?action=list-attached-objects-on-tags",
                      dump_json(Json{{"tag_ids", std::move(asked)}}));
    if (!answer) return answer.error();
    if (answer->is_null()) return {};
    if (!answer->is_array()) return unreadable();
    for (const Json& entry : *answer) {
      if (!entry.is_object() || !entry.contains("tag_id") || !entry.contains("object_ids"))
        return unreadable();
      const Json &id = entry["tag_id"], &objects = entry["object_ids"];
      const auto tag = id.is_string() ? tags.find(id.get_ref<const std::string&>()) : tags.end();
      if (tag == tags.end() || !objects.is_array()) return unreadable();
      for (const Json& object : objects) {
        if (!object.is_object() || !object.contains("id") || !object["id"].is_string()) return unreadable();
        out.by_id[object["id"].get<std::string>()].insert(tag->second);
      }
    }
    return {};
  }

 private:
  static Error failed(const Error& cause) {
    Error out = cause;
    // It is not the caller's argument that is missing.
    if (out.code == Code::not_found) out.code = Code::unavailable;
    out.text = "The tags that a rule depends on could not be read: " + out.text;
    return out;
  }

  static Error unreadable() {
    return make_error(Code::unavailable,
                      "The tags that a rule depends on could not be read: vCenter's answer has another shape "
                      "than documented; look into the server's log");
  }

  Result<Json> ask(std::string_view method, const std::string& path, const std::string& body) {
    const auto reply = vc_.automation({method, path, body}, call_);
    if (!reply.ok()) return failed(*reply.error);
    auto parsed = parse_trusted_json(reply.body, limits_.max_reply_bytes);
    if (!parsed) return unreadable();
    return std::move(*parsed);
  }

  Result<std::vector<std::string>> ids(Result<Json> answer) {
    if (!answer) return answer.error();
    std::vector<std::string> out;
    if (answer->is_null()) return out;  // how some builds write an empty list in /rest
    if (!answer->is_array()) return unreadable();
    seen_ += answer->size();
    if (seen_ > limits_.max_tag_names)
      return make_error(Code::unavailable,
                        "The tags that a rule depends on could not be read: vCenter has more than " +
                            std::to_string(limits_.max_tag_names) +
                            " categories and tags of those categories, which is more than this server reads");
    for (const Json& id : *answer) {
      if (!id.is_string()) return unreadable();
      out.push_back(id.get<std::string>());
    }
    return out;
  }

  Result<std::string> name_of(const char* path, const std::string& id) {
    const SteadyTime now = clock_.now();
    if (auto known = names_.find(id, now, renewals_)) return known->text;
    auto model = ask("GET", path + vcenter::percent_encode(id), "");
    if (!model) return model.error();
    if (!model->is_object() || !model->contains("name") || !(*model)["name"].is_string()) return unreadable();
    auto name = (*model)["name"].get<std::string>();
    names_.put(id, name, now);
    return name;
  }

  vcenter::Connection& vc_;
  TagNames& names_;
  const Clock& clock_;
  const Limits& limits_;
  const CallLimits& call_;
  int renewals_ = kRenewalsAtOnce;
  std::size_t seen_ = 0;
};

}  // namespace

std::shared_ptr<const TagNames::Name> TagNames::find(const std::string& id, SteadyTime now,
                                                     int& renewals) const {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(id);
  if (found == names_.end()) return nullptr;
  const auto age = now - found->second->read_at;
  if (age > kNameAgeMost || (age > kNameAge && renewals-- > 0)) return nullptr;
  return found->second;
}

void TagNames::put(const std::string& id, std::string text, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  names_[id] = std::make_shared<const Name>(Name{std::move(text), now});
}

void TagNames::bound(std::size_t most) {
  const std::lock_guard lock(mutex_);
  if (names_.size() > most) names_.clear();
}

Result<std::shared_ptr<TagTable>> read_tags(vcenter::Connection& vc,
                                            const std::set<std::string, std::less<>>& wanted, TagNames& names,
                                            const Clock& clock, const Limits& limits,
                                            const CallLimits& call) {
  auto out = std::make_shared<TagTable>();
  TagReading reading(vc, names, clock, limits, call);
  names.bound(limits.max_tag_names);
  auto tags = reading.find(wanted);
  if (!tags) return tags.error();
  out->absent = wanted;
  for (const auto& [id, name] : *tags) out->absent.erase(name);
  if (tags->empty()) return out;
  if (auto done = reading.attachments(*tags, *out); !done) return done.error();
  return out;
}

}  // namespace vmcp::inventory
