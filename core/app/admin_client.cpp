#include "app/admin_client.h"

#include <cstdio>

#include <optional>

#include "admin/api.h"
#include "app/start.h"
#include "store/small_file.h"
#include "store/state_dir.h"
#include "vcenter/poco_transport.h"

namespace vmcp::app {
namespace {

// Plugins are loaded meanwhile; one may take ten seconds to come up.
constexpr milliseconds kPatience{120'000};
constexpr std::size_t kMaxAnswer = 16u << 20, kMaxFile = 4096;

Error failed(const std::string& why) {
  return make_error(Code::unavailable, why);
}

Result<std::string> authority_of(const std::string& state_dir) {
  const std::string file = state_dir + "/" + store::kAdminFile;
  const auto text = store::read_file(file, kMaxFile);
  if (!text && text.error().code == Code::not_found)
    return failed(
        "No server runs with the state directory " + state_dir +
        ", or its admin listener is off (admin.enabled). Start it, or name its own with --state-dir.");
  if (!text) return failed(text.error().text);
  const auto json = parse_trusted_json(*text, kMaxFile);
  const std::string url = json && json->is_object() ? json->value("url", "") : "";
  if (!url.starts_with("http://")) return failed(file + " is damaged; start the server again.");
  return url.substr(7);
}

Result<std::string> token_of(const std::string& state_dir) {
  const std::string file = state_dir + "/keys/" + store::kAdminKey;
  auto key = store::read_file(file, kMaxFile);
  if (!key)
    return failed("The operator's key cannot be read (" + key.error().text +
                  "). Run this as the server's user.");
  return admin::operator_token(Secret(std::move(*key)));
}

}  // namespace

Result<Json> ask_server(const std::string& state_dir, const AdminCall& call) {
  const auto authority = authority_of(state_dir);
  if (!authority) return authority.error();
  const auto token = token_of(state_dir);
  if (!token) return token.error();
  auto endpoint = vcenter::parse_endpoint(*authority, 80);
  if (!endpoint) return endpoint.error();
  if (!endpoint->loopback) return failed(*authority + " is not on this machine.");
  vcenter::TransportOptions options;
  options.plain_http = true;
  options.timeout = kPatience;
  options.max_connections = 1;
  options.max_answer_bytes = kMaxAnswer;
  StderrLog log(LogLevel::error);
  const auto transport = vcenter::make_poco_transport(*endpoint, options, log);
  if (!transport) return transport.error();
  vcenter::HttpRequest request;
  request.method = call.method;
  request.target = call.path;
  request.headers = {{"Authorization", "Bearer " + *token}, {"Accept", "application/json"}};
  if (!call.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.body = call.body;
  const auto outcome =
      (*transport)->send(request, {std::chrono::steady_clock::now() + kPatience, CancelFlag()});
  if (std::holds_alternative<vcenter::TransportFailure>(outcome))
    return failed("The server at " + *authority + " does not answer; it may have ended without tidying up.");
  const auto& response = std::get<vcenter::HttpResponse>(outcome);
  auto json = parse_trusted_json(response.body, kMaxAnswer);
  if (!json || !json->is_object()) return failed(*authority + " is not a server of this kind.");
  if (response.status == 200) return std::move(*json);
  return failed(json->value("error", "HTTP " + std::to_string(response.status)));
}

std::optional<Json> ask_or_print(const AdminOptions& server, const AdminCall& call) {
  const auto state_dir = state_dir_of(server);
  if (!state_dir) return std::nullopt;
  auto answer = ask_server(*state_dir, call);
  if (answer) return std::move(*answer);
  std::fprintf(stderr, "%s\n", answer.error().text.c_str());
  return std::nullopt;
}

std::optional<std::string> state_dir_of(const AdminOptions& options) {
  if (!options.state_dir.empty()) return options.state_dir;
  const auto loaded = load_config(options.config, false, false, {}, false);
  if (!loaded) return std::nullopt;
  const std::string& configured = loaded->settings.state.dir;
  return configured.empty() ? store::default_state_dir() : configured;
}

}  // namespace vmcp::app
