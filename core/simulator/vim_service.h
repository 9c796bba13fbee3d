// The singletons of VI/JSON: the service content, who this vCenter says it is, and the managers' ids.
#pragma once

#include "simulator/world.h"

namespace vmcp::simulator {

// Ids that vCenter itself uses; clients take them from the content, never from here.
inline constexpr const char* kSessionManager = "SessionManager";
inline constexpr const char* kViewManager = "ViewManager";
inline constexpr const char* kPropertyCollector = "propertyCollector";
inline constexpr const char* kAuthorizationManager = "AuthorizationManager";
inline constexpr const char* kTaskManager = "TaskManager";

Json about_vcenter(const World& world);
Json about_esx(const World& world);
Json service_content(const World& world);
Json user_session(const Session& session);
// GET /sdk/vimServiceVersions.xml
std::string service_versions_xml(const World& world);

}  // namespace vmcp::simulator
