#include "vcenter/dialect.h"

#include <algorithm>

#include "base/json.h"
#include "vcenter/dialect_twins.h"
#include "vcenter/wire.h"

namespace vmcp::vcenter {
namespace {

struct Target {
  std::string_view path;  // without /api and query
  std::string_view query;
  std::string_view action;
};

Target split(std::string_view path) {
  Target out;
  if (path.starts_with("/api")) path.remove_prefix(4);
  const std::size_t mark = path.find('?');
  out.path = path.substr(0, mark);
  if (mark == std::string_view::npos) return out;
  out.query = path.substr(mark + 1);
  for (std::string_view rest = out.query; !rest.empty();) {
    const std::size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    if (pair.starts_with("action=")) out.action = pair.substr(7);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return out;
}

std::string_view next_segment(std::string_view& path) {
  const std::size_t end = path.find('/', 1);
  const std::string_view segment = path.substr(0, end);
  path = end == std::string_view::npos ? std::string_view() : path.substr(end);
  return segment;
}

bool path_matches(std::string_view pattern, std::string_view path) {
  while (!pattern.empty() && !path.empty()) {
    const std::string_view want = next_segment(pattern), have = next_segment(path);
    if (want == "/{}" ? have.size() < 2 : want != have) return false;
  }
  return pattern.empty() && path.empty();
}

bool lists_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t end = words.find(' ');
    if (words.substr(0, end) == word) return true;
    words = end == std::string_view::npos ? std::string_view() : words.substr(end + 1);
  }
  return false;
}

template <class Visit>
void each_word(std::string_view words, const Visit& visit) {
  while (!words.empty()) {
    const std::size_t end = words.find(' ');
    visit(std::string(words.substr(0, end)));
    words = end == std::string_view::npos ? std::string_view() : words.substr(end + 1);
  }
}

const Twin* find_twin(std::string_view method, const Target& target) {
  for (const Twin& twin : dialect_twins()) {
    if (twin.action == target.action && lists_word(twin.methods, method) &&
        path_matches(twin.path, target.path)) {
      return &twin;
    }
  }
  return nullptr;
}

bool is_pair_list(const Json& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(), [](const Json& item) {
           return item.is_object() && item.size() == 2 && item.contains("key") && item.contains("value") &&
                  item["key"].is_string();
         });
}

void pairs_to_map(Json& value) {
  if (!is_pair_list(value)) return;
  Json map = Json::object();
  for (Json& item : value) map[item["key"].get_ref<const std::string&>()] = std::move(item["value"]);
  value = std::move(map);
}

void map_to_pairs(Json& value) {
  if (!value.is_object()) return;
  Json list = Json::array();
  for (auto& [key, item] : value.items()) list.push_back({{"key", key}, {"value", std::move(item)}});
  value = std::move(list);
}

// Messages carry their named arguments as such a list wherever they occur.
void fix_message_params(Json& value, int depth = 0) {
  if (depth > 16 || !value.is_structured()) return;
  if (value.is_object()) {
    const auto params = value.find("params");
    if (params != value.end() && value.contains("default_message")) pairs_to_map(*params);
  }
  for (Json& item : value) fix_message_params(item, depth + 1);
}

Error not_a_specification(std::string detail) {
  return make_error(Code::invalid_argument,
                    "the request's body is not JSON; send the operation's specification", std::move(detail));
}

Result<std::string> rest_body(const Twin& twin, std::string_view body) {
  if (body.empty() || (twin.wrapper.empty() && twin.request_maps.empty())) return std::string(body);
  if (twin.request_maps.empty()) return "{\"" + std::string(twin.wrapper) + "\":" + std::string(body) + "}";
  Result<Json> parsed = parse_trusted_json(body);
  if (!parsed) return not_a_specification(parsed.error().text);
  if (parsed->is_object()) {
    each_word(twin.request_maps, [&](const std::string& name) {
      if (const auto member = parsed->find(name); member != parsed->end()) map_to_pairs(*member);
    });
  }
  return dump_json(Json{{std::string(twin.wrapper), std::move(*parsed)}});
}

std::string rest_query(const Twin& twin, std::string_view method, const Target& target) {
  std::string out;
  for (std::string_view rest = target.query; !rest.empty();) {
    const std::size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (pair.empty() || (pair.starts_with("action=") && twin.place != ActionPlace::query)) continue;
    out += out.empty() ? "?" : "&";
    // Lists take parameters on GET, and every one of them is a filter; a task takes two that are no filters.
    if (method == "GET") out += target.path.starts_with("/cis/tasks/") ? "spec." : "filter.";
    out += pair;
  }
  return out;
}

std::string plain_target(const Twin& twin, std::string_view method, const Target& target) {
  std::string out = "/rest" + std::string(target.path);
  if (!target.action.empty() && twin.place == ActionPlace::path) out += "/" + std::string(target.action);
  if (!target.action.empty() && twin.place == ActionPlace::path_word)
    out += "/action/" + std::string(target.action);
  return out + rest_query(twin, method, target);
}

// The id that a body holds, as a segment of a path.
Result<std::string> id_of_body(std::string_view name, std::string_view body) {
  Result<Json> parsed = parse_trusted_json(body);
  if (!parsed) return not_a_specification(parsed.error().text);
  const auto found = parsed->is_object() ? parsed->find(std::string(name)) : parsed->end();
  if (found == parsed->end() || !found->is_string() || found->get_ref<const std::string&>().empty())
    return make_error(Code::invalid_argument,
                      "the request's body needs the member '" + std::string(name) + "'");
  return percent_encode(found->get_ref<const std::string&>());
}

Result<std::string> cis_target(const Twin& twin, const Target& target, std::string_view body) {
  std::string out = "/rest/com/vmware";
  std::string_view pattern = twin.path, path = target.path;
  while (!pattern.empty()) {
    const std::string_view want = next_segment(pattern), have = next_segment(path);
    out += want == "/{}" ? "/id:" + std::string(have.substr(1)) : std::string(have);
  }
  if (!twin.id_in_body.empty()) {
    Result<std::string> id = id_of_body(twin.id_in_body, body);
    if (!id) return id.error();
    out += "/id:" + *id;
  }
  if (!target.action.empty()) out += "?~action=" + std::string(target.action);
  return out;
}

}  // namespace

Result<WireRequest> to_rest(const AutomationRequest& request) {
  const Target target = split(request.path);
  if (request.method == "GET" && target.path == "/session") {
    return WireRequest{"POST", "/rest/com/vmware/cis/session?~action=get", {}};
  }
  const Twin* twin = find_twin(request.method, target);
  if (!twin) {
    return make_error(Code::unavailable,
                      "this server talks to vCenter in its older /rest dialect, which has no " +
                          std::string(request.method) + " " +
                          std::string(request.path.substr(0, request.path.find('?'))) +
                          (target.action.empty() ? "" : " (" + std::string(target.action) + ")") +
                          "; the operator can set VSPHERE_API_MODE=api (vCenter 7.0 U2 or later)");
  }
  WireRequest out;
  out.method = std::string(request.method);
  if (twin->place == ActionPlace::cis) {
    Result<std::string> cis = cis_target(*twin, target, request.body);
    if (!cis) return cis.error();
    out.target = std::move(*cis);
    if (!twin->id_in_body.empty()) return out;
  } else {
    out.target = plain_target(*twin, request.method, target);
  }
  Result<std::string> body = rest_body(*twin, request.body);
  if (!body) return body.error();
  out.body = std::move(*body);
  return out;
}

Result<std::string> from_rest(const AutomationRequest& request, int status, std::string_view body) {
  const bool failed = status >= 400;
  if (body.empty()) return std::string();
  Result<Json> parsed = parse_trusted_json(body);
  const bool wrapped = parsed.ok() && parsed->is_object() && parsed->contains("value");
  if (!wrapped) {
    if (failed) return std::string(body);
    return make_error(
        Code::unavailable,
        "vCenter's answer is not of the /rest dialect; check VSPHERE_API_MODE and that the address is a "
        "vCenter's",
        parsed.ok() ? "no member 'value'" : parsed.error().text);
  }
  Json value = std::move((*parsed)["value"]);
  if (failed) {
    if (!value.is_object()) value = Json::object();
    // Old builds name the error only outside, as com.vmware.vapi.std.errors.not_found.
    const auto type = parsed->find("type");
    if (!value.contains("error_type") && type != parsed->end() && type->is_string()) {
      std::string name = type->get<std::string>();
      name.erase(0, name.rfind('.') + 1);
      std::transform(name.begin(), name.end(), name.begin(),
                     [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
      value["error_type"] = std::move(name);
    }
  } else if (const Twin* twin = find_twin(request.method, split(request.path))) {
    each_word(twin->answer_maps, [&](const std::string& name) {
      if (name == ".") {
        pairs_to_map(value);
      } else if (value.is_object()) {
        if (const auto member = value.find(name); member != value.end()) pairs_to_map(*member);
      }
    });
  }
  fix_message_params(value);
  return dump_json(value);
}

}  // namespace vmcp::vcenter
