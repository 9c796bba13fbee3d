#include "inventory/inventory.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include "inventory/rows.h"
#include "inventory/snapshots.h"
#include "inventory/states.h"
#include "inventory/tags.h"
#include "vcenter/single_flight.h"

namespace vmcp::inventory {
namespace {

constexpr std::size_t kMaxCandidates = 10;
constexpr std::size_t kMaxText = 4'096;
constexpr std::size_t kMaxTagReads = 64;  // sets of tags whose attachments are remembered

using SharedTree = std::shared_ptr<const Tree>;
using SharedRows = std::shared_ptr<const Rows>;
using RowsFlight = vcenter::SingleFlight<SharedRows>;
using SharedStates = std::shared_ptr<const StateTable>;
using SharedTags = std::shared_ptr<const TagTable>;
using TagsFlight = vcenter::SingleFlight<SharedTags>;
using TagSet = std::set<std::string, std::less<>>;

// What is remembered of one vCenter.
struct Site {
  std::atomic<std::uint64_t> generation{
      0};  // counts changed(); what was read before a change may not answer after it
  std::atomic<bool> has_vapps{false};  // one was seen: the tree has to hold them
  vcenter::SingleFlight<SharedTree> tree;
  RowsFlight vms;                                 // names and places of all VMs
  vcenter::SingleFlight<SharedStates> states[4];  // by what is wanted: 1 power, 2 cluster
  TagNames tag_names;
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<RowsFlight>> reads;  // by RowsWanted::key(); guarded by mutex
  std::map<TagSet, std::shared_ptr<TagsFlight>> tags;      // guarded by mutex

  // The flight of those who want the same rows now. Nothing stays when the last of them has gone.
  std::shared_ptr<RowsFlight> flight(const std::string& key) {
    const std::lock_guard lock(mutex);
    std::erase_if(reads, [](const auto& entry) { return entry.second.expired(); });
    auto shared = reads[key].lock();
    if (!shared) reads[key] = shared = std::make_shared<RowsFlight>();
    return shared;
  }

  std::shared_ptr<TagsFlight> tags_flight(const TagSet& wanted) {
    const std::lock_guard lock(mutex);
    // Rules name few sets of tags; after a reload, those of the rules before are dropped with all others.
    if (tags.size() >= kMaxTagReads && !tags.contains(wanted)) tags.clear();
    auto& shared = tags[wanted];
    if (!shared) shared = std::make_shared<TagsFlight>();
    return shared;
  }
};

class TreeInventory final : public Inventory {
 public:
  TreeInventory(const Clock& clock, Limits limits) : clock_(clock), limits_(limits) {}

  Result<Object> resolve(vcenter::Connection& vc, std::string_view kind, std::string_view text,
                         const Visible& visible, const CallLimits& call) override;
  Result<Object> resolve_within(vcenter::Connection& vc, const Object& whole, std::string_view kind,
                                std::string_view text, const CallLimits& call) override;
  Result<Object> find(vcenter::Connection& vc, std::string_view kind, std::string_view id,
                      const Visible& visible, const CallLimits& call) override;
  Result<std::string> get(vcenter::Connection& vc, std::string_view kind, std::string_view id,
                          const std::vector<std::string>& properties, const Visible& visible,
                          const CallLimits& call) override;
  Result<std::string> list(vcenter::Connection& vc, const Json& query, const Visible& visible,
                           const CallLimits& call) override;
  Result<std::vector<Facts>> facts(vcenter::Connection& vc, const std::vector<const Object*>& objects,
                                   const FactsWanted& wanted, const CallLimits& call) override;
  Result<std::shared_ptr<const FactTable>> all_facts(vcenter::Connection& vc, const FactsWanted& wanted,
                                                     const CallLimits& call) override;
  void changed(vcenter::Connection& vc) override { ++site(vc).generation; }

 private:
  Site& site(vcenter::Connection& vc);
  template <class T, class Make>
  Result<T> fresh(vcenter::SingleFlight<T>& flight, Site& at, milliseconds age, const CallLimits& call,
                  Make make);
  Result<SharedTree> tree(vcenter::Connection& vc, const CallLimits& call);
  // Reads rows now and places them in a tree that is not older than they need.
  template <class Read>
  Result<SharedRows> placed(vcenter::Connection& vc, const CallLimits& call, Read read);
  // All objects of a kind, without properties; not older than limits_.tree_age.
  Result<SharedRows> names(vcenter::Connection& vc, const Kind& kind, const CallLimits& call);
  Result<SharedRows> rows(vcenter::Connection& vc, const Query& query, const CallLimits& call);
  Result<SharedStates> states(vcenter::Connection& vc, const FactsWanted& wanted, const CallLimits& call);
  Result<SharedTags> tags(vcenter::Connection& vc, const FactsWanted& wanted, const CallLimits& call);
  Result<void> add_states_now(vcenter::Connection& vc, const std::vector<const Object*>& objects,
                              const FactsWanted& wanted, const CallLimits& call, std::vector<Facts>& out);
  // `began`: when the hosts were asked for.
  Result<void> add_clusters(vcenter::Connection& vc, const std::vector<const Object*>& objects,
                            const std::vector<StateNow>& now, SteadyTime began, const CallLimits& call,
                            std::vector<Facts>& out);

  const Clock& clock_;
  const Limits limits_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Site>, std::less<>>
      sites_;  // by the connection's name; guarded by mutex_
};

Error unknown_kind(std::string_view kind) {
  return make_error(Code::invalid_argument, "There is no inventory kind '" + std::string(kind) + "'");
}

// The same words for what is not there and for what may not be seen.
Error not_found(const Kind& kind, std::string_view text) {
  return make_error(Code::not_found,
                    "There is no " + std::string(kind.word) + " '" + std::string(text.substr(0, 200)) +
                        "' that you may see; look it up with a list tool and give its id, exact name or "
                        "inventory path");
}

Error ambiguous(const Kind& kind, std::string_view text, const std::vector<const Object*>& candidates) {
  std::string list;
  for (std::size_t i = 0; i < candidates.size() && i < kMaxCandidates; ++i)
    list += (i ? ", " : "") + candidates[i]->id + " (" + candidates[i]->path + ")";
  if (candidates.size() > kMaxCandidates)
    list += " and " + std::to_string(candidates.size() - kMaxCandidates) + " more";
  return make_error(Code::invalid_argument, "'" + std::string(text) + "' names " +
                                                std::to_string(candidates.size()) + " " +
                                                std::string(kind.word) + "s: " + list +
                                                ". Give the inventory path, or an id that is nobody's name");
}

Site& TreeInventory::site(vcenter::Connection& vc) {
  const std::lock_guard lock(mutex_);
  auto& entry = sites_[vc.name()];
  if (!entry) entry = std::make_unique<Site>();
  return *entry;
}

// A name as vCenter keeps it: a person writes "a/b", the inventory holds "a%2fb".
std::string as_kept(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (c == '%')
      out += "%25";
    else if (c == '/')
      out += "%2f";
    else if (c == '\\')
      out += "%5c";
    else
      out += c;
  }
  return out;
}

// A value whose reading began after the last change that the caller could know of, and which is young enough.
// Age counts from the reading's end: a reading that takes longer than `age` would otherwise never serve
// anybody twice.
template <class T, class Make>
Result<T> TreeInventory::fresh(vcenter::SingleFlight<T>& flight, Site& at, milliseconds age,
                               const CallLimits& call, Make make) {
  const std::uint64_t wanted = at.generation;
  const SteadyTime asked = clock_.now();
  while (true) {
    flight.drop_if(
        [&](const T& value) { return value->generation < wanted || value->read_at + age < asked; });
    auto got = flight.get(call, [&](const CallLimits& limits) {
      return typename vcenter::SingleFlight<T>::Made{make(limits), milliseconds{0}};
    });
    if (!got || (*got)->generation >= wanted) return got;
  }
}

Result<SharedTree> TreeInventory::tree(vcenter::Connection& vc, const CallLimits& call) {
  Site& at = site(vc);
  return fresh(at.tree, at, limits_.tree_age, call, [&](const CallLimits& limits) -> Result<SharedTree> {
    const std::uint64_t generation = at.generation;
    auto read = read_tree(vc, at.has_vapps, limits_, limits);
    if (!read) return read.error();
    (*read)->generation = generation;
    (*read)->read_at = clock_.now();
    return SharedTree(std::move(*read));
  });
}

template <class Read>
Result<SharedRows> TreeInventory::placed(vcenter::Connection& vc, const CallLimits& call, Read read) {
  Site& at = site(vc);
  const std::uint64_t generation = at.generation;
  const SteadyTime began = clock_.now();
  auto where = tree(vc, call);
  if (!where) return where.error();
  Result<std::shared_ptr<Rows>> rows = read();
  if (!rows) return rows.error();
  (*rows)->generation = generation;
  (*rows)->read_at = clock_.now();
  place_rows(**rows, *where);
  const bool vapps_missing = (*rows)->unknown_vapps && !(*where)->with_vapps;
  if (vapps_missing) at.has_vapps = true;
  const bool younger = ((*rows)->unknown_parents || (*rows)->unknown_vapps) && (*where)->read_at < began;
  if (vapps_missing || younger) {
    at.tree.drop_if([&](const SharedTree& value) { return value == *where; });
    auto again = tree(vc, call);
    if (!again) return again.error();
    place_rows(**rows, *again);
  }
  return SharedRows(std::move(*rows));
}

Result<SharedRows> TreeInventory::names(vcenter::Connection& vc, const Kind& kind, const CallLimits& call) {
  if (kind.name != "vm") {
    auto all = tree(vc, call);
    if (!all) return all.error();
    return rows_of_tree(vc.name(), kind, *all);
  }
  Site& at = site(vc);
  return fresh(at.vms, at, limits_.tree_age, call, [&](const CallLimits& limits) -> Result<SharedRows> {
    auto wanted = plan_rows(kind, {}, false, false);
    if (!wanted) return wanted.error();
    return placed(vc, limits, [&] { return read_rows(vc, *wanted, limits_, limits); });
  });
}

Result<SharedRows> TreeInventory::rows(vcenter::Connection& vc, const Query& query, const CallLimits& call) {
  auto wanted = plan_rows(*query.kind, query.properties, query.by_host(), !query.power_states.empty());
  if (!wanted) return wanted.error();
  if (wanted->asked.empty() && !wanted->hosts && !wanted->power) return names(vc, *query.kind, call);
  Site& at = site(vc);
  auto flight = at.flight(wanted->key());
  // Only those who wait at the same time share the values: the flight ends with its last holder, and whoever
  // comes after a reading has begun drops its value.
  return fresh(*flight, at, milliseconds{0}, call, [&](const CallLimits& limits) -> Result<SharedRows> {
    return placed(vc, limits, [&] { return read_rows(vc, *wanted, limits_, limits); });
  });
}

Result<Object> TreeInventory::resolve(vcenter::Connection& vc, std::string_view kind_name,
                                      std::string_view text, const Visible& visible, const CallLimits& call) {
  const Kind* kind = find_kind(kind_name);
  if (!kind) return unknown_kind(kind_name);
  if (text.empty() || text.size() > kMaxText) return not_found(*kind, text);
  auto all = names(vc, *kind, call);
  if (!all) return all.error();
  const std::string kept = as_kept(text);
  std::vector<const Object*> candidates;
  for (const Row& row : (*all)->rows) {
    const Object& o = row.object;
    bool hit = text.front() == '/' ? o.path == text : (o.id == text || o.name == text || o.name == kept);
    if (hit && visible(o)) candidates.push_back(&o);
  }
  if (candidates.empty()) return not_found(*kind, text);
  if (candidates.size() > 1) return ambiguous(*kind, text, candidates);
  return *candidates.front();
}

Result<Object> TreeInventory::resolve_within(vcenter::Connection& vc, const Object& whole,
                                             std::string_view kind, std::string_view text,
                                             const CallLimits& call) {
  if (kind != "snapshot" || whole.kind != "vm")
    return make_error(Code::invalid_argument,
                      "A " + whole.kind + " has no parts of the kind '" + std::string(kind) + "'");
  return resolve_snapshot(vc, whole, text, limits_, call);
}

Result<Object> TreeInventory::find(vcenter::Connection& vc, std::string_view kind_name, std::string_view id,
                                   const Visible& visible, const CallLimits& call) {
  const Kind* kind = find_kind(kind_name);
  if (!kind) return unknown_kind(kind_name);
  auto all = names(vc, *kind, call);
  if (!all) return all.error();
  for (const Row& row : (*all)->rows) {
    if (row.object.id != id) continue;
    if (visible(row.object)) return row.object;
    break;
  }
  return not_found(*kind, id);
}

Result<std::string> TreeInventory::get(vcenter::Connection& vc, std::string_view kind_name,
                                       std::string_view id, const std::vector<std::string>& properties,
                                       const Visible& visible, const CallLimits& call) {
  const Kind* kind = find_kind(kind_name);
  if (!kind) return unknown_kind(kind_name);
  if (properties.size() > limits_.max_properties)
    return make_error(Code::invalid_argument, "At most " + std::to_string(limits_.max_properties) +
                                                  " properties can be read at once");
  auto wanted = plan_rows(*kind, properties, false, false);
  if (!wanted) return wanted.error();
  std::string type(kind->types.front());
  if (kind->types.size() > 1) {  // the request must name the exact type, which only the tree knows
    auto all = tree(vc, call);
    if (!all) return all.error();
    const Node* node = (*all)->find(id);
    if (!node || kind_of_type(node->type) != kind) return not_found(*kind, id);
    type = node->type;
  }
  auto got = placed(vc, call, [&] { return read_row(vc, *wanted, type, std::string(id), limits_, call); });
  if (!got) return got.error().code == Code::not_found ? not_found(*kind, id) : got.error();
  if ((*got)->rows.empty() || !visible((*got)->rows.front().object)) return not_found(*kind, id);
  std::string out;
  append_row(out, (*got)->rows.front());
  return out;
}

bool is_after(const Object& object, const Query::Position& position) {
  int names = object.name.compare(position.name);
  return names != 0 ? names > 0 : object.id > position.id;
}

Result<std::string> TreeInventory::list(vcenter::Connection& vc, const Json& json, const Visible& visible,
                                        const CallLimits& call) {
  auto query = parse_query(json, limits_);
  if (!query) return query.error();
  auto all = rows(vc, *query, call);
  if (!all) return all.error();
  std::string out = "{\"objects\":[";
  std::size_t total = 0, returned = 0;
  const Row* last = nullptr;
  bool truncated = false;
  for (const Row& row : (*all)->rows) {
    if (!matches(row, *query, *(*all)->tree) || !visible(row.object)) continue;
    ++total;
    if (query->after && !is_after(row.object, *query->after)) continue;
    truncated = returned == query->limit;
    if (truncated) continue;
    if (returned++ > 0) out += ',';
    append_row(out, row);
    last = &row;
  }
  out += ']';
  append_json_key(out, "returned");
  append_json_int(out, static_cast<std::int64_t>(returned));
  append_json_key(out, "total");
  append_json_int(out, static_cast<std::int64_t>(total));
  append_json_key(out, "truncated");
  out += truncated ? "true" : "false";
  if (truncated) {
    append_json_key(out, "next");
    append_json_string(out, make_cursor(*query, {last->object.name, last->object.id}));
  }
  out += '}';
  return out;
}

Result<SharedStates> TreeInventory::states(vcenter::Connection& vc, const FactsWanted& wanted,
                                           const CallLimits& call) {
  Site& at = site(vc);
  auto& flight = at.states[(wanted.power ? 1 : 0) + (wanted.cluster ? 2 : 0)];
  return fresh(flight, at, limits_.tree_age, call, [&](const CallLimits& limits) -> Result<SharedStates> {
    auto out = std::make_shared<StateTable>();
    out->generation = at.generation;
    for (const char* name : {"vm", "host"}) {
      const bool hosts = name == std::string_view("host");
      if (hosts && !wanted.power) continue;
      auto plan = plan_rows(*find_kind(name), {}, wanted.cluster && !hosts, wanted.power);
      if (!plan) return plan.error();
      auto rows = placed(vc, limits, [&] { return read_rows(vc, *plan, limits_, limits); });
      if (!rows) return rows.error();
      add_states(*out, **rows, wanted);
    }
    out->read_at = clock_.now();
    return SharedStates(std::move(out));
  });
}

Result<SharedTags> TreeInventory::tags(vcenter::Connection& vc, const FactsWanted& wanted,
                                       const CallLimits& call) {
  Site& at = site(vc);
  const TagSet names(wanted.tags.begin(), wanted.tags.end());
  auto flight = at.tags_flight(names);
  return fresh(*flight, at, limits_.tree_age, call, [&](const CallLimits& limits) -> Result<SharedTags> {
    const std::uint64_t generation = at.generation;
    auto read = read_tags(vc, names, at.tag_names, clock_, limits_, limits);
    if (!read) return read.error();
    (*read)->generation = generation;
    (*read)->read_at = clock_.now();
    return SharedTags(std::move(*read));
  });
}

Error fact_unknown(const char* what, const Object& object, const std::string& why) {
  return make_error(
      Code::unavailable,
      std::string("The ") + what + " of '" + object.name + "' (" + object.id +
          ") could not be read, and a rule depends on it" + (why.empty() ? "" : " (" + why + ")") +
          "; fix: the operator gives the server's vCenter account the privilege System.Read there");
}

// False: not known.
bool cluster_now(const Tree& tree, const Object& object, const StateNow& now,
                 std::optional<std::string>& cluster) {
  if (object.kind == "vm") return cluster_of_host(tree, now.host, cluster);
  if (object.kind == "host" || object.kind == "cluster") return cluster_of_host(tree, object.id, cluster);
  return true;
}

Result<void> TreeInventory::add_clusters(vcenter::Connection& vc, const std::vector<const Object*>& objects,
                                         const std::vector<StateNow>& now, SteadyTime began,
                                         const CallLimits& call, std::vector<Facts>& out) {
  Site& at = site(vc);
  while (true) {
    auto where = tree(vc, call);
    if (!where) return where.error();
    std::optional<std::size_t> unknown;
    for (std::size_t i = 0; i < objects.size(); ++i) {
      out[i].cluster.reset();
      if (!cluster_now(**where, *objects[i], now[i], out[i].cluster)) unknown = i;
    }
    if (!unknown) return {};
    // A host that is younger than the tree.
    if ((*where)->read_at >= began) return fact_unknown("cluster", *objects[*unknown], now[*unknown].why);
    at.tree.drop_if([&](const SharedTree& value) { return value == *where; });
  }
}

Result<void> TreeInventory::add_states_now(vcenter::Connection& vc, const std::vector<const Object*>& objects,
                                           const FactsWanted& wanted, const CallLimits& call,
                                           std::vector<Facts>& out) {
  const SteadyTime began = clock_.now();
  auto now = read_states(vc, objects, wanted, limits_, call);
  if (!now) return now.error();
  for (std::size_t i = 0; i < objects.size() && wanted.power; ++i) {
    const Object& object = *objects[i];
    if (object.kind != "vm" && object.kind != "host") continue;
    const std::string& power = (*now)[i].power;
    if (power.empty()) return fact_unknown("power state", object, (*now)[i].why);
    out[i].power = power;
  }
  return wanted.cluster ? add_clusters(vc, objects, *now, began, call, out) : Result<void>();
}

Result<std::vector<Facts>> TreeInventory::facts(vcenter::Connection& vc,
                                                const std::vector<const Object*>& objects,
                                                const FactsWanted& wanted, const CallLimits& call) {
  std::vector<Facts> out(objects.size());
  if (objects.empty()) return out;
  if (wanted.power || wanted.cluster) {
    if (auto done = add_states_now(vc, objects, wanted, call, out); !done) return done.error();
  }
  if (wanted.tags.empty()) return out;
  auto attached = tags(vc, wanted, call);
  if (!attached) return attached.error();
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const auto found = (*attached)->by_id.find(objects[i]->id);
    if (found != (*attached)->by_id.end()) out[i].tags = found->second;
    out[i].absent_tags = (*attached)->absent;
  }
  return out;
}

Result<std::shared_ptr<const FactTable>> TreeInventory::all_facts(vcenter::Connection& vc,
                                                                  const FactsWanted& wanted,
                                                                  const CallLimits& call) {
  SharedStates running;
  SharedTags attached;
  if (wanted.power || wanted.cluster) {
    auto read = states(vc, wanted, call);
    if (!read) return read.error();
    running = std::move(*read);
  }
  if (!wanted.tags.empty()) {
    auto read = tags(vc, wanted, call);
    if (!read) return read.error();
    attached = std::move(*read);
  }
  return std::make_shared<const FactTable>(wanted, std::move(running), std::move(attached));
}

}  // namespace

std::unique_ptr<Inventory> make_inventory(const Clock& clock, Limits limits) {
  return std::make_unique<TreeInventory>(clock, limits);
}

}  // namespace vmcp::inventory
