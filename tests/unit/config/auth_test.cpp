#include <doctest/doctest.h>

#include "base/crypto.h"
#include "site.h"

using namespace vmcp::config;
using namespace vmcp::config::test;

namespace {

// A site whose vCenter is given and whose tokens are the test's.
struct AuthSite : Site {
  AuthSite() { env_file("VCENTER_HOST=vc\nVCENTER_USER=u\nVCENTER_PASSWORD=hunter2hunter2\n"); }
};

const std::string kHash = "sha256:" + std::string(64, 'a');

}  // namespace

TEST_CASE("auth: no token and enforcement stop the start") {
  CHECK(has(AuthSite().problems(), "no token is configured, so nobody could call"));
  CHECK(has(AuthSite().env("TOKENS_TO_ROLES", "{}").problems(), "holds no token"));
}

TEST_CASE("auth: tokens and hashes in a variable") {
  AuthSite site;
  site.env("TOKENS_TO_ROLES", "{\"first-token-of-length\":\"read\",\"First-token-of-length\":\"admin\",\"" +
                                  kHash + "\":\"ops\"}");
  REQUIRE(site.problems() == "loaded");
  const auto tokens = site.load().loaded->settings.auth.tokens;
  REQUIRE(tokens.size() == 3);
  int hashes = 0;
  for (const auto& token : tokens) {
    CHECK(token.token.empty() != token.hash.empty());
    if (token.hash.empty()) continue;
    ++hashes;
    CHECK(token.role == "ops");
  }
  CHECK(hashes == 1);
}

TEST_CASE("auth: a malformed TOKENS_TO_ROLES names its place and quotes nothing") {
  const std::string text = AuthSite().env("TOKENS_TO_ROLES", "{\"canary-token\":\"read\",}").problems();
  CHECK(has(text,
            "environment TOKENS_TO_ROLES: not valid JSON: the mistake is in line 1 of the value, column 24"));
  CHECK_FALSE(has(text, "canary"));
  CHECK_FALSE(has(text, "no token is configured"));
  AuthSite site;
  site.env_file(
      "A_B=1\nVCENTER_HOST=vc\nVCENTER_USER=u\nVCENTER_PASSWORD=p\nTOKENS_TO_ROLES={\n  \"canary\": "
      "read\n}\n");
  CHECK(has(site.problems(), "site.env:6:13 TOKENS_TO_ROLES: not valid JSON"));
  const std::string doubled =
      AuthSite().env("TOKENS_TO_ROLES", "{\"canary\":\"read\",\"canary\":\"ops\"}").problems();
  CHECK(has(doubled, "a name twice"));
  CHECK_FALSE(has(doubled, "canary"));
  for (const char* bad : {"[1]", "\"x\"", "3", "{\"canary\":7}", "{\"canary\":[\"read\"]}", "{\"\":\"read\"}",
                          "{\"qz ary\":\"read\"}"}) {
    CAPTURE(bad);
    const std::string problems = AuthSite().env("TOKENS_TO_ROLES", bad).problems();
    CHECK(has(problems, "auth.token: "));
    CHECK_FALSE(has(problems, "canary"));
    CHECK_FALSE(has(problems, "qz"));
  }
}

TEST_CASE("auth: a token's role must exist") {
  const std::string text =
      AuthSite().env("TOKENS_TO_ROLES", "{\"canary-canary-canary\":\"reed\"}").problems();
  CHECK(
      has(text,
          "entry 1 names the role \"reed\", which does not exist\n    fix: the roles are admin, ops, read"));
  CHECK_FALSE(has(text, "canary"));
  // Roles that a site gives replace the default ones.
  AuthSite site;
  site.env("TOKENS_TO_ROLES", "{\"canary-canary-canary\":\"read\"}")
      .env("ROLES_TO_TOOLS", "{\"look\":[\"list_*\"]}");
  CHECK(has(site.problems(), "the roles are look"));
  site.env("VMCP__AUTH__KEEP_DEFAULT_ROLES", "true");
  CHECK(site.problems() == "loaded");
}

TEST_CASE("auth: malformed hashes, placeholders and doubled tokens are refused") {
  const auto toml = [](const std::string& text) { return AuthSite().toml(text).problems(); };
  CHECK(has(toml("[[auth.token]]\nrole = \"read\"\nhash = \"sha256:abc\"\n"),
            "site.toml:1:1: auth.token: entry 1 has a malformed hash"));
  CHECK(has(toml("[[auth.token]]\nrole = \"read\"\nhash = \"sha256:" + std::string(64, 'A') + "\"\n"),
            "lower-case"));
  CHECK(has(toml("[[auth.token]]\nrole = \"read\"\ntoken = \"CHANGE_ME\"\n"), "placeholder"));
  // As the server itself sees it: what check-config admits must start.
  for (const std::string token : {"abcdefgh=ijklmnop", "abcdefgh:ijklmnop", "abcdefgh,ijklmnop"})
    CHECK(has(toml("[[auth.token]]\nrole = \"read\"\ntoken = \"" + token + "\"\n"),
              "cannot travel in a header"));
  CHECK_FALSE(has(toml("[[auth.token]]\nrole = \"read\"\ntoken = \"a-Z_0.9~+/ijklmnop==\"\n"), "auth.token"));
  CHECK(has(toml("[[auth.token]]\nrole = \"read\"\n"), "exactly one of hash, file and token"));
  CHECK(has(toml("[[auth.token]]\nrole = \"read\"\ntoken = \"x\"\nhash = \"" + kHash + "\"\n"),
            "exactly one of"));
  CHECK(has(toml("[[auth.token]]\ntoken = \"abcdefghijklmnopq\"\n"), "entry 1 has no role"));
  CHECK(has(toml("[[auth.token]]\nrole = \"read\"\nhash = \"" + kHash + "\"\nexpire = 1\n"),
            "auth.token, entry 1: unknown key \"expire\""));
  CHECK(has(toml("[auth.token]\nadmin = \"read\"\n"), "write [[auth.token]]"));
  const std::string one = "[[auth.token]]\nrole = \"read\"\nname = \"a\"\ntoken = \"abcdefghijklmnopq\"\n";
  CHECK(has(toml(one + "[[auth.token]]\nrole = \"ops\"\nname = \"b\"\ntoken = \"abcdefghijklmnopq\"\n"),
            "entry 2 repeats"));
  CHECK(has(toml(one + "[[auth.token]]\nrole = \"ops\"\nname = \"a\"\ntoken = \"Abcdefghijklmnopq\"\n"),
            "entry 2 repeats"));
  // The same token, once in clear and once as its hash.
  const std::string hash = "sha256:" + vmcp::to_hex(vmcp::sha256("abcdefghijklmnopq"));
  CHECK(has(toml(one + "[[auth.token]]\nrole = \"ops\"\nname = \"b\"\nhash = \"" + hash + "\"\n"),
            "entry 2 repeats"));
}

TEST_CASE("auth: entries of several files add up, and a token can lie in a file") {
  AuthSite site;
  const std::string path = site.write("ci.token", "token-of-the-ci-system\n");
  site.toml("[[auth.token]]\nrole = \"read\"\nname = \"a\"\ntoken = \"abcdefghijklmnopq\"\n");
  site.write("conf.d/ci.toml", "[[auth.token]]\nrole = \"ops\"\nname = \"ci\"\nfile = \"" + path + "\"\n");
  REQUIRE(site.problems() == "loaded");
  const auto auth = site.load().loaded->settings.auth;
  REQUIRE(auth.tokens.size() == 2);
  CHECK(auth.tokens[1].token.reveal() == "token-of-the-ci-system");
  CHECK(auth.tokens[1].name == "ci");
  // A variable replaces them all: it is the higher layer.
  site.env("TOKENS_TO_ROLES", "{\"only-this-token-now\":\"read\"}");
  CHECK(site.load().loaded.value().settings.auth.tokens.size() == 1);
}

TEST_CASE("auth: short tokens are warned of, without quoting them") {
  AuthSite site;
  site.env("TOKENS_TO_ROLES", "{\"canary\":\"read\"}");
  const auto result = site.load();
  REQUIRE(result.ok());
  REQUIRE(result.loaded->warnings.size() == 1);
  CHECK(has(result.loaded->warnings[0], "shorter than 16 characters"));
  CHECK_FALSE(has(result.loaded->warnings[0], "canary"));
}

TEST_CASE("auth: roles with allow, deny and inherits") {
  AuthSite site;
  site.env("TOKENS_TO_ROLES", "{\"a-token-of-good-length\":\"night\"}");
  site.toml(
      "[auth.role.base]\nallow = [\"list_*\", \"get_*\"]\n[auth.role.night]\ninherits = [\"base\"]\nallow = "
      "[\"restart_vm\"]\ndeny = [\"get_vm*\"]\n");
  REQUIRE(site.problems() == "loaded");
  const auto auth = site.load().loaded->settings.auth;
  CHECK_FALSE(auth.default_roles);
  CHECK(auth.roles.at("night").inherits == std::vector<std::string>{"base"});
  CHECK(auth.roles.at("night").deny == std::vector<std::string>{"get_vm*"});
  CHECK(auth.roles.at("base").allow.size() == 2);
}

TEST_CASE("auth: malformed roles are refused") {
  const auto json = [](const std::string& text) {
    return Site().needed().env("ROLES_TO_TOOLS", text).problems();
  };
  CHECK(has(json("{\"read\":[\"list_vms\"],}"), "environment ROLES_TO_TOOLS: not valid JSON"));
  CHECK(has(json("{\"read\":\"list_vms\"}"), "auth.role.read is neither a list of tools nor a table"));
  CHECK(has(json("{\"read\":[7]}"), "auth.role.read: the role takes a list of texts"));
  CHECK(has(json("{\"read\":[\"list vms\"]}"), "\"list vms\" is not a tool's name or pattern"));
  CHECK(has(json("{\"re ad\":[]}"), "is not a role's name"));
  CHECK(has(json("[]"), "auth.role: is not a table"));
  CHECK(has(Site().needed().toml("[auth.role.read]\nalow = [\"x\"]\n").problems(),
            "auth.role.read: unknown key \"alow\"\n    fix: did you mean allow?"));
  CHECK(has(Site().needed().toml("[auth.role.read]\nallow = []\ninherits = [\"rea\"]\n").problems(),
            "inherits names the role \"rea\""));
  Site site;
  site.needed().toml("[auth.role.read]\nallow = []\n");
  site.write("conf.d/a.toml", "[auth.role.read]\nallow = [\"*\"]\n");
  CHECK(has(site.problems(), "auth.role.read is defined twice"));
}

TEST_CASE("auth: switching it off needs loopback, or to be said twice") {
  AuthSite site;
  site.env("AUTH_ENFORCE", "false");
  CHECK(has(site.problems(), "auth.enforce is false and the server listens on 0.0.0.0"));
  for (const char* host : {"127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"}) {
    CAPTURE(host);
    AuthSite local;
    local.env("AUTH_ENFORCE", "false").env("SERVER_HOST", host);
    REQUIRE(local.problems() == "loaded");
    CHECK_FALSE(local.load().loaded->settings.auth.enforce);
    CHECK(local.load().loaded->settings.auth.anonymous_role == "admin");
    CHECK(has(local.load().loaded->warnings.at(0), "AUTH_ENFORCE is false"));
  }
  for (const char* host : {"10.0.0.1", "::", "example.com", "128.0.0.1", "::ffff:10.0.0.1"}) {
    CAPTURE(host);
    AuthSite remote;
    remote.env("AUTH_ENFORCE", "false").env("SERVER_HOST", host);
    CHECK(has(remote.problems(), "auth.enforce is false"));
  }
  site.env("AUTH_ENFORCE_OFF_IS_INTENDED", "true");
  CHECK(site.problems() == "loaded");
  site.env("AUTH_ANONYMOUS_ROLE", "nobody");
  CHECK(has(site.problems(), "auth.anonymous_role names the role \"nobody\""));
  // The second switch alone changes nothing.
  CHECK(has(AuthSite().env("AUTH_ENFORCE_OFF_IS_INTENDED", "true").problems(), "no token is configured"));
}

TEST_CASE("auth: the demo has its own tokens, address and no vCenter") {
  Site site;
  site.options.demo = true;
  site.options.default_env_file = site.write(".env", "SERVER_PORT=1\n");
  REQUIRE(site.problems() == "loaded");
  const auto s = site.load().loaded->settings;
  CHECK(s.demo);
  CHECK(s.server.host == "127.0.0.1");
  CHECK(s.server.port == 8000);
  CHECK(s.vcenter.host.empty());
  REQUIRE(s.auth.tokens.size() == 3);
  for (const auto& token : s.auth.tokens) {
    CHECK(token.name == "demo-" + token.role);
    CHECK(token.token.reveal() == token.name);
  }
  CHECK(s.auth.default_roles);
  site.flag("server.port", "0").flag("server.host", "0.0.0.0");
  CHECK(has(site.problems(), "a demo serves loopback only"));
}

TEST_CASE("auth: a real site's settings do not reach the demo") {
  Site site;
  site.options.demo = true;
  site.env("VCENTER_HOST", "real.example").env("VCENTER_PASSWORD", "canary").env("SERVER_HOST", "0.0.0.0");
  site.env("TOKENS_TO_ROLES", "{\"canary-canary-canary\":\"admin\"}")
      .env("AUTH_ENFORCE", "false")
      .env("READ_ONLY", "true")
      .env("AUTH_AUTHORIZATION_SERVERS", "https://login.example")
      .env("VMCP__VCENTER__WATCH_INTERVAL_S", "1");
  const auto result = site.load();
  REQUIRE(result.ok());
  const auto& s = result.loaded->settings;
  // These let nobody in, and whoever tries out the demo may want them.
  CHECK(s.auth.authorization_servers == std::vector<std::string>{"https://login.example"});
  CHECK(s.vcenter.watch_interval == vmcp::milliseconds(1000));
  CHECK(s.vcenter.host.empty());
  CHECK(s.vcenter.password.empty());
  CHECK(s.auth.tokens.size() == 3);
  CHECK(s.auth.enforce);
  CHECK(s.server.host == "127.0.0.1");
  CHECK(s.policy.read_only);
  REQUIRE(result.loaded->warnings.size() == 1);
  CHECK(has(result.loaded->warnings[0], "vcenter.host"));
  CHECK_FALSE(has(result.loaded->warnings[0], "canary"));
}

TEST_CASE("auth: the demo's tokens are refused everywhere else, also as hashes") {
  for (const std::string token : {"demo-read", "demo-ops", "demo-admin"}) {
    CAPTURE(token);
    CHECK(has(AuthSite().env("TOKENS_TO_ROLES", "{\"" + token + "\":\"read\"}").problems(),
              "one of the demo's tokens"));
    const std::string hash = "sha256:" + vmcp::to_hex(vmcp::sha256(token));
    CHECK(has(AuthSite().env("TOKENS_TO_ROLES", "{\"" + hash + "\":\"read\"}").problems(),
              "one of the demo's tokens"));
  }
}

TEST_CASE("auth: tokens have a beginning and an end, as TOML writes dates or as text") {
  const std::string token = "[[auth.token]]\nrole = \"read\"\ntoken = \"abcdefghijklmnopq\"\n";
  const auto moment = [&](const std::string& value) {
    const auto loaded = AuthSite().toml(token + "expires = " + value + "\n").load();
    return loaded.ok() ? vmcp::iso8601(loaded.loaded->settings.auth.tokens.at(0).expires.value())
                       : problems_text(loaded.problems);
  };
  CHECK(moment("2199-01-01") == "2199-01-01T00:00:00.000Z");
  CHECK(moment("2199-01-01T08:30:00Z") == "2199-01-01T08:30:00.000Z");
  CHECK(moment("2199-01-01T08:30:00+02:00") == "2199-01-01T06:30:00.000Z");
  CHECK(moment("2199-01-01T08:30:00-00:30") == "2199-01-01T09:00:00.000Z");
  CHECK(moment("2199-01-01 08:30:00.5Z") == "2199-01-01T08:30:00.500Z");
  CHECK(moment("\"2199-01-01\"") == "2199-01-01T00:00:00.000Z");
  CHECK(moment("\"2199-01-01T08:30:00Z\"") == "2199-01-01T08:30:00.000Z");
  // Which moment is meant must not depend on where the server stands.
  for (const char* wrong :
       {"2199-01-01T08:30:00", "08:30:00", "\"soon\"", "\"\"", "2199", "[2199-01-01]", "true"}) {
    CAPTURE(wrong);
    CHECK(has(moment(wrong), "auth.token, entry 1: expires takes a date such as 2027-01-01"));
  }
  CHECK(has(AuthSite().toml(token + "not_before = 2199-01-02\nexpires = 2199-01-01\n").problems(),
            "expires before it begins"));
  const auto loaded = AuthSite().toml(token + "not_before = 2026-01-01\n").load();
  REQUIRE(loaded.ok());
  CHECK(loaded.loaded->settings.auth.tokens[0].not_before == vmcp::parse_iso8601("2026-01-01"));
  CHECK_FALSE(loaded.loaded->settings.auth.tokens[0].expires);
  CHECK(has(effective_text(*loaded.loaded), "not_before = \"2026-01-01T00:00:00.000Z\""));
}

TEST_CASE("auth: a token that has expired, or will within two weeks, is warned of by name") {
  const auto warnings = [](std::chrono::hours from_now) {
    const std::string when = vmcp::iso8601(std::chrono::system_clock::now() + from_now);
    const auto loaded = AuthSite()
                            .toml(
                                "[[auth.token]]\nrole = \"read\"\nname = \"ci\"\ntoken = "
                                "\"canary-canary-canary\"\nexpires = " +
                                when + "\n")
                            .load();
    REQUIRE(loaded.ok());
    std::string out;
    for (const std::string& warning : loaded.loaded->warnings) out += warning + "\n";
    CHECK_FALSE(has(out, "canary"));
    return out;
  };
  CHECK(warnings(std::chrono::hours(14 * 24 + 1)).empty());
  CHECK(has(warnings(std::chrono::hours(14 * 24 - 1)), "entry 1 (ci) expires at "));
  CHECK(has(warnings(std::chrono::hours(-1)), "entry 1 (ci) has expired at "));
}

TEST_CASE("auth: two tokens of one name and role are a rotation") {
  const std::string one = "[[auth.token]]\nrole = \"read\"\nname = \"a\"\ntoken = \"abcdefghijklmnopq\"\n";
  const std::string two = "[[auth.token]]\nrole = \"read\"\nname = \"a\"\ntoken = \"Abcdefghijklmnopq\"\n";
  CHECK(AuthSite().toml(one + two).problems() == "loaded");
  CHECK(has(AuthSite().toml(one + one).problems(), "entry 2 repeats"));
}

TEST_CASE("auth: callers by certificate need an authority, one name each, and are no token") {
  AuthSite site;
  const std::string pem = site.write("ca.pem", "-----BEGIN CERTIFICATE-----\n");
  const std::string key = site.write("key.pem", "-----BEGIN PRIVATE KEY-----\n");
  const std::string tls = "[server]\ntls_certificate = \"" + pem + "\"\ntls_key = \"" + key + "\"\n";
  const std::string mutual = tls + "tls_client_ca = \"" + pem + "\"\n";
  const std::string entry = "[[auth.certificate]]\nname = \"seven\"\nrole = \"ops\"\n";
  site.toml(mutual + entry + "san = \"spiffe://example/agent-7\"\n");
  CHECK(site.problems() == "loaded");  // without a token
  const auto loaded = site.load();
  const auto all = loaded.loaded->settings.auth.certificates;
  REQUIRE(all.size() == 1);
  CHECK(all[0].name == "seven");
  CHECK(all[0].san == "spiffe://example/agent-7");
  CHECK(has(effective_text(*loaded.loaded), "spiffe://example/agent-7"));
  const auto problems = [&](const std::string& text) { return site.toml(text).problems(); };
  CHECK(problems(mutual + entry + "sha256 = \"" + std::string(64, 'A') + "\"\n") == "loaded");
  CHECK(has(problems(tls + entry + "san = \"x\"\n"), "server.tls_client_ca is not set"));
  CHECK(has(problems(mutual + entry), "exactly one of subject, san and sha256"));
  CHECK(has(problems(mutual + entry + "san = \"x\"\nsubject = \"CN=x\"\n"),
            "exactly one of subject, san and sha256"));
  CHECK(has(problems(mutual + entry + "sha256 = \"ab\"\n"), "not 64 hex digits"));
  CHECK(has(problems(mutual + entry + "sam = \"x\"\n"), "did you mean san?"));
  CHECK(has(problems(mutual + "[[auth.certificate]]\nrole = \"ops\"\nsan = \"x\"\n"),
            "needs a name and a role"));
  CHECK(has(problems(mutual + "[[auth.certificate]]\nname = \"x\"\nrole = \"opps\"\nsan = \"x\"\n"),
            "names the role \"opps\""));
  CHECK(has(problems(mutual + "[auth.certificate]\nname = \"x\"\n"), "write [[auth.certificate]]"));
  const std::string token =
      "[[auth.token]]\nrole = \"read\"\ntoken = \"abcdefghijklmnopq\"\ncertificate = \"CN=x\"\n";
  CHECK(has(problems(tls + token), "server.tls_client_ca is not set"));
  CHECK(problems(mutual + token) == "loaded");
}

TEST_CASE("auth: claims that hold roles, and what their values mean") {
  const auto site = [](const std::string& text) {
    return AuthSite().env("TOKENS_TO_ROLES", "{\"a-token-of-good-length\":\"read\"}").toml(text).load();
  };
  const auto plain = site("");
  REQUIRE(plain.ok());
  CHECK(plain.loaded->settings.auth.role_claims == std::vector<std::string>{"roles"});
  CHECK(plain.loaded->settings.auth.claim_roles.empty());
  CHECK(plain.loaded->settings.auth.clock_skew == vmcp::milliseconds(60'000));
  const auto loaded = site(
      "[auth]\nrole_claims = [\"groups\", \"realm_access.roles\"]\n"
      "[auth.claim_roles]\n\"VM Admins\" = \"admin\"\n\"a.b\" = \"read\"\n");
  REQUIRE_MESSAGE(loaded.ok(), problems_text(loaded.problems));
  const auto& auth = loaded.loaded->settings.auth;
  CHECK(auth.role_claims.size() == 2);
  CHECK(auth.claim_roles == std::map<std::string, std::string>{{"VM Admins", "admin"}, {"a.b", "read"}});
  CHECK(has(effective_text(*loaded.loaded), "\"VM Admins\" = \"admin\""));
  const auto problems = [&](const std::string& text) { return problems_text(site(text).problems); };
  CHECK(has(problems("[auth.claim_roles]\n\"x\" = \"amdin\"\n"), "names the role \"amdin\""));
  CHECK(has(problems("[auth.claim_roles]\n\"x\" = [\"admin\"]\n"), "is given no role"));
  CHECK(has(problems("[auth]\nclaim_roles = \"x\"\n"), "auth.claim_roles"));
}
