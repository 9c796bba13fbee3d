#include "unit/plugins/fake_host.h"

#include <dlfcn.h>
#include <fnmatch.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace vmcp::test {

namespace {

vmcp_str abi(std::string_view text) {
  return {text.data(), text.size()};
}
std::string text(vmcp_str bytes) {
  return bytes.ptr == nullptr ? "" : std::string(bytes.ptr, bytes.len);
}
void put(vmcp_sink out, const std::string& bytes) {
  out.put(out.ctx, abi(bytes));
}

const vmcp_entry& load_entry(const std::string& file) {
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  const auto entry = reinterpret_cast<const vmcp_entry* (*)()>(dlsym(library, VMCP_ENTRY_SYMBOL));
  if (entry == nullptr) throw std::runtime_error("no entry");
  return *entry();
}

}  // namespace

struct FakeHost::Call {
  FakeHost* host = nullptr;
  bool read_only = false;
  std::uint32_t round = 0;
  std::string state_before, last_error;
  std::map<std::string, std::string> inputs;
  Outcome outcome;
};

// The functions of the tables: thin, everything they know is in Call and FakeHost.
struct Services {
  static FakeHost::Call& of(vmcp_call* call) { return *reinterpret_cast<FakeHost::Call*>(call); }

  static vmcp_status deliver(FakeHost::Call& call, const Scripted& scripted, vmcp_sink out) {
    call.last_error = scripted.error;
    if (!scripted.body.is_null()) put(out, scripted.body.dump());
    return scripted.status;
  }

  static vmcp_status refuse_change(FakeHost::Call& call) {
    call.last_error = "a changing request was made under read effect";
    return VMCP_E_DENIED;
  }

  // vmcp.call/1
  static int32_t cancelled(vmcp_call*) { return 0; }
  static int64_t remaining_ms(vmcp_call*) { return 30'000; }
  static vmcp_status progress(vmcp_call*, double, double, vmcp_str) { return VMCP_OK; }
  static vmcp_status add_text(vmcp_call* c, vmcp_str block) {
    of(c).outcome.texts.push_back(text(block));
    return VMCP_OK;
  }
  static vmcp_status set_json(vmcp_call* c, vmcp_str json) {
    of(c).outcome.json = Json::parse(text(json));
    return VMCP_OK;
  }
  static vmcp_status fail(vmcp_call* c, vmcp_status status, vmcp_str message) {
    of(c).outcome.failure = text(message);
    return status;
  }
  static uint32_t round(vmcp_call* c) { return of(c).round; }
  static vmcp_str state(vmcp_call* c) { return abi(of(c).state_before); }
  static vmcp_status set_state(vmcp_call* c, vmcp_str state) {
    if (state.len > VMCP_STATE_MAX_BYTES) return VMCP_E_LIMIT;
    of(c).outcome.state = text(state);
    return VMCP_OK;
  }
  static vmcp_status need_input(vmcp_call*, vmcp_str, vmcp_str) { return VMCP_E_UNSUPPORTED; }
  static vmcp_status await_task(vmcp_call* c, vmcp_str task) {
    of(c).outcome.task = text(task);
    return VMCP_OK;
  }
  static vmcp_status input(vmcp_call* c, vmcp_str key, vmcp_sink out) {
    const auto found = of(c).inputs.find(text(key));
    if (found == of(c).inputs.end()) return VMCP_E_NOT_FOUND;
    put(out, found->second);
    return VMCP_OK;
  }
  static vmcp_status target(vmcp_call* c, vmcp_str pointer, vmcp_target* out) {
    const auto& targets = of(c).host->targets_;
    const auto found = targets.find(text(pointer));
    if (found == targets.end()) return VMCP_E_NOT_FOUND;
    out->kind = abi("vm");
    out->vcenter = abi("vc.test");
    out->moref = abi(found->second.first);
    out->name = abi(found->second.second);
    return VMCP_OK;
  }
  static vmcp_str vcenter(vmcp_call*) { return abi("vc.test"); }
  static int32_t verbose(vmcp_call* c) { return of(c).host->verbose_ ? 1 : 0; }
  static vmcp_str last_error(vmcp_call* c) { return abi(of(c).last_error); }

  // vmcp.vcenter/1
  static vmcp_status request(vmcp_call* c, vmcp_str method, vmcp_str path, vmcp_str body, vmcp_sink out,
                             int32_t* http_status) {
    FakeHost::Call& call = of(c);
    const std::string what = text(method) + " " + text(path);
    call.host->requests_.push_back({"vcenter", what, body.len == 0 ? Json() : Json::parse(text(body))});
    *http_status = 0;
    if (call.read_only && text(method) != "GET") return refuse_change(call);
    const Scripted scripted = call.host->next(call.host->vcenter_, what);
    *http_status = scripted.http_status;
    return deliver(call, scripted, out);
  }

  // vmcp.vim/1
  static vmcp_status vim_call(vmcp_call* c, vmcp_str type, vmcp_str moref, vmcp_str method, vmcp_str params,
                              vmcp_sink out) {
    FakeHost::Call& call = of(c);
    const std::string what = text(type) + " " + text(moref) + " " + text(method);
    call.host->requests_.push_back({"vim.call", what, Json::parse(text(params))});
    if (call.read_only) return refuse_change(call);
    return deliver(call, call.host->next(call.host->vim_, what), out);
  }
  static vmcp_status vim_get(vmcp_call* c, vmcp_str type, vmcp_str moref, vmcp_str property, vmcp_sink out) {
    FakeHost::Call& call = of(c);
    const std::string what = text(type) + " " + text(moref) + " " + text(property);
    call.host->requests_.push_back({"vim.get", what, Json()});
    Scripted scripted = call.host->next(call.host->vim_, what);
    if (scripted.status == VMCP_OK && scripted.body.is_null()) put(out, "null");
    return deliver(call, scripted, out);
  }

  // vmcp.inventory/1
  static Json shown(const Json& object, const Json& properties) {
    Json out = object;
    out["properties"] = Json::object();
    for (const Json& path : properties) {
      const auto found = object["properties"].find(path.get<std::string>());
      if (found != object["properties"].end()) out["properties"][path.get<std::string>()] = *found;
    }
    return out;
  }
  static bool fits(const Json& object, const Json& where) {
    for (const auto& [filter, values] : where.items()) {
      if (values.empty()) continue;
      const bool any = std::any_of(values.begin(), values.end(), [&, name = filter](const Json& value) {
        const std::string wanted = value.get<std::string>();
        if (name == "ids") return object["id"] == wanted;
        if (name == "names")
          return fnmatch(wanted.c_str(), object["name"].get<std::string>().c_str(), 0) == 0;
        const auto places = object.find("places");  // of the tests that narrow by place
        return places != object.end() && std::find(places->begin(), places->end(), wanted) != places->end();
      });
      if (!any) return false;
    }
    return true;
  }
  static vmcp_status list(vmcp_call* c, vmcp_str query_json, vmcp_sink out) {
    FakeHost::Call& call = of(c);
    const Json query = Json::parse(text(query_json));
    call.host->requests_.push_back({"inventory.list", query.at("kind"), query});
    if (call.host->inventory_failure_) return deliver(call, *call.host->inventory_failure_, out);
    std::vector<Json> matching;
    for (const Json& object : call.host->objects_[query["kind"]]) {
      if (fits(object, query.value("where", Json::object())))
        matching.push_back(shown(object, query.value("properties", Json::array())));
    }
    std::size_t limit = query.value("limit", matching.size());
    if (call.host->page_size_ != 0) limit = std::min(limit, call.host->page_size_);
    const std::size_t from = std::stoul(query.value("cursor", "0"));
    const std::size_t to = std::min(matching.size(), from + limit);
    Json answer{{"objects", Json::array()}, {"returned", to - from}, {"total", matching.size()}};
    for (std::size_t i = from; i < to; ++i) answer["objects"].push_back(matching[i]);
    answer["truncated"] = to < matching.size();
    if (to < matching.size()) answer["next"] = std::to_string(to);
    put(out, answer.dump());
    return VMCP_OK;
  }
  static vmcp_status get(vmcp_call* c, vmcp_str kind, vmcp_str moref, vmcp_str properties, vmcp_sink out) {
    FakeHost::Call& call = of(c);
    call.host->requests_.push_back(
        {"inventory.get", text(kind) + " " + text(moref), Json::parse(text(properties))});
    if (call.host->inventory_failure_) return deliver(call, *call.host->inventory_failure_, out);
    for (const Json& object : call.host->objects_[text(kind)]) {
      if (object["id"] != text(moref)) continue;
      put(out, shown(object, Json::parse(text(properties))).dump());
      return VMCP_OK;
    }
    call.last_error = "There is no " + text(kind) + " " + text(moref) + ".";
    return VMCP_E_NOT_FOUND;
  }

  // What a fake host without a client behind it has to say.
  static vmcp_status add_content(vmcp_call* c, vmcp_str block) {
    of(c).outcome.blocks.push_back(Json::parse(text(block)));
    return VMCP_OK;
  }
  static vmcp_status log(vmcp_call*, vmcp_str, vmcp_str, vmcp_str) { return VMCP_OK; }
  static int32_t client_can(vmcp_call*, vmcp_str) { return 0; }
  static vmcp_str traceparent(vmcp_call*) { return {}; }
  static vmcp_status close_stream(vmcp_call*) { return VMCP_OK; }

  // vmcp.log/1
  static void write(const vmcp_host* host, int32_t, vmcp_str message) {
    static_cast<FakeHost*>(host->ctx)->logged_.push_back(text(message));
  }

  static const void* query(const vmcp_host*, const char* id) {
    static const vmcp_call_1 kCall{sizeof(vmcp_call_1),
                                   0,
                                   cancelled,
                                   remaining_ms,
                                   progress,
                                   add_text,
                                   set_json,
                                   fail,
                                   round,
                                   state,
                                   set_state,
                                   need_input,
                                   await_task,
                                   input,
                                   target,
                                   vcenter,
                                   verbose,
                                   last_error,
                                   add_content,
                                   log,
                                   client_can,
                                   traceparent,
                                   close_stream};
    static const vmcp_vcenter_1 kVcenter{sizeof(vmcp_vcenter_1), 0, request};
    static const vmcp_vim_1 kVim{sizeof(vmcp_vim_1), 0, vim_call, vim_get};
    static const vmcp_inventory_1 kInventory{sizeof(vmcp_inventory_1), 0, list, get};
    static const vmcp_log_1 kLog{sizeof(vmcp_log_1), 0, write};
    const std::string_view name = id;
    if (name == VMCP_IFACE_CALL) return &kCall;
    if (name == VMCP_IFACE_VCENTER) return &kVcenter;
    if (name == VMCP_IFACE_VIM) return &kVim;
    if (name == VMCP_IFACE_INVENTORY) return &kInventory;
    if (name == VMCP_IFACE_LOG) return &kLog;
    return nullptr;
  }
};

Scripted vcenter_error(vmcp_status status, int http_status, std::string_view error_type,
                       std::string_view message) {
  const Json body{
      {"error_type", error_type},
      {"messages", {{{"id", "test.message"}, {"default_message", message}, {"args", Json::array()}}}}};
  return {status, http_status, body, std::string(message)};
}

FakeHost::FakeHost(const std::string& library, std::string config) {
  host_.size = sizeof host_;
  host_.abi_major = VMCP_ABI_MAJOR;
  host_.abi_minor = VMCP_ABI_MINOR;
  host_.ctx = this;
  host_.query = &Services::query;
  if (load_entry(library).open(&host_, &plugin_) != VMCP_OK) throw std::runtime_error("open() failed");
  tools_ = static_cast<const vmcp_tools_1*>(plugin_->query(plugin_, VMCP_IFACE_TOOLS));
  preview_ = static_cast<const vmcp_preview_1*>(plugin_->query(plugin_, VMCP_IFACE_PREVIEW));
  if (tools_ == nullptr) throw std::runtime_error("no tools");
  if (plugin_->start(plugin_, abi(config)) != VMCP_OK) {
    plugin_->close(plugin_);
    throw std::runtime_error("start() failed: " + (logged_.empty() ? "" : logged_.back()));
  }
}

FakeHost::~FakeHost() {
  plugin_->quiesce(plugin_);
  plugin_->close(plugin_);
}

void FakeHost::on_vcenter(const std::string& request, Scripted scripted) {
  vcenter_[request].push_back(std::move(scripted));
}

void FakeHost::on_vim(const std::string& request, Scripted scripted) {
  vim_[request].push_back(std::move(scripted));
}

void FakeHost::add_object(std::string kind, std::string id, std::string name, Json properties,
                          std::string type, std::string path) {
  Json object{{"id", id}, {"kind", kind}, {"type", type}, {"name", name}, {"path", path}};
  object["properties"] = std::move(properties);
  objects_[kind].push_back(std::move(object));
}

void FakeHost::place(const std::string& id, std::vector<std::string> where) {
  for (auto& [kind, objects] : objects_) {
    for (Json& object : objects) {
      if (object["id"] == id) object["places"] = where;
    }
  }
}

void FakeHost::mark_unavailable(const std::string& id, Json reasons) {
  for (auto& [kind, objects] : objects_) {
    for (Json& object : objects) {
      if (object["id"] == id) object["unavailable"] = reasons;
    }
  }
}

void FakeHost::fail_inventory(vmcp_status status, std::string error) {
  inventory_failure_ = Scripted{status, 0, Json(), std::move(error)};
}

void FakeHost::set_target(std::string pointer, std::string id, std::string name) {
  targets_[std::move(pointer)] = {std::move(id), std::move(name)};
}

Scripted FakeHost::next(std::map<std::string, std::deque<Scripted>>& scripts, const std::string& request) {
  const auto found = scripts.find(request);
  if (found == scripts.end())
    return vcenter_error(VMCP_E_NOT_FOUND, 404, "NOT_FOUND", "There is no such object (" + request + ").");
  Scripted out = found->second.front();
  if (found->second.size() > 1) found->second.pop_front();
  return out;
}

std::uint32_t FakeHost::index_of(std::string_view name) const {
  for (std::uint32_t i = 0; i < tools_->count(plugin_); ++i) {
    if (tools_->at(plugin_, i)->name == name) return i;
  }
  throw std::runtime_error("the plugin has no tool " + std::string(name));
}

const vmcp_tool& FakeHost::tool(std::string_view name) const {
  return *tools_->at(plugin_, index_of(name));
}

std::vector<std::string> FakeHost::tool_names() const {
  std::vector<std::string> out;
  for (std::uint32_t i = 0; i < tools_->count(plugin_); ++i) out.emplace_back(tools_->at(plugin_, i)->name);
  return out;
}

Outcome FakeHost::enter(std::string_view name, const Json& arguments, Call& call, bool preview) {
  call.host = this;
  const std::string args = arguments.dump();
  auto* handle = reinterpret_cast<vmcp_call*>(&call);
  const std::uint32_t index = index_of(name);
  call.outcome.status = preview ? preview_->run(plugin_, index, handle, abi(args))
                                : tools_->run(plugin_, index, handle, abi(args));
  return call.outcome;
}

Outcome FakeHost::call(std::string_view name, const Json& arguments) {
  Call call;
  call.read_only = tool(name).effect == VMCP_EFFECT_READ;
  return enter(name, arguments, call, false);
}

Outcome FakeHost::resume(std::string_view name, const Json& arguments, const Outcome& before,
                         const Json& task_info) {
  Call call;
  call.round = 1;
  call.state_before = before.state;
  if (!task_info.is_null()) call.inputs["task"] = task_info.dump();
  return enter(name, arguments, call, false);
}

Outcome FakeHost::preview(std::string_view name, const Json& arguments) {
  if (preview_ == nullptr) throw std::runtime_error("the plugin has no previews");
  Call call;
  call.read_only = true;
  return enter(name, arguments, call, true);
}

template <class Table>
const Table& FakeHost::table(const char* interface_id) const {
  const void* found = plugin_->query(plugin_, interface_id);
  if (found == nullptr) throw std::runtime_error(std::string("the plugin has no ") + interface_id);
  return *static_cast<const Table*>(found);
}

std::vector<const vmcp_prompt*> FakeHost::prompts() const {
  const auto& offered = table<vmcp_prompts_1>(VMCP_IFACE_PROMPTS);
  std::vector<const vmcp_prompt*> out;
  for (std::uint32_t i = 0; i < offered.count(plugin_); ++i) out.push_back(offered.at(plugin_, i));
  return out;
}

std::vector<const vmcp_resource*> FakeHost::resources() const {
  const auto& offered = table<vmcp_resources_1>(VMCP_IFACE_RESOURCES);
  std::vector<const vmcp_resource*> out;
  for (std::uint32_t i = 0; i < offered.count(plugin_); ++i) out.push_back(offered.at(plugin_, i));
  return out;
}

Outcome FakeHost::prompt(std::string_view name, const Json& arguments) {
  Call call;
  call.host = this;
  call.read_only = true;
  const std::string args = arguments.dump();
  const auto all = prompts();
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    if (all[i]->name != name) continue;
    call.outcome.status = table<vmcp_prompts_1>(VMCP_IFACE_PROMPTS)
                              .get(plugin_, i, reinterpret_cast<vmcp_call*>(&call), abi(args));
    return call.outcome;
  }
  throw std::runtime_error("the plugin has no prompt " + std::string(name));
}

Outcome FakeHost::complete(const Json& ref, std::string_view argument, std::string_view value) {
  Call call;
  call.host = this;
  call.read_only = true;
  const std::string about = ref.dump();
  call.outcome.status = table<vmcp_completion_1>(VMCP_IFACE_COMPLETION)
                            .complete(plugin_, reinterpret_cast<vmcp_call*>(&call), abi(about), abi(argument),
                                      abi(value), abi("{}"));
  return call.outcome;
}

Outcome FakeHost::read(std::string_view uri) {
  Call call;
  call.host = this;
  call.read_only = true;
  call.outcome.status = table<vmcp_resources_1>(VMCP_IFACE_RESOURCES)
                            .read(plugin_, reinterpret_cast<vmcp_call*>(&call), abi(uri));
  return call.outcome;
}

std::vector<std::string> FakeHost::changing_requests() const {
  std::vector<std::string> out;
  for (const Request& request : requests_) {
    if (request.service == "vim.call" || (request.service == "vcenter" && request.what.rfind("GET ", 0) != 0))
      out.push_back(request.what);
  }
  return out;
}

}  // namespace vmcp::test
