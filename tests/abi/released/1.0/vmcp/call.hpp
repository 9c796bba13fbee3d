// vmcp/call.hpp: one tool call in one round, and what the host does for it.
#pragma once

#include <vmcp/path.hpp>
#include <vmcp/quote.hpp>
#include <vmcp/status.hpp>
#include <vmcp/table.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vmcp {

// How much a line for the client matters; MCP's eight.
enum class level { debug, info, notice, warning, error, critical, alert, emergency };

// The answer of a host service. Converts to true when the service succeeded.
struct reply {
  vmcp::status status = vmcp::status::ok;
  std::int32_t http_status = 0;  // vcenter only; 0 = vCenter did not answer
  std::string json;              // the answer, or on failure vCenter's own error object; may be empty
  std::string error;             // on failure: why, in words for the caller

  explicit operator bool() const noexcept { return !failed(status); }
};

// The object that an argument was resolved to. Borrowed until the round ends.
struct target {
  std::string_view kind, vcenter, moref, name, path;
};

namespace detail {

// JSON text of a text, or of anything with nlohmann's dump(). Invalid UTF-8 becomes U+FFFD: dump() would
// throw.
template <class Value, class = void>
struct json_text {
  static std::string_view of(const Value& value) { return value; }
};
template <class Value>
struct json_text<Value, std::void_t<decltype(std::declval<const Value&>().dump())>> {
  static std::string of(const Value& value) {
    return value.dump(-1, ' ', false, Value::error_handler_t::replace);
  }
};

}  // namespace detail

class call;

// Reads the inventory as the caller may see it; vmcp/inventory.h describes queries and answers.
class inventory_service {
 public:
  template <class Json>
  reply list(const Json& query) const;
  template <class Json>
  reply get(std::string_view kind, std::string_view moref, const Json& properties) const;

 private:
  friend class call;
  explicit inventory_service(const call& owner) noexcept : owner_(owner) {}
  const call& owner_;
};

// Sends requests of the vSphere Automation API, always in the /api dialect; see vmcp/vcenter.h.
class vcenter_service {
 public:
  reply get(std::string_view path) const { return request("GET", path, std::string_view{}); }
  reply del(std::string_view path) const { return request("DELETE", path, std::string_view{}); }
  reply post(std::string_view path) const { return request("POST", path, std::string_view{}); }
  template <class Json>
  reply post(std::string_view path, const Json& body) const {
    return request("POST", path, body);
  }
  template <class Json>
  reply patch(std::string_view path, const Json& body) const {
    return request("PATCH", path, body);
  }
  template <class Json>
  reply put(std::string_view path, const Json& body) const {
    return request("PUT", path, body);
  }
  template <class Json>
  reply request(std::string_view method, std::string_view path, const Json& body) const;

 private:
  friend class call;
  explicit vcenter_service(const call& owner) noexcept : owner_(owner) {}
  const call& owner_;
};

// Calls vim25 methods and reads properties, in the VI/JSON shape; see vmcp/vim.h.
class vim_service {
 public:
  template <class Json>
  reply call(std::string_view type, std::string_view moref, std::string_view method,
             const Json& params) const;
  reply get(std::string_view type, std::string_view moref, std::string_view property) const;

 private:
  friend class vmcp::call;
  explicit vim_service(const vmcp::call& owner) noexcept : owner_(owner) {}
  const vmcp::call& owner_;
};

// What a tool's function receives. Valid until that function returns; never keep it.
// cancelled() and remaining() may be asked from any thread during the round, all else from the function's
// own.
class call {
 public:
  call(vmcp_call* handle, const detail::host_services& services) noexcept
      : handle_(handle), services_(services) {}
  call(const call&) = delete;
  call& operator=(const call&) = delete;

  // The caller went away or the deadline passed: clean up and return status::cancelled. Cheap.
  bool cancelled() const noexcept { return table().cancelled != nullptr && table().cancelled(handle_) != 0; }
  // Time until the deadline; zero or less when it passed.
  std::chrono::milliseconds remaining() const noexcept {
    return std::chrono::milliseconds(table().remaining_ms == nullptr ? 0 : table().remaining_ms(handle_));
  }
  // `done` must grow; total 0 = unknown. May be dropped.
  void progress(double done, double total = 0, std::string_view note = {}) noexcept {
    if (table().progress != nullptr) table().progress(handle_, done, total, to_abi(note));
  }

  // Tells the client, not the operator, what happens; it hears of it if it asked for that level.
  template <class Json>
  void log_data(level how, const Json& data, std::string_view logger = {}) {
    if (table().log == nullptr) return;
    static constexpr std::string_view kNames[] = {"debug", "info",     "notice", "warning",
                                                  "error", "critical", "alert",  "emergency"};
    const auto& text = detail::json_text<Json>::of(data);
    table().log(handle_, to_abi(kNames[static_cast<int>(how)]), to_abi(logger), to_abi(text));
  }
  void log(level how, std::string_view words) { log_data(how, quote(words)); }
  // What the client can be asked; names as in vmcp/call.h.
  bool client_can(std::string_view name) const noexcept {
    return table().client_can != nullptr && table().client_can(handle_, to_abi(name)) != 0;
  }
  // W3C trace context, to be handed on; may be empty.
  std::string_view traceparent() const noexcept {
    return table().traceparent == nullptr ? std::string_view{} : view(table().traceparent(handle_));
  }
  // The rest will take long: lets the client come back for it instead of holding its stream.
  void close_stream() noexcept {
    if (table().close_stream != nullptr) table().close_stream(handle_);
  }

  // The answer. Each returns what the host said, so that `return c.json(…)` ends a tool.
  status text(std::string_view block) { return give(table().add_text, block); }
  // One JSON object: its text, or an nlohmann value. A second call replaces the first.
  template <class Json>
  status json(const Json& object) {
    return give(table().set_json, detail::json_text<Json>::of(object));
  }
  // One block of the answer, an MCP content block as JSON; when a resource is read its contents, for a prompt
  // a message. Blocks stand after the texts; vmcp/call.h has the rules.
  template <class Json>
  status content(const Json& block) {
    return give(table().add_content, detail::json_text<Json>::of(block));
  }
  status image(std::string_view base64, std::string_view mime_type) {
    return media("image", base64, mime_type);
  }
  status audio(std::string_view base64, std::string_view mime_type) {
    return media("audio", base64, mime_type);
  }
  // For a tool: a resource in the answer itself, or where it can be read.
  status embed(std::string_view uri, std::string_view mime_type, std::string_view text) {
    return content(R"({"type":"resource","resource":)" + contents_of(uri, mime_type, "text", text) + "}");
  }
  status link(std::string_view uri, std::string_view name) {
    return content(R"({"type":"resource_link","uri":)" + quote(uri) + R"(,"name":)" + quote(name) + "}");
  }
  // For a resource: what it holds.
  status contents(std::string_view uri, std::string_view mime_type, std::string_view text) {
    return content(contents_of(uri, mime_type, "text", text));
  }
  status blob(std::string_view uri, std::string_view mime_type, std::string_view base64) {
    return content(contents_of(uri, mime_type, "blob", base64));
  }
  // For a prompt: a message of the user or the assistant; message() takes any content block as JSON.
  status user(std::string_view text) {
    return message("user", R"({"type":"text","text":)" + quote(text) + "}");
  }
  status assistant(std::string_view text) {
    return message("assistant", R"({"type":"text","text":)" + quote(text) + "}");
  }
  template <class Json>
  status message(std::string_view role, const Json& block) {
    std::string text = R"({"role":)" + quote(role) + R"(,"content":)";
    text.append(detail::json_text<Json>::of(block)).append("}");
    return content(text);
  }
  // For a completion: what may stand there, best first; the host takes the first
  // VMCP_COMPLETION_MAX_VALUES.
  status values(const std::vector<std::string>& all) {
    std::string out = R"({"values":[)";
    for (std::size_t i = 0; i < all.size() && i < VMCP_COMPLETION_MAX_VALUES; ++i) {
      if (i > 0) out.push_back(',');
      out.append(quote(all[i]));
    }
    out.append(R"(],"total":)").append(std::to_string(all.size())).append(R"(,"hasMore":)");
    return json(out.append(all.size() > VMCP_COMPLETION_MAX_VALUES ? "true}" : "false}"));
  }
  // Why the call fails, in words that name the fix. Returns `why`.
  status fail(status why, std::string_view message) noexcept {
    if (table().fail != nullptr) table().fail(handle_, to_abi(why), to_abi(message));
    return why;
  }
  // Fails as a service did, with its words and, after them, what the caller should do.
  status fail(const reply& from, std::string_view fix = {}) {
    std::string message = from.error.empty() ? "vCenter gave no reason." : from.error;
    if (!fix.empty()) message.append(" ").append(fix);
    return fail(from.status, message);
  }

  // Rounds. A call may pause for a vCenter task or for input; the host then enters the tool's function again,
  // on any thread, perhaps in another process: what must be remembered goes into `state` (at most
  // VMCP_STATE_MAX_BYTES).
  //
  //   if (!c.resumed()) {
  //     auto started = c.vim().call("VirtualMachine", vm, "CreateSnapshot_Task", params);
  //     return started ? c.wait_for(task_id(started)) : c.fail(started);
  //   }
  //   // entered again: the task has ended, or the deadline is near; c.input("task") is its TaskInfo
  std::uint32_t round() const noexcept { return table().round == nullptr ? 0 : table().round(handle_); }
  bool resumed() const noexcept { return round() > 0; }
  // What the round before left; empty in the first. Borrowed until the round ends.
  std::string_view state() const noexcept {
    return table().state == nullptr ? std::string_view{} : view(table().state(handle_));
  }
  // Ends this round until the task has ended or the deadline is near. Return its result.
  status wait_for(std::string_view task, std::string_view state = {}) {
    if (table().await_task == nullptr) return fail(status::unsupported, "This host cannot wait for tasks.");
    return suspend(state, table().await_task(handle_, to_abi(task)), "wait for a task");
  }
  // Ends this round until input arrived under `key`; request: an MCP input request. Return its result.
  // Several may be asked for in one round: return the last result. status::unsupported without a failure
  // text: the client cannot be asked, choose another way.
  template <class Json>
  status ask(std::string_view key, const Json& request, std::string_view state = {}) {
    if (table().need_input == nullptr) return status::unsupported;
    const auto& text = detail::json_text<Json>::of(request);
    const auto asked = vmcp::status(table().need_input(handle_, to_abi(key), to_abi(text)));
    if (asked == status::unsupported) return asked;
    return suspend(state, to_abi(asked), "ask for input");
  }
  // The same for each of the things that can be asked. A form: a flat object schema as JSON; the answer is
  // {"action":"accept","content":{…}} or "decline" or "cancel".
  template <class Json>
  status ask_form(std::string_view key, std::string_view question, const Json& schema,
                  std::string_view state = {}) {
    std::string request = R"({"method":"elicitation/create","params":{"mode":"form","message":)";
    request.append(quote(question)).append(R"(,"requestedSchema":)");
    request.append(detail::json_text<Json>::of(schema)).append("}}");
    return ask(key, request, state);
  }
  // Something that must not pass through the client, e.g. a password: the person does it in a browser.
  status ask_url(std::string_view key, std::string_view question, std::string_view url,
                 std::string_view state = {}) {
    std::string request = R"({"method":"elicitation/create","params":{"mode":"url","message":)";
    request.append(quote(question)).append(R"(,"url":)").append(quote(url)).append("}}");
    return ask(key, request, state);
  }
  // One question to the client's model; the answer is {"role":"assistant","content":{…},"model":…}.
  status sample(std::string_view key, std::string_view prompt, std::uint32_t max_tokens,
                std::string_view state = {}) {
    std::string request = R"({"method":"sampling/createMessage","params":{"messages":[{"role":"user",)";
    request.append(R"("content":{"type":"text","text":)").append(quote(prompt));
    request.append(R"(}}],"maxTokens":)").append(std::to_string(max_tokens)).append("}}");
    return ask(key, request, state);
  }
  // The folders that the client works in; the answer is {"roots":[{"uri":…}]}.
  status roots(std::string_view key, std::string_view state = {}) {
    return ask(key, std::string_view(R"({"method":"roots/list","params":{}})"), state);
  }
  // What came back for ask(key, …), as JSON; nothing when it has not been asked or answered.
  std::optional<std::string> answer(std::string_view key) const { return input(key); }
  // The same for any key; "task" holds what wait_for() waited for.
  std::optional<std::string> input(std::string_view key) const {
    if (table().input == nullptr) return std::nullopt;
    detail::collector out;
    if (table().input(handle_, to_abi(key), out.sink()) != VMCP_OK) return std::nullopt;
    return out.take();
  }

  // The object behind the argument at `json_pointer` ("/vm_id"), if it names one.
  std::optional<vmcp::target> target(std::string_view json_pointer) const noexcept {
    if (table().target == nullptr) return std::nullopt;
    vmcp_target found{};
    found.size = sizeof found;
    if (table().target(handle_, to_abi(json_pointer), &found) != VMCP_OK) return std::nullopt;
    return vmcp::target{view(found.kind), view(found.vcenter), view(found.moref), view(found.name),
                        view(found.path)};
  }
  // The name of the vCenter that the call is for.
  std::string_view vcenter_name() const noexcept {
    return table().vcenter == nullptr ? std::string_view{} : view(table().vcenter(handle_));
  }
  bool verbose() const noexcept { return table().verbose != nullptr && table().verbose(handle_) != 0; }
  // Why the last service call of this round failed. Replies carry it already as `error`.
  std::string_view last_error() const noexcept {
    return table().last_error == nullptr ? std::string_view{} : view(table().last_error(handle_));
  }

  inventory_service inventory() const noexcept { return inventory_service(*this); }
  vcenter_service vcenter() const noexcept { return vcenter_service(*this); }
  vim_service vim() const noexcept { return vim_service(*this); }

 private:
  friend class inventory_service;
  friend class vcenter_service;
  friend class vim_service;

  const vmcp_call_1& table() const noexcept { return services_.call; }

  status give(vmcp_status (*put)(vmcp_call*, vmcp_str), std::string_view bytes) {
    if (put == nullptr) return status::unsupported;
    const auto said = vmcp::status(put(handle_, to_abi(bytes)));
    if (said == status::limit) return fail(said, "The answer is larger than this host allows: ask for less.");
    if (said == status::invalid)
      return fail(status::fault, std::string("The tool has a defect: ").append(last_error()));
    return said;
  }

  status media(const char* type, std::string_view base64, std::string_view mime_type) {
    return content(std::string(R"({"type":")") + type + R"(","data":)" + quote(base64) + R"(,"mimeType":)" +
                   quote(mime_type) + "}");
  }
  static std::string contents_of(std::string_view uri, std::string_view mime_type, const char* member,
                                 std::string_view bytes) {
    std::string out = R"({"uri":)" + quote(uri);
    if (!mime_type.empty()) out.append(R"(,"mimeType":)").append(quote(mime_type));
    return out.append(",\"").append(member).append("\":").append(quote(bytes)).append("}");
  }

  status suspend(std::string_view state, vmcp_status asked, const char* what) {
    if (asked < 0) return fail(vmcp::status(asked), std::string("The host refused to ") + what + ".");
    if (state.empty()) return status::suspended;
    const vmcp_status kept =
        table().set_state == nullptr ? VMCP_E_UNSUPPORTED : table().set_state(handle_, to_abi(state));
    if (kept < 0) return fail(vmcp::status(kept), "The host refused the state of this round.");
    return status::suspended;
  }

  // Runs one service function and gathers what it said. `run` gets the sink.
  template <class Run>
  reply serve(bool offered, const char* interface_id, Run run) const {
    reply out;
    if (!offered) {
      out.status = status::unsupported;
      out.error = std::string("The host does not offer ") + interface_id + " to this plugin.";
      return out;
    }
    detail::collector bytes;
    out.status = vmcp::status(run(bytes.sink(), &out.http_status));
    out.json = bytes.take();
    if (bytes.out_of_memory()) {
      out.status = status::limit;
      out.error = "The plugin ran out of memory while it read the answer.";
    } else if (failed(out.status)) {
      out.error.assign(last_error());
    }
    return out;
  }

  vmcp_call* handle_;
  const detail::host_services& services_;
};

template <class Json>
reply inventory_service::list(const Json& query) const {
  const auto fn = owner_.services_.inventory.list;
  return owner_.serve(fn != nullptr, VMCP_IFACE_INVENTORY, [&](vmcp_sink out, std::int32_t*) {
    const auto& text = detail::json_text<Json>::of(query);
    return fn(owner_.handle_, to_abi(text), out);
  });
}

template <class Json>
reply inventory_service::get(std::string_view kind, std::string_view moref, const Json& properties) const {
  const auto fn = owner_.services_.inventory.get;
  return owner_.serve(fn != nullptr, VMCP_IFACE_INVENTORY, [&](vmcp_sink out, std::int32_t*) {
    const auto& text = detail::json_text<Json>::of(properties);
    return fn(owner_.handle_, to_abi(kind), to_abi(moref), to_abi(text), out);
  });
}

template <class Json>
reply vcenter_service::request(std::string_view method, std::string_view path, const Json& body) const {
  const auto fn = owner_.services_.vcenter.request;
  return owner_.serve(fn != nullptr, VMCP_IFACE_VCENTER, [&](vmcp_sink out, std::int32_t* http_status) {
    const auto& text = detail::json_text<Json>::of(body);
    return fn(owner_.handle_, to_abi(method), to_abi(path), to_abi(text), out, http_status);
  });
}

template <class Json>
reply vim_service::call(std::string_view type, std::string_view moref, std::string_view method,
                        const Json& params) const {
  const auto fn = owner_.services_.vim.call;
  return owner_.serve(fn != nullptr, VMCP_IFACE_VIM, [&](vmcp_sink out, std::int32_t*) {
    const auto& text = detail::json_text<Json>::of(params);
    return fn(owner_.handle_, to_abi(type), to_abi(moref), to_abi(method), to_abi(text), out);
  });
}

inline reply vim_service::get(std::string_view type, std::string_view moref,
                              std::string_view property) const {
  const auto fn = owner_.services_.vim.get;
  return owner_.serve(fn != nullptr, VMCP_IFACE_VIM, [&](vmcp_sink out, std::int32_t*) {
    return fn(owner_.handle_, to_abi(type), to_abi(moref), to_abi(property), out);
  });
}

}  // namespace vmcp
