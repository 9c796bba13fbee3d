#include "tools/host_arguments.h"

namespace vmcp::tools {
namespace {

using Ordered = nlohmann::ordered_json;

struct HostArgument {
  const char* name;
  bool changing_only;
  const char* schema;  // null: depends on the tool
};

constexpr HostArgument kArguments[] = {
    {"hostname", false,
     R"({"type":"string","maxLength":255,"description":"vCenter to use, by its configured name. Left out: the first one."})"},
    {"verbose", false, R"({"type":"boolean","description":"true: more detail in the answer."})"},
    {"confirm", true, nullptr},
    {"dry_run", true,
     R"({"type":"boolean","description":"true: only show what would be changed; nothing is sent that changes anything."})"},
    {"reason", true,
     R"({"type":"string","maxLength":500,"description":"Why this is done; kept in the audit."})"},
};

// A model must know from the list alone which of the tools act at once.
constexpr const char* kConfirmNeeded =
    R"({"type":"boolean","description":"true: the person has agreed to this change. Without it this tool refuses."})";
constexpr const char* kConfirmNotNeeded =
    R"({"type":"boolean","description":"Not needed by this tool: it acts at once."})";

const char* schema_of(const HostArgument& argument, const Tool& tool) {
  if (argument.schema != nullptr) return argument.schema;
  return tool.needs_confirm ? kConfirmNeeded : kConfirmNotNeeded;
}

bool take_flag(Json& arguments, const char* name, bool otherwise) {
  const auto it = arguments.find(name);
  if (it == arguments.end()) return otherwise;
  const bool value = it->is_boolean() && it->get<bool>();
  arguments.erase(it);
  return value;
}

std::string take_text(Json& arguments, const char* name) {
  const auto it = arguments.find(name);
  if (it == arguments.end()) return {};
  std::string value = it->is_string() ? it->get<std::string>() : std::string();
  arguments.erase(it);
  return value;
}

}  // namespace

Result<Ordered> with_host_arguments(const Ordered& schema, const Tool& tool) {
  Ordered out = schema;
  if (!out.contains("properties")) out["properties"] = Ordered::object();
  Ordered& properties = out["properties"];
  if (!properties.is_object())
    return make_error(Code::invalid_argument, "its input schema's properties are no object");
  if (properties.contains("token"))
    return make_error(
        Code::invalid_argument,
        "it declares the argument 'token'; credentials travel in the Authorization header only");
  for (const HostArgument& argument : kArguments) {
    if (properties.contains(argument.name))
      return make_error(Code::invalid_argument,
                        std::string("it declares the argument '") + argument.name +
                            "', which the host adds itself; remove it from the schema");
    if (argument.changing_only && !tool.changes()) continue;
    properties[argument.name] = Ordered::parse(schema_of(argument, tool));
  }
  return out;
}

HostArguments take_host_arguments(Json& arguments, bool verbose_default) {
  HostArguments out;
  out.verbose = verbose_default;
  if (arguments.empty()) return out;
  out.hostname = take_text(arguments, "hostname");
  out.verbose = take_flag(arguments, "verbose", verbose_default);
  out.confirm = take_flag(arguments, "confirm", false);
  out.dry_run = take_flag(arguments, "dry_run", false);
  out.reason = take_text(arguments, "reason");
  return out;
}

}  // namespace vmcp::tools
