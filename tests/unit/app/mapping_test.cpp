// Every setting, from what a site writes to the part of the server that it is for: one mixed up with its
// neighbour would go unnoticed until an operator needs it.
#include "app/mapping.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "config/table.h"
#include "unit/config/site.h"

using namespace vmcp;
using config::Settings;
using config::test::Site;

namespace {

double ms(milliseconds t) {
  return static_cast<double>(t.count());
}
double number(std::size_t n) {
  return static_cast<double>(n);
}

struct Case {
  const char* key;
  double written;
  double (*arrived)(const Settings&);
  double expected;
};

// All values differ, and none is a default.
const Case kCases[] = {
    {"plugins.memory_MiB", 100,
     [](const Settings& s) {
       return double(app::plugin_settings(s.plugins, "", "").apart.process.memory_bytes >> 20);
     },
     100},
    {"auth.clock_skew_s", 17, [](const Settings& s) { return ms(app::verifier_settings(s, {}).leeway); },
     17'000},
    {"vcenter.timeout_s", 11, [](const Settings& s) { return ms(app::vcenter_settings(s.vcenter).timeout); },
     11'000},
    {"vcenter.connect_timeout_s", 12,
     [](const Settings& s) { return ms(app::vcenter_settings(s.vcenter).connect_timeout); }, 12'000},
    {"vcenter.retries", 9, [](const Settings& s) { return double(app::vcenter_settings(s.vcenter).retries); },
     9},
    {"vcenter.backoff_s", 1.25, [](const Settings& s) { return app::vcenter_settings(s.vcenter).backoff_s; },
     1.25},
    {"vcenter.max_connections", 13,
     [](const Settings& s) { return number(app::vcenter_settings(s.vcenter).max_connections); }, 13},
    {"vcenter.watch_interval_s", 16,
     [](const Settings& s) { return ms(app::watch_settings(s.vcenter).interval); }, 16'000},
    {"admin.port", 8124, [](const Settings& s) { return double(s.admin.port); }, 8124},
    {"server.port", 8123, [](const Settings& s) { return double(s.server.port); }, 8123},
    {"server.tool_deadline_s", 14,
     [](const Settings& s) { return ms(app::pipeline_settings(s.server).tool_deadline); }, 14'000},
    {"server.shutdown_grace_s", 15, [](const Settings& s) { return ms(s.server.shutdown_grace); }, 15'000},
    {"server.workers", 6, [](const Settings& s) { return number(app::server_limits(s.server).workers); }, 6},
    {"server.max_workers", 140,
     [](const Settings& s) { return number(app::server_limits(s.server).max_workers); }, 140},
    {"server.max_connections", 2001,
     [](const Settings& s) { return number(app::server_limits(s.server).max_connections); }, 2001},
    {"server.max_connections_per_address", 2002,
     [](const Settings& s) { return number(app::server_limits(s.server).max_connections_per_address); },
     2002},
    {"server.max_head_bytes", 2003,
     [](const Settings& s) { return number(app::server_limits(s.server).max_head_bytes); }, 2003},
    {"server.max_body_bytes", 2004,
     [](const Settings& s) { return number(app::server_limits(s.server).max_body_bytes); }, 2004},
    {"server.max_stream_buffer_bytes", 70'001,
     [](const Settings& s) { return number(app::server_limits(s.server).max_stream_buffer_bytes); }, 70'001},
    {"server.head_timeout_s", 21,
     [](const Settings& s) { return ms(app::server_limits(s.server).head_timeout); }, 21'000},
    {"server.body_timeout_s", 22,
     [](const Settings& s) { return ms(app::server_limits(s.server).body_timeout); }, 22'000},
    {"server.idle_timeout_s", 23,
     [](const Settings& s) { return ms(app::server_limits(s.server).idle_timeout); }, 23'000},
    {"server.write_timeout_s", 24,
     [](const Settings& s) { return ms(app::server_limits(s.server).write_timeout); }, 24'000},
    {"limits.rps", 31, [](const Settings& s) { return app::throttle_settings(s.limits).identity.per_second; },
     31},
    {"limits.burst", 32, [](const Settings& s) { return app::throttle_settings(s.limits).identity.burst; },
     32},
    {"limits.address_rps", 33,
     [](const Settings& s) { return app::throttle_settings(s.limits).address.per_second; }, 33},
    {"limits.address_burst", 34,
     [](const Settings& s) { return app::throttle_settings(s.limits).address.burst; }, 34},
    {"limits.role_rps", 51,
     [](const Settings& s) { return app::throttle_settings(s.limits).role.per_second; }, 51},
    {"limits.role_burst", 52, [](const Settings& s) { return app::throttle_settings(s.limits).role.burst; },
     52},
    {"limits.tool_rps", 53,
     [](const Settings& s) { return app::throttle_settings(s.limits).tool.per_second; }, 53},
    {"limits.tool_burst", 54, [](const Settings& s) { return app::throttle_settings(s.limits).tool.burst; },
     54},
    {"limits.target_rps", 55,
     [](const Settings& s) { return app::throttle_settings(s.limits).target.per_second; }, 55},
    {"limits.target_burst", 56,
     [](const Settings& s) { return app::throttle_settings(s.limits).target.burst; }, 56},
    {"limits.vcenter_rps", 57,
     [](const Settings& s) { return app::throttle_settings(s.limits).vcenter.per_second; }, 57},
    {"limits.vcenter_burst", 58,
     [](const Settings& s) { return app::throttle_settings(s.limits).vcenter.burst; }, 58},
    {"limits.identical_calls", 59,
     [](const Settings& s) { return double(app::throttle_settings(s.limits).identical_calls); }, 59},
    {"limits.identical_window_s", 61,
     [](const Settings& s) { return ms(app::throttle_settings(s.limits).identical_window); }, 61'000},
    {"limits.max_addresses", 35,
     [](const Settings& s) { return number(app::throttle_settings(s.limits).max_addresses); }, 35},
    {"limits.max_identities", 36,
     [](const Settings& s) { return number(app::throttle_settings(s.limits).max_identities); }, 36},
    {"limits.tool_parallel", 37,
     [](const Settings& s) { return number(app::throttle_settings(s.limits).tool_parallel); }, 37},
    {"limits.vcenter_parallel", 38,
     [](const Settings& s) { return number(app::throttle_settings(s.limits).vcenter_parallel); }, 38},
    {"limits.queue_per_slot", 39,
     [](const Settings& s) { return number(app::throttle_settings(s.limits).queue_per_slot); }, 39},
    {"policy.approval_life_s", 46,
     [](const Settings& s) { return ms(app::approval_settings(s.policy).life); }, 46'000},
    {"audit.sync_timeout_s", 41,
     [](const Settings& s) { return ms(app::audit_settings(s.audit).sync_timeout); }, 41'000},
    {"audit.max_args_bytes", 2042,
     [](const Settings& s) { return number(app::audit_settings(s.audit).max_args_bytes); }, 2042},
    {"audit.segment_MiB", 43,
     [](const Settings& s) { return double(app::audit_settings(s.audit).segment_bytes >> 20); }, 43},
    {"audit.segment_hours", 44,
     [](const Settings& s) { return ms(app::audit_settings(s.audit).segment_age); }, 44 * 3'600'000.0},
    {"audit.keep_days", 45, [](const Settings& s) { return double(app::audit_settings(s.audit).keep_days); },
     45},
};

bool numeric(const config::Row& row) {
  return row.type == config::Type::integer || row.type == config::Type::number ||
         row.type == config::Type::seconds;
}

}  // namespace

TEST_CASE("mapping: every number that a site writes arrives where it belongs") {
  Site site;
  site.needed();
  std::set<std::string_view> written;
  for (const Case& c : kCases) {
    std::string text = std::to_string(c.written);
    while (text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
    site.env(config::long_variable(c.key), text);
    written.insert(c.key);
  }
  for (const config::Row& row : config::table())
    if (numeric(row)) CHECK_MESSAGE(written.contains(row.key), row.key);
  REQUIRE(site.problems() == "loaded");
  const Settings settings = site.load().loaded->settings;
  for (const Case& c : kCases) {
    CAPTURE(c.key);
    CHECK(c.arrived(settings) == doctest::Approx(c.expected));
  }
  CHECK(app::mcp_settings(settings, {}).max_body_bytes == 2004);
  // So that the tools whose calls hang cannot use up every worker.
  CHECK(app::server_limits(settings.server).max_stuck_workers == 70);
}

TEST_CASE("mapping: texts and switches arrive where they belong") {
  Site site;
  site.needed()
      .env("ALLOWED_VCENTER_HOSTS", "vc2.example,vc3.example:8443")
      .env("VSPHERE_API_MODE", "rest")
      .env("INSECURE", "true")
      .env("SERVER_NAME", "my server")
      .env("VERBOSE_DEFAULT", "true")
      .env("RATE_LIMIT", "false");
  REQUIRE(site.problems() == "loaded");
  const Settings settings = site.load().loaded->settings;
  const vcenter::Settings vcenter = app::vcenter_settings(settings.vcenter);
  CHECK(vcenter.hosts == std::vector<std::string>{"vc.example", "vc2.example", "vc3.example:8443"});
  CHECK(vcenter.user == "u@vsphere.local");
  CHECK(vcenter.password.reveal() == "hunter2hunter2");
  CHECK(vcenter.mode == vcenter::ApiMode::rest);
  CHECK_FALSE(vcenter.verify_tls);
  CHECK(app::mcp_settings(settings, {}).server_name == "my server");
  CHECK(app::pipeline_settings(settings.server).verbose_default);
  CHECK_FALSE(app::throttle_settings(settings.limits).enabled);

  Site plain;
  plain.needed();
  const Settings defaults = plain.load().loaded->settings;
  CHECK(app::vcenter_settings(defaults.vcenter).verify_tls);
  CHECK(app::vcenter_settings(defaults.vcenter).mode == vcenter::ApiMode::api);
  CHECK(app::throttle_settings(defaults.limits).enabled);
}

TEST_CASE("mapping: callers by certificate, bound tokens and their times keep what the site said of them") {
  config::Auth auth;
  auth.certificates = {{"CN=a,O=b", "", "", "one", "read"},
                       {"", "a.example", "", "two", "ops"},
                       {"", "", "AA:" + std::string(62, 'b'), "three", "admin"}};
  config::Token token;
  token.name = "t";
  token.certificate = "CN=x";
  token.expires = parse_iso8601("2030-01-02");
  token.not_before = parse_iso8601("2030-01-01");
  auth.tokens = {token, {}};
  const auto entries = app::certificate_entries(auth);
  using Kind = auth::CertificateMatch::Kind;
  REQUIRE(entries.size() == 3);
  CHECK((entries[0].match.kind == Kind::subject && entries[0].match.value == "CN=a,O=b"));
  CHECK((entries[1].match.kind == Kind::name && entries[1].match.value == "DNS:a.example"));
  CHECK((entries[2].match.kind == Kind::sha256 && entries[2].match.value == "aa" + std::string(62, 'b')));
  CHECK((entries[2].name == "three" && entries[2].role == "admin"));
  Settings all;
  all.auth.role_claims = {"groups"};
  all.auth.claim_roles = {{"vm-admins", "admin"}};
  CHECK(app::verifier_settings(all, {}).role_claims == std::vector<std::string>{"groups"});
  CHECK(app::verifier_settings(all, {}).claim_roles.at("vm-admins") == "admin");
  const auto tokens = app::token_entries(auth);
  CHECK(tokens[0].certificate.kind == Kind::subject);
  CHECK(tokens[0].expires == token.expires);
  CHECK(tokens[0].not_before == token.not_before);
  CHECK(tokens[1].certificate.kind == Kind::none);
}

TEST_CASE("mapping: a name's own limits take what they leave open from the others of their kind") {
  Site site;
  site.needed().toml(
      "[limits]\nrps = 3\nburst = 4\nshadow = true\ntool_burst = 6\n"
      "[limits.tool.delete_vm]\nrps = 0.1\ncost = 5\n[limits.tool.list_vms]\ncost = 0.5\n"
      "[limits.role.ops]\nrps = 7\nburst = 8\n[limits.identity.robot]\nburst = 9\n"
      "[limits.vcenter.\"vc.example\"]\nrps = 2\n");
  REQUIRE(site.problems() == "loaded");
  const throttle::Settings s = app::throttle_settings(site.load().loaded->settings.limits);
  CHECK(s.shadow);
  CHECK(s.tools.at("delete_vm").per_second == 0.1);
  CHECK(s.tools.at("delete_vm").burst == 6);
  CHECK(s.tools.at("list_vms").per_second == 0);
  CHECK(s.tool_costs.at("delete_vm") == 5);
  CHECK(s.tool_costs.at("list_vms") == 0.5);
  CHECK(s.roles.at("ops").per_second == 7);
  CHECK(s.roles.at("ops").burst == 8);
  CHECK(s.identities.at("robot").per_second == 3);
  CHECK(s.identities.at("robot").burst == 9);
  CHECK(s.vcenters.at("vc.example").per_second == 2);
  CHECK(s.vcenters.at("vc.example").burst == 10);

  Site plain;
  plain.needed();
  const throttle::Settings defaults = app::throttle_settings(plain.load().loaded->settings.limits);
  for (const throttle::Rate& rate : {defaults.role, defaults.tool, defaults.target, defaults.vcenter})
    CHECK(rate.per_second == 0);
  CHECK(defaults.identical_calls == 30);
  CHECK_FALSE(defaults.shadow);
}

TEST_CASE("mapping: tokens, roles and plugins keep what the site said of them") {
  Site site;
  site.needed().toml(
      "[auth]\nkeep_default_roles = true\n[auth.role.careful-ops]\ninherits = [\"ops\"]\nallow = [\"x_*\"]\n"
      "deny = [\"power_off_vm\"]\n"
      "[[plugin]]\nid = \"org.example.tools\"\nrequired = true\nisolation = \"inprocess\"\nprefix = "
      "\"acme_\"\n"
      "sha256 = \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"\nallow_downgrade = "
      "true\n"
      "tools = [\"a_*\"]\n[plugin.config]\nsite = \"Berlin\"\n");
  REQUIRE(site.problems() == "loaded");
  const Settings settings = site.load().loaded->settings;
  const auto tokens = app::token_entries(settings.auth);
  REQUIRE(tokens.size() == 1);
  CHECK(tokens[0].token.reveal() == "a-token-of-good-length");
  CHECK(tokens[0].role == "read");
  const auto roles = app::role_rules(settings.auth);
  CHECK(roles.size() == 4);
  CHECK(roles.at("careful-ops").inherits == std::vector<std::string>{"ops"});
  CHECK(roles.at("careful-ops").allow == std::vector<std::string>{"x_*"});
  CHECK(roles.at("careful-ops").deny == std::vector<std::string>{"power_off_vm"});
  const auto plugins = app::plugin_settings(settings.plugins, "/usr/lib/here");
  CHECK(plugins.directories == std::vector<std::string>{"/usr/lib/here"});
  CHECK(plugins.only_chosen);
  const auto own = std::find_if(plugins.choices.begin(), plugins.choices.end(),
                                [](const auto& c) { return c.id == "org.example.tools"; });
  REQUIRE(own != plugins.choices.end());
  CHECK(own->enabled);
  CHECK(own->required);
  CHECK(own->in_process);
  CHECK(own->prefix == "acme_");
  CHECK(own->tools == std::vector<std::string>{"a_*"});
  CHECK(own->config["site"] == "Berlin");
  CHECK(own->sha256 == "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
  CHECK(own->allow_downgrade);
}

TEST_CASE("mapping: what a plugin needs reaches the loader as the site said it") {
  using Mode = plugin_host::TrustSettings::Mode;
  config::Plugins plugins;
  auto trust = [&] { return app::plugin_settings(plugins, "/usr/lib/here", "/var/seen.json").trust; };
  CHECK(trust().mode == Mode::signatures);
  CHECK(trust().program_directory == "/usr/lib/here");
  CHECK(trust().seen_file == "/var/seen.json");
  CHECK_FALSE(trust().remember);
  plugins.dir = "/opt/plugins";  // what lies there did not come with the program
  plugins.trust = config::PluginTrust::pinned;
  plugins.keys = "/etc/keys";
  plugins.revoked = {"key:a"};
  CHECK(trust().mode == Mode::pinned);
  CHECK(trust().program_directory == "/usr/lib/here");
  CHECK(trust().keys == "/etc/keys");
  CHECK(trust().revoked == std::vector<std::string>{"key:a"});
  plugins.trust = config::PluginTrust::dev;
  CHECK(trust().mode == Mode::dev);
  config::State state;
  state.dir = "/var/here";
  CHECK(app::seen_versions_file(state) == "/var/here/plugin-versions.json");
}
