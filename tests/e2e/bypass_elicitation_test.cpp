// Bypass corpus, the person at the client: the host asks there itself, and a yes is good for that call of
// that caller, on those objects as they were, once.
#include <doctest/doctest.h>

#include "e2e/corpus.h"
#include "e2e/site.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

constexpr const char* kPerson =
    "[auth.role.ops]\nallow = [\"*\"]\n[auth.role.admin]\nallow = [\"*\"]\n"
    "[[policy.rule]]\nname = \"person\"\neffect = \"elicit\"\ntools = [\"restart_vm\", \"delete_vm\"]\n";
constexpr const char* kCan = "io.modelcontextprotocol/clientCapabilities";
constexpr const char* kNotOurs = "requestState";

struct PersonRound {
  std::string state;
  Json answer;  // null: none
};

Sent restart_asking(const std::string& vm, const PersonRound& round = {},
                    const std::string& token = "demo-admin", const Json& more = Json::object()) {
  Json arguments{{"vm_id", vm}};
  arguments.update(more);
  Json params{{"name", "restart_vm"}, {"arguments", arguments}};
  params["_meta"][kCan] = {{"elicitation", {{"form", Json::object()}}}};
  if (!round.state.empty()) params["requestState"] = round.state;
  if (!round.answer.is_null()) params["inputResponses"]["vmcp_consent"] = round.answer;
  return modern_sent("tools/call", params, token);
}

const Json kPersonSaysYes = {{"action", "accept"}, {"content", {{"approve", true}}}};

// The state with which the call goes on, once the person has answered.
std::string person_asked(const Heard& heard) {
  const Json result = heard.message.value("result", Json::object());
  REQUIRE_MESSAGE(result.value("resultType", "") == "input_required", heard.body);
  REQUIRE(result["inputRequests"].size() == 1);
  return result["requestState"];
}

std::string form_of(const Heard& heard) {
  return heard.message["result"]["inputRequests"]["vmcp_consent"]["params"]["message"];
}

}  // namespace

TEST_CASE("bypass: what the person at the client agreed to is good for nothing else") {
  const Site site({}, kPerson);
  Corpus corpus(site.options());
  const std::string state = person_asked(corpus.send(restart_asking("vm-1025")));
  const PersonRound yes{state, kPersonSaysYes};
  corpus.attempt({"another VM", kNotOurs, "resolve", restart_asking("vm-1012", yes)});
  corpus.attempt({"another caller", kNotOurs, "resolve", restart_asking("vm-1025", yes, "demo-ops")});
  corpus.attempt({"one more argument", kNotOurs, "resolve",
                  restart_asking("vm-1025", yes, "demo-admin", {{"reason", "because"}})});
  corpus.attempt(
      {"an altered state", kNotOurs, "resolve", restart_asking("vm-1025", {"A" + state, kPersonSaysYes})});
  for (const Json& no : {Json{{"action", "decline"}}, Json{{"action", "accept"}},
                         Json{{"action", "accept"}, {"content", {{"approve", "yes"}}}}})
    corpus.attempt({"no yes", "did not agree", "confirm",
                    restart_asking("vm-1025", {person_asked(corpus.send(restart_asking("vm-1025"))), no})});
  corpus.attempt({"no answer", "did not agree", "confirm",
                  restart_asking("vm-1025", {person_asked(corpus.send(restart_asking("vm-1025"))), Json()})});
  // The model cannot say it for the person.
  person_asked(corpus.send(restart_asking("vm-1025", {"", kPersonSaysYes})));
  person_asked(corpus.send(restart_asking("vm-1025", {}, "demo-admin", {{"confirm", true}})));
  // Renamed between the question and the answer: the person is asked about what is there now.
  corpus.change_vm("vm-1025", {{"name", "renamed-01"}});
  corpus.attempt({"renamed a moment ago", "just been renamed", "confirm", restart_asking("vm-1025", yes)});
  const Heard anew = corpus.send(restart_asking("vm-1025"));
  const std::string second = person_asked(anew);
  CHECK_MESSAGE(form_of(anew).find("renamed-01") != std::string::npos, anew.body);
  CHECK(corpus.changing() == 0);
  CHECK(corpus.send(restart_asking("vm-1025", {second, kPersonSaysYes})).works());
  CHECK(corpus.changing() == 1);
  corpus.attempt({"once more", kNotOurs, "resolve", restart_asking("vm-1025", {second, kPersonSaysYes})});
  CHECK(corpus.changing() == 1);
  corpus.check_journal();
}

TEST_CASE("bypass: a client without forms, and a session's client, do not get around the person") {
  const Site site({}, kPerson);
  Corpus corpus(site.options());
  corpus.attempt({"no forms", "somebody else must approve", "confirm",
                  modern_tool("restart_vm", {{"vm_id", "vm-1025"}, {"confirm", true}})});
  corpus.attempt({"no session", "somebody else must approve", "confirm",
                  Sent{call_body("restart_vm", R"({"vm_id":"vm-1025","confirm":true})")}});
  CHECK(corpus.changing() == 0);
  corpus.check_journal();
}

TEST_CASE("elicited consent: a task waits for the person, and goes on when they agree") {
  const Site site({}, kPerson);
  Corpus corpus(site.options());
  const auto ask = [&](const std::string& method, Json params) {
    params["_meta"][kCan] = {{"elicitation", {{"form", Json::object()}}},
                             {"extensions", {{"io.modelcontextprotocol/tasks", Json::object()}}}};
    return corpus.send(modern_sent(method, std::move(params)));
  };
  for (const bool agrees : {false, true}) {
    CAPTURE(agrees);
    const Heard begun = ask("tools/call", {{"name", "restart_vm"}, {"arguments", {{"vm_id", "vm-1025"}}}});
    REQUIRE_MESSAGE(begun.message["result"].value("resultType", "") == "task", begun.body);
    const Json id{{"taskId", begun.message["result"]["taskId"]}};
    Json seen;
    const auto becomes = [&](const std::string& status) {
      return wait_until(
          [&] {
            seen = ask("tasks/get", id).message["result"];
            return seen.value("status", "") == status;
          },
          10'000);
    };
    REQUIRE(becomes("input_required"));
    Json answer = id;
    answer["inputResponses"]["vmcp_consent"] =
        agrees ? kPersonSaysYes : Json{{"action", "decline"}, {"content", Json::object()}};
    CHECK(ask("tasks/update", answer).works());
    REQUIRE(becomes("completed"));
    CHECK_MESSAGE(seen["result"].value("isError", false) != agrees, dump_json(seen));
    CHECK(corpus.changing() == (agrees ? 1 : 0));
  }
}
