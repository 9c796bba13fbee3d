// A host in memory for one plugin library: the tables of the SDK with scripted answers, and a record of what
// the plugin asked for. It knows nothing of the real host, so it tests what the ABI promises, no more.
#pragma once

#include <vmcp/vmcp.h>

#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmcp::test {

using Json = nlohmann::json;

// One request to a service, as the plugin made it.
struct Request {
  std::string service;  // "vcenter", "vim.call", "vim.get", "inventory.list", "inventory.get"
  std::string
      what;  // "POST /api/vcenter/vm/vm-1/power?action=start", "VirtualMachine vm-1 CreateSnapshot_Task"
  Json body;
};

struct Scripted {
  vmcp_status status = VMCP_OK;
  int http_status = 200;
  Json body = nullptr;     // null: none
  std::string error = {};  // what last_error() says then
};

// vCenter's own error in the Automation API.
Scripted vcenter_error(vmcp_status status, int http_status, std::string_view error_type,
                       std::string_view message);

// What came of one round.
struct Outcome {
  vmcp_status status = VMCP_OK;
  Json json;  // the structured answer; null when there is none
  std::vector<std::string> texts;
  std::vector<Json> blocks;  // content blocks; messages of a prompt, contents of a resource
  std::string failure;       // what fail() said
  std::string task;          // what await_task() named
  std::string state;         // what set_state() left

  const Json& result() const { return json.at("result"); }
};

class FakeHost {
 public:
  // Loads, opens and starts the plugin; throws std::runtime_error when one of them fails.
  explicit FakeHost(const std::string& library, std::string config = "{}");
  ~FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  // Scripts. A vCenter request is answered by the script of its "METHOD path"; several for one request are
  // used one after the other, the last one again and again. Without a script: 404 NOT_FOUND.
  void on_vcenter(const std::string& request, Scripted scripted);
  void on_vim(const std::string& request, Scripted scripted);  // "VirtualMachine vm-1 snapshot"
  // The inventory answers from these; it filters by kind, "ids", "names" and place, and pages when told to.
  void add_object(std::string kind, std::string id, std::string name, Json properties, std::string type = {},
                  std::string path = {});
  // The object lies in (on) these: what the filters by datacenter, cluster and host compare with.
  void place(const std::string& id, std::vector<std::string> where);
  void mark_unavailable(const std::string& id, Json reasons);
  void set_page_size(std::size_t objects) { page_size_ = objects; }
  void fail_inventory(vmcp_status status, std::string error);

  // Facts of the calls that follow.
  void set_verbose(bool verbose) { verbose_ = verbose; }
  void set_target(std::string pointer, std::string id, std::string name);

  Outcome call(std::string_view tool, const Json& arguments);
  // The next round of a call that was suspended for a task; null: the host does not know what became of it.
  Outcome resume(std::string_view tool, const Json& arguments, const Outcome& before, const Json& task_info);
  Outcome preview(std::string_view tool, const Json& arguments);
  // The other offers, by the tables that the plugin gives for them; throw when it gives none.
  Outcome prompt(std::string_view name, const Json& arguments);
  Outcome complete(const Json& ref, std::string_view argument, std::string_view value);
  Outcome read(std::string_view uri);
  std::vector<const vmcp_prompt*> prompts() const;
  std::vector<const vmcp_resource*> resources() const;

  const void* query(const char* interface_id) const { return plugin_->query(plugin_, interface_id); }
  const vmcp_tool& tool(std::string_view name) const;
  std::vector<std::string> tool_names() const;
  // Problems of an answer against the tool's output schema; empty when it fits.
  std::vector<std::string> schema_problems(std::string_view tool, const Json& answer) const;

  const std::vector<Request>& requests() const { return requests_; }
  std::vector<std::string> changing_requests() const;  // `what` of those that change something
  void forget_requests() { requests_.clear(); }

 private:
  struct Call;  // behind a vmcp_call
  friend struct Services;

  Outcome enter(std::string_view tool, const Json& arguments, Call& call, bool preview);
  template <class Table>
  const Table& table(const char* interface_id) const;
  std::uint32_t index_of(std::string_view tool) const;
  Scripted next(std::map<std::string, std::deque<Scripted>>& scripts, const std::string& request);

  vmcp_host host_{};
  const vmcp_plugin* plugin_ = nullptr;
  const vmcp_tools_1* tools_ = nullptr;
  const vmcp_preview_1* preview_ = nullptr;

  std::map<std::string, std::deque<Scripted>> vcenter_, vim_;
  std::map<std::string, std::vector<Json>> objects_;                    // by kind
  std::map<std::string, std::pair<std::string, std::string>> targets_;  // pointer → id, name
  std::optional<Scripted> inventory_failure_;
  std::size_t page_size_ = 0;
  bool verbose_ = false;
  std::vector<Request> requests_;
  std::vector<std::string> logged_;
};

}  // namespace vmcp::test
