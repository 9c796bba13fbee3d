// doctor: every condition for working with a vCenter, one line each, with the fix beside what fails.
#include <Poco/DateTimeParser.h>
#include <Poco/Exception.h>
#include <Poco/Net/DNS.h>
#include <Poco/Net/HostEntry.h>

#include <cstdio>
#include <set>

#include "app/commands.h"
#include "app/host.h"
#include "app/offline_tools.h"
#include "app/start.h"
#include "app/tls_probe.h"

namespace vmcp::app {
namespace {

class Report {
 public:
  void fine(const std::string& what, const std::string& text) { line("ok  ", what, text); }
  void warn(const std::string& what, const std::string& text) { line("warn", what, text); }
  void fail(const std::string& what, const std::string& text, const std::string& fix) {
    line("FAIL", what, text);
    std::printf("        fix: %s\n", fix.c_str());
    failed_ = true;
  }
  bool failed() const { return failed_; }

 private:
  static void line(const char* verdict, const std::string& what, const std::string& text) {
    std::printf("%s  %-12s %s\n", verdict, what.c_str(), text.c_str());
  }
  bool failed_ = false;
};

struct Address {
  std::string host;
  std::uint16_t port = 443;
};

Address split(const std::string& name) {
  Address out{name, 443};
  const auto colon = name.rfind(':');
  if (colon == std::string::npos || (name.front() == '[' && name.back() == ']')) return out;
  if (name.find(':') != colon && name.front() != '[') return out;  // a bare IPv6 address
  out.host = name.substr(0, colon);
  out.port = static_cast<std::uint16_t>(std::strtoul(name.c_str() + colon + 1, nullptr, 10));
  return out;
}

CallLimits soon() {
  return {std::chrono::steady_clock::now() + std::chrono::seconds(20), CancelFlag()};
}

bool check_name(Report& report, const Address& address) {
  try {
    const auto& entry = Poco::Net::DNS::resolve(address.host);
    if (entry.addresses().empty()) throw Poco::Exception("no address");
    report.fine("name", address.host + " is " + entry.addresses().front().toString());
    return true;
  } catch (const Poco::Exception& e) {
    report.fail("name", address.host + ": " + e.displayText(), "check VCENTER_HOST and this machine's DNS");
    return false;
  }
}

void check_certificate(Report& report, const Address& address, const config::Vcenter& settings) {
  const auto probe = probe_certificate(address.host, address.port, settings.ca_bundle);
  if (!probe) {
    report.fail("certificate", probe.error().text,
                "check that vCenter listens on port " + std::to_string(address.port) +
                    " and that no firewall is in between");
    return;
  }
  const std::string text =
      "CN " + probe->subject + ", issued by " + probe->issuer + ", until " + probe->expires;
  if (!probe->trusted && !settings.insecure)
    report.fail(
        "certificate", text + ": " + probe->why_not,
        "set VCENTER_CA_BUNDLE to the PEM file of your vCenter's certificate authority (download it from "
        "https://" +
            address.host + "/certs/download.zip)");
  else if (!probe->trusted)
    report.warn("certificate", text + ": not trusted, accepted because INSECURE=true");
  else if (probe->days_left < 30)
    report.warn("certificate", text + ": " + std::to_string(probe->days_left) + " days left");
  else
    report.fine("certificate", text);
}

void check_clock(Report& report, vcenter::Connection& connection) {
  const auto reply =
      connection.vim({"ServiceInstance", "ServiceInstance", "CurrentTime", false, "{}"}, soon());
  std::string text = reply.body;
  if (const auto value = parse_trusted_json(reply.body, 4096); reply.ok() && value) {
    if (value->is_string())
      text = value->get<std::string>();
    else if (value->is_object())
      text = value->value("_value", "");
  }
  int zone = 0;
  Poco::DateTime theirs;
  if (!reply.ok() || !Poco::DateTimeParser::tryParse("%Y-%m-%dT%H:%M:%s%z", text, theirs, zone)) {
    report.warn("clock", "vCenter's time could not be read");
    return;
  }
  const auto seconds = (Poco::DateTime() - theirs).totalSeconds();
  if (seconds > 60 || seconds < -60)
    report.fail("clock", std::to_string(seconds) + " s apart",
                "synchronise both clocks (NTP): sessions and tasks "
                "are judged by time");
  else
    report.fine("clock", std::to_string(seconds) + " s apart");
}

// The caller's privileges on the root folder; nothing when they cannot be read.
std::optional<std::set<std::string>> own_privileges(vcenter::Connection& connection) {
  const auto content = connection.vim({"ServiceInstance", "ServiceInstance", "content", true, {}}, soon());
  const auto parsed = parse_trusted_json(content.body);
  if (!content.ok() || !parsed || !parsed->is_object()) return std::nullopt;
  const auto moref = [&](const char* key) { return parsed->value(key, Json::object()).value("value", ""); };
  const auto session =
      connection.vim({"SessionManager", moref("sessionManager"), "currentSession", true, {}}, soon());
  const auto user = parse_trusted_json(session.body);
  if (!session.ok() || !user || !user->is_object()) return std::nullopt;
  const Json parameters = {
      {"entities",
       {{{"_typeName", "ManagedObjectReference"}, {"type", "Folder"}, {"value", moref("rootFolder")}}}},
      {"userName", user->value("userName", "")}};
  const std::string text = dump_json(parameters);
  const auto granted = connection.vim(
      {"AuthorizationManager", moref("authorizationManager"), "FetchUserPrivilegeOnEntities", false, text},
      soon());
  const auto list = parse_trusted_json(granted.body);
  if (!granted.ok() || !list || !list->is_array()) return std::nullopt;
  std::set<std::string> out;
  for (const Json& entity : *list)
    for (const Json& privilege : entity.value("privileges", Json::array()))
      if (privilege.is_string()) out.insert(privilege.get<std::string>());
  return out;
}

void check_privileges(Report& report, vcenter::Connection& connection, const tools::Registry& registry) {
  const auto granted = own_privileges(connection);
  if (!granted) {
    report.warn("privileges",
                "the account's own privileges could not be read; `privileges` prints what is needed");
    return;
  }
  bool missing_any = false;
  for (const auto& tool : registry.all()) {
    std::string missing;
    for (const std::string& privilege : tool->privileges)
      if (!granted->contains(privilege)) missing += (missing.empty() ? "" : ", ") + privilege;
    if (missing.empty()) continue;
    missing_any = true;
    report.fail("privileges", tool->name + " lacks " + missing + " (on the root folder)",
                "add it to the account's role, or switch the tool off with PLUGINS");
  }
  if (!missing_any) report.fine("privileges", "all that the enabled tools need");
}

void examine(Report& report, vcenter::Connection& connection, const config::Vcenter& settings, bool plain,
             const tools::Registry& registry) {
  std::printf("%s\n", connection.name().c_str());
  const Address address = split(connection.name());
  if (!check_name(report, address)) return;
  if (!plain) check_certificate(report, address, settings);
  const auto about = connection.about(soon());
  if (!about) {
    report.fail("login", about.error().text,
                "the text names the cause; VCENTER_USER and VCENTER_PASSWORD are used");
    return;
  }
  report.fine("login", "a session was opened");
  report.fine("version", about->full_name + " (API " + about->api_version + ")");
  report.fine("vim25", "VI/JSON, release " + about->vim_release);
  check_clock(report, connection);
  check_privileges(report, connection, registry);
}

}  // namespace

int doctor(const ConfigOptions& options, bool demo) {
  const auto loaded = load_config(options, demo, false);
  if (!loaded) return 1;
  config::Settings settings = loaded->settings;
  SilentLog log;
  auto tools = OfflineTools::load(settings, log);
  if (!tools) {
    std::fprintf(stderr, "%s\n", tools.error().text.c_str());
    return 1;
  }
  Report report;
  if (settings.plugins.trust == config::PluginTrust::dev)
    report.warn("trust", "plugins.trust is dev: nobody needs to vouch for a plugin; for a workbench only");
  for (const plugin_host::Loaded& plugin : (*tools)->plugins) {
    if (plugin.plugin)
      report.fine("plugin",
                  plugin.plugin->id() + " " + plugin.plugin->version() + ", " + plugin.trust.text());
    else
      report.fail("plugin", plugin.choice.id + ": " + plugin.reason, "see the reason; or switch it off");
  }
  std::unique_ptr<simulator::Simulator> simulator;
  auto fleet = upstream_of(settings, demo ? std::optional(DemoSettings{}) : std::nullopt, simulator, log);
  if (!fleet) {
    report.fail("vcenter", fleet.error().text, "correct the configuration; `check-config` shows it");
    return 1;
  }
  for (const std::string& name : (*fleet)->names())
    if (auto connection = (*fleet)->find(name); connection)
      examine(report, **connection, settings.vcenter, demo, (*tools)->registry);
  (*fleet)->close();
  return report.failed() ? 1 : 0;
}

}  // namespace vmcp::app
