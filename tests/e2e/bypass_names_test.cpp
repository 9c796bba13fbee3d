// Bypass corpus, names: what is denied by name, tag or folder stays so by whatever it is called, and nothing
// can be called so that another object is judged than is acted on.
#include <doctest/doctest.h>

#include "e2e/corpus.h"
#include "e2e/site.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

std::string deny(const char* name, const char* tools, const char* targets) {
  return std::string("[[policy.rule]]\nname = \"") + name + "\"\neffect = \"deny\"\ntools = [" + tools +
         "]\ntargets = { " + targets + " }\n";
}

// Three that are hidden, and three that are seen but not to be touched.
std::string six_rules() {
  const char* const all = "\"*\"";
  const char* const changing = "\"power_*\", \"delete_*\"";
  return deny("hidden-name", all, "names = [\"voice-*\"]") +
         deny("hidden-tag", all, "tags = [\"env/test\"]") +
         deny("hidden-folder", all, "folders = [\"/south/vm/Production/Finance\"]") +
         deny("kept-name", changing, "names = [\"ledger-app-*\", \"vm-1???\"]") +
         deny("kept-tag", changing, "tags = [\"env/dev\"]") +
         deny("kept-folder", changing, "folders = [\"/south/vm/Production/Data\"]");
}

struct Ruled {
  const char *id, *rule;  // rule: null for one that is hidden
};
constexpr Ruled kRuled[] = {{"vm-1007", nullptr},      // by name
                            {"vm-1025", nullptr},      // by tag
                            {"vm-1023", nullptr},      // by folder
                            {"vm-1069", "kept-name"},  // seen
                            {"vm-1043", "kept-tag"},  {"vm-1024", "kept-folder"}};

Sent off(const std::string& vm, bool modern_era) {
  if (modern_era) return modern_tool("power_off_vm", {{"vm_id", vm}});
  return {call_body("power_off_vm", dump_json(Json{{"vm_id", vm}}))};
}

Heard look_at(Corpus& corpus, const std::string& vm) {
  return corpus.send(modern_tool("get_vm_details", {{"vm_id", vm}}));
}

constexpr const char* kNone = "There is no virtual machine";

// Spellings that vCenter does not have: none is taken for the object that it resembles.
std::vector<std::string> spellings(const Json& vm) {
  const std::string id = vm["id"], name = vm["name"], path = vm["path"];
  const std::string folder = path.substr(0, path.rfind('/'));
  std::string capitals = name, capital_path = path;
  for (char& c : capitals) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  capital_path[1] = static_cast<char>(capital_path[1] - 32);
  return {name + " ",
          " " + name,
          name + "\t",
          name + "\n",
          name + std::string(1, '\0'),
          name + "\xc2\xa0",
          name + "\xe2\x80\x8b",
          capitals,
          name.substr(0, name.size() - 1) + "*",
          name.substr(0, name.size() - 1) + "?",
          "%" + std::string(name[0] == 'v' ? "76" : "6c") + name.substr(1),
          "'" + name + "'",
          "VM" + id.substr(2),
          "vm-0" + id.substr(3),
          id + ".0",
          " " + id,
          "VirtualMachine:" + id,
          "vm:" + id,
          path + "/",
          path + "/.",
          "/" + path,
          folder + "//" + name,
          folder + "/./" + name,
          folder + "/../" + folder.substr(folder.rfind('/') + 1) + "/" + name,
          capital_path,
          path.substr(1),
          "vsphere:/" + path};
}

}  // namespace

TEST_CASE("bypass: denied by name, tag or folder, and asked by id, name or path") {
  const Site site({}, six_rules());
  Corpus corpus(site.options());
  for (const bool modern_era : {true, false}) {
    CAPTURE(modern_era);
    for (const Ruled& ruled : kRuled) {
      const Json vm = corpus.vm(ruled.id);
      const std::string says = ruled.rule == nullptr ? kNone : "rule '" + std::string(ruled.rule) + "'";
      const char* const step = ruled.rule == nullptr ? "resolve" : "authorise_targets";
      REQUIRE(vm.value("power", "") == "POWERED_ON");
      for (const char* by : {"id", "name", "path"}) {
        const std::string text = vm[by];
        corpus.attempt(std::string(by) + " " + text, says, step, corpus.send(off(text, modern_era)));
        const Heard seen = look_at(corpus, text);
        if (ruled.rule != nullptr)
          CHECK_MESSAGE(seen.works(), seen.body);
        else
          corpus.attempt("look by " + text, kNone, "resolve", seen);
        const Heard snapshot = corpus.send(modern_tool(
            "delete_vm_snapshot", {{"vm_id", text}, {"snapshot_id", "snapshot-1008"}, {"confirm", true}}));
        if (ruled.rule == nullptr)
          corpus.attempt("its snapshot by " + text, kNone, "resolve", snapshot);
        else
          CHECK(snapshot.refused());
      }
    }
  }
  // A snapshot of what is denied, by way of one that is open.
  corpus.attempt({"another's snapshot", "has no snapshot 'snapshot-1008'", "resolve",
                  modern_tool("delete_vm_snapshot",
                              {{"vm_id", "vm-1012"}, {"snapshot_id", "snapshot-1008"}, {"confirm", true}})});
  CHECK(corpus.changing() == 0);
  for (const char* by : {"id", "name", "path"}) {
    const std::string text = corpus.vm("vm-1012")[by];
    CHECK(corpus.send(off(text, true)).works());
    CHECK(corpus.send(modern_tool("power_on_vm", {{"vm_id", text}})).works());
  }
  CHECK(corpus.changing() == 6);
  corpus.check_journal();
}

TEST_CASE("bypass: what resembles a name, a path or an id is none") {
  const Site site({}, six_rules());
  Corpus corpus(site.options());
  for (const char* id : {"vm-1007", "vm-1069", "vm-1024"})
    for (const std::string& text : spellings(corpus.vm(id)))
      corpus.attempt(text, kNone, "resolve", corpus.send(off(text, true)));
  // One way to write a name, and another one: the rule and the caller mean what vCenter keeps.
  const std::string composed = "voice-caf\xc3\xa9", decomposed = "voice-cafe\xcc\x81";
  corpus.change_vm("vm-1012", {{"name", composed}});
  REQUIRE(wait_until([&] { return !look_at(corpus, "vm-1012").works(); }, 5'000));
  corpus.attempt("the name that it has now", kNone, "resolve", corpus.send(off(composed, true)));
  corpus.attempt("its name decomposed", kNone, "resolve", corpus.send(off(decomposed, true)));
  corpus.attempt("its id", kNone, "resolve", corpus.send(off("vm-1012", true)));
  corpus.attempt("the name that it had", kNone, "resolve", corpus.send(off("dns-lb-01", true)));
  CHECK(corpus.changing() == 0);
  corpus.check_journal();
}

TEST_CASE("bypass: a name that is another's id or name decides nothing") {
  const Site site({}, six_rules());
  Corpus corpus(site.options());
  // vm-1172 is called "vm-1002"; the rule 'kept-name' is about what is called so.
  REQUIRE(corpus.vm("vm-1172").value("name", "") == "vm-1002");
  corpus.attempt("its name, which is the id of one that is hidden", "rule 'kept-name'", "authorise_targets",
                 corpus.send(off("vm-1002", true)));
  corpus.attempt("the other one by its path", "rule 'kept-name'", "authorise_targets",
                 corpus.send(off("/north/vm/Production/Web/vm-1002", true)));
  corpus.attempt("the other one by its id", "rule 'kept-name'", "authorise_targets",
                 corpus.send(off("vm-1172", true)));
  // Somebody gives one that is kept the name of one that is open, and another the id of it.
  corpus.change_vm("vm-1024", {{"name", "dns-lb-01"}});
  corpus.change_vm("vm-1043", {{"name", "vm-1012"}});
  // Seen under the new paths, so that the answers below are none of before.
  const auto is_at = [&](const char* path) { return look_at(corpus, path).works(); };
  REQUIRE(wait_until(
      [&] {
        return is_at("/south/vm/Production/Data/dns-lb-01") &&
               is_at("/north/vm/Development/Team A/Sandbox/vm-1012");
      },
      5'000));
  corpus.attempt("the name that two have", "names 2 virtual machines", "resolve",
                 corpus.send(off("dns-lb-01", true)));
  corpus.attempt("the id that is another's name", "names 2 virtual machines", "resolve",
                 corpus.send(off("vm-1012", true)));
  corpus.attempt("the kept one by its id", "rule 'kept-folder'", "authorise_targets",
                 corpus.send(off("vm-1024", true)));
  corpus.attempt("the kept one by its path", "rule 'kept-folder'", "authorise_targets",
                 corpus.send(off("/south/vm/Production/Data/dns-lb-01", true)));
  corpus.attempt("the other kept one by its path", "rule 'kept-name'", "authorise_targets",
                 corpus.send(off("/north/vm/Development/Team A/Sandbox/vm-1012", true)));
  CHECK(corpus.changing() == 0);
  CHECK(corpus.send(off("/north/vm/Production/Web/dns-lb-01", true)).works());
  CHECK(corpus.vm("vm-1012").value("power", "") == "POWERED_OFF");
  CHECK(corpus.changing() == 1);
  corpus.check_journal();
}

TEST_CASE("bypass: of several targets one that is denied refuses all, and 201 are too many") {
  const Site site({"many_vms"}, six_rules());
  Corpus corpus(site.options());
  const auto many = [](const Json& vms, const Json& more = Json::array()) {
    return modern_tool("power_off_many", {{"vms", vms}, {"more", more}});
  };
  const Json open = {"vm-1012", "vm-1030"};
  for (const Ruled& ruled : kRuled) {
    const std::string says = ruled.rule == nullptr ? kNone : "rule '" + std::string(ruled.rule) + "'";
    const char* const step = ruled.rule == nullptr ? "resolve" : "authorise_targets";
    Json last = open;
    last.push_back(ruled.id);
    corpus.attempt("the last of three", says, step, corpus.send(many(last)));
    corpus.attempt("in the other list", says, step,
                   corpus.send(many(open, Json::array({corpus.vm(ruled.id)["name"]}))));
    corpus.attempt("the first", says, step,
                   corpus.send(many(Json::array({corpus.vm(ruled.id)["path"]}), open)));
  }
  const auto times = [](int count) {
    Json out = Json::array();
    for (int i = 0; i < count; ++i) out.push_back("vm-1012");
    return out;
  };
  corpus.attempt("201 in one list", "at most 200 objects", "resolve", corpus.send(many(times(201))));
  corpus.attempt("201 in two lists", "t most 200 objects", "authorise_targets",
                 corpus.send(many(times(101), times(100))));
  CHECK(corpus.changing() == 0);
  CHECK(
      corpus
          .send(modern_tool("power_off_many", {{"vms", times(100)}, {"more", times(100)}, {"dry_run", true}}))
          .works());
  CHECK(corpus.changing() == 0);
  CHECK(corpus.send(many(open)).works());
  CHECK(corpus.changing() == 2);
  corpus.check_journal();
}

TEST_CASE("bypass: a plugin changes the object that it was called for, and no other") {
  const Site site({"changes_other_vm"}, six_rules());
  Corpus corpus(site.options());
  const auto through = [](const char* tool, const char* service, const char* other) {
    return modern_tool(tool, {{"vm_id", "vm-1012"}, {"other", other}, {"through", service}});
  };
  for (const char* service : {"vcenter", "vim"}) {
    for (const char* other : {"vm-1007", "vm-1069", "vm-1030", "../vm/vm-1030", "vm-1012/../vm-1030"})
      corpus.attempt({other, "Plugin org.vmcp.fixture.changes_other_vm", "execute",
                      through("changes_other_vm", service, other)});
    corpus.attempt({"declared as reading", "Plugin org.vmcp.fixture.changes_other_vm", "execute",
                    through("reads_but_changes", service, "vm-1012")});
  }
  CHECK(corpus.changing() == 0);
  CHECK(corpus.send(through("changes_other_vm", "vcenter", "vm-1012")).works());
  CHECK(corpus.changing() == 1);
  corpus.check_journal();
}
