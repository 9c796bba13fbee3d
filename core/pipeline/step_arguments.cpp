#include <algorithm>

#include "base/crypto.h"
#include "pipeline/consent.h"
#include "pipeline/inventory_resource.h"
#include "pipeline/steps.h"
#include "tools/schema.h"

namespace vmcp::pipeline {
namespace {

using inventory::Object;
using tools::ObjectArgument;

Error with_rule(Error error, std::string rule) {
  error.rule = std::move(rule);
  return error;
}

// Resolves one text in its place and notes the object. `slot` is the string inside the arguments.
Result<void> resolve_one(Services& services, Walk& walk, const ObjectArgument& argument,
                         const std::string& pointer, Json& slot, const inventory::Visible& visible,
                         const CallLimits& limits) {
  if (!slot.is_string())
    return make_error(Code::invalid_argument,
                      pointer + ": expected the name, path or id of a " + argument.kind);
  const std::string& text = slot.get_ref<const std::string&>();
  if (text.empty() || text.size() > 1024)
    return make_error(Code::invalid_argument, pointer + ": give the name, path or id of a " + argument.kind);
  Result<Object> found = make_error(Code::internal, "unresolved");
  if (argument.within.empty()) {
    found = services.inventory.resolve(*walk.connection, argument.kind, text, visible, limits);
  } else {
    const auto whole =
        std::find_if(walk.targets.begin(), walk.targets.end(),
                     [&](const plugin_host::Target& t) { return t.pointer == argument.within; });
    if (whole == walk.targets.end())
      return make_error(Code::invalid_argument, pointer + ": give '" + argument.within.substr(1) + "' too");
    found = services.inventory.resolve_within(*walk.connection, whole->object, argument.kind, text, limits);
  }
  if (!found) return found.error();
  slot = found->id;
  walk.targets.push_back({pointer, std::move(*found), argument.filter});
  return {};
}

Result<void> resolve_argument(Services& services, Walk& walk, const ObjectArgument& argument, Json& arguments,
                              const inventory::Visible& visible, const CallLimits& limits) {
  const bool many = argument.pointer.ends_with("/*");
  const std::string name = argument.pointer.substr(1, argument.pointer.size() - (many ? 3 : 1));
  const auto it = arguments.find(name);
  if (it == arguments.end() || it->is_null()) return {};  // required ones were checked by the schema
  if (!many) return resolve_one(services, walk, argument, argument.pointer, *it, visible, limits);
  if (!it->is_array()) return make_error(Code::invalid_argument, "/" + name + ": expected a list");
  if (it->size() > services.settings.max_targets)
    return make_error(
        Code::invalid_argument,
        "/" + name + ": at most " + std::to_string(services.settings.max_targets) + " objects in one call");
  for (std::size_t i = 0; i < it->size(); ++i) {
    const std::string pointer = "/" + name + "/" + std::to_string(i);
    if (auto r = resolve_one(services, walk, argument, pointer, (*it)[i], visible, limits); !r) return r;
  }
  return {};
}

// Leave to block this worker, asked once per call, before the first request to a vCenter.
Result<void> may_block(Walk& walk) {
  if (!walk.exchange->enter_blocking()) {
    Error error = make_error(Code::unavailable, "The server is busy: no worker is free. Try again shortly.");
    error.retry_after_ms = 1000;
    return error;
  }
  walk.blocking = true;
  return {};
}

// A later round of a call that waited for input.
Result<void> resume(Services& services, Walk& walk) {
  if (walk.call.request_state.empty()) {
    // Who needs no state of ours may answer without it; the plugin decides what it takes.
    walk.invocation.inputs = std::move(walk.call.inputs);
    if (!walk.invocation.inputs.empty()) walk.invocation.round = 1;
    return {};
  }
  auto round = services.rounds.open(walk.call.request_state, binding_of(walk), walk.tool->changes());
  if (!round) return round.error();
  walk.invocation.round = round->round;
  walk.invocation.state = std::move(round->state);
  if (round->asks_consent) {  // the host's own question: the plugin has not begun
    walk.consent_asked = std::move(round->consent);
    if (const auto it = walk.call.inputs.find(kConsentKey); it != walk.call.inputs.end())
      walk.consent_answer = std::move(it->second);
    return {};
  }
  walk.elicited = std::move(round->consent);
  for (const std::string& key : round->keys)
    if (const auto it = walk.call.inputs.find(key); it != walk.call.inputs.end())
      walk.invocation.inputs.emplace(key, std::move(it->second));
  return {};
}

}  // namespace

std::string binding_of(const Walk& walk) {
  return walk.context->principal->identity + '\n' + walk.context->method + '\n' + walk.call.name + '\n' +
         to_hex(sha256(walk.args_text));
}

namespace {

// What is no tool has no schema: a prompt has its declared texts, the rest nothing that is not checked where
// it is used.
Result<void> check_prompt_arguments(const Walk& walk) {
  const tools::Prompt* prompt = walk.catalog->features.find_prompt(walk.call.name);
  for (const tools::PromptArgument& argument : prompt->arguments)
    if (argument.required && !walk.call.arguments.contains(argument.name))
      return make_error(Code::invalid_argument,
                        "Prompt '" + prompt->name + "' needs the argument '" + argument.name + "'.");
  for (const auto& [name, value] : walk.call.arguments.items()) {
    const bool declared =
        std::any_of(prompt->arguments.begin(), prompt->arguments.end(),
                    [&, key = name](const tools::PromptArgument& a) { return a.name == key; });
    if (!declared || !value.is_string())
      return make_error(
          Code::invalid_argument,
          "Prompt '" + prompt->name + "': '" + name.substr(0, 64) + "' " +
              (declared ? "must be a text." : "is no argument of it; prompts/list names them."));
  }
  return {};
}

// The vCenter that a feature other than a tool is about; the first one when nothing says which.
Result<vcenter::Connection*> connection_of(Services& services, const Walk& walk) {
  std::string name;
  if (walk.call.feature == Feature::resource && walk.call.name.starts_with("vsphere://")) {
    auto uri = read_inventory_uri(walk.call.name);
    if (!uri) return uri.error();
    return vcenter_of(services.fleet, *uri);
  }
  if (walk.call.feature == Feature::prompt) {
    name = walk.host.hostname;
  } else if (walk.call.feature == Feature::completion && walk.call.arguments.contains("context")) {
    const Json& context = walk.call.arguments["context"];
    for (const char* key : {"vcenter", tools::kHostname}) {
      const auto given = context.find(key);
      if (given == context.end()) continue;
      if (!given->is_string())
        return make_error(Code::invalid_argument,
                          std::string("'") + key + "' of the context must be a text: the name of a vCenter.");
      name = given->get<std::string>();
      break;
    }
  }
  return services.fleet.find(name);
}

// The one argument of prompts that is the host's.
Result<void> take_hostname(Walk& walk) {
  const auto given = walk.call.arguments.find(tools::kHostname);
  if (given == walk.call.arguments.end()) return {};
  if (!given->is_string())
    return make_error(Code::invalid_argument, "'hostname' must be a text: the name of a vCenter.");
  walk.host.hostname = given->get<std::string>();
  walk.call.arguments.erase(given);
  return {};
}

// The object that one of the host's own resources is of: judged, locked and counted like a tool's target.
Result<void> find_resource(Services& services, Walk& walk) {
  if (walk.call.feature != Feature::resource || walk.tool->plugin != nullptr) return {};
  const auto uri = read_inventory_uri(walk.call.name);
  if (!uri) return uri.error();
  if (uri->kind.empty()) return {};
  const CallLimits limits{walk.deadline - milliseconds(500), walk.context->cancel, walk.context->traceparent};
  auto object =
      services.inventory.resolve(*walk.connection, uri->kind, uri->object, walk.invocation.visible, limits);
  if (!object) return object.error();
  walk.targets.push_back({"", std::move(*object)});
  return {};
}

Result<void> prepare_feature(Services& services, Walk& walk) {
  if (walk.call.feature == Feature::prompt) {
    if (auto r = take_hostname(walk); !r) return r;
    if (auto r = check_prompt_arguments(walk); !r) return r;
  }
  if (auto r = resume(services, walk); !r) return r;
  auto connection = connection_of(services, walk);
  if (!connection) {
    // A plugin's own resource may need no vCenter at all.
    if (walk.tool->plugin == nullptr || !walk.host.hostname.empty()) return connection.error();
  } else {
    walk.connection = *connection;
  }
  walk.plugin_args = dump_json(walk.call.arguments);
  if (auto r = may_block(walk); !r) return r;
  if (auto r = look(services, walk); !r) return r;
  return find_resource(services, walk);
}

}  // namespace

Result<void> validate_and_resolve(Services& services, Walk& walk) {
  if (walk.call.feature != Feature::tool) return prepare_feature(services, walk);
  Json& arguments = walk.call.arguments;
  if (arguments.contains("token"))
    return with_rule(make_error(Code::invalid_argument,
                                "Do not send 'token' as an argument: the model would see it. Send "
                                "the header Authorization with 'Bearer <token>' instead."),
                     "no credentials in arguments");
  if (auto r = walk.tool->input->check(arguments); !r) return r;
  if (auto r = resume(services, walk); !r) return r;
  walk.host = tools::take_host_arguments(arguments, services.settings.verbose_default);
  if (walk.tool->no_upstream) {
    walk.plugin_args = dump_json(arguments);
    return walk.tool->apart ? may_block(walk) : Result<void>();
  }
  auto connection = services.fleet.find(walk.host.hostname);
  if (!connection) return connection.error();
  walk.connection = *connection;
  if (auto r = may_block(walk); !r) return r;
  if (auto r = look(services, walk); !r) return r;
  const CallLimits limits{walk.deadline - milliseconds(500), walk.context->cancel, walk.context->traceparent};
  for (const ObjectArgument& argument : walk.tool->objects)
    if (auto r = resolve_argument(services, walk, argument, arguments, walk.invocation.visible, limits); !r)
      return r;
  walk.plugin_args = dump_json(arguments);
  return {};
}

}  // namespace vmcp::pipeline
