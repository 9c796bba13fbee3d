// Who may bring code into the server, through the real program: what an operator writes, and what he reads.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include "base/crypto.h"
#include "e2e/site.h"
#include "unit/plugin_host/trust_rig.h"

using namespace vmcp;
using namespace vmcp::testing;
using namespace vmcp::plugin_host::test;
namespace fs = std::filesystem;

namespace {

struct Ran {
  int code = -1;
  std::string text;  // both outputs
};

// A folder with the echo plugin of a third party, its maker's keys, and the operator's file.
struct Stranger {
  TestFolder folder;
  std::string plugins = folder.folder("plugins", 0755), library = plugins + "/fixture_echo.so",
              config = folder / "site.toml", secret = folder / "private.pem",
              keys = folder.folder("keys", 0755), state = folder.folder("state", 0700);

  Stranger() {
    for (const char* ending : {".so", ".vmcp.json"})
      fs::copy_file(std::string(VMCP_FIXTURES) + "/fixture_echo" + ending,
                    plugins + "/fixture_echo" + ending);
    make_keys(secret, keys + "/acme.pem");
  }
  std::string hash() const { return to_hex(sha256(bytes_of(library))); }

  const Stranger& site(const std::string& settings, const std::string& of_plugin = {}) const {
    std::ofstream(config) << "[plugins]\ndir = \"" << plugins << "\"\n"
                          << settings << "\n[[plugin]]\nid = \"org.vmcp.fixture.echo\"\nisolation = "
                          << "\"inprocess\"\n"
                          << of_plugin << "\n";
    return *this;
  }
  Ran run(const std::string& arguments, const std::string& environment = {}) const {
    const std::string out = folder / "out";
    const int status = std::system((environment + " STATE_DIR=" + state +
                                    " AUDIT_LOG_PATH=/dev/null timeout 30 " VMCP_PROGRAM " " + arguments +
                                    " > " + out + " 2>&1 < /dev/null")
                                       .c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, bytes_of(out)};
  }
  // With nothing but a refused plugin it does not start, and says why.
  Ran serve() const { return run("serve --demo --listen 127.0.0.1:0 --config " + config); }
  ServerOptions options() const {
    ServerOptions o;
    o.arguments = {"serve", "--demo", "--listen", "127.0.0.1:0", "--config", config};
    o.environment = {{"RATE_LIMIT", "false"}, {"STATE_DIR", state}};
    o.record = false;
    return o;
  }
};

std::string echoed(const ServerProcess& server) {
  return call_tool(server.port(), "demo-admin", "echo", Json{{"message", "hello"}})
      .json()
      .value("result", Json::object())
      .value("structuredContent", Json::object())
      .value("message", "");
}

void refused(const Ran& ran, const std::string& words) {
  CHECK(ran.code == 1);
  CHECK_MESSAGE(ran.text.find("plugin not loaded") != std::string::npos, ran.text);
  CHECK_MESSAGE(ran.text.find(words) != std::string::npos, ran.text);
}

}  // namespace

TEST_CASE("trust: without a setting a stranger's plugin is refused in words that say what to do") {
  const Stranger stranger;
  refused(stranger.site("").serve(), "nobody vouches for it");
  const Ran listed = stranger.run("plugin list --config " + stranger.config);
  CHECK_MESSAGE(listed.text.find("sha256 " + stranger.hash()) != std::string::npos, listed.text);
  CHECK(listed.text.find("skip  fixture_echo") != std::string::npos);
}

TEST_CASE("trust: pinned takes the pinned bytes in either case, and nothing else, signed or not") {
  const Stranger stranger;
  CHECK(stranger.run("plugin sign " + stranger.library + " --key " + stranger.secret).code == 0);
  const std::string pinned = "trust = \"pinned\"\nkeys = \"" + stranger.keys + "\"";
  refused(stranger.site(pinned).serve(), "plugins.trust is pinned");
  refused(stranger.site(pinned, "sha256 = \"" + std::string(64, '0') + "\"").serve(), "not the pinned");
  std::string upper = stranger.hash();
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  ServerProcess server(stranger.site(pinned, "sha256 = \"" + upper + "\"").options());
  CHECK(echoed(server) == "hello");
  CHECK_MESSAGE(server.log().find("trust=pinned") != std::string::npos, server.log());
  CHECK(server.stop() == 0);
}

TEST_CASE("trust: signed takes what a listed key signed, untouched, and not an older one") {
  const Stranger stranger;
  const std::string trusting = "keys = \"" + stranger.keys + "\"";
  const Ran made = stranger.run("plugin sign " + stranger.library + " --key " + stranger.secret);
  REQUIRE_MESSAGE(made.code == 0, made.text);
  {
    ServerProcess server(stranger.site(trusting).options());
    CHECK(echoed(server) == "hello");
    CHECK_MESSAGE(server.log().find("trust=\"signed by acme (") != std::string::npos, server.log());
    CHECK(server.stop() == 0);
  }
  const std::string seen = stranger.state + "/plugin-versions.json";
  CHECK(Json::parse(bytes_of(seen)) == Json{{"org.vmcp.fixture.echo", "1.0.0"}});
  std::ofstream(seen) << R"({"org.vmcp.fixture.echo":"1.0.1"})";
  refused(stranger.site(trusting).serve(), "1.0.1 ran here before");
  {
    ServerProcess server(stranger.site(trusting, "allow_downgrade = true").options());
    CHECK(echoed(server) == "hello");
    CHECK(server.stop() == 0);
  }
  CHECK(Json::parse(bytes_of(seen)) == Json{{"org.vmcp.fixture.echo", "1.0.0"}});

  const auto at = made.text.find("key    ");
  REQUIRE(at != std::string::npos);
  const std::string key = made.text.substr(at + 7, 64);
  refused(stranger.site(trusting + "\nrevoked = [\"key:" + key + "\"]").serve(), "is revoked");
  flip(stranger.library, 5000);
  refused(stranger.site(trusting).serve(), "the library is not the one that was signed");
}

TEST_CASE("trust: dev takes anything with a loud word, on loopback only") {
  const Stranger stranger;
  {
    ServerProcess server(stranger.site("trust = \"dev\"").options());
    CHECK(echoed(server) == "hello");
    CHECK_MESSAGE(server.log().find("plugins.trust is dev: ANY plugin") != std::string::npos, server.log());
    CHECK(server.log().find("trust=dev") != std::string::npos);
    CHECK(server.stop() == 0);
  }
  const Ran listed = stranger.run("plugin list --config " + stranger.config);
  CHECK_MESSAGE(listed.text.find("WARNING: plugins.trust is dev") != std::string::npos, listed.text);
  const Ran diagnosed = stranger.run("doctor --demo --config " + stranger.config);
  CHECK_MESSAGE(diagnosed.text.find("plugins.trust is dev") != std::string::npos, diagnosed.text);
  const Ran open =
      stranger.run("serve --listen 0.0.0.0:0 --config " + stranger.config,
                   std::string("VCENTER_HOST=v VCENTER_USER=u VCENTER_PASSWORD=p-for-this-test ") +
                       "TOKENS_TO_ROLES='{\"" + kAda + "\":\"admin\"}'");
  CHECK(open.code == 1);
  CHECK_MESSAGE(open.text.find("plugins.trust is dev and the server listens on 0.0.0.0") != std::string::npos,
                open.text);
}

TEST_CASE("trust: a folder that others may write to is named with its fix") {
  const Stranger stranger;
  ::chmod(stranger.plugins.c_str(), 0775);
  refused(stranger.site("", "sha256 = \"" + stranger.hash() + "\"").serve(), "; chmod go-w it");
}

TEST_CASE(
    "trust: what happens to the files of a running plugin does not reach it, and audit knows its bytes") {
  const Stranger stranger;
  const std::string hash = stranger.hash();
  ServerProcess server(stranger.site("", "sha256 = \"" + hash + "\"").options());
  CHECK(echoed(server) == "hello");
  fs::copy_file(std::string(VMCP_FIXTURES) + "/fixture_plain.so", stranger.library,
                fs::copy_options::overwrite_existing);
  CHECK(echoed(server) == "hello");
  fs::resize_file(stranger.library, 0);
  CHECK(echoed(server) == "hello");
  fs::remove_all(stranger.plugins);
  CHECK(echoed(server) == "hello");
  const auto record = [&]() -> Json {
    for (const Json& line : server.audit())
      if (line.value("tool", Json()) == "echo" && line.value("event", "") == "outcome") return line;
    return Json::object();
  };
  REQUIRE(wait_until([&] { return !record().empty(); }, 5'000));
  CHECK(record().value("plugin", "") == "org.vmcp.fixture.echo");
  CHECK(record().value("plugin_version", "") == "1.0.0");
  CHECK(record().value("plugin_sha256", "") == hash);
  CHECK(record().value("plugin_generation", 0) == 1);
  CHECK(server.stop() == 0);
}

TEST_CASE("trust: sign and verify by their exit codes") {
  const Stranger stranger;
  const std::string verify = "plugin verify " + stranger.library;
  CHECK(stranger.run(verify).code == 2);
  CHECK(stranger.run(verify + " --sha256 abc").code == 2);
  CHECK(stranger.run("plugin verify /no/such.so --sha256 " + stranger.hash()).code == 2);
  CHECK(stranger.run(verify + " --sha256 " + stranger.hash()).code == 0);
  CHECK(stranger.run(verify + " --sha256 " + std::string(64, '0')).code == 1);
  CHECK(stranger.run(verify + " --keys " + stranger.keys).code == 1);
  CHECK(stranger.run("plugin sign /no/such.so --key " + stranger.secret).code == 2);
  CHECK(stranger.run("plugin sign " + stranger.library + " --key " + (stranger.folder / "none.pem")).code ==
        1);
  ::chmod(stranger.secret.c_str(), 0644);
  const Ran open = stranger.run("plugin sign " + stranger.library + " --key " + stranger.secret);
  CHECK(open.code == 1);
  CHECK_MESSAGE(open.text.find("chmod 600") != std::string::npos, open.text);
  ::chmod(stranger.secret.c_str(), 0600);
  CHECK(stranger.run("plugin sign " + stranger.library + " --key " + stranger.secret).code == 0);
  const Ran good = stranger.run(verify + " --json --keys " + stranger.keys + "/acme.pem");
  CHECK(good.code == 0);
  const Json facts = Json::parse(good.text);
  CHECK(facts.value("trusted", false));
  CHECK(stranger.run(verify + " --keys " + stranger.keys + " --revoked key:" + facts.value("key", "")).code ==
        1);
  CHECK(stranger.run(verify + " --keys " + stranger.keys + " --sha256 " + std::string(64, '0')).code == 1);
  // a signature elsewhere does not count until it lies beside the library
  fs::rename(stranger.plugins + "/fixture_echo.vmcp.sig", stranger.folder / "away.sig");
  CHECK(stranger.run(verify + " --keys " + stranger.keys).code == 1);
  CHECK(stranger
            .run("plugin sign " + stranger.library + " --key " + stranger.secret + " --out " +
                 stranger.plugins + "/fixture_echo.vmcp.sig")
            .code == 0);
  CHECK(stranger.run(verify + " --keys " + stranger.keys).code == 0);
  for (const char* command : {"sign", "verify"}) {
    const Ran help = stranger.run(std::string("plugin ") + command + " --help");
    CHECK(help.code == 0);
    CHECK(help.text.find("Example: ") != std::string::npos);
  }
}

TEST_CASE("trust: folders above the program are not asked about, those beside it are") {
  const TestFolder folder;
  const std::string prefix = folder / "everybody/prefix";
  const std::string plugins = prefix + "/lib/vsphere-mcp-pro/plugins", out = folder / "out";
  fs::create_directories(plugins);
  fs::create_directories(prefix + "/bin");
  fs::copy_file(VMCP_PROGRAM, prefix + "/bin/vsphere-mcp-pro");
  for (const char* ending : {".so", ".vmcp.json"})
    fs::copy_file(std::string(VMCP_PLUGINS "/vm") + ending, plugins + "/vm" + ending);
  const auto listed = [&] {
    const std::string command = "cd " + prefix + " && bin/vsphere-mcp-pro plugin list > " + out + " 2>&1";
    REQUIRE(std::system(command.c_str()) == 0);
    return bytes_of(out);
  };
  fs::permissions(folder / "everybody", fs::perms(0777));
  CHECK_MESSAGE(listed().find("load  vm") != std::string::npos, bytes_of(out));
  fs::permissions(prefix + "/lib", fs::perms(0777));
  CHECK_MESSAGE(listed().find("chmod go-w") != std::string::npos, bytes_of(out));
}
