#include "simulator/vim_service.h"

#include "simulator/automation.h"
#include "simulator/vim_nodes.h"

namespace vmcp::simulator {
namespace {

// "8.0.2.0" → "8.0.2"
std::string short_version(const std::string& release) {
  return release.substr(0, release.rfind('.'));
}

Json about(const World& world, const char* product, const char* line, const char* api_type, const char* os) {
  const std::string version = short_version(world.settings.release);
  return {{"_typeName", "AboutInfo"},
          {"name", product},
          {"fullName", std::string(product) + " " + version + " build-22617221"},
          {"vendor", "VMware, Inc."},
          {"version", version},
          {"build", "22617221"},
          {"localeVersion", "INTL"},
          {"localeBuild", "000"},
          {"osType", os},
          {"productLineId", line},
          {"apiType", api_type},
          {"apiVersion", world.settings.release},
          {"licenseProductName",
           api_type == std::string("VirtualCenter") ? "VMware VirtualCenter Server" : "VMware ESX Server"},
          {"licenseProductVersion", "8.0"}};
}

const Node kService[] = {
    leaf("content", "ServiceContent",
         [](std::string& o, const Subject& s) { return put_json(o, service_content(s.world)); }),
    seen("serverClock", "dateTime", [](std::string& o, const Subject& s) { return put_time(o, s.now()); }),
    seen("capability", "Capability",
         [](std::string& o, const Subject&) {
           return put_json(o, {{"_typeName", "Capability"},
                               {"provisioningSupported", true},
                               {"multiHostSupported", true},
                               {"userShellAccessSupported", false}});
         }),
};

}  // namespace

Json about_vcenter(const World& world) {
  Json out = about(world, "VMware vCenter Server", "vpx", "VirtualCenter", "linux-x64");
  out["instanceUuid"] = "6f2e8a10-5c1d-4b7e-9a33-0d5c7e2b4f61";
  return out;
}

Json about_esx(const World& world) {
  return about(world, "VMware ESXi", "embeddedEsx", "HostAgent", "vmnix-x86");
}

Json service_content(const World& world) {
  return {{"_typeName", "ServiceContent"},
          {"rootFolder", moref(world.model.root())},
          {"propertyCollector", moref("PropertyCollector", kPropertyCollector)},
          {"viewManager", moref("ViewManager", kViewManager)},
          {"about", about_vcenter(world)},
          {"sessionManager", moref("SessionManager", kSessionManager)},
          {"authorizationManager", moref("AuthorizationManager", kAuthorizationManager)},
          {"taskManager", moref("TaskManager", kTaskManager)}};
}

Json user_session(const Session& session) {
  return {{"_typeName", "UserSession"},
          {"key", session.key},
          {"userName", session.user->domain_name()},
          {"fullName", session.user->name},
          {"loginTime", iso_time(session.created)},
          {"lastActiveTime", iso_time(session.last_access)},
          {"locale", "en"},
          {"messageLocale", "en"},
          {"extensionSession", false},
          {"ipAddress", session.peer},
          {"userAgent", session.agent},
          {"callCount", session.calls}};
}

std::string service_versions_xml(const World& world) {
  const std::vector<std::string> served = served_releases(world.settings.release);
  std::string out = R"(<?xml version="1.0" encoding="UTF-8" ?>
<namespaces version="1.0">
 <namespace>
  <name>urn:vim25</name>
  <version>)" + served.front() +
                    "</version>\n  <priorVersions>\n";
  for (std::size_t i = 1; i < served.size(); ++i) out += "   <version>" + served[i] + "</version>\n";
  out += "  </priorVersions>\n </namespace>\n</namespaces>\n";
  return out;
}

std::span<const Node> service_nodes() {
  return kService;
}

}  // namespace vmcp::simulator
