#include "config/load.h"

#include <doctest/doctest.h>

#include <cstdio>

#include "config/table.h"
#include "site.h"

using namespace vmcp::config;
using namespace vmcp::config::test;
using std::chrono::milliseconds;

TEST_CASE("load: the Python server's variables and defaults") {
  const LoadResult result = Site().needed().load();
  REQUIRE(result.ok());
  const Settings& s = result.loaded->settings;
  CHECK(s.vcenter.host == "vc.example");
  CHECK(s.vcenter.password.reveal() == "hunter2hunter2");
  CHECK(s.vcenter.api_mode == ApiMode::api);
  CHECK_FALSE(s.vcenter.insecure);
  CHECK(s.vcenter.ca_bundle.empty());
  CHECK(s.vcenter.timeout == milliseconds(20'000));
  CHECK(s.vcenter.retries == 3);
  CHECK(s.vcenter.backoff_s == 0.5);
  CHECK(s.vcenter.allowed_hosts.empty());
  CHECK(s.server.name == "vsphere-mcp-pro");
  CHECK(s.server.host == "0.0.0.0");
  CHECK(s.server.port == 8000);
  CHECK(s.server.mcp_path == "/mcp");
  CHECK_FALSE(s.server.verbose_default);
  CHECK(s.server.tool_deadline == milliseconds(60'000));
  CHECK(s.audit.log_path.empty());
  CHECK(s.auth.enforce);
  CHECK(s.auth.default_roles);
  REQUIRE(s.auth.tokens.size() == 1);
  CHECK(s.auth.tokens[0].token.reveal() == "a-token-of-good-length");
  CHECK(s.auth.tokens[0].role == "read");
  CHECK(s.limits.enabled);
  CHECK(s.limits.identity_rps == 5);
  CHECK(s.limits.identity_burst == 10);
  CHECK_FALSE(s.policy.read_only);
  CHECK(s.log.level == vmcp::LogLevel::info);
  CHECK(result.loaded->warnings.empty());
}

TEST_CASE("load: every setting has a default that it accepts itself, or none") {
  for (const Row& row : table()) {
    CAPTURE(row.key);
    CHECK_FALSE(row.help.empty());
    CHECK((row.set != nullptr || row.type == Type::tree || row.key == "auth.enforce_off_is_intended" ||
           row.key == "auth.keep_default_roles" || row.key == "plugins.select"));
    if (row.fallback.empty()) continue;
    Node node;
    node.text = row.fallback;
    Value value;
    Problems problems;
    CHECK(value_from_node(row, node, value, problems));
  }
}

TEST_CASE("load: flags before environment before .env before files before defaults") {
  Site site;
  site.needed();
  const auto port = [&] { return site.load().loaded.value().settings.server.port; };
  CHECK(port() == 8000);
  site.toml("[server]\nport = 8001\n");
  CHECK(port() == 8001);
  site.write("conf.d/10.toml", "[server]\nport = 8002\n");
  site.write("conf.d/20.toml", "server.port = 8003\n");
  site.write("conf.d/30.toml.off", "server.port = 1\n");
  CHECK(port() == 8003);
  site.env_file(kNeeded + "SERVER_PORT=8004\n");
  CHECK(port() == 8004);
  site.env("SERVER_PORT", "8005");
  CHECK(port() == 8005);
  site.flag("server.port", "8006");
  CHECK(port() == 8006);
}

TEST_CASE("load: the long variable of every setting works, also beside an equal short one") {
  Site site;
  site.needed().env("VMCP__VCENTER__TIMEOUT_S", "7.5").env("VMCP__SERVER__MAX_BODY_BYTES", "2048");
  CHECK(site.load().loaded.value().settings.vcenter.timeout == milliseconds(7500));
  CHECK(site.load().loaded.value().settings.server.max_body_bytes == 2048);
  site.env("VCENTER_TIMEOUT_S", "7.5");
  CHECK(site.problems() == "loaded");
  site.env("VMCP__SERVER__PORT", "1").env("SERVER_PORT", "2");
  CHECK(
      has(site.problems(), "SERVER_PORT and VMCP__SERVER__PORT are both set\n    fix: keep one of the two"));
}

TEST_CASE("load: an empty variable is as good as none") {
  Site site;
  site.env_file(kNeeded +
                "SERVER_PORT=9000\nVCENTER_CA_BUNDLE=              # optional path\nAUDIT_LOG_PATH=\n");
  site.env("SERVER_PORT", "").env("TOKENS_TO_ROLES", "");
  REQUIRE(site.problems() == "loaded");
  CHECK(site.load().loaded->settings.server.port == 9000);
}

TEST_CASE("load: every error at once, each with its place and its fix") {
  Site site;
  site.toml(
      "[vcenter]\n"
      "host = \"https://vc.example\"\n"
      "timeout_s = 99999999999\n"
      "hosts = [\"a\"]\n"
      "[server]\n"
      "port = \"8000\"\n"
      "tool_deadline = 5\n"
      "[audits]\n"
      "log_path = \"x\"\n");
  site.env("INSECURE", "maybe")
      .env("VSPHERE_API_MODE", "soap")
      .env("RATE_LIMIT_RPS", "fast")
      .env("READONLY", "true");
  const std::string file = site.dir() + "/site.toml";
  const std::string text = site.problems();
  CAPTURE(text);
  CHECK(
      has(text, file + ":2:8: vcenter.host: \"https://vc.example\" is a URL\n    fix: write the name only"));
  CHECK(has(text, file + ":3:13: vcenter.timeout_s: \"99999999999\" is out of range\n    fix: write a number "
                         "from 0.1 to 600"));
  CHECK(has(text, file + ":4:9: unknown key \"vcenter.hosts\"\n    fix: did you mean vcenter.host?"));
  CHECK(has(
      text,
      file +
          ":6:8: server.port: takes a whole number, and this is a text\n    fix: write it without quotes"));
  CHECK(has(
      text,
      file + ":7:17: unknown key \"server.tool_deadline\"\n    fix: did you mean server.tool_deadline_s?"));
  CHECK(has(text, "unknown key \"audits\"\n    fix: did you mean audit?"));
  CHECK(has(text, "environment INSECURE: vcenter.insecure: \"maybe\" is neither true nor false"));
  CHECK(has(text, "environment VSPHERE_API_MODE: vcenter.api_mode: \"soap\" is not one of api, rest"));
  CHECK(has(text, "environment RATE_LIMIT_RPS: limits.rps: \"fast\" is not a number"));
  CHECK(has(text, "environment READONLY: \"READONLY\" is no setting, and READ_ONLY is nearly the same name"));
  CHECK(has(text, "vcenter.user is not set"));
  CHECK(has(text, "vcenter.password is not set"));
  CHECK(has(text, "no token is configured"));
  CHECK_FALSE(site.load().loaded.has_value());
}

TEST_CASE("load: numbers at their limits pass, beyond them they do not wrap") {
  const auto with = [](const std::string& name, const std::string& value) {
    return Site().needed().env(name, value).problems();
  };
  CHECK(with("SERVER_PORT", "0") == "loaded");
  CHECK(with("SERVER_PORT", "65535") == "loaded");
  for (const char* bad :
       {"65536", "-1", "8000.5", "8e3", "0x1F", " 80", "80 ", "99999999999999999999999", "", "nan"}) {
    CAPTURE(bad);
    CHECK(has(with("SERVER_PORT", bad), *bad == 0 ? "loaded" : "server.port"));
  }
  for (const char* bad : {"nan", "inf", "-inf", "0", "1e400", "5,5"}) {
    CAPTURE(bad);
    CHECK(has(with("RATE_LIMIT_RPS", bad), "limits.rps"));
  }
  CHECK(with("RATE_LIMIT_RPS", "0.5") == "loaded");
  for (const char* bad :
       {"4294967296", "9223372036854775807", "99999999999999999999999", "-9223372036854775808"}) {
    CAPTURE(bad);
    CHECK(has(Site().needed().toml("[server]\nport = " + std::string(bad)).problems(), "server.port"));
  }
}

TEST_CASE("load: a comment that Docker's --env-file left in a value is pointed out") {
  CHECK(has(Site().needed().env("INSECURE", "false                  # true disables").problems(),
            "a comment after a value is read only in an .env file"));
  CHECK(has(Site().needed().env("AUDIT_LOG_PATH", "                 # blank => stdout").problems(),
            "looks like a comment"));
}

TEST_CASE("load: truth is written in several ways in variables, in one way in TOML") {
  for (const char* yes : {"1", "true", "TRUE", "Yes", "on"}) {
    CAPTURE(yes);
    CHECK(Site().needed().env("READ_ONLY", yes).load().loaded.value().settings.policy.read_only);
  }
  for (const char* no : {"0", "false", "No", "OFF"}) {
    CAPTURE(no);
    CHECK_FALSE(Site().needed().env("READ_ONLY", no).load().loaded.value().settings.policy.read_only);
  }
  CHECK(has(Site().needed().toml("[policy]\nread_only = \"true\"").problems(), "write it without quotes"));
  CHECK(has(Site().needed().toml("[policy]\nread_only = 1").problems(), "takes true or false"));
}

TEST_CASE("load: a broken TOML file is a problem with its line, and what it may hold is not called absent") {
  const std::string text = Site().toml("[vcenter]\nhost = \"vc\"\npassword = hunter2\n").problems();
  CHECK(has(text, "site.toml:3:1: not valid TOML"));
  CHECK_FALSE(has(text, "is not set"));
  CHECK_FALSE(has(text, "hunter2"));
  CHECK_FALSE(has(Site().toml("[vcenter]\npassword = \"hunter2\nhost = 1").problems(), "hunter2"));
  CHECK(has(Site().toml("a = 1\na = 2\n").problems(), "not valid TOML"));
}

TEST_CASE("load: depth and size of a TOML file are bounded before the parser sees it") {
  const auto nested = [](int n) { return "x = " + std::string(n, '[') + std::string(n, ']') + "\n"; };
  CHECK(has(Site().needed().toml(nested(32)).problems(), "unknown key \"x\""));
  CHECK(has(Site().needed().toml(nested(33)).problems(), "nested deeper than 32"));
  CHECK(has(Site().needed().toml(nested(200'000)).problems(), "nested deeper than 32"));
  std::string dotted = "a";
  for (int i = 0; i < 100'000; ++i) dotted += ".a";
  CHECK(has(Site().needed().toml(dotted + " = 1\n").problems(), "nested deeper than 32"));
  CHECK(has(Site().needed().toml("[" + dotted + "]\n").problems(), "nested deeper than 32"));
  // Brackets in texts and comments do not count.
  const std::string brackets(100, '[');
  CHECK(
      Site().needed().toml("# " + brackets + "\n[server]\nname = '" + brackets + "' # \"\"\"\n").problems() ==
      "loaded");
  CHECK(Site().needed().toml("[server]\nname = \"\"\"\n" + brackets + "\\\"\"\"\"\n").problems() != "");
  CHECK(has(Site().needed().toml("# " + std::string(1u << 20, 'x')).problems(), "is larger than"));
}

TEST_CASE("load: files that are missing, no files or open to everyone are refused") {
  Site site;
  site.needed();
  site.options.config_file = site.dir() + "/none.toml";
  CHECK(has(site.problems(), "none.toml: the configuration file cannot be read: No such file"));
  site.options.config_file = site.dir();
  CHECK(has(site.problems(), "is not a regular file"));
  site.options.config_file = site.write("open.toml", "", 0666);
  CHECK(has(site.problems(), "may be written by everyone\n    fix: take that right away: chmod o-w"));
  site.options.config_file.clear();
  site.options.env_file = site.dir() + "/none.env";
  CHECK(has(site.problems(), "the .env file cannot be read"));
}

TEST_CASE("load: default files are read when they are there") {
  Site site;
  site.options.default_config_file = site.dir() + "/etc.toml";
  site.options.default_env_file = site.dir() + "/.env";
  CHECK(has(site.problems(), "vcenter.host is not set"));
  site.write("etc.toml", "[server]\nport = 9001\n");
  site.write(".env", kNeeded);
  REQUIRE(site.problems() == "loaded");
  CHECK(site.load().loaded->settings.server.port == 9001);
  CHECK(site.load().loaded->files.size() == 2);
  site.write("named.toml", "[server]\nport = 9002\n");
  site.env("VMCP_CONFIG", site.dir() + "/named.toml");
  CHECK(site.load().loaded.value().settings.server.port == 9002);
}

TEST_CASE("load: unknown variables of ours stop the start, others are none of our business") {
  CHECK(
      has(Site().needed().env("VMCP__VCENTER__HOSTS", "x").problems(), "did you mean VMCP__VCENTER__HOST?"));
  CHECK(has(Site().needed().env("VMCP__NONSENSE", "x").problems(), "unknown variable \"VMCP__NONSENSE\""));
  CHECK(has(Site().needed().env("TOKEN_TO_ROLES", "{}").problems(), "rename it to TOKENS_TO_ROLES"));
  CHECK(Site()
            .needed()
            .env("PATH", "/bin")
            .env("HOSTNAME", "x")
            .env("PLUGIN", "x")
            .env("HTTP_PROXY", "x")
            .problems() == "loaded");
  Site site;
  site.env_file(kNeeded + "TZ=UTC\n");
  REQUIRE(site.problems() == "loaded");
  CHECK(has(site.load().loaded->warnings.at(0), "\"TZ\" is no setting"));
}

TEST_CASE("load: a setting twice in one file is refused, in two files the later counts") {
  Site site;
  site.needed().toml("[vcenter]\npassword = \"a\"\npassword_file = \"b\"\n");
  CHECK(has(site.problems(), "are both set"));
}

TEST_CASE("load: secrets come from files") {
  Site site;
  const std::string password = site.write("pw", "s3cret\r\n");
  const std::string tokens = site.write("tokens.json", "{\"a-token-of-good-length\":\n \"ops\"}\n");
  site.env("VCENTER_HOST", "vc").env("VCENTER_USER", "u");
  site.env("VCENTER_PASSWORD_FILE", password).env("TOKENS_TO_ROLES_FILE", tokens);
  REQUIRE(site.problems() == "loaded");
  CHECK(site.load().loaded->settings.vcenter.password.reveal() == "s3cret");
  CHECK(site.load().loaded->settings.auth.tokens.at(0).role == "ops");

  site.write("tokens.json", "{\"a-token-of-good-length\":\n ops}\n");
  CHECK(has(site.problems(), "tokens.json:2:2: not valid JSON"));
  CHECK_FALSE(has(site.problems(), "a-token-of-good-length"));
  site.write("pw", "");
  CHECK(has(site.problems(), "vcenter.password: is empty"));
  site.write("pw", "x", 0602);
  CHECK(has(site.problems(), "vcenter.password_file: the file"));
  // A variable beats a file's password_file, whichever of the two forms it takes.
  site.write("pw", "from-file");
  Site both;
  both.needed().toml("[vcenter]\npassword_file = \"" + password + "\"\n");
  CHECK(both.load().loaded.value().settings.vcenter.password.reveal() == "hunter2hunter2");
}

TEST_CASE("load: a password in a file that everyone may read is warned of") {
  Site site;
  site.needed().toml("[vcenter]\npassword = \"x\"\n");
  CHECK(site.load().loaded.value().warnings.empty());
  ::chmod(site.options.config_file.c_str(), 0644);
  CHECK(has(site.load().loaded.value().warnings.at(0), "chmod 640"));
}

TEST_CASE("load: hosts, origins, paths and names have a shape") {
  const auto with = [](const std::string& name, const std::string& value) {
    return Site().needed().env(name, value).problems();
  };
  for (const char* good : {"vc.example:8443", "10.0.0.1", "[2001:db8::1]:443", "[::1]", "vc"}) {
    CAPTURE(good);
    CHECK(with("ALLOWED_VCENTER_HOSTS", good) == "loaded");
  }
  for (const char* bad : {"vc.example/ui", "vc:0", "vc:65536", "vc:", "2001:db8::1", "[::1", "vc example",
                          "user@vc", "-vc", "vc:44x"}) {
    CAPTURE(bad);
    CHECK(has(with("ALLOWED_VCENTER_HOSTS", bad), "vcenter.allowed_hosts"));
  }
  for (const char* good : {"127.0.0.1", "::1", "[::1]", "localhost", "0.0.0.0"})
    CHECK(with("SERVER_HOST", good) == "loaded");
  for (const char* bad : {"127.0.0.1:8000", "http://x", "a b"})
    CHECK(has(with("SERVER_HOST", bad), "server.host"));
  for (const char* bad : {"mcp", "/mcp/", "/a//b", "/../x", "/m?x", "/", "/healthz"})
    CHECK(has(with("MCP_PATH", bad), "server.mcp_path"));
  CHECK(with("ALLOWED_ORIGINS", "https://a.example,http://localhost:3000") == "loaded");
  for (const char* bad : {"*", "a.example", "https://a.example/", "ftp://x"})
    CHECK(has(with("ALLOWED_ORIGINS", bad), "server.allowed_origins"));
  CHECK(has(with("VCENTER_CA_BUNDLE", "/nonexistent.pem"), "vcenter.ca_bundle: the file"));
  Site site;
  const std::string pem = site.write("ca.pem", "nothing");
  site.needed().env("VCENTER_CA_BUNDLE", pem);
  CHECK(has(site.problems(), "has no PEM certificate"));
  site.write("ca.pem", "-----BEGIN CERTIFICATE-----\n");
  CHECK(site.problems() == "loaded");
}

TEST_CASE("load: the further vCenters come without the first and without repetition") {
  const auto result = Site().needed().env("ALLOWED_VCENTER_HOSTS", " vc.example, b ,,c,b ").load();
  CHECK(result.loaded.value().settings.vcenter.allowed_hosts == std::vector<std::string>{"b", "c"});
}

TEST_CASE("load: without a vCenter nothing is served, but other commands load") {
  Site site;
  CHECK(has(site.problems(), "vcenter.host is not set"));
  site.options.require_vcenter = false;
  CHECK_FALSE(has(site.problems(), "vcenter.host is not set"));
  CHECK(has(site.problems(), "no token is configured"));
  site.options.require_token = false;
  CHECK(site.problems() == "loaded");
}

TEST_CASE("load: one vCenter can take at most half of the workers") {
  CHECK(has(Site().needed().toml("[limits]\nvcenter_parallel = 33\n").problems(),
            "more than half of server.max_workers (64)"));
  CHECK(Site().needed().toml("[limits]\nvcenter_parallel = 33\n[server]\nmax_workers = 66\n").problems() ==
        "loaded");
  CHECK(has(Site().needed().toml("[server]\nworkers = 70\n").problems(), "server.workers is more than"));
}

TEST_CASE("load: an unverified vCenter is said aloud") {
  const auto result = Site().needed().env("INSECURE", "true").load();
  REQUIRE(result.ok());
  CHECK(result.loaded->settings.vcenter.insecure);
  CHECK(has(result.loaded->warnings.at(0), "NOT verified"));
}

TEST_CASE("load: what --listen stands for") {
  const auto text = [](const std::string& listen) {
    const auto flags = listen_flags(listen);
    if (!flags) return flags.error().text;
    std::string out;
    for (const auto& flag : *flags) out += flag.key + "=" + flag.value + ";";
    return out;
  };
  CHECK(text("127.0.0.1:8000") == "server.host=127.0.0.1;server.port=8000;");
  CHECK(text("[::1]:0") == "server.host=::1;server.port=0;");
  CHECK(text(":9000") == "server.port=9000;");
  CHECK(text("9000") == "server.port=9000;");
  for (const char* bad : {"", "127.0.0.1", "127.0.0.1:", "::1:80", "host:http", "a:b:1"}) {
    CAPTURE(bad);
    CHECK(has(text(bad), "ADDRESS:PORT is needed"));
  }
}

TEST_CASE("load: every number is taken at both ends of its range and refused just outside") {
  for (const Row& row : table()) {
    const bool whole = row.type == Type::integer;
    if (!whole && row.type != Type::number && row.type != Type::seconds) continue;
    CAPTURE(row.key);
    const double step = whole ? 1 : 0.0005;
    const auto refused = [&](double value) {
      char text[64];
      std::snprintf(text, sizeof text, "%.4f", value);
      if (whole) std::snprintf(text, sizeof text, "%.0f", value);
      return has(Site().needed().env(long_variable(row.key), text).problems(), "is out of range");
    };
    CHECK_FALSE(refused(row.least));
    CHECK_FALSE(refused(row.most));
    CHECK(refused(row.least - step));
    CHECK(refused(row.most + step));
  }
}

TEST_CASE("load: TLS needs the certificate and a key that is nobody else's") {
  const std::string certificate = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n";
  const std::string key = "-----BEGIN PRIVATE KEY-----\nMII=\n-----END PRIVATE KEY-----\n";
  Site site;
  const std::string cert_file = site.write("server.pem", certificate, 0644);
  const std::string key_file = site.write("server.key", key, 0600);
  const auto with = [&](const std::string& lines) {
    Site fresh;
    fresh.env_file(kNeeded);
    fresh.toml("[server]\n" + lines);
    return fresh.problems();
  };
  const std::string cert_line = "tls_certificate = \"" + cert_file + "\"\n";
  const std::string key_line = "tls_key = \"" + key_file + "\"\n";
  CHECK(with(cert_line + key_line) == "loaded");
  CHECK(with(cert_line + key_line + "tls_client_ca = \"" + cert_file + "\"\n") == "loaded");
  CHECK(has(with(cert_line), "server.tls_certificate is set without server.tls_key"));
  CHECK(has(with(key_line), "server.tls_key is set without server.tls_certificate"));
  CHECK(has(with("tls_client_ca = \"" + cert_file + "\"\n"), "server.tls_client_ca is set without"));
  const std::string open_key = site.write("open.key", key, 0644);
  CHECK(has(with(cert_line + "tls_key = \"" + open_key + "\"\n"), "chmod 600 " + open_key));
  CHECK(has(with(cert_line + "tls_key = \"" + cert_file + "\"\n"), cert_file));
  const std::string no_key = site.write("no.key", certificate, 0600);
  CHECK(has(with(cert_line + "tls_key = \"" + no_key + "\"\n"), "has no PEM key"));
  CHECK(has(with(key_line + "tls_certificate = \"" + key_file + "\"\n"), "has no PEM certificate"));
}
