#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "app/call_arguments.h"
#include "app/commands.h"
#include "app/host.h"
#include "app/start.h"
#include "base/json.h"
#include "base/mask.h"

namespace vmcp::app {
namespace {

constexpr const char* kVersion = "2026-07-28";

Result<Json> post(const std::string& url, const std::string& token, const std::string& tool,
                  const Json& arguments, std::int64_t timeout_s) {
  const Json body = {{"jsonrpc", "2.0"},
                     {"id", 1},
                     {"method", "tools/call"},
                     {"params",
                      {{"name", tool},
                       {"arguments", arguments},
                       {"_meta",
                        {{"io.modelcontextprotocol/protocolVersion", kVersion},
                         {"io.modelcontextprotocol/clientCapabilities", Json::object()},
                         {"io.modelcontextprotocol/clientInfo",
                          {{"name", "vsphere-mcp-pro call"}, {"version", VMCP_VERSION}}}}}}}};
  try {
    const Poco::URI uri(url);
    if (uri.getScheme() != "http")
      return make_error(Code::invalid_argument,
                        "--url: this command speaks plain http to a server on this machine");
    Poco::Net::HTTPClientSession session(uri.getHost(), uri.getPort());
    session.setTimeout(Poco::Timespan(timeout_s, 0));
    Poco::Net::HTTPRequest request("POST", uri.getPathEtc(), "HTTP/1.1");
    const std::string text = dump_json(body);
    request.setContentType("application/json");
    request.setContentLength64(static_cast<Poco::Int64>(text.size()));
    request.set("Accept", "application/json, text/event-stream");
    request.set("MCP-Protocol-Version", kVersion);
    request.set("Mcp-Method", "tools/call");
    request.set("Mcp-Name", tool);
    if (!token.empty()) request.set("Authorization", "Bearer " + token);
    session.sendRequest(request) << text;
    Poco::Net::HTTPResponse response;
    std::string answer;
    Poco::StreamCopier::copyToString(session.receiveResponse(response), answer);
    return parse_trusted_json(answer);
  } catch (const Poco::Exception& e) {
    return make_error(Code::unavailable,
                      url + " does not answer: " + e.displayText() +
                          ". Is the server running? Try: vsphere-mcp-pro call --demo list_vms");
  }
}

std::string token_of(const CallOptions& options) {
  if (!options.token_file.empty()) {
    std::ifstream in(options.token_file);
    std::string token;
    std::getline(in, token);
    return token;
  }
  if (!options.token.empty()) return options.token;
  const char* from_environment = std::getenv("VMCP_TOKEN");
  return from_environment == nullptr ? std::string() : std::string(from_environment);
}

int print(const Json& answer) {
  if (const auto error = answer.find("error"); error != answer.end()) {
    std::fprintf(stderr, "%s\n", error->value("message", dump_json(*error)).c_str());
    return 1;
  }
  const Json result = answer.value("result", Json::object());
  if (const auto structured = result.find("structuredContent"); structured != result.end()) {
    std::printf("%s\n", structured->dump(2, ' ', false, Json::error_handler_t::replace).c_str());
  } else {
    const bool failed = result.value("isError", false);
    for (const Json& block : result.value("content", Json::array()))
      std::fprintf(failed ? stderr : stdout, "%s\n", block.value("text", "").c_str());
  }
  return result.value("isError", false) ? 1 : 0;
}

// A whole server for one call, on a free port; `settings` are the demo's.
Result<std::unique_ptr<Host>> one_call_host(config::Settings settings, Log& log) {
  settings.server.port = 0;
  settings.audit.log_path = "/dev/null";
  settings.server.tls_certificate.clear();  // to itself it speaks plainly
  auto host = Host::build(settings, DemoSettings{}, default_plugin_dir(), log);
  if (!host) return host.error();
  if (auto r = (*host)->listen(); !r) return r.error();
  return host;
}

std::optional<config::Settings> demo_settings(const ConfigOptions& config) {
  auto flags = config::listen_flags("127.0.0.1:0");
  auto loaded = load_config(config, true, true, flags ? *flags : std::vector<config::Flag>{});
  if (!loaded) return std::nullopt;
  return std::move(loaded->settings);
}

int call_at(const std::string& url, const std::string& token, const CallOptions& options,
            const Json& arguments) {
  const auto answer = post(url, token, options.tool, arguments, options.timeout_s);
  if (!answer) {
    std::fprintf(stderr, "%s\n", answer.error().text.c_str());
    return 1;
  }
  return print(*answer);
}

int call_demo(config::Settings settings, const CallOptions& options, const Json& arguments, Log& log) {
  const std::string path = settings.server.mcp_path;
  const std::string token = token_of(options);
  const auto demo = one_call_host(std::move(settings), log);
  if (!demo) {
    std::fprintf(stderr, "Cannot start the demo: %s\n", demo.error().text.c_str());
    return 1;
  }
  const std::string url = "http://127.0.0.1:" + std::to_string((*demo)->port()) + path;
  return call_at(url, token.empty() ? "demo-admin" : token, options, arguments);
}

// The one plugin in `file` and no other, as the operator's configuration would name it.
Result<config::Plugins> only_plugin(const std::string& file, const std::string& config, bool apart) {
  const std::filesystem::path library(file);
  std::error_code error;
  if (library.extension() != ".so" || !std::filesystem::is_regular_file(library, error))
    return make_error(Code::invalid_argument, file + " is no plugin; name the library: build/NAME.so");
  const auto parsed = parse_json(config);
  if (!parsed || !parsed->is_object())
    return make_error(Code::invalid_argument, "--plugin-config takes one JSON object: {\"days\":30}");
  config::Plugin plugin;
  plugin.id = library.stem().string();
  plugin.required = true;
  plugin.isolation = apart ? config::Isolation::process : config::Isolation::inprocess;
  plugin.config = *parsed;
  config::Plugins out;
  out.trust = config::PluginTrust::dev;  // the author's own file, in a demo on loopback
  const std::filesystem::path folder = library.parent_path();
  out.dir = folder.empty() ? "." : folder.string();
  out.list.push_back(std::move(plugin));
  return out;
}

int misused(const Error& error) {
  std::fprintf(stderr, "%s\n", error.text.c_str());
  return 2;
}

}  // namespace

int call(const CallOptions& options) {
  const auto arguments = parse_arguments(options.arguments);
  if (!arguments) return misused(arguments.error());
  if (!options.demo) return call_at(options.url, token_of(options), options, *arguments);
  block_signals();
  auto settings = demo_settings(options.config);
  SilentLog log;
  return settings ? call_demo(std::move(*settings), options, *arguments, log) : 1;
}

int plugin_call(const PluginCallOptions& options) {
  auto plugins = only_plugin(options.file, options.plugin_config, options.child);
  if (!plugins) return misused(plugins.error());
  const auto arguments = parse_arguments(options.arguments);
  if (!arguments) return misused(arguments.error());
  block_signals();
  auto settings = demo_settings({});
  if (!settings) return 1;
  settings->plugins = std::move(*plugins);
  CallOptions call;
  call.tool = options.tool;
  call.timeout_s = options.timeout_s;
  call.token = options.role.empty() ? "demo-admin" : "demo-" + options.role;
  // What the plugin says of its own failures is for its author.
  StderrLog log(LogLevel::error);
  return call_demo(std::move(*settings), call, *arguments, log);
}

}  // namespace vmcp::app
