// vmcp/testing.hpp: a host in memory, for a plugin's own tests. Header-only, C++17, any test framework or
// none.
//
//   vmcp::testing::host host;
//   host.on_list("vm", R"({"objects":[],"returned":0,"total":3,"truncated":false})");
//   vmcp::testing::plugin plugin(host, vmcp_entry_v1());  // of the plugin's source, linked into the test
//   const auto answer = plugin.run("count_vms", R"({"prefix":"a"})");
//   assert(answer.ok() && answer.json == R"({"count":3})");
//
// The host answers what it was told to, refuses everything else, and keeps what it heard. It is simpler than
// a real one: schemas, visibility and permitted requests are not checked (`vsphere-mcp-pro plugin check` does
// that), and time is counted in callbacks. One thread at a time, but for cancelled().
#pragma once

#include <vmcp/status.hpp>
#include <vmcp/table.hpp>

#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vmcp::testing {

// How a call goes on and what it finds; each member has the value of an ordinary call.
struct conditions {
  std::uint32_t cancel_at = 0;         // cancelled from this callback on (the first is 1); 0 = never
  std::int64_t remaining_ms = 30'000;  // when the call begins …
  std::int64_t callback_ms = 1;        // … and what each callback takes of it
  bool verbose = false;
  std::string vcenter = "vcenter.example";
  // What an argument was resolved to: JSON pointer ("/vm_id") → MoRef. Kind, name and path are made from it.
  std::map<std::string, std::string> targets;
  // Answers to what the call asks for: key → JSON; "task" → a vim25 TaskInfo. A call that asks for something
  // else ends suspended.
  std::map<std::string, std::string> inputs;
  std::set<std::string> client_can;  // "sampling", "elicitation.form", …
};

// What a call left behind, all rounds together.
struct answer {
  vmcp::status status = vmcp::status::fault;
  std::vector<std::string> texts, blocks;
  std::string json;                          // structured; empty when there is none
  std::string failure;                       // what fail() was given
  std::map<std::string, std::string> asked;  // of the last round: key → input request
  std::string awaited_task, state;           // of the last round
  std::vector<std::string> progress, log;    // "done/total note", "level data"
  std::uint32_t rounds = 0, callbacks = 0;
  bool over_limit = false;  // the host said VMCP_E_LIMIT

  bool ok() const { return status == vmcp::status::ok && failure.empty(); }
  std::string text() const {
    std::string out;
    for (const std::string& part : texts) out += part;
    return out;
  }
};

class host {
 public:
  host() {
    table_.size = sizeof table_;
    table_.abi_major = VMCP_ABI_MAJOR;
    table_.abi_minor = VMCP_ABI_MINOR;
    table_.ctx = this;
    table_.query = &host::query;
  }
  host(const host&) = delete;
  host& operator=(const host&) = delete;
  const vmcp_host* table() const { return &table_; }

  // What services answer. The last word about one thing counts.
  void on_list(const std::string& kind, std::string json) {
    script("list " + kind, {status::ok, 200, std::move(json), {}});
  }
  void on_get(const std::string& kind, const std::string& moref, std::string json) {
    script("get " + kind + " " + moref, {status::ok, 200, std::move(json), {}});
  }
  void on_request(const std::string& method, const std::string& path, std::string json,
                  std::int32_t http_status = 200) {
    script(method + " " + path, {status::ok, http_status, std::move(json), {}});
  }
  void on_vim(const std::string& moref, const std::string& member, std::string json) {
    script("vim " + moref + " " + member, {status::ok, 200, std::move(json), {}});
  }
  // The same, refused: `what` as heard() has it, `json` vCenter's own error object.
  void refuse(const std::string& what, status why, std::string words, std::string json = {},
              std::int32_t http_status = 0) {
    script(what, {why, http_status, std::move(json), std::move(words)});
  }
  // As a host that does not know the interface.
  void withhold(const std::string& interface_id) { withheld_.insert(interface_id); }

  // What was asked of the services, in order: "list vm", "get vm vm-1", "GET /api/…", "vim vm-1 name".
  const std::vector<std::string>& heard() const { return heard_; }
  const std::vector<std::string>& bodies() const { return bodies_; }      // what came with each of them
  const std::vector<std::string>& log() const { return log_; }            // lines for the operator
  const std::vector<std::string>& notified() const { return notified_; }  // "tools", "updated URI", …

 private:
  friend class plugin;
  struct reply {
    vmcp::status status;
    std::int32_t http_status;
    std::string json, error;
  };
  // What is behind the opaque vmcp_call.
  struct running {
    host* owner;
    const conditions* when;
    answer* out;
    std::string state, last_error;
    std::map<std::string, std::string> names;  // that targets lend to the plugin
    std::uint32_t round = 0;
    std::size_t text_bytes = 0;
  };
  static constexpr std::size_t kMaxText = std::size_t{1} << 20, kMaxJson = std::size_t{4} << 20;

  void script(const std::string& what, reply how) { replies_[what] = std::move(how); }

  static running& of(vmcp_call* call) { return *reinterpret_cast<running*>(call); }
  // Counts the callback, which takes its time.
  static running& enter(vmcp_call* call) {
    running& self = of(call);
    ++self.out->callbacks;
    return self;
  }
  static bool over(const running& self) {
    const conditions& when = *self.when;
    return (when.cancel_at != 0 && self.out->callbacks >= when.cancel_at) || left(self) <= 0;
  }
  static std::int64_t left(const running& self) {
    return self.when->remaining_ms - self.when->callback_ms * static_cast<std::int64_t>(self.out->callbacks);
  }
  static vmcp_status too_large(running& self) {
    self.out->over_limit = true;
    return VMCP_E_LIMIT;
  }

  static vmcp_status serve(vmcp_call* call, const std::string& what, std::string_view body, vmcp_sink out,
                           std::int32_t* http_status = nullptr) {
    running& self = enter(call);
    self.owner->heard_.push_back(what);
    self.owner->bodies_.emplace_back(body);
    if (over(self)) {
      self.last_error = "The call was cancelled.";
      return VMCP_E_CANCELLED;
    }
    const auto found = self.owner->replies_.find(what);
    if (found == self.owner->replies_.end()) {
      self.last_error = "The test's host was not told what to answer to: " + what;
      return VMCP_E_NOT_FOUND;
    }
    const reply& how = found->second;
    if (http_status != nullptr) *http_status = how.http_status;
    if (!how.json.empty() && out.put != nullptr) out.put(out.ctx, to_abi(std::string_view(how.json)));
    if (failed(how.status)) self.last_error = how.error;
    return to_abi(how.status);
  }

  // The value of a text member near the beginning of a query: enough for what inventory.list is asked.
  static std::string member(std::string_view json, std::string_view name) {
    const std::string key = "\"" + std::string(name) + "\"";
    std::size_t at = json.find(key);
    if (at == std::string_view::npos) return {};
    at = json.find('"', at + key.size());
    const std::size_t end = at == std::string_view::npos ? at : json.find('"', at + 1);
    return end == std::string_view::npos ? std::string() : std::string(json.substr(at + 1, end - at - 1));
  }

  static const vmcp_call_1* call_table() {
    static const vmcp_call_1 table = [] {
      vmcp_call_1 t{};
      t.size = sizeof t;
      t.cancelled = [](vmcp_call* c) { return over(enter(c)) ? 1 : 0; };
      t.remaining_ms = [](vmcp_call* c) -> std::int64_t { return over(enter(c)) ? 0 : left(of(c)); };
      t.progress = [](vmcp_call* c, double done, double total, vmcp_str note) -> vmcp_status {
        enter(c).out->progress.push_back(std::to_string(done) + "/" + std::to_string(total) + " " +
                                         std::string(view(note)));
        return VMCP_OK;
      };
      t.fail = [](vmcp_call* c, vmcp_status why, vmcp_str words) -> vmcp_status {
        enter(c).out->failure = view(words);
        return why;
      };
      t.round = [](vmcp_call* c) { return of(c).round; };
      t.state = [](vmcp_call* c) { return to_abi(std::string_view(of(c).state)); };
      t.vcenter = [](vmcp_call* c) { return to_abi(std::string_view(of(c).when->vcenter)); };
      t.verbose = [](vmcp_call* c) { return of(c).when->verbose ? 1 : 0; };
      t.last_error = [](vmcp_call* c) { return to_abi(std::string_view(of(c).last_error)); };
      t.log = [](vmcp_call* c, vmcp_str level, vmcp_str, vmcp_str data) -> vmcp_status {
        enter(c).out->log.push_back(std::string(view(level)) + " " + std::string(view(data)));
        return VMCP_OK;
      };
      t.client_can = [](vmcp_call* c, vmcp_str name) {
        return of(c).when->client_can.count(std::string(view(name))) != 0 ? 1 : 0;
      };
      t.traceparent = [](vmcp_call*) { return vmcp_str{nullptr, 0}; };
      t.close_stream = [](vmcp_call*) -> vmcp_status { return VMCP_OK; };
      t.target = &host::target;
      add_answers(t);
      add_rounds(t);
      return t;
    }();
    return &table;
  }

  static void add_answers(vmcp_call_1& t) {
    t.add_text = [](vmcp_call* c, vmcp_str text) -> vmcp_status {
      running& self = enter(c);
      self.text_bytes += text.len;
      if (self.text_bytes > kMaxText) return too_large(self);
      self.out->texts.emplace_back(view(text));
      return VMCP_OK;
    };
    t.set_json = [](vmcp_call* c, vmcp_str json) -> vmcp_status {
      running& self = enter(c);
      if (json.len > kMaxJson) return too_large(self);
      self.out->json = view(json);
      return VMCP_OK;
    };
    t.add_content = [](vmcp_call* c, vmcp_str block) -> vmcp_status {
      running& self = enter(c);
      if (block.len > kMaxJson) return too_large(self);
      self.out->blocks.emplace_back(view(block));
      return VMCP_OK;
    };
  }

  static void add_rounds(vmcp_call_1& t) {
    t.set_state = [](vmcp_call* c, vmcp_str state) -> vmcp_status {
      running& self = enter(c);
      if (state.len > VMCP_STATE_MAX_BYTES) return too_large(self);
      self.out->state = view(state);
      return VMCP_OK;
    };
    t.need_input = [](vmcp_call* c, vmcp_str key, vmcp_str request) -> vmcp_status {
      running& self = enter(c);
      if (self.when->client_can.empty()) return VMCP_E_UNSUPPORTED;
      if (!self.out->awaited_task.empty()) return VMCP_E_CONFLICT;
      if (request.len > VMCP_INPUT_MAX_BYTES || self.out->asked.size() >= VMCP_INPUTS_MAX)
        return too_large(self);
      self.out->asked[std::string(view(key))] = view(request);
      return VMCP_OK;
    };
    t.await_task = [](vmcp_call* c, vmcp_str task) -> vmcp_status {
      running& self = enter(c);
      if (!self.out->asked.empty()) return VMCP_E_CONFLICT;
      self.out->awaited_task = view(task);
      return VMCP_OK;
    };
    t.input = [](vmcp_call* c, vmcp_str key, vmcp_sink out) -> vmcp_status {
      running& self = enter(c);
      const auto found = self.when->inputs.find(std::string(view(key)));
      if (self.round == 0 || found == self.when->inputs.end()) return VMCP_E_NOT_FOUND;
      if (out.put != nullptr) out.put(out.ctx, to_abi(std::string_view(found->second)));
      return VMCP_OK;
    };
  }

  static vmcp_status target(vmcp_call* c, vmcp_str pointer, vmcp_target* out) {
    running& self = enter(c);
    const auto found = self.when->targets.find(std::string(view(pointer)));
    if (found == self.when->targets.end() || out == nullptr) return VMCP_E_NOT_FOUND;
    const std::string& moref = found->second;
    const auto lend = [&](const char* what, std::string text) {
      std::string& kept = self.names[moref + what];
      kept = std::move(text);
      return to_abi(std::string_view(kept));
    };
    out->kind = lend(" kind", moref.substr(0, moref.find('-')));
    out->vcenter = to_abi(std::string_view(self.when->vcenter));
    out->moref = to_abi(std::string_view(moref));
    out->name = lend(" name", moref + "-name");
    out->path = lend(" path", "/datacenter/" + moref + "-name");
    return VMCP_OK;
  }

  static const void* query(const vmcp_host* table, const char* iface) {
    static const vmcp_inventory_1 inventory{
        sizeof(vmcp_inventory_1), 0,
        [](vmcp_call* c, vmcp_str query_json, vmcp_sink out) {
          return serve(c, "list " + member(view(query_json), "kind"), view(query_json), out);
        },
        [](vmcp_call* c, vmcp_str kind, vmcp_str moref, vmcp_str properties, vmcp_sink out) {
          return serve(c, "get " + std::string(view(kind)) + " " + std::string(view(moref)), view(properties),
                       out);
        }};
    static const vmcp_vcenter_1 vcenter{sizeof(vmcp_vcenter_1), 0,
                                        [](vmcp_call* c, vmcp_str method, vmcp_str path, vmcp_str body,
                                           vmcp_sink out, std::int32_t* http_status) {
                                          return serve(
                                              c, std::string(view(method)) + " " + std::string(view(path)),
                                              view(body), out, http_status);
                                        }};
    static const vmcp_vim_1 vim{
        sizeof(vmcp_vim_1), 0,
        [](vmcp_call* c, vmcp_str, vmcp_str moref, vmcp_str method, vmcp_str params, vmcp_sink out) {
          return serve(c, "vim " + std::string(view(moref)) + " " + std::string(view(method)), view(params),
                       out);
        },
        [](vmcp_call* c, vmcp_str, vmcp_str moref, vmcp_str property, vmcp_sink out) {
          return serve(c, "vim " + std::string(view(moref)) + " " + std::string(view(property)), {}, out);
        }};
    static const vmcp_log_1 log{sizeof(vmcp_log_1), 0, [](const vmcp_host* h, std::int32_t, vmcp_str words) {
                                  static_cast<host*>(h->ctx)->log_.emplace_back(view(words));
                                }};
    static const vmcp_notify_1 notify{
        sizeof(vmcp_notify_1),
        0,
        [](const vmcp_host* h) { return hear(h, "tools"); },
        [](const vmcp_host* h) { return hear(h, "prompts"); },
        [](const vmcp_host* h) { return hear(h, "resources"); },
        [](const vmcp_host* h, vmcp_str uri) { return hear(h, "updated " + std::string(view(uri))); }};
    const std::string id = iface == nullptr ? "" : iface;
    if (static_cast<host*>(table->ctx)->withheld_.count(id) != 0) return nullptr;
    if (id == VMCP_IFACE_CALL) return call_table();
    if (id == VMCP_IFACE_INVENTORY) return &inventory;
    if (id == VMCP_IFACE_VCENTER) return &vcenter;
    if (id == VMCP_IFACE_VIM) return &vim;
    if (id == VMCP_IFACE_LOG) return &log;
    if (id == VMCP_IFACE_NOTIFY) return &notify;
    return nullptr;
  }
  static vmcp_status hear(const vmcp_host* h, std::string what) {
    static_cast<host*>(h->ctx)->notified_.push_back(std::move(what));
    return VMCP_OK;
  }

  vmcp_host table_{};
  std::map<std::string, reply> replies_;
  std::set<std::string> withheld_;
  std::vector<std::string> heard_, bodies_, log_, notified_;
};

// A plugin, opened and started in a host; quiesced and closed when it goes. Throws std::runtime_error when it
// cannot be, or when the test asks for what the plugin does not have.
class plugin {
 public:
  plugin(host& in, const vmcp_entry* entry, std::string_view config_json = "{}") : host_(in) {
    if (entry == nullptr || entry->open == nullptr) throw std::runtime_error("the entry is not filled");
    if (entry->open(in.table(), &plugin_) < 0 || plugin_ == nullptr)
      throw std::runtime_error("open() failed");
    tools_ = detail::read_table<vmcp_tools_1>(plugin_->query(plugin_, VMCP_IFACE_TOOLS));
    preview_ = detail::read_table<vmcp_preview_1>(plugin_->query(plugin_, VMCP_IFACE_PREVIEW));
    resources_ = detail::read_table<vmcp_resources_1>(plugin_->query(plugin_, VMCP_IFACE_RESOURCES));
    prompts_ = detail::read_table<vmcp_prompts_1>(plugin_->query(plugin_, VMCP_IFACE_PROMPTS));
    completion_ = detail::read_table<vmcp_completion_1>(plugin_->query(plugin_, VMCP_IFACE_COMPLETION));
    if (plugin_->start(plugin_, to_abi(config_json)) < 0) {
      plugin_->close(plugin_);
      throw std::runtime_error("start() refused the configuration");
    }
  }
  plugin(const plugin&) = delete;
  plugin& operator=(const plugin&) = delete;
  ~plugin() {
    plugin_->quiesce(plugin_);
    plugin_->close(plugin_);
  }

  answer run(std::string_view tool, std::string_view args_json = "{}", const conditions& when = {}) {
    const std::uint32_t index = index_of(tools_.count, tools_.at, tool);
    return rounds(when, tools_.run != nullptr,
                  [&](vmcp_call* c) { return tools_.run(plugin_, index, c, to_abi(args_json)); });
  }
  answer preview(std::string_view tool, std::string_view args_json = "{}", const conditions& when = {}) {
    const std::uint32_t index = index_of(tools_.count, tools_.at, tool);
    return rounds(when, preview_.run != nullptr,
                  [&](vmcp_call* c) { return preview_.run(plugin_, index, c, to_abi(args_json)); });
  }
  answer read(std::string_view uri, const conditions& when = {}) {
    return rounds(when, resources_.read != nullptr,
                  [&](vmcp_call* c) { return resources_.read(plugin_, c, to_abi(uri)); });
  }
  answer prompt(std::string_view name, std::string_view args_json = "{}", const conditions& when = {}) {
    const std::uint32_t index = index_of(prompts_.count, prompts_.at, name);
    return rounds(when, prompts_.get != nullptr,
                  [&](vmcp_call* c) { return prompts_.get(plugin_, index, c, to_abi(args_json)); });
  }
  answer complete(std::string_view ref_json, std::string_view argument, std::string_view value,
                  std::string_view context_json = "{}", const conditions& when = {}) {
    return rounds(when, completion_.complete != nullptr, [&](vmcp_call* c) {
      return completion_.complete(plugin_, c, to_abi(ref_json), to_abi(argument), to_abi(value),
                                  to_abi(context_json));
    });
  }

 private:
  static constexpr std::uint32_t kMaxRounds = 32;

  template <class Count, class At>
  std::uint32_t index_of(Count count, At at, std::string_view name) const {
    for (std::uint32_t i = 0; count != nullptr && i < count(plugin_); ++i)
      if (at(plugin_, i)->name == name) return i;
    throw std::runtime_error("the plugin does not declare " + std::string(name));
  }

  template <class Round>
  answer rounds(const conditions& when, bool offered, Round round) {
    if (!offered) throw std::runtime_error("the plugin does not offer that");
    answer out;
    host::running running{&host_, &when, &out, {}, {}, {}, 0, 0};
    for (;; ++running.round) {
      out.asked.clear();
      out.awaited_task.clear();
      out.state.clear();
      out.status = vmcp::status(round(reinterpret_cast<vmcp_call*>(&running)));
      ++out.rounds;
      if (out.status != vmcp::status::suspended || !answered(out, when) || out.rounds == kMaxRounds)
        return out;
      running.state = out.state;
    }
  }
  static bool answered(const answer& out, const conditions& when) {
    if (out.asked.empty()) return !out.awaited_task.empty() && when.inputs.count("task") != 0;
    for (const auto& asked : out.asked)
      if (when.inputs.count(asked.first) == 0) return false;
    return true;
  }

  host& host_;
  const vmcp_plugin* plugin_ = nullptr;
  vmcp_tools_1 tools_{};
  vmcp_preview_1 preview_{};
  vmcp_resources_1 resources_{};
  vmcp_prompts_1 prompts_{};
  vmcp_completion_1 completion_{};
};

}  // namespace vmcp::testing
