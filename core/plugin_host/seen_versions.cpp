#include "plugin_host/seen_versions.h"

#include <algorithm>
#include <vector>

#include "base/json.h"
#include "plugin_host/careful_file.h"
#include "store/small_file.h"

namespace vmcp::plugin_host {
namespace {

constexpr std::uint64_t kMaxListBytes = 1u << 20;
constexpr std::size_t kMaxPlugins = 10'000;

std::vector<std::string_view> version_parts(std::string_view text) {
  std::vector<std::string_view> out;
  for (;;) {
    const auto dot = text.find('.');
    out.push_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return out;
    text.remove_prefix(dot + 1);
  }
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 18 &&
         text.find_first_not_of("0123456789") == std::string_view::npos &&
         (text.size() == 1 || text.front() != '0');
}

int text_order(std::string_view a, std::string_view b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

// Numbers of any length without leading zeros.
int number_order(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? (a.size() < b.size() ? -1 : 1) : text_order(a, b);
}

struct Version {
  std::vector<std::string_view> core, pre;
};

bool parse_version(std::string_view text, Version& out) {
  constexpr std::string_view kLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-";
  text = text.substr(0, text.find('+'));
  const auto dash = text.find('-');
  out.core = version_parts(text.substr(0, dash));
  if (out.core.size() != 3 || !std::all_of(out.core.begin(), out.core.end(), is_number)) return false;
  if (dash == std::string_view::npos) return true;
  out.pre = version_parts(text.substr(dash + 1));
  return std::none_of(out.pre.begin(), out.pre.end(), [&](std::string_view part) {
    return part.empty() || part.find_first_not_of(kLetters) != std::string_view::npos;
  });
}

int compare_pre(const Version& a, const Version& b) {
  if (a.pre.empty() || b.pre.empty()) return a.pre.empty() == b.pre.empty() ? 0 : a.pre.empty() ? 1 : -1;
  for (std::size_t i = 0; i < std::min(a.pre.size(), b.pre.size()); ++i) {
    const bool a_number = is_number(a.pre[i]), b_number = is_number(b.pre[i]);
    int out = a_number && b_number   ? number_order(a.pre[i], b.pre[i])
              : a_number != b_number ? (a_number ? -1 : 1)
                                     : text_order(a.pre[i], b.pre[i]);
    if (out != 0) return out;
  }
  return a.pre.size() == b.pre.size() ? 0 : a.pre.size() < b.pre.size() ? -1 : 1;
}

}  // namespace

bool compare_versions(std::string_view a, std::string_view b, int& out) {
  Version left, right;
  if (!parse_version(a, left) || !parse_version(b, right)) return false;
  out = 0;
  for (std::size_t i = 0; i < 3 && out == 0; ++i) out = number_order(left.core[i], right.core[i]);
  if (out == 0) out = compare_pre(left, right);
  return true;
}

Result<SeenVersions> SeenVersions::open(const std::string& file) {
  const auto damaged = [&](const std::string& why) {
    return make_error(Code::unavailable,
                      "the list of seen plugin versions " + file + " " + why +
                          ", so that a downgrade would not be noticed; repair it, or remove "
                          "it if you know what was loaded before");
  };
  SeenVersions out;
  out.file_ = file;
  const auto text = read_carefully(file, Place::workshop, kMaxListBytes);
  if (!text && text.error().code == Code::not_found) return out;
  if (!text) return damaged("cannot be read (" + text.error().text + ")");
  const auto json = parse_trusted_json(*text, kMaxListBytes);
  if (!json || !json->is_object()) return damaged("is damaged");
  for (const auto& [id, version] : json->items()) {
    int ignored = 0;
    if (!version.is_string() || !compare_versions(version.get<std::string>(), "0.0.0", ignored))
      return damaged("is damaged");
    out.highest_[id] = version.get<std::string>();
  }
  return out;
}

std::string SeenVersions::highest(const std::string& id) const {
  const auto it = highest_.find(id);
  return it == highest_.end() ? std::string() : it->second;
}

Result<void> SeenVersions::remember(const std::string& id, const std::string& version, bool anyway) {
  int compared = 0;
  if (!compare_versions(version, version, compared)) return {};  // has no place in the order
  const std::string before = highest(id);
  if (!before.empty() && compare_versions(version, before, compared) &&
      (compared == 0 || (compared < 0 && !anyway)))
    return {};
  if (before.empty() && highest_.size() >= kMaxPlugins) return {};
  auto now = highest_;
  now[id] = version;
  if (auto r = store::replace_file(file_, Json(now).dump(2) + "\n"); !r) return r;
  highest_ = std::move(now);
  return {};
}

}  // namespace vmcp::plugin_host
