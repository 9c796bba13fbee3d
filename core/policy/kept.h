// What was found once of a role and a tool, for the calls that follow. Bounded: what finds no room is looked
// up each time (names of resources are the callers', so there is no end of them).
#pragma once

#include <functional>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "policy/policy.h"

namespace vmcp::policy {

struct Policy::Kept {
  static constexpr std::size_t kMaxEntries = 16'384;
  static constexpr std::size_t kMaxNameBytes = 128;

  struct Key {
    std::string role, tool;
  };
  struct View {
    std::string_view role, tool;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const View& v) const {
      const std::hash<std::string_view> hash;
      return hash(v.role) * 31 + hash(v.tool);
    }
    std::size_t operator()(const Key& k) const { return (*this)(View{k.role, k.tool}); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Key& a, const Key& b) const { return a.role == b.role && a.tool == b.tool; }
    bool operator()(const View& a, const Key& b) const { return a.role == b.role && a.tool == b.tool; }
    bool operator()(const Key& a, const View& b) const { return (*this)(b, a); }
  };

  std::shared_ptr<const Applicable> find(std::string_view role, std::string_view tool) const {
    const std::shared_lock lock(mutex);
    const auto it = entries.find(View{role, tool});
    return it == entries.end() ? nullptr : it->second;
  }
  void put(std::string_view role, std::string_view tool, std::shared_ptr<const Applicable> made) {
    if (tool.size() > kMaxNameBytes) return;
    const std::unique_lock lock(mutex);
    if (entries.size() < kMaxEntries)
      entries.emplace(Key{std::string(role), std::string(tool)}, std::move(made));
  }

  mutable std::shared_mutex mutex;
  std::unordered_map<Key, std::shared_ptr<const Applicable>, Hash, Equal> entries;
};

}  // namespace vmcp::policy
