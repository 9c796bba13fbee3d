// Role × method × tool × target in both eras, on the real server over the embedded vCenter. What is expected
// stands here, taken from packaging/policy.md and README.md, and which objects there are is taken from the
// embedded vCenter itself: no answer of the server is an expectation. Every denied cell is in the journal.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <tuple>

#include "e2e/matrix_scenes.h"
#include "e2e/site.h"
#include "e2e/wire.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

std::string encoded(const std::string& text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char c : text)
    if (std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.')
      out += static_cast<char>(c);
    else
      out.append({'%', kHex[c >> 4], kHex[c & 15]});
  return out;
}

std::string replaced(std::string text, const std::string& what) {
  for (std::size_t at; !what.empty() && (at = text.find(what)) != std::string::npos;)
    text.replace(at, what.size(), "\x1a");
  return text;
}

constexpr const char* kModern = "2026-07-28";

// One server, its three callers and the eras, and what came of all cells.
class Table {
 public:
  explicit Table(const Scene& scene)
      : site_({}, scene.configuration), server_(site_.options()), callers_(scene.callers) {
    const Json state = send(server_.simulator_port(), "GET", "/simulator/state", {}, "").json();
    std::map<std::string, int> times;
    for (const Json& vm : state.at("vms")) ++times[vm.at("name")];
    for (const Json& vm : state.at("vms"))
      if (const auto tree = vm.find("snapshots");
          times[vm.at("name")] == 1 && tree != vm.end() && !tree->empty())
        vms_.push_back({vm.at("id"), vm.at("name"), vm.at("path"), tree->at(0).at("id")});
    host_ = "127.0.0.1:" + std::to_string(server_.simulator_port());
    others_ = {{"host", state.at("hosts").at(0).at("id")},
               {"cluster", state.at("hosts").at(0).at("cluster")},
               {"datastore", state.at("datastores").at(0).at("id")},
               {"datacenter", state.at("vms").at(0).at("datacenter")}};
  }

  void run(const std::vector<const char*>& eras) {
    for (const Caller& caller : callers_) {
      caller_ = &caller;
      choose();
      for (const char* era : eras) {
        modern_ = era == kModern;
        version_ = era;
        CAPTURE(caller.role);
        CAPTURE(era);
        if (!modern_) session_ = LegacySession(server_.port(), caller.token(), version_).id();
        lists();
        tools();
        resources();
        prompts();
        completion();
        completion_of_others();
        subscriptions();
      }
      modern_ = true;
      tasks();
      modern_ = false;
      tasks_of_the_other_era();
    }
    const Json seen = send(server_.simulator_port(), "GET", "/simulator/requests", {}, "").json();
    CHECK(seen.value("changing", -1) == 0);
    check_journal();
  }
  int cells() const { return cells_; }

 private:
  struct Said {
    bool ok = false;
    int code = 0;
    std::string text;  // of a refusal
    Json result;
  };

  Said ask(const std::string& method, Json params) {
    ++cells_;
    Answer answer;
    if (modern_) {
      answer = modern(server_.port(), caller_->token(), method, std::move(params));
    } else {
      answer =
          send(server_.port(), "POST", "/mcp",
               {{"Content-Type", "application/json"},
                {"Accept", "application/json, text/event-stream"},
                {"MCP-Protocol-Version", version_},
                {"Mcp-Session-Id", session_},
                {"Authorization", "Bearer " + caller_->token()}},
               dump_json({{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", std::move(params)}}));
    }
    Said said;
    Json body = answer.json();
    if (body.is_null())
      for (const Event& event : events_of(answer.body)) body = event.message;
    REQUIRE_MESSAGE(body.is_object(), method, " ", answer.status, " ", answer.body);
    if (body.contains("error")) {
      said.code = body["error"].value("code", 0);
      said.text = body["error"].value("message", "");
      return said;
    }
    said.result = body.at("result");
    said.ok = !said.result.value("isError", false);
    if (!said.ok) {
      CHECK_FALSE(said.result.contains("structuredContent"));
      said.text = said.result.at("content").at(0).value("text", "");
    }
    return said;
  }

  void expect(const Said& said, const std::string& subject, const std::string& step) {
    CAPTURE(subject);
    CHECK_MESSAGE(said.ok == step.empty(), "expected ", (step.empty() ? "to work" : step), ": ", said.text,
                  " ", said.result.dump().substr(0, 400));
    if (!step.empty()) ++denied_[{caller_->token(), caller_->role, subject, step}];
  }

  // One that this caller sees, one that it does not (null: it sees all), one that is not there.
  void choose() {
    seen_ = hidden_ = nullptr;
    for (const Vm& vm : vms_) (caller_->sees(vm) ? seen_ : hidden_) = &vm;
    REQUIRE(seen_ != nullptr);
  }

  std::vector<std::string> names_of(const Vm& vm) const { return {vm.id, vm.name, vm.path}; }
  static const Vm& absent() {
    static const Vm none{"vm-99999", "no-such-01", "/north/vm/Staging/no-such-01", "snapshot-99999"};
    return none;
  }

  void list(const std::string& method, const std::string& member, const std::string& key,
            const Words& expected) {
    const Said said = ask(method, Json::object());
    CHECK(said.ok);
    Words got;
    for (const Json& item : said.result.value(member, Json::array())) got.insert(item.value(key, ""));
    CHECK_MESSAGE(got == expected, method, ": ", said.result.dump());
  }

  void lists() {
    list("tools/list", "tools", "name", caller_->tools);
    list("prompts/list", "prompts", "name", own_prompts());
    list("resources/list", "resources", "uri",
         caller_->resources ? Words{"vsphere://" + host_ + "/", "ui://org.vmcp.snapshot/tree",
                                    "ui://org.vmcp.resource/utilization"}
                            : Words{});
    list("resources/templates/list", "resourceTemplates", "name",
         caller_->resources ? kKinds + Words{"vm", "vcenter"} : Words{});
  }
  // A role of the second site has one of them.
  Words own_prompts() const {
    if (!caller_->prompts) return {};
    return caller_->sees_others || caller_->tools.size() == kAll.size() ? kPrompts
                                                                        : Words{"what_happened_to_vm"};
  }

  static Json arguments_for(const std::string& tool, const std::string& vm, const std::string& snapshot) {
    Json out = Json::object();
    if (!vm.empty()) out["vm_id"] = vm;
    if (tool == "create_vm_snapshot") out["snapshot_name"] = "matrix";
    if (tool == "delete_vm_snapshot") out["snapshot_id"] = snapshot;
    if (tool == "modify_vm_resources") out["cpu_count"] = 2;
    if (kOperating.contains(tool) || kAdministering.contains(tool)) out["dry_run"] = true;
    return out;
  }

  Said call(const std::string& tool, const std::string& vm, const std::string& snapshot,
            const std::string& step) {
    const Said said = ask("tools/call", {{"name", tool}, {"arguments", arguments_for(tool, vm, snapshot)}});
    expect(said, tool, step);
    return said;
  }

  void tools() {
    for (const std::string& tool : kAll) {
      CAPTURE(tool);
      const bool may = caller_->tools.contains(tool);
      const bool on_vm = !tool.starts_with("list_") && !tool.starts_with("get_");
      if (!on_vm && tool != "get_vm_details" && tool != "list_vm_snapshots") {
        const Said said = call(tool, "", "", may ? "" : "authorise");
        if (hidden_ != nullptr) CHECK(said.result.dump().find(hidden_->name) == std::string::npos);
        continue;
      }
      for (const std::string& by : names_of(*seen_)) call(tool, by, seen_->snapshot, may ? "" : "authorise");
      for (std::size_t by = 0; by < 3; ++by) {
        const std::string nobody = names_of(absent())[by];
        const Said none = call(tool, nobody, absent().snapshot, may ? "resolve" : "authorise");
        if (hidden_ == nullptr) continue;
        const std::string other = names_of(*hidden_)[by];
        const Said there = call(tool, other, hidden_->snapshot, may ? "resolve" : "authorise");
        CHECK(replaced(there.text, other) == replaced(none.text, nobody));
      }
    }
  }

  Said read(const std::string& uri, const std::string& step) {
    const Said said = ask("resources/read", {{"uri", uri}});
    expect(said, uri, step);
    return said;
  }

  void resources() {
    const std::string root = "vsphere://" + host_ + "/";
    const auto step = [&](const char* other) { return caller_->resources ? other : "authorise"; };
    read(root, step(""));
    read("ui://org.vmcp.snapshot/tree", step(""));
    for (const auto& [kind, id] : others_) {
      const Said there = read(root + kind + "/" + id, step(caller_->sees_others ? "" : "resolve"));
      const std::string nobody = kind + "-99999";
      const Said none = read(root + kind + "/" + nobody, step("resolve"));
      if (!caller_->sees_others) CHECK(replaced(there.text, id) == replaced(none.text, nobody));
    }
    for (std::size_t by = 0; by < 3; ++by) {
      read(root + "vm/" + encoded(names_of(*seen_)[by]), step(""));
      const std::string nobody = names_of(absent())[by];
      const Said none = read(root + "vm/" + encoded(nobody), step("resolve"));
      if (hidden_ == nullptr) continue;
      const std::string other = names_of(*hidden_)[by];
      const Said there = read(root + "vm/" + encoded(other), step("resolve"));
      CHECK(there.code == none.code);
      CHECK(replaced(replaced(there.text, other), encoded(other)) ==
            replaced(replaced(none.text, nobody), encoded(nobody)));
    }
  }

  void prompts() {
    const Words own = own_prompts();
    const Words about_vms = {"what_happened_to_vm", "safe_resize"};
    for (const std::string& prompt : kPrompts) {
      Json arguments = Json::object();
      const bool on_vm = about_vms.contains(prompt);
      if (on_vm) arguments["vm"] = seen_->name;
      if (prompt == "pre_maintenance_check") arguments["host"] = others_.at("host");
      const auto get = [&](const char* step) {
        const Said said = ask("prompts/get", {{"name", prompt}, {"arguments", arguments}});
        expect(said, prompt, own.contains(prompt) ? step : "authorise");
        return said;
      };
      get(prompt == "pre_maintenance_check" && !caller_->sees_others ? "execute" : "");
      if (!on_vm) continue;
      arguments["vm"] = absent().name;
      const Said none = get("execute");
      if (hidden_ == nullptr) continue;
      arguments["vm"] = hidden_->name;
      const Said there = get("execute");
      CHECK(there.code == none.code);
      CHECK(replaced(there.text, hidden_->name) == replaced(none.text, absent().name));
    }
  }

  void complete(const Json& ref, const std::string& subject, const Vm& vm, bool may, bool found) {
    const Said said = ask("completion/complete", {{"ref", ref},
                                                  {"argument", {{"name", "vm"}, {"value", vm.name}}},
                                                  {"context", {{"arguments", {{"vcenter", host_}}}}}});
    expect(said, subject, may ? "" : "authorise");
    if (!may) return;
    const Json values = said.result.at("completion").at("values");
    CHECK_MESSAGE((std::find(values.begin(), values.end(), vm.name) != values.end()) == found,
                  said.result.dump());
    if (!found) CHECK(said.result["completion"].value("total", 0) == 0);
  }

  void completion() {
    for (const Vm* vm : {seen_, hidden_, &absent()}) {
      if (vm == nullptr) continue;
      complete({{"type", "ref/prompt"}, {"name", "what_happened_to_vm"}}, "prompt/what_happened_to_vm", *vm,
               own_prompts().contains("what_happened_to_vm"), vm == seen_);
      complete({{"type", "ref/resource"}, {"uri", "vsphere://{vcenter}/vm/{vm}"}},
               "resource/vsphere://{vcenter}/vm/{vm}", *vm, caller_->resources, vm == seen_);
    }
  }

  // Whoever types an id gets it, if it is seen.
  void completion_of_others() {
    for (const auto& [kind, id] : others_) {
      const std::string uri = "vsphere://{vcenter}/" + kind + "/{" + kind + "}";
      const Said said = ask("completion/complete", {{"ref", {{"type", "ref/resource"}, {"uri", uri}}},
                                                    {"argument", {{"name", kind}, {"value", id}}},
                                                    {"context", {{"arguments", {{"vcenter", host_}}}}}});
      expect(said, "resource/" + uri, caller_->resources ? "" : "authorise");
      if (!caller_->resources) continue;
      const Json values = said.result.at("completion").at("values");
      CHECK_MESSAGE(values == (caller_->sees_others ? Json::array({id}) : Json::array()), kind,
                    said.result.dump());
    }
  }

  // Whoever may not read at all cannot subscribe; one that is not seen is accepted like one that is not
  // there.
  void subscriptions() {
    for (const Vm* vm : {seen_, hidden_, &absent()}) {
      if (vm == nullptr) continue;
      const std::string uri = "vsphere://" + host_ + "/vm/" + vm->id;
      if (!modern_) {
        expect(ask("resources/subscribe", {{"uri", uri}}), uri, caller_->resources ? "" : "authorise");
        continue;
      }
      ++cells_;
      RawClient client(server_.port());
      client.send(modern_request(server_.port(), caller_->token(), "subscriptions/listen",
                                 {{"notifications", {{"resourceSubscriptions", {uri}}}}}));
      const auto head = client.head();
      REQUIRE((head && is_stream(*head)));
      const auto events = read_events(client, 1);
      REQUIRE(events.size() == 1);
      const bool honoured = dump_json(events[0].message).find(uri) != std::string::npos;
      CHECK(honoured == caller_->resources);
      if (!caller_->resources) ++denied_[{caller_->token(), caller_->role, uri, "authorise"}];
    }
  }

  static Json as_task_client(Json params) {
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"]["extensions"]
          ["io.modelcontextprotocol/tasks"] = Json::object();
    return params;
  }

  // A call as a task walks the same steps, and nobody else's task is there.
  void tasks() {
    const auto begin = [&](const Vm& vm) {
      return ask("tools/call", as_task_client({{"name", "delete_vm"},
                                               {"arguments", {{"vm_id", vm.id}, {"dry_run", true}}}}));
    };
    const bool may = caller_->tools.contains("delete_vm");
    const Said made = begin(*seen_);
    expect(made, "delete_vm", may ? "" : "authorise");
    if (may) {
      REQUIRE(made.result.value("resultType", "") == "task");
      const std::string id = made.result["taskId"];
      expect(ask("tasks/get", as_task_client({{"taskId", id}})), "", "");
      tasks_.push_back({caller_->token(), id});
    }
    if (may && hidden_ != nullptr) {
      const Said refused = begin(*hidden_);
      expect(refused, "", "");  // the refusal is the task's result
      const std::string id = refused.result["taskId"];
      Json task;
      REQUIRE(wait_until(
          [&] {
            task = ask("tasks/get", as_task_client({{"taskId", id}})).result;
            return task.value("status", "") != "working";
          },
          5'000));
      CHECK_MESSAGE(task["result"].value("isError", false), task.dump());
      ++denied_[{caller_->token(), caller_->role, "delete_vm", "resolve"}];
    }
    for (const auto& [owner, id] : tasks_)
      if (owner != caller_->token()) foreign(id);
    foreign(std::string(32, '0'));
  }

  void foreign(const std::string& id) {
    ++cells_;
    RawClient client(server_.port());
    client.send(modern_request(server_.port(), caller_->token(), "subscriptions/listen",
                               as_task_client({{"notifications", {{"taskIds", {id}}}}})));
    const auto head = client.head();
    REQUIRE((head && is_stream(*head)));
    const auto events = read_events(client, 1);
    REQUIRE(events.size() == 1);
    CHECK(dump_json(events[0].message).find(id) == std::string::npos);
    ++denied_[{caller_->token(), caller_->role, "", "parse"}];
    expect(ask("tasks/get", as_task_client({{"taskId", id}})), "", "parse");
    expect(ask("tasks/cancel", as_task_client({{"taskId", id}})), "", "parse");
    expect(ask("tasks/update", as_task_client({{"taskId", id}, {"inputResponses", Json::object()}})), "",
           "parse");
    expect(ask("tasks/result", as_task_client({{"taskId", id}})), "", "parse");
  }

  // An era that has no tasks gives none out, and none away.
  void tasks_of_the_other_era() {
    std::vector<std::string> ids = {std::string(32, '0')};
    for (const auto& [owner, id] : tasks_) ids.push_back(id);
    for (const std::string& id : ids)
      for (const char* method : {"tasks/get", "tasks/result", "tasks/cancel", "tasks/update", "tasks/list"}) {
        const Said said = ask(method, {{"taskId", id}});
        expect(said, "", "parse");
        CHECK(said.text.find("Method not found") == 0);
      }
    const bool may = caller_->tools.contains("delete_vm");
    const Said made = ask("tools/call", {{"name", "delete_vm"},
                                         {"arguments", {{"vm_id", seen_->id}, {"dry_run", true}}},
                                         {"task", {{"ttl", 60'000}}}});
    expect(made, "delete_vm", may ? "" : "authorise");
    CHECK_FALSE(made.result.contains("task"));
  }

  using Key =
      std::tuple<std::string, std::string, std::string, std::string>;  // identity, role, subject, step
  std::map<Key, int> journalled() const {
    std::map<Key, int> out;
    std::ifstream in(server_.folder() + "/state/journal.jsonl");
    for (std::string line; std::getline(in, line);) {
      const auto json = parse_trusted_json(line.substr(line.find(' ') + 1));
      if (!json) continue;
      const auto text = [&](const char* key) {
        const auto at = json->find(key);
        return at != json->end() && at->is_string() ? at->get<std::string>() : std::string();
      };
      const bool refused = text("event") == "refused";
      if (!refused && (text("event") != "outcome" || json->value("ok", true))) continue;
      std::string step = refused ? text("step") : "execute";
      std::string subject = text("tool");
      if (subject.starts_with("task/")) continue;
      out[{text("identity"), text("role"), subject, step}] += json->value("repeated", 1);
    }
    return out;
  }

  void check_journal() {
    std::map<Key, int> found;
    const bool complete = wait_until(
        [&] {
          found = journalled();
          return std::all_of(denied_.begin(), denied_.end(),
                             [&](const auto& one) { return found[one.first] == one.second; });
        },
        3'000);
    if (complete) return;
    for (const auto& [key, count] : denied_)
      CHECK_MESSAGE(found[key] == count, std::get<0>(key), " ", std::get<1>(key), " ", std::get<2>(key), " ",
                    std::get<3>(key), ": ", found[key], " of ", count);
    for (const auto& [key, count] : found)
      if (!denied_.contains(key) && count > 0)
        MESSAGE("also there: ", std::get<0>(key), " ", std::get<2>(key), " ", std::get<3>(key), " ", count);
  }

  Site site_;
  ServerProcess server_;
  const std::vector<Caller>& callers_;
  std::vector<Vm> vms_;
  std::map<std::string, std::string> others_;
  std::string host_, session_, version_;
  const Caller* caller_ = nullptr;
  const Vm *seen_ = nullptr, *hidden_ = nullptr;
  bool modern_ = true;
  int cells_ = 0;
  std::map<Key, int> denied_;
  std::vector<std::pair<std::string, std::string>> tasks_;  // whose, id
};

}  // namespace

TEST_CASE("matrix: every role, method, tool and target in both eras is answered as the policy says") {
  int cells = 0;
  const std::vector<Scene> all = scenes();
  for (const Scene& scene : all) {
    CAPTURE(scene.name);
    Table table(scene);
    // The oldest era on one site: there, only names of members differ.
    table.run(cells == 0 ? std::vector<const char*>{kModern, "2025-11-25", "2025-06-18", "2025-03-26"}
                         : std::vector<const char*>{kModern, "2025-11-25"});
    cells += table.cells();
  }
  MESSAGE("cells: ", cells);
  CHECK(cells >= 3'400);
}
