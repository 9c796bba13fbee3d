// Bypass corpus, approvals: what a second person agreed to is good for that call of that caller, on those
// objects as they were, under that policy, once.
#include <doctest/doctest.h>
#include <signal.h>

#include <fstream>
#include <iterator>

#include "base/crypto.h"
#include "e2e/corpus.h"
#include "e2e/site.h"
#include "support/command_output.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

constexpr const char* kAsks = "somebody else must approve";
// The administrator's role twice, so that two callers may do the same; what starts and changes a VM's power
// is approved, deletions too.
constexpr const char* kTwoPeople =
    "[auth.role.ops]\nallow = [\"*\"]\n[auth.role.admin]\nallow = [\"*\"]\n"
    "[[policy.rule]]\nname = \"two\"\neffect = \"approve\"\n"
    "tools = [\"restart_vm\", \"modify_vm_resources\", \"delete_vm\"]\n";

std::pair<int, std::string> operator_of(const ServerProcess& server, const std::string& words) {
  return output_of(std::string(VMCP_PROGRAM) + " " + words + " --state-dir " + server.folder() + "/state");
}

std::string id_of(const Heard& refused) {
  const auto at = refused.body.find("It waits as ");
  return at == std::string::npos ? "" : refused.body.substr(at + 12, 10);
}

// Asks, is refused, and is approved.
std::string approved(Corpus& corpus, const Sent& call) {
  const Heard asked = corpus.send(call);
  const std::string id = id_of(asked);
  REQUIRE_MESSAGE(!id.empty(), asked.body);
  const auto [code, said] = operator_of(corpus.server(), "approve " + id);
  REQUIRE_MESSAGE(code == 0, said);
  return id;
}

Sent restart(const std::string& vm, const Json& more = Json::object(),
             const std::string& token = "demo-admin") {
  Json arguments{{"vm_id", vm}};
  arguments.update(more);
  return modern_tool("restart_vm", arguments, token);
}

Sent resize(const std::string& vm, const Json& more) {
  Json arguments{{"vm_id", vm}};
  arguments.update(more);
  return modern_tool("modify_vm_resources", arguments);
}

// Refused because it asks anew, not because it was approved and failed.
void asks_anew(Corpus& corpus, const std::string& name, const Sent& call, const std::string& but_not) {
  const Heard heard = corpus.send(call);
  corpus.attempt(name, kAsks, "confirm", heard);
  CHECK_MESSAGE(id_of(heard) != but_not, name);
}

}  // namespace

TEST_CASE("bypass: an approval is good for no other call") {
  const Site site({}, kTwoPeople);
  Corpus corpus(site.options());
  const std::string vm = "vm-1012";
  const Sent call = restart(vm, {{"reason", "CHG-1"}});
  corpus.attempt("not approved yet", kAsks, "confirm", corpus.send(call));
  const std::string id = approved(corpus, call);
  asks_anew(corpus, "another caller", restart(vm, {{"reason", "CHG-1"}}, "demo-ops"), id);
  asks_anew(corpus, "another reason", restart(vm, {{"reason", "CHG-2"}}), id);
  asks_anew(corpus, "no reason", restart(vm), id);
  asks_anew(corpus, "another target", restart("vm-1030", {{"reason", "CHG-1"}}), id);
  asks_anew(corpus, "another tool",
            modern_tool("delete_vm", {{"vm_id", vm}, {"reason", "CHG-1"}, {"confirm", true}}), id);
  const std::string small = approved(corpus, resize("vm-1047", {{"cpu_count", 2}, {"confirm", true}}));
  asks_anew(corpus, "a changed argument", resize("vm-1047", {{"cpu_count", 3}, {"confirm", true}}), small);
  asks_anew(corpus, "a further argument",
            resize("vm-1047", {{"cpu_count", 2}, {"memory_mib", 1024}, {"confirm", true}}), small);
  CHECK(corpus.changing() == 0);
  // The very call, by another name of its object: what is bound is the object.
  CHECK(corpus.send(restart("dns-lb-01", {{"reason", "CHG-1"}})).works());
  CHECK(corpus.changing() == 1);
  asks_anew(corpus, "once more", call, id);
  corpus.attempt("once more, by the id of the request", kAsks, "confirm",
                 corpus.send(restart(vm, {{"reason", "CHG-1"}})));
  CHECK(operator_of(corpus.server(), "approve " + id).first == 1);
  const Heard again = corpus.send(call);
  REQUIRE(operator_of(corpus.server(), "deny " + id_of(again) + " --reason \"not this week\"").first == 0);
  corpus.attempt("denied", "not this week", "confirm", corpus.send(call));
  corpus.attempt("denied, by another name", "not this week", "confirm",
                 corpus.send(restart("dns-lb-01", {{"reason", "CHG-1"}})));
  CHECK(operator_of(corpus.server(), "approve " + id_of(again)).second.find("denied already") !=
        std::string::npos);
  corpus.attempt("approved after it was denied", "not this week", "confirm", corpus.send(call));
  CHECK(corpus.changing() == 1);
  corpus.check_journal();
}

TEST_CASE("bypass: an approval is void once its object or the policy is another") {
  const Site site({}, kTwoPeople);
  Corpus corpus(site.options());
  // Read anew: what the server remembers of names is at most two seconds old.
  const auto is_at = [&](const std::string& path) {
    return wait_until(
        [&] {
          return corpus.send(modern_tool("get_vm_details", {{"vm_id", path}})).works();
        },
        5'000);
  };
  const std::string renamed = approved(corpus, restart("vm-1012"));
  const std::string moved = approved(corpus, restart("vm-1030"));
  const std::string swapped = approved(corpus, restart("logs-cache-01"));
  corpus.change_vm("vm-1012", {{"name", "dns-lb-02"}});
  corpus.change_vm("vm-1030", {{"folder", corpus.vm("vm-1025")["folder"]}});
  // Two change their names: the name that was approved is another object now.
  corpus.change_vm("vm-1034", {{"name", "was-logs-cache-01"}});
  corpus.change_vm("vm-1118", {{"name", "logs-cache-01"}});
  REQUIRE(is_at("/north/vm/Production/Web/dns-lb-02"));
  REQUIRE(is_at("/north/vm/Staging/archive-app-01"));
  asks_anew(corpus, "renamed since", restart("vm-1012"), renamed);
  asks_anew(corpus, "renamed since, by the new name", restart("dns-lb-02"), renamed);
  asks_anew(corpus, "moved since", restart("vm-1030"), moved);
  asks_anew(corpus, "another object of that name", restart("logs-cache-01"), swapped);
  asks_anew(corpus, "the object of then", restart("vm-1034"), swapped);
  // Back as it was: that is what was approved.
  corpus.change_vm("vm-1012", {{"name", "dns-lb-01"}});
  REQUIRE(is_at("/north/vm/Production/Web/dns-lb-01"));
  CHECK(corpus.changing() == 0);
  CHECK(corpus.send(restart("vm-1012")).works());
  CHECK(corpus.changing() == 1);

  const std::string on = approved(corpus, restart("vm-1095"));
  const Json power{{"vm_id", "vm-1095"}};
  CHECK(corpus.send(modern_tool("power_off_vm", power)).works());
  asks_anew(corpus, "switched off since", restart("vm-1095"), on);
  const std::string off =
      approved(corpus, modern_tool("delete_vm", {{"vm_id", "vm-1095"}, {"confirm", true}}));
  CHECK(corpus.send(modern_tool("power_on_vm", power)).works());
  asks_anew(corpus, "switched on since", modern_tool("delete_vm", {{"vm_id", "vm-1095"}, {"confirm", true}}),
            off);

  const std::string before = approved(corpus, restart("vm-1099"));
  std::ofstream(site.config, std::ios::app)
      << "[[policy.rule]]\nname = \"late\"\neffect = \"deny\"\ntools = [\"list_hosts\"]\n";
  REQUIRE(::kill(corpus.server().pid(), SIGHUP) == 0);
  REQUIRE(
      wait_until([&] { return corpus.server().log().find("policy reloaded") != std::string::npos; }, 10'000));
  asks_anew(corpus, "another policy since", restart("vm-1099"), before);
  CHECK(corpus.changing() == 3);
  corpus.check_journal();
}

TEST_CASE("bypass: nobody approves a call of their own, and an approval ends") {
  // Ada has two tokens, whose role may decide, too.
  const auto token = [](const char* text, const char* name, const char* role) {
    return std::string("[[auth.token]]\nname = \"") + name + "\"\nrole = \"" + role +
           "\"\nhash = \"sha256:" + to_hex(sha256(text)) + "\"\n";
  };
  const Site site(
      {"slow"},
      "[policy]\napproval_life_s = 10\n[auth.role.doer]\nallow = [\"slow\", \"admin/approvals\"]\n"
      "[auth.role.keeper]\nallow = [\"admin/approvals\"]\n" +
          token("ada-one-000000000001", "ada", "doer") + token("ada-two-000000000002", "ada", "doer") +
          token("bob-boss-00000000004", "bob", "keeper") + token("eve-one-000000000005", "eve", "doer") +
          "[[policy.rule]]\nname = \"two\"\neffect = \"approve\"\ntools = [\"slow\"]\n");
  ServerOptions options = site.options_without_vcenter();
  options.environment.erase("TOKENS_TO_ROLES");
  Corpus corpus(options);
  const auto port = [&] {
    std::ifstream in(corpus.server().folder() + "/state/admin.json");
    const std::string url = Json::parse(in).value("url", "");
    return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  }();
  const auto decide = [&](const std::string& who, const std::string& id) {
    return send(port, "POST", "/admin/v1/approvals/" + id + "/approve", {{"Authorization", "Bearer " + who}},
                "");
  };
  const Sent call = modern_tool("slow", {{"ms", 1}}, "ada-one-000000000001");
  const Sent late = modern_tool("slow", {{"ms", 2}}, "ada-one-000000000001");
  const std::string ends = id_of(corpus.send(late));
  CHECK(decide("bob-boss-00000000004", ends).status == 200);
  const Heard asked = corpus.send(call);
  const std::string id = id_of(asked);
  for (const char* own : {"ada-one-000000000001", "ada-two-000000000002"}) {
    const Answer no = decide(own, id);
    CHECK_MESSAGE(no.status == 403, own, " ", no.body);
    CHECK_MESSAGE(no.body.find("Nobody decides on a call of their own") != std::string::npos, no.body);
    corpus.attempt(std::string("approved by its own caller, ") + own, kAsks, "confirm", corpus.send(call));
  }
  CHECK(decide("nobody-0000000000009", id).status == 401);
  CHECK(decide("bob-boss-00000000004", id).status == 200);
  asks_anew(corpus, "approved for another caller", modern_tool("slow", {{"ms", 1}}, "eve-one-000000000005"),
            id);
  // By her other token it is the same caller and the same call.
  Sent other = call;
  other.token = "ada-two-000000000002";
  CHECK(corpus.send(other).works());
  asks_anew(corpus, "used by her other token", call, id);
  REQUIRE(wait_until(
      [&] { return operator_of(corpus.server(), "approvals").second.find(ends) == std::string::npos; },
      15'000));
  asks_anew(corpus, "its time is over", late, ends);
  corpus.check_journal();
}

TEST_CASE("bypass: an approval is void a moment after its object was renamed or moved") {
  const Site site({}, kTwoPeople);
  Corpus corpus(site.options());
  const Json elsewhere = corpus.vm("vm-1025")["folder"];
  for (const auto& [vm, to] : {std::pair("vm-1012", Json{{"name", "dns-lb-02"}}),
                               std::pair("vm-1030", Json{{"folder", elsewhere}})}) {
    const std::string id = approved(corpus, restart(vm));
    // What the server remembers of names is as young as can be.
    const std::string path = corpus.vm(vm)["path"];
    CHECK(corpus.send(modern_tool("get_vm_details", {{"vm_id", path}})).works());
    corpus.change_vm(vm, to);
    asks_anew(corpus, "renamed or moved a moment ago", restart(vm), id);
  }
  CHECK(corpus.changing() == 0);
  corpus.check_journal();
}
