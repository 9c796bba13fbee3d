// Rules with conditions: what packaging/policy.md says, line by line.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "policy/policy.h"

using namespace vmcp;
using policy::Consent;
using policy::Effect;
using policy::Policy;
using policy::RoleRules;
using policy::Rule;

namespace {

// 2026-02-04, a Wednesday, 10:00 UTC.
const WallTime kWednesday = WallTime(std::chrono::seconds(1'770'199'200));

inventory::Object vm_in(const std::string& folder, const std::string& name = "web") {
  inventory::Object vm{"vm", "VirtualMachine", "vc-lab", "vm-" + name, name, folder + "/" + name, ""};
  vm.datacenter = "/north";
  return vm;
}

Rule rule(const char* name, Effect effect) {
  Rule out;
  out.name = name;
  out.effect = effect;
  out.tools = {"resize"};
  return out;
}

struct Site {
  std::map<std::string, RoleRules> roles{
      {"tester", {}}, {"senior", {{}, {}, {"tester"}}}, {"ops", {{"*"}, {}, {}}}};
  std::vector<Rule> rules;
  bool read_only = false;

  Policy policy() const {
    auto made = Policy::make(roles, read_only, "v1", rules);
    REQUIRE_MESSAGE(made, made.error().text);
    return std::move(*made);
  }
  std::string problems() const {
    const auto made = Policy::make(roles, read_only, "v1", rules);
    REQUIRE_FALSE(made);
    return made.error().text;
  }
};

struct Asked {
  std::string role = "tester", identity = "ci", tool = "resize";
  bool changes = true, tool_asks = false;
  Json arguments = Json::object();
  std::vector<inventory::Object> objects;
  const inventory::Facts* facts = nullptr;
  WallTime now = kWednesday;
  Json defaults = Json::object();
};

policy::Judgement judged(const Policy& policy, const Asked& asked, policy::Notes* notes = nullptr) {
  const Principal caller{asked.identity, asked.role};
  std::vector<policy::Subject> subjects;
  for (const auto& object : asked.objects) subjects.push_back({&object, asked.facts});
  return policy.judge({caller,
                       {asked.tool, asked.changes},
                       asked.tool_asks,
                       "vc-lab",
                       asked.arguments,
                       subjects,
                       asked.now,
                       &asked.defaults},
                      notes);
}

bool allowed(const Policy& policy, const Asked& asked) {
  return judged(policy, asked).decision.allowed;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("rules: the example of the document") {
  Site site;
  Rule resize = rule("resize-small", Effect::allow);
  resize.roles = {"tester"};
  resize.targets.folders = {"/north/vm/test"};
  resize.arguments = {{.pointer = "/cpu_count", .max = 8}};
  resize.window.emplace();
  for (std::size_t day = 0; day < 5; ++day) resize.window->days.set(day);
  resize.window->from_min = 7 * 60;
  resize.window->to_min = 19 * 60;
  resize.window->zone = "Europe/Berlin";
  site.rules = {resize};
  const Policy policy = site.policy();
  const Asked fits{.arguments = {{"cpu_count", 8}}, .objects = {vm_in("/north/vm/test/a")}};
  CHECK(allowed(policy, fits));
  CHECK(judged(policy, fits).decision.rule == "rule 'resize-small'");
  Asked heir = fits, other = fits, large = fits, elsewhere = fits, near = fits, sunday = fits, night = fits;
  heir.role = "senior";
  CHECK(allowed(policy, heir));
  large.arguments = {{"cpu_count", 9}};
  CHECK_FALSE(allowed(policy, large));
  CHECK(has(judged(policy, large).decision.reason, "/cpu_count must be at most 8"));
  elsewhere.objects = {vm_in("/north/vm/prod")};
  CHECK_FALSE(allowed(policy, elsewhere));
  near.objects = {vm_in("/north/vm/testing")};  // begins with the same letters, lies elsewhere
  CHECK_FALSE(allowed(policy, near));
  sunday.now += std::chrono::hours(24 * 4);
  CHECK_FALSE(allowed(policy, sunday));
  night.now = kWednesday + std::chrono::hours(8);  // 19:00 in Berlin: outside
  CHECK_FALSE(allowed(policy, night));
  night.now -= std::chrono::seconds(1);
  CHECK(allowed(policy, night));
  other.role = "ops";  // by its list
  CHECK(allowed(policy, other));
}

TEST_CASE("rules: a denial beats every allowance, and one target is enough") {
  Site site;
  Rule deny = rule("no-dc", Effect::deny);
  deny.targets.names = {"dc-*"};
  site.rules = {deny};
  const Policy policy = site.policy();
  Asked asked{.role = "ops", .objects = {vm_in("/north/vm", "web"), vm_in("/north/vm", "db")}};
  CHECK(allowed(policy, asked));
  asked.objects.push_back(vm_in("/north/vm", "dc-1"));
  const auto verdict = judged(policy, asked).decision;
  CHECK_FALSE(verdict.allowed);
  CHECK(verdict.rule == "rule 'no-dc'");
  // What a change without named objects will touch is not known; what reads is filtered instead.
  asked.objects.clear();
  CHECK_FALSE(allowed(policy, asked));
  asked.changes = false;
  CHECK(allowed(policy, asked));
}

TEST_CASE("rules: each of several targets needs a rule, not all the same one") {
  Site site;
  Rule test = rule("test", Effect::allow), lab = rule("lab", Effect::allow);
  test.targets.folders = {"/north/vm/test"};
  lab.targets.folders = {"/north/vm/lab"};
  site.rules = {test, lab};
  const Policy policy = site.policy();
  CHECK(allowed(policy, {.objects = {vm_in("/north/vm/test"), vm_in("/north/vm/lab")}}));
  CHECK_FALSE(allowed(policy, {.objects = {vm_in("/north/vm/test"), vm_in("/north/vm/prod")}}));
  CHECK_FALSE(allowed(policy, {}));
}

TEST_CASE("rules: arguments") {
  const auto with = [](policy::ArgumentCondition condition, Effect effect = Effect::allow) {
    Site site;
    Rule r = rule("r", effect);
    r.arguments = {std::move(condition)};
    site.rules = {r};
    return site.policy();
  };
  const auto given = [](Json arguments) { return Asked{.arguments = std::move(arguments)}; };
  const Policy most = with({.pointer = "/n", .max = 8});
  CHECK(allowed(most, given({{"n", 8}})));
  CHECK(allowed(most, given({{"n", 8.0}})));
  CHECK(allowed(most, given(Json::object())));
  CHECK(allowed(most, given({{"n", nullptr}})));
  CHECK_FALSE(allowed(most, given({{"n", 8.5}})));
  CHECK_FALSE(allowed(most, given({{"n", "8"}})));
  CHECK_FALSE(allowed(most, given({{"n", std::uint64_t{1} << 63}})));
  CHECK_FALSE(allowed(most, given({{"n", true}})));
  CHECK(allowed(most, given({{"n", {1, 2}}})));
  CHECK_FALSE(allowed(most, given({{"n", {1, 9}}})));
  const Policy least = with({.pointer = "/n", .min = -1});
  CHECK(allowed(least, given({{"n", -1}})));
  CHECK_FALSE(allowed(least, given({{"n", -2}})));
  const Policy one = with({.pointer = "/n", .one_of = {"small", 2}});
  CHECK(allowed(one, given({{"n", "small"}})));
  CHECK(allowed(one, given({{"n", 2}})));
  CHECK_FALSE(allowed(one, given({{"n", "SMALL"}})));
  CHECK_FALSE(allowed(one, given({{"n", {{"a", 1}}}})));
  const Policy pattern = with({.pointer = "/n", .pattern = "ci-[a-z]+"});
  CHECK(allowed(pattern, given({{"n", "ci-a"}})));
  CHECK_FALSE(allowed(pattern, given({{"n", "xci-a"}})));
  CHECK_FALSE(allowed(pattern, given({{"n", "ci-a\n"}})));
  CHECK_FALSE(allowed(pattern, given({{"n", 5}})));
  const Policy needed = with({.pointer = "/n", .required = true});
  CHECK(allowed(needed, given({{"n", false}})));
  CHECK_FALSE(allowed(needed, given({{"n", nullptr}})));
  CHECK_FALSE(allowed(needed, given(Json::object())));
  const Policy without = with({.pointer = "/n", .forbidden = true});
  CHECK(allowed(without, given({{"m", 1}})));
  CHECK_FALSE(allowed(without, given({{"n", 1}})));
  const Policy deep = with({.pointer = "/a/1/b~1c", .max = 1});
  CHECK(allowed(deep, given({{"a", {0, {{"b/c", 1}}}}})));
  CHECK_FALSE(allowed(deep, given({{"a", {0, {{"b/c", 2}}}}})));
  const Policy no_index = with({.pointer = "/a/01", .required = true});
  CHECK_FALSE(allowed(no_index, given({{"a", {1, 2}}})));
  const Policy negative = with({.pointer = "/n", .one_of = {-1}});
  CHECK(allowed(negative, given({{"n", -1.0}})));
  CHECK_FALSE(allowed(negative, given({{"n", ~std::uint64_t{0}}})));
}

TEST_CASE("rules: a denial by argument needs the argument, and refuses what it cannot decide") {
  Site site;
  Rule deny = rule("huge", Effect::deny);
  deny.arguments = {{.pointer = "/n", .min = 100}};
  site.rules = {deny};
  const Policy policy = site.policy();
  const auto n = [](Json value) { return Asked{.role = "ops", .arguments = {{"n", std::move(value)}}}; };
  CHECK(allowed(policy, n(99)));
  CHECK_FALSE(allowed(policy, n(100)));
  CHECK_FALSE(allowed(policy, n({1, 100})));
  CHECK(allowed(policy, n(Json::array())));
  CHECK(allowed(policy, {.role = "ops"}));
  const auto verdict = judged(policy, n("a lot")).decision;
  CHECK_FALSE(verdict.allowed);
  CHECK(has(verdict.reason, "could not be decided"));
  // Of another type than all that are named; a plain no goes before.
  site.rules[0].arguments = {{.pointer = "/n", .one_of = {1, 2}}};
  CHECK(allowed(site.policy(), n(3)));
  CHECK_FALSE(allowed(site.policy(), n("1")));
  site.rules[0].arguments = {{.pointer = "/n", .max = 5, .one_of = {"all"}}};
  CHECK_FALSE(allowed(site.policy(), n("all")));
  CHECK(allowed(site.policy(), n("some")));
  // An empty list is there.
  site.rules[0].arguments = {{.pointer = "/n", .required = true}};
  CHECK_FALSE(allowed(site.policy(), n(Json::array())));
}

TEST_CASE("rules: what is not known of a target opens nothing and refuses where it could deny") {
  Site site;
  Rule open = rule("open", Effect::allow);
  open.targets.tags = {"env/test"};
  site.rules = {open};
  const Policy opening = site.policy();
  site.rules[0].effect = Effect::deny;
  const Policy closing = site.policy();
  inventory::Facts tagged, bare, unknown;
  tagged.tags = {"env/test"};
  unknown.known = false;
  Asked asked{.objects = {vm_in("/north/vm")}, .facts = &tagged};
  CHECK(allowed(opening, asked));
  asked.role = "ops";
  CHECK_FALSE(allowed(closing, asked));
  asked.facts = &bare;
  CHECK(allowed(closing, asked));
  for (const inventory::Facts* none :
       {static_cast<const inventory::Facts*>(nullptr), &std::as_const(unknown)}) {
    asked.facts = none;
    CHECK_FALSE(allowed(closing, asked));
    Asked tester = asked;
    tester.role = "tester";
    CHECK_FALSE(allowed(opening, tester));
  }
  CHECK(closing.facts_for({"a", "ops"}, {"resize", true}).tags == std::vector<std::string>{"env/test"});
  CHECK(closing.facts_for({"a", "ops"}, {"look", false}).none());
  // Where it lies cannot be read.
  Rule place = rule("place", Effect::deny);
  place.targets.folders = {"/north/vm/prod"};
  site.rules = {place};
  asked.objects = {vm_in("/?/prod")};
  CHECK_FALSE(allowed(site.policy(), asked));
  // Nor in which cluster a host is: what its facts or its place leave open is no "in none".
  Rule cluster = rule("cluster", Effect::deny);
  cluster.tools = {"*"};
  cluster.targets.clusters = {"c1"};
  site.rules = {cluster};
  const Policy hiding = site.policy();
  inventory::Object host{"host", "HostSystem", "vc-lab", "host-1", "esx-1", "/north/host/esx-1/esx-1", ""};
  CHECK(hiding.visible({"a", "ops"}, {&host, nullptr}, kWednesday));
  CHECK_FALSE(hiding.visible({"a", "ops"}, {&host, &unknown}, kWednesday));
  host.path = "/?/c1/esx-1";
  CHECK_FALSE(hiding.visible({"a", "ops"}, {&host, &bare}, kWednesday));
  host.cluster = "/?/c1";
  CHECK_FALSE(hiding.visible({"a", "ops"}, {&host, nullptr}, kWednesday));
  // A VM has a power state.
  Rule off = rule("off", Effect::deny);
  off.targets.power_states = {"POWERED_OFF"};
  site.rules = {off};
  CHECK_FALSE(allowed(site.policy(), {.role = "ops", .objects = {vm_in("/north/vm")}, .facts = &bare}));
}

TEST_CASE("rules: power state, cluster, datacenter, kind, vCenter") {
  const auto with = [](policy::TargetCondition targets) {
    Site site;
    Rule r = rule("r", Effect::allow);
    r.targets = std::move(targets);
    site.rules = {r};
    return site.policy();
  };
  inventory::Facts facts;
  facts.power = "POWERED_OFF";
  facts.cluster = "/north/host/c1";
  const Asked asked{.objects = {vm_in("/north/vm")}, .facts = &facts};
  CHECK(allowed(with({.power_states = {"POWERED_OFF"}}), asked));
  CHECK_FALSE(allowed(with({.power_states = {"POWERED_ON"}}), asked));
  CHECK(allowed(with({.clusters = {"c1"}}), asked));
  CHECK(allowed(with({.clusters = {"/north/host/c1"}}), asked));
  CHECK_FALSE(allowed(with({.clusters = {"1"}}), asked));
  CHECK(allowed(with({.datacenters = {"north"}}), asked));
  CHECK(allowed(with({.datacenters = {"south", "/north"}}), asked));
  CHECK_FALSE(allowed(with({.datacenters = {"/eu/north"}}), asked));
  CHECK(allowed(with({.kinds = {"vm"}}), asked));
  CHECK_FALSE(allowed(with({.kinds = {"host"}}), asked));
  CHECK(allowed(with({.vcenters = {"vc-*"}}), asked));
  CHECK_FALSE(allowed(with({.vcenters = {"other"}}), asked));
  CHECK_FALSE(allowed(with({.vcenters = {"other"}}), {}));
  CHECK(allowed(with({.vcenters = {"vc-lab"}}), {}));
  // A denial, too, is judged by where the object is.
  Site site;
  Rule deny = rule("deny", Effect::deny);
  deny.targets.vcenters = {"vc-other"};
  site.rules = {deny};
  Asked other{.role = "ops", .objects = {vm_in("/north/vm")}};
  CHECK(allowed(site.policy(), other));
  other.objects[0].vcenter = "vc-other";
  CHECK_FALSE(allowed(site.policy(), other));
}

TEST_CASE("rules: who must agree: the strictest, unasked only where nothing asks") {
  Site site;
  site.roles = {{"ops", {{"*"}, {}, {}}}};
  Rule unasked = rule("free", Effect::unasked), confirm = rule("ask", Effect::confirm),
       approve = rule("two", Effect::approve);
  unasked.targets.names = {"tmp-*"};
  approve.targets.names = {"prod-*"};
  confirm.identities = {"junior-*"};
  site.rules = {unasked, confirm, approve};
  const Policy policy = site.policy();
  const auto consent = [&](const char* vm, const char* who, bool tool_asks) {
    const auto out =
        judged(policy,
               {.role = "ops", .identity = who, .tool_asks = tool_asks, .objects = {vm_in("/north/vm", vm)}});
    REQUIRE(out.decision.allowed);
    return out.consent;
  };
  CHECK(consent("tmp-1", "ci", true) == Consent::none);
  CHECK(consent("tmp-1", "junior-1", true) == Consent::confirm);
  CHECK(consent("web", "ci", true) == Consent::confirm);
  CHECK(consent("web", "ci", false) == Consent::none);
  CHECK(consent("web", "junior-1", false) == Consent::confirm);
  CHECK(consent("prod-1", "junior-1", false) == Consent::approve);
  // What only reads can be approved, but has nothing to confirm.
  const auto reading = [&](const char* vm) {
    return judged(
               policy,
               {.role = "ops", .identity = "junior-1", .changes = false, .objects = {vm_in("/north/vm", vm)}})
        .consent;
  };
  CHECK(reading("web") == Consent::none);
  CHECK(reading("prod-1") == Consent::approve);
  // Not all targets are free of asking.
  CHECK(judged(policy, {.role = "ops",
                        .tool_asks = true,
                        .objects = {vm_in("/north/vm", "tmp-1"), vm_in("/north/vm", "web")}})
            .consent == Consent::confirm);
}

TEST_CASE("rules: a tool is listed when some call of it could be allowed") {
  Site site;
  Rule allow = rule("a", Effect::allow), deny = rule("d", Effect::deny);
  allow.targets.folders = {"/north/vm/test"};
  allow.identities = {"ci*"};
  deny.arguments = {{.pointer = "/n", .min = 1}};
  site.rules = {allow, deny};
  const Policy policy = site.policy();
  const auto listed = [&](const char* who, const Policy& p) {
    return p.may_call({who, "tester"}, {"resize", true}, kWednesday).allowed;
  };
  CHECK(listed("ci-1", policy));
  CHECK_FALSE(listed("bob", policy));
  site.rules[1].arguments.clear();
  CHECK_FALSE(listed("ci-1", site.policy()));  // now it denies every call
  site.rules.pop_back();
  site.read_only = true;
  CHECK_FALSE(listed("ci-1", site.policy()));
}

TEST_CASE("rules: what a role without lists sees is what its rules open, less what is hidden from it") {
  Site site;
  Rule allow = rule("a", Effect::allow), hide = rule("h", Effect::deny);
  allow.targets.folders = {"/north/vm/test"};
  allow.targets.power_states = {"POWERED_ON"};  // comes and goes: does not count for seeing
  hide.tools = {"*"};
  hide.targets.names = {"secret*"};
  site.rules = {allow, hide};
  const Policy policy = site.policy();
  const auto sees = [&](const char* role, const inventory::Object& object) {
    return policy.visible({"ci", role}, {&object, nullptr}, kWednesday);
  };
  CHECK(sees("tester", vm_in("/north/vm/test")));
  CHECK_FALSE(sees("tester", vm_in("/north/vm/prod")));
  CHECK_FALSE(sees("tester", vm_in("/north/vm/test", "secret-1")));
  CHECK(sees("ops", vm_in("/north/vm/prod")));
  CHECK_FALSE(sees("ops", vm_in("/north/vm/prod", "secret-1")));
  CHECK(policy.limited({"ci", "tester"}));
  CHECK(policy.limited({"ci", "ops"}));
  site.rules.pop_back();
  CHECK_FALSE(site.policy().limited({"ci", "ops"}));
}

TEST_CASE("rules: over midnight the day is that on which the window began") {
  Site site;
  Rule night = rule("night", Effect::allow);
  night.window.emplace();
  night.window->days.set(2);  // Wednesday
  night.window->from_min = 22 * 60;
  night.window->to_min = 2 * 60;
  site.rules = {night};
  const Policy policy = site.policy();
  const auto at = [&](int hours) { return allowed(policy, {.now = kWednesday + std::chrono::hours(hours)}); };
  CHECK_FALSE(at(11));  // Wednesday 21:00
  CHECK(at(12));
  CHECK(at(15));        // Thursday 01:00
  CHECK_FALSE(at(16));  // Thursday 02:00
  CHECK_FALSE(at(-9));  // Wednesday 01:00: Tuesday's night
  CHECK_FALSE(at(36));  // Thursday 22:00
}

TEST_CASE("rules: notes say of each rule what it said, with its place") {
  Site site;
  Rule deny = rule("d", Effect::deny), allow = rule("a", Effect::allow);
  deny.targets.names = {"x"};
  deny.origin = "site.toml:3:1";
  allow.arguments = {{.pointer = "/n", .max = 1}};
  site.rules = {deny, allow};
  policy::Notes notes;
  const Policy policy = site.policy();
  CHECK_FALSE(
      judged(policy, {.arguments = {{"n", 2}}, .objects = {vm_in("/north/vm")}}, &notes).decision.allowed);
  REQUIRE(notes.size() == 2);
  CHECK(notes[0].origin == "site.toml:3:1");
  CHECK(notes[0].verdict == "does not match");
  CHECK(notes[1].why == "/n must be at most 1");
}

TEST_CASE("rules: every mistake is named at once, with its place") {
  Site site;
  Rule bad = rule("bad", Effect::allow);
  bad.origin = "site.toml:9:1";
  bad.roles = {"nobody"};
  bad.tools = {"no spaces"};
  bad.arguments = {{.pointer = "/n", .min = 2, .max = 1},
                   {.pointer = "/m"},
                   {.pointer = "/p", .required = true, .forbidden = true}};
  bad.targets.folders = {"north", "/x/"};
  bad.targets.tags = {"untagged"};
  bad.targets.power_states = {"ON"};
  bad.targets.kinds = {"snapshot"};
  bad.window.emplace();
  Rule twin = rule("bad", Effect::deny), pattern = rule("pattern", Effect::deny),
       zone = rule("zone", Effect::deny);
  pattern.arguments = {{.pointer = "/n", .pattern = "(("}};
  zone.window.emplace();
  zone.window->days.set();
  zone.window->zone = "Mars/Olympus";
  site.rules = {bad, twin, pattern, zone};
  const std::string text = site.problems();
  for (const char* part :
       {"site.toml:9:1", "'nobody', which does not exist", "'no spaces'", "min is more than max",
        "/m has no condition", "/p is forbidden", "'north'", "'/x/'", "'untagged'", "'ON'", "'snapshot'",
        "names no day", "two rules have this name", "none that RE2 knows", "Mars/Olympus"})
    CHECK_MESSAGE(has(text, part), part, "\n", text);
}

TEST_CASE("rules: a default of the schema is judged as a value, and is nothing that the caller gave") {
  const auto with = [](policy::ArgumentCondition condition, Effect effect = Effect::allow) {
    Site site;
    Rule r = rule("r", effect);
    r.arguments = {std::move(condition)};
    site.rules = {r};
    return site.policy();
  };
  const Asked left_out{.defaults = {{"n", 16}}};
  Asked given = left_out;
  given.arguments = {{"n", 4}};
  CHECK_FALSE(allowed(with({.pointer = "/n", .max = 8}), left_out));
  CHECK(allowed(with({.pointer = "/n", .max = 8}), given));
  CHECK(allowed(with({.pointer = "/n", .forbidden = true}), left_out));
  CHECK_FALSE(allowed(with({.pointer = "/n", .forbidden = true}), given));
  CHECK_FALSE(allowed(with({.pointer = "/n", .required = true}), left_out));
  CHECK(allowed(with({.pointer = "/n", .required = true}), given));
  Asked ops = left_out;
  ops.role = "ops";
  CHECK_FALSE(allowed(with({.pointer = "/n", .min = 10}, Effect::deny), ops));
}

TEST_CASE("rules: a tag that vCenter does not list opens nothing, and refuses where it could deny or hide") {
  Site site;
  Rule tagged = rule("tagged", Effect::allow);
  tagged.targets.tags = {"env/test"};
  site.rules = {tagged};
  const Policy opening = site.policy();
  site.rules[0].effect = Effect::deny;
  const Policy closing = site.policy();
  site.rules[0].tools = {"*"};
  site.rules[0].targets.vcenters = {"vc-lab"};
  const Policy hiding = site.policy();
  inventory::Facts facts;
  facts.absent_tags = {"env/test"};
  Asked asked{.objects = {vm_in("/north/vm")}, .facts = &facts};
  CHECK_FALSE(allowed(opening, asked));
  asked.role = "ops";
  const auto refused = judged(closing, asked).decision;
  CHECK_FALSE(refused.allowed);
  CHECK(has(refused.reason, "lists no tag 'env/test'"));
  const auto view = hiding.view({"ci", "ops"}, kWednesday);
  CHECK_FALSE(view.sees({&asked.objects[0], &facts}));
  CHECK(view.hides_by({"env/test"}, "vc-lab") == "env/test");
  CHECK_FALSE(view.hides_by({"env/test"}, "another"));
  CHECK_FALSE(view.hides_by({"env/prod"}, "vc-lab"));
  CHECK_FALSE(opening.view({"ci", "tester"}, kWednesday).hides_by({"env/test"}, "vc-lab"));
}

TEST_CASE("rules: who may only administer the server sees nothing of the inventory") {
  Site site;
  site.roles = {{"keeper", {{"admin/*"}, {}, {}}}, {"ops", {{"admin/*", "list_vms"}, {}, {}}}};
  const Policy policy = site.policy();
  const inventory::Object vm = vm_in("/north/vm");
  CHECK_FALSE(policy.visible({"a", "keeper"}, {&vm, nullptr}, kWednesday));
  CHECK(policy.limited({"a", "keeper"}));
  CHECK(policy.visible({"a", "ops"}, {&vm, nullptr}, kWednesday));
}
