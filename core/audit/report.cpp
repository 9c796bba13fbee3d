#include "audit/report.h"

#include <algorithm>
#include <unordered_map>

namespace vmcp::audit {
namespace {

constexpr const char* kOthers = "(others)";

std::string word(const Json& record, const char* key) {
  const auto it = record.find(key);
  return it != record.end() && it->is_string() ? it->get<std::string>() : std::string();
}

class Summing {
 public:
  Summing(std::optional<WallTime> since, std::optional<WallTime> until) : since_(since), until_(until) {}

  void add(const Read& record) {
    const auto at = time_of(record.json);
    const bool counted = at && (!since_ || *at >= *since_) && (!until_ || *at < *until_);
    // Behind the end only what closes an intent is of interest.
    if (!counted && open_.empty()) return;
    const auto json = parse_trusted_json(record.json);
    if (!json || !json->is_object()) return;
    const std::string event = word(*json, "event");
    if (event == "journal") return;
    follow(*json, event, counted);
    if (!counted) return;
    ++report_.records;
    if (report_.first_at.empty()) report_.first_at = word(*json, "ts");
    report_.last_at = word(*json, "ts");
    count(*json, event);
  }

  ActivityReport take() {
    for (auto& [request, orphan] : open_) report_.orphans.push_back(std::move(orphan));
    std::sort(report_.orphans.begin(), report_.orphans.end(), [](const Orphan& a, const Orphan& b) {
      return std::pair(a.at, a.request) < std::pair(b.at, b.request);
    });
    report_.refusals.assign(rules_.begin(), rules_.end());
    std::stable_sort(report_.refusals.begin(), report_.refusals.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    return std::move(report_);
  }

 private:
  void follow(const Json& json, const std::string& event, bool counted) {
    const std::string request = word(json, "request_id");
    if (request.empty()) return;
    if (event == "outcome" || (event == "refused" && json.contains("voids"))) {
      open_.erase(request);
    } else if (event == "accepted") {
      if (const auto it = open_.find(request); it != open_.end()) it->second.task = word(json, "task");
    } else if (event == "intent" && counted) {
      if (open_.size() >= ActivityReport::kMaxOrphans) {
        ++report_.orphans_not_kept;
        return;
      }
      Orphan orphan{word(json, "ts"), request, word(json, "identity"), subject_of(json), {}, {}};
      if (const auto targets = json.find("targets"); targets != json.end() && targets->is_array())
        for (const Json& target : *targets)
          if (target.is_string()) orphan.targets.push_back(target.get<std::string>());
      open_.insert_or_assign(request, std::move(orphan));
    }
  }

  static std::string subject_of(const Json& json) {
    const std::string tool = word(json, "tool");
    return tool.empty() ? word(json, "method") : tool;
  }

  void count(const Json& json, const std::string& event) {
    if (event != "outcome" && event != "refused") return;
    const std::string code = word(json, "code");
    // A question to the person is no end, and what comes back late was counted at its deadline.
    if (code == "input_required" || word(json, "step") == "late") return;
    std::uint64_t times = 1;
    if (const auto n = json.find("repeated"); n != json.end() && n->is_number_unsigned())
      times = n->get<std::uint64_t>();
    std::pair<std::string, std::string> caller(word(json, "identity"), subject_of(json));
    if (report_.by_caller.size() >= ActivityReport::kMaxPairs && !report_.by_caller.contains(caller))
      caller = {kOthers, kOthers};
    Sums& sums = report_.by_caller[caller];
    if (event == "refused") {
      sums.refused += times;
      std::string rule = word(json, "step");
      const std::string by = word(json, "rule");
      rule += ": " + (by.empty() ? code : by);
      if (rules_.size() >= ActivityReport::kMaxRules && !rules_.contains(rule)) rule = kOthers;
      rules_[rule] += times;
    } else if (json.value("ok", Json()) == true) {
      sums.ok += times;
    } else {
      (code == "unknown" ? sums.unknown : sums.failed) += times;
    }
  }

  const std::optional<WallTime> since_, until_;
  ActivityReport report_;
  std::map<std::string, std::uint64_t> rules_;
  std::unordered_map<std::string, Orphan> open_;  // intents by request
};

}  // namespace

Result<ActivityReport> activity(const std::string& journal_file, std::optional<WallTime> since,
                                std::optional<WallTime> until) {
  Summing summing(since, until);
  const auto ok = each_record(journal_file, since, [&](const Read& record) {
    summing.add(record);
    return true;
  });
  if (!ok) return ok.error();
  return summing.take();
}

}  // namespace vmcp::audit
