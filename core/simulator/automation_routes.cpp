#include <algorithm>
#include <array>

#include "simulator/automation.h"

namespace vmcp::simulator {
namespace {

constexpr std::size_t kMostBody = 16u << 20;
constexpr std::size_t kMostQuery = 20'000;  // pairs

constexpr const char* kVmFilter = "vms names folders datacenters hosts clusters resource_pools power_states";
constexpr const char* kHostFilter = "hosts names folders datacenters standalone clusters connection_states";
constexpr const char* kDatastoreFilter = "datastores names types folders datacenters";
constexpr const char* kNetworkFilter = "networks names types folders datacenters";
constexpr const char* kFolderFilter = "folders names type parent_folders datacenters";
constexpr const char* kPoolFilter = "resource_pools names parent_resource_pools datacenters hosts clusters";

constexpr std::array kRoutes = {
    Route{"POST", "/api/session", "", "/rest/com/vmware/cis/session", "", "", "", false, session_create},
    Route{"GET", "/api/session", "", "", "", "", "", true, session_get},
    // /rest asks for a session by POST with ?~action=get.
    Route{"POST", "", "", "/rest/com/vmware/cis/session", "~get", "", "", true, session_get},
    Route{"DELETE", "/api/session", "", "/rest/com/vmware/cis/session", "", "", "", true, session_delete},

    Route{"GET", "/api/vcenter/vm", "", nullptr, nullptr, kVmFilter, "filter.", true, vm_list},
    Route{"GET", "/api/vcenter/vm/{vm}", "", nullptr, nullptr, "", "", true, vm_get},
    Route{"DELETE", "/api/vcenter/vm/{vm}", "", nullptr, nullptr, "", "", true, vm_delete},

    Route{"GET", "/api/vcenter/vm/{vm}/power", "", nullptr, nullptr, "", "", true, power_get},
    Route{"POST", "/api/vcenter/vm/{vm}/power", "start", "/rest/vcenter/vm/{vm}/power/start", "", "", "",
          true, power_start},
    Route{"POST", "/api/vcenter/vm/{vm}/power", "stop", "/rest/vcenter/vm/{vm}/power/stop", "", "", "", true,
          power_stop},
    Route{"POST", "/api/vcenter/vm/{vm}/power", "suspend", "/rest/vcenter/vm/{vm}/power/suspend", "", "", "",
          true, power_suspend},
    Route{"POST", "/api/vcenter/vm/{vm}/power", "reset", "/rest/vcenter/vm/{vm}/power/reset", "", "", "",
          true, power_reset},

    Route{"GET", "/api/vcenter/vm/{vm}/guest/power", "", nullptr, nullptr, "", "", true, guest_power_get},
    Route{"POST", "/api/vcenter/vm/{vm}/guest/power", "shutdown", nullptr, nullptr, "", "", true,
          guest_shutdown},
    Route{"POST", "/api/vcenter/vm/{vm}/guest/power", "reboot", nullptr, nullptr, "", "", true, guest_reboot},
    Route{"POST", "/api/vcenter/vm/{vm}/guest/power", "standby", nullptr, nullptr, "", "", true,
          guest_standby},
    Route{"GET", "/api/vcenter/vm/{vm}/guest/identity", "", nullptr, nullptr, "", "", true, guest_identity},
    Route{"GET", "/api/vcenter/vm/{vm}/tools", "", nullptr, nullptr, "", "", true, tools_get},

    Route{"GET", "/api/vcenter/vm/{vm}/hardware", "", nullptr, nullptr, "", "", true, hardware_get},
    Route{"GET", "/api/vcenter/vm/{vm}/hardware/cpu", "", nullptr, nullptr, "", "", true, cpu_get},
    Route{"PATCH", "/api/vcenter/vm/{vm}/hardware/cpu", "", nullptr, nullptr, "", "", true, cpu_update},
    Route{"GET", "/api/vcenter/vm/{vm}/hardware/memory", "", nullptr, nullptr, "", "", true, memory_get},
    Route{"PATCH", "/api/vcenter/vm/{vm}/hardware/memory", "", nullptr, nullptr, "", "", true, memory_update},

    Route{"GET", "/api/vcenter/host", "", nullptr, nullptr, kHostFilter, "filter.", true, host_list},
    Route{"GET", "/api/vcenter/datastore", "", nullptr, nullptr, kDatastoreFilter, "filter.", true,
          datastore_list},
    Route{"GET", "/api/vcenter/datastore/{datastore}", "", nullptr, nullptr, "", "", true, datastore_get},
    Route{"GET", "/api/vcenter/network", "", nullptr, nullptr, kNetworkFilter, "filter.", true, network_list},
    Route{"GET", "/api/vcenter/datacenter", "", nullptr, nullptr, "datacenters names folders", "filter.",
          true, datacenter_list},
    Route{"GET", "/api/vcenter/datacenter/{datacenter}", "", nullptr, nullptr, "", "", true, datacenter_get},
    Route{"GET", "/api/vcenter/cluster", "", nullptr, nullptr, "clusters names folders datacenters",
          "filter.", true, cluster_list},
    Route{"GET", "/api/vcenter/cluster/{cluster}", "", nullptr, nullptr, "", "", true, cluster_get},
    Route{"GET", "/api/vcenter/folder", "", nullptr, nullptr, kFolderFilter, "filter.", true, folder_list},
    Route{"GET", "/api/vcenter/resource-pool", "", nullptr, nullptr, kPoolFilter, "filter.", true, pool_list},
    Route{"GET", "/api/vcenter/resource-pool/{resource_pool}", "", nullptr, nullptr, "", "", true, pool_get},

    Route{"POST", "/api/vcenter/system", "hello", "", "", "", "", false, system_hello},
    Route{"GET", "/api/appliance/system/version", "", nullptr, nullptr, "", "", true, appliance_version},
    Route{"GET", "/api/appliance/health/system", "", nullptr, nullptr, "", "", true, appliance_health},
    Route{"GET", "/api/appliance/system/uptime", "", nullptr, nullptr, "", "", true, appliance_uptime},
    Route{"GET", "/api/cis/tasks/{task}", "", nullptr, nullptr, "return_all exclude_result", "spec.", true,
          task_get},
    Route{"POST", "/api/cis/tasks", "list", "", "", "", "", true, task_list},
    Route{"POST", "/api/cis/tasks/{task}", "cancel", nullptr, nullptr, "", "", true, task_cancel},

    Route{"GET", "/api/cis/tagging/category", "", "/rest/com/vmware/cis/tagging/category", "", "", "", true,
          category_list},
    Route{"POST", "/api/cis/tagging/category", "", "/rest/com/vmware/cis/tagging/category", "", "", "", true,
          category_create},
    Route{"GET", "/api/cis/tagging/category/{category_id}", "",
          "/rest/com/vmware/cis/tagging/category/id:{category_id}", "", "", "", true, category_get},
    Route{"GET", "/api/cis/tagging/tag", "", "/rest/com/vmware/cis/tagging/tag", "", "", "", true, tag_list},
    Route{"POST", "/api/cis/tagging/tag", "", "/rest/com/vmware/cis/tagging/tag", "", "", "", true,
          tag_create},
    Route{"POST", "/api/cis/tagging/tag", "list-tags-for-category",
          "/rest/com/vmware/cis/tagging/tag/id:{category_id}", "~list-tags-for-category", "", "", true,
          tags_of_category},
    Route{"GET", "/api/cis/tagging/tag/{tag_id}", "", "/rest/com/vmware/cis/tagging/tag/id:{tag_id}", "", "",
          "", true, tag_get},
    Route{"POST", "/api/cis/tagging/tag-association/{tag_id}", "attach",
          "/rest/com/vmware/cis/tagging/tag-association/id:{tag_id}", "~attach", "", "", true, tag_attach},
    Route{"POST", "/api/cis/tagging/tag-association/{tag_id}", "detach",
          "/rest/com/vmware/cis/tagging/tag-association/id:{tag_id}", "~detach", "", "", true, tag_detach},
    Route{"POST", "/api/cis/tagging/tag-association", "list-attached-objects-on-tags",
          "/rest/com/vmware/cis/tagging/tag-association", "~list-attached-objects-on-tags", "", "", true,
          objects_of_tags},
};

bool path_matches(std::string_view pattern, const std::vector<std::string>& path,
                  std::vector<std::string>& ids) {
  ids.clear();
  for (const std::string& part : path) {
    if (pattern.empty()) return false;
    pattern.remove_prefix(1);  // '/'
    const auto end = pattern.find('/');
    const std::string_view want = pattern.substr(0, end);
    pattern = end == std::string_view::npos ? std::string_view() : pattern.substr(end);
    // "{tag}", or "id:{tag}" in the /rest dialect of the cis services.
    if (const auto parameter = want.find('{'); parameter != std::string_view::npos) {
      if (part.substr(0, parameter) != want.substr(0, parameter)) return false;
      ids.push_back(part.substr(parameter));
    } else if (want != part) {
      return false;
    }
  }
  return pattern.empty();
}

std::string rest_pattern(const Route& route) {
  return route.rest_path != nullptr ? std::string(route.rest_path)
                                    : "/rest" + std::string(route.path).substr(4);
}

bool names_contain(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    const auto end = names.find(' ');
    if (names.substr(0, end) == name) return true;
    names = end == std::string_view::npos ? std::string_view() : names.substr(end + 1);
  }
  return false;
}

// "filter.names.1" (the older documents' spelling) → "names".
std::string plain_name(const std::string& name, const Route& route, Dialect dialect) {
  if (dialect == Dialect::api) return name;
  const std::string_view prefix = route.rest_prefix;
  if (prefix.empty() || name.rfind(prefix, 0) != 0) return std::string(prefix.empty() ? name : "");
  std::string plain = name.substr(prefix.size());
  const auto dot = plain.find('.');
  const bool numbered = dot != std::string::npos && dot + 1 < plain.size() &&
                        plain.find_first_not_of("0123456789", dot + 1) == std::string::npos;
  return numbered ? plain.substr(0, dot) : plain;
}

// False: `refusal` holds the answer.
bool read_query(Call& call, const Route& route, Answer& refusal) {
  const Pairs raw = parse_query(call.http.query);
  if (raw.size() > kMostQuery) {
    refusal = invalid_argument_answer("Too many query parameters.");
    return false;
  }
  for (const auto& [name, value] : raw) {
    if (name == "action" || name == "~action") continue;
    const std::string plain = plain_name(name, route, call.dialect);
    if (plain.empty() || !names_contain(route.params, plain)) {
      refusal = unexpected_input(name);
      return false;
    }
    call.query.emplace_back(plain, value);
  }
  return true;
}

bool read_body(Call& call, Answer& refusal) {
  if (call.http.body.empty()) return true;
  Result<Json> parsed = parse_trusted_json(call.http.body, kMostBody);
  if (!parsed || !parsed->is_object()) {
    refusal = Answer::error("INVALID_REQUEST",
                            {"com.vmware.vapi.rest.httpBadRequest", "The body is not a JSON object.", {}});
    return false;
  }
  call.body = std::move(*parsed);
  if (call.dialect == Dialect::rest && call.http.method == "PATCH") {
    if (!call.body.contains("spec") || !call.body["spec"].is_object()) {
      refusal = invalid_argument_answer("The body must hold the parameters inside 'spec'.", {"spec"});
      return false;
    }
    call.body = Json(call.body["spec"]);
  }
  return true;
}

std::string session_of(const Request& request) {
  const std::string_view header = request.header("vmware-api-session-id");
  if (!header.empty()) return std::string(header);
  // The browser's way, which /rest still offers.
  constexpr std::string_view kName = "vmware-api-session-id=";
  const std::string_view cookies = request.header("Cookie");
  const auto at = cookies.find(kName);
  if (at == std::string_view::npos) return {};
  const std::string_view value = cookies.substr(at + kName.size());
  return std::string(value.substr(0, value.find(';')));
}

Reply http_not_found(Dialect dialect) {
  return to_reply(Answer::error("NOT_FOUND", {"com.vmware.vapi.rest.httpNotFound", "Not found.", {}}),
                  dialect);
}

}  // namespace

std::vector<std::string> Call::values(std::string_view name) const {
  std::vector<std::string> out;
  for (const auto& [key, value] : query) {
    if (key == name) out.push_back(value);
  }
  return out;
}

RouteMatch find_route(const Request& request) {
  RouteMatch match;
  const std::vector<std::string> path = split_path(request.path);
  match.dialect = !path.empty() && path[0] == "rest" ? Dialect::rest : Dialect::api;
  std::string action;
  for (const auto& [name, value] : parse_query(request.query)) {
    if (name == "action") action = value;
    if (name == "~action") action = "~" + value;
  }
  for (const Route& route : kRoutes) {
    if (request.method != route.method) continue;
    const bool rest = match.dialect == Dialect::rest;
    const std::string pattern = rest ? rest_pattern(route) : route.path;
    const std::string want = rest && route.rest_action != nullptr ? route.rest_action : route.action;
    if (pattern.empty() || want != action || !path_matches(pattern, path, match.ids)) continue;
    match.route = &route;
    match.name = request.method + " " + pattern + (want.empty() ? "" : "?action=" + want);
    return match;
  }
  return match;
}

AutomationResult handle_automation(World& world, const Request& request) {
  AutomationResult out;
  const RouteMatch match = find_route(request);
  out.dialect = match.dialect;
  out.operation = match.name;
  if (match.route == nullptr) {
    out.reply = http_not_found(match.dialect);
    return out;
  }
  Call call{world, request, match.dialect, match.ids, {}, {}, nullptr};
  call.session = world.sessions.touch(session_of(request), Api::automation, world.now);
  if (call.session != nullptr) out.user = call.user().name;
  Answer answer;
  if (match.route->needs_session && call.session == nullptr) {
    answer = unauthenticated();
  } else if (read_query(call, *match.route, answer) && read_body(call, answer)) {
    answer = match.route->handler(call);
  }
  out.pending_task = answer.task_id;
  if (out.pending_task.empty()) out.reply = to_reply(answer, match.dialect);
  return out;
}

Reply reply_after_task(const Task& task, Dialect dialect) {
  return to_reply(task.failure ? answer_for(*task.failure) : Answer(), dialect);
}

}  // namespace vmcp::simulator
