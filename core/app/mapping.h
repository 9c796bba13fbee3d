// config's plain values as each module's own settings. The one place that knows both.
#pragma once

#include "approvals/approvals.h"
#include "audit/audit.h"
#include "auth/authenticator.h"
#include "config/settings.h"
#include "http/server.h"
#include "mcp/endpoint.h"
#include "pipeline/services.h"
#include "plugin_host/loader.h"
#include "policy/policy.h"
#include "throttle/limiter.h"
#include "vcenter/settings.h"

namespace vmcp::app {

vcenter::Settings vcenter_settings(const config::Vcenter& c);
http::ServerLimits server_limits(const config::Server& c);
http::ServerLimits admin_limits();  // of the listener for one operator
// Without files and keys, which the state directory has.
audit::Settings audit_settings(const config::Audit& c);
approvals::Settings approval_settings(const config::Policy& c);
throttle::Settings throttle_settings(const config::Limits& c);
std::vector<auth::TokenEntry> token_entries(const config::Auth& c);
std::vector<auth::CertificateEntry> certificate_entries(const config::Auth& c);
std::map<std::string, policy::RoleRules> role_rules(const config::Auth& c);
std::vector<policy::Rule> policy_rules(const config::Policy& c);
// The whole policy of a configuration; its version is a digest of all that it says.
Result<policy::PolicyPtr> make_policy(const config::Settings& c);
// Where a server with this state remembers the versions of plugins; for commands that only look.
std::string seen_versions_file(const config::State& c);
// `default_dir`: where the program's own plugins lie. `seen_file`: empty = no memory of versions.
plugin_host::LoadSettings plugin_settings(const config::Plugins& c, const std::string& default_dir,
                                          const std::string& seen_file = {});
auth::VerifierSettings verifier_settings(const config::Settings& c, std::vector<std::string> roles);
// `roles`: what tokens can be had for, the least first.
mcp::Settings mcp_settings(const config::Settings& c, std::vector<std::string> roles);
pipeline::Settings pipeline_settings(const config::Server& c);
pipeline::WatchSettings watch_settings(const config::Vcenter& c);

}  // namespace vmcp::app
