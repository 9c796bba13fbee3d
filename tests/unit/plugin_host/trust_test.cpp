// Who is let in, with real libraries: fixtures, copied into folders of the test's own.
#include "plugin_host/trust.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "base/json.h"
#include "plugin_host/loader.h"
#include "trust_rig.h"

using namespace vmcp;
using namespace vmcp::plugin_host;
using namespace vmcp::plugin_host::test;
namespace fs = std::filesystem;

namespace {

using Mode = TrustSettings::Mode;

// A folder of plugins, of which "echo" is chosen; its maker's keys; what the operator says.
struct Rig {
  TestFolder folder;
  std::string plugins = folder.folder("plugins", 0755);
  std::string secret = folder / "private.pem";
  std::string keys = folder.folder("keys", 0755);
  std::string library = plugins + "/fixture_echo.so", manifest = plugins + "/fixture_echo.vmcp.json",
              signature = plugins + "/fixture_echo.vmcp.sig";
  LoadSettings settings;
  SilentLog log;

  Rig() {
    make_keys(secret, keys + "/acme.pem");
    put("echo");
    settings.directories = {plugins};
    settings.trust.keys = keys;
    settings.trust.seen_file = folder / "plugin-versions.json";
    settings.trust.remember = true;
    Choice& choice = settings.choices.emplace_back();
    choice.id = "fixture_echo";
    choice.in_process = true;
    settings.only_chosen = true;
  }
  // The fixture's library and manifest under the name of "echo".
  void put(const std::string& fixture) const {
    for (const auto& [ending, to] : {std::pair{".so", library}, {".vmcp.json", manifest}})
      fs::copy_file(VMCP_FIXTURE_DIRECTORY "/fixture_" + fixture + ending, to,
                    fs::copy_options::overwrite_existing);
  }
  void sign_as(const std::string& version = {}, const std::string& key = {}) const {
    if (!version.empty()) {
      Json json = Json::parse(bytes_of(manifest));
      json["version"] = version;
      std::ofstream(manifest) << json.dump();
    }
    const Manifest read = *read_manifest(manifest);
    const auto made = sign({read.id, read.version, hash(), read.sha256, "2026-02-03T10:11:12.000Z", {}},
                           key.empty() ? secret : key);
    REQUIRE_MESSAGE(made.ok(), made.error().text);
    std::ofstream(signature) << signature_json(*made);
  }
  std::string hash() const { return to_hex(sha256(bytes_of(library))); }
  Choice& choice() { return settings.choices.front(); }
  std::string key_id() const { return read_public_keys(keys, Place::service)->front().id; }

  // "signed by acme (…)" or the reason.
  std::string verdict() const {
    const auto planned = plan_plugins(settings);
    REQUIRE(planned.size() == 1);
    if (!planned[0].reason.empty()) return planned[0].reason;
    const auto vetted = vet_plugin(planned[0], TrustJudge(settings.trust));
    if (!vetted) return vetted.error().text;
    return vetted->trust ? vetted->trust->text() : vetted->trust.error().text;
  }
  Loaded load() {
    auto loaded = load_plugins(settings, log);
    REQUIRE(loaded.ok());
    REQUIRE(loaded->size() == 1);
    return std::move(loaded->front());
  }
};

void says(const std::string& text, const std::string& words) {
  CHECK_MESSAGE(text.find(words) != std::string::npos, text);
}

std::string echo(const Loaded& loaded) {
  Invocation invocation;
  REQUIRE(loaded.plugin->run(0, invocation, R"({"message":"still here"})") == VMCP_OK);
  return invocation.structured;
}

}  // namespace

TEST_CASE("trust: without a word of the operator a plugin of somebody else is refused, and told what to do") {
  Rig rig;
  says(rig.verdict(), "nobody vouches for it");
  says(rig.verdict(), "sha256 = \"" + rig.hash() + "\"");
  rig.settings.trust.mode = Mode::pinned;
  says(rig.verdict(), "plugins.trust is pinned");
  rig.sign_as();
  says(rig.verdict(), "plugins.trust is pinned");
  rig.settings.trust.mode = Mode::dev;
  CHECK(rig.verdict() == "dev");
}

TEST_CASE("trust: a pin is enough in every mode, and must match in every mode") {
  Rig rig;
  rig.sign_as();
  for (const Mode mode : {Mode::pinned, Mode::signatures, Mode::dev}) {
    rig.settings.trust.mode = mode;
    rig.choice().sha256 = rig.hash();
    CHECK(rig.verdict() == "pinned");
    rig.choice().sha256[0] = rig.choice().sha256[0] == '0' ? '1' : '0';
    says(rig.verdict(), "not the pinned");
  }
  // also for what is first-party
  rig.settings.trusted = {"fixture_echo"};
  rig.settings.trust.program_directory = rig.plugins;
  says(rig.verdict(), "not the pinned");
}

TEST_CASE("trust: a flipped bit in library, manifest or signature is found") {
  Rig rig;
  rig.sign_as();
  says(rig.verdict(), "signed by acme (" + rig.key_id().substr(0, 16) + ")");
  const std::string good = bytes_of(rig.library);
  flip(rig.library, good.size() / 2);
  says(rig.verdict(), "the library is not the one that was signed");
  rig.choice().sha256 = to_hex(sha256(good));
  says(rig.verdict(), "not the pinned");
  rig.choice().sha256.clear();
  rig.put("echo");
  const std::string text = bytes_of(rig.manifest);
  std::ofstream(rig.manifest) << text << ' ';
  says(rig.verdict(), "the manifest is not the one that was signed");
  rig.put("echo");
  Json json = Json::parse(bytes_of(rig.signature));
  json["signed_at"] = "2027-02-03T10:11:12.000Z";
  std::ofstream(rig.signature) << json.dump();
  says(rig.verdict(), "the signature file was changed");
  std::ofstream(rig.signature) << "{";
  says(rig.verdict(), "no JSON object");
}

TEST_CASE("trust: a whole signed plugin cannot be put under another's signature") {
  Rig rig;
  rig.sign_as();
  rig.put("plain");
  says(rig.verdict(), "the library is not the one that was signed");
  // the right hashes of both files, and yet another name in the statement
  const auto made = sign({"org.vmcp.fixture.echo",
                          "1.0.0",
                          rig.hash(),
                          read_manifest(rig.manifest)->sha256,
                          "2026-02-03T10:11:12.000Z",
                          {}},
                         rig.secret);
  std::ofstream(rig.signature) << signature_json(*made);
  says(rig.verdict(), "the signature is of org.vmcp.fixture.echo");
}

TEST_CASE("trust: only keys of the list count, and only while all of the list can be read") {
  Rig rig;
  const TestFolder elsewhere;
  make_keys(elsewhere / "private.pem", elsewhere / "other.pem");
  rig.sign_as({}, elsewhere / "private.pem");
  says(rig.verdict(), "not among the 1 in plugins.keys");
  fs::copy_file(elsewhere / "other.pem", rig.keys + "/other.pem");
  says(rig.verdict(), "signed by other");
  std::ofstream(rig.keys + "/broken.pem") << "-----BEGIN PUBLIC KEY-----\nAAAA";
  says(rig.verdict(), "damaged");
  fs::remove(rig.keys + "/broken.pem");
  ::chmod(rig.keys.c_str(), 0777);
  says(rig.verdict(), "chmod go-w");
  ::chmod(rig.keys.c_str(), 0755);
  rig.settings.trust.keys.clear();
  says(rig.verdict(), "plugins.keys (not set)");
}

TEST_CASE("trust: a revoked key or library is refused, whoever vouches for it") {
  Rig rig;
  rig.sign_as();
  rig.settings.trust.revoked = {"key:" + rig.key_id()};
  says(rig.verdict(), "is revoked in plugins.revoked");
  rig.settings.trust.revoked = {"sha256:" + rig.hash()};
  says(rig.verdict(), "is revoked in plugins.revoked");
  rig.choice().sha256 = rig.hash();
  says(rig.verdict(), "is revoked in plugins.revoked");
  rig.settings.trust.mode = Mode::dev;
  says(rig.verdict(), "is revoked in plugins.revoked");
  rig.settings.trust.revoked = {"sha256:" + std::string(64, '0'), "key:" + rig.hash()};
  CHECK(rig.verdict() == "pinned");
}

TEST_CASE(
    "trust: a signed version below one that ran here is refused until the operator goes back on purpose") {
  Rig rig;
  const auto seen = [&](const std::string& version) {
    std::ofstream(rig.settings.trust.seen_file) << Json{{"org.vmcp.fixture.echo", version}}.dump();
  };
  seen("1.0.0");
  rig.sign_as("1.0.0");
  says(rig.verdict(), "signed by");
  seen("1.0.1");
  says(rig.verdict(), "it is version 1.0.0, and 1.0.1 ran here before");
  rig.choice().allow_downgrade = true;
  says(rig.verdict(), "signed by");
  rig.choice().allow_downgrade = false;
  rig.choice().sha256 = rig.hash();  // who pins the bytes chose the version
  CHECK(rig.verdict() == "pinned");
  rig.choice().sha256.clear();
  std::ofstream(rig.settings.trust.seen_file) << "damaged";
  says(rig.verdict(), "a downgrade would not be noticed");
  fs::remove(rig.settings.trust.seen_file);
  rig.sign_as("2026a");
  says(rig.verdict(), "not of the form 1.2.3");
}

TEST_CASE("trust: what was loaded by signature or pin is remembered, what dev or a refusal met is not") {
  Rig rig;
  const auto seen = [&] {
    return SeenVersions::open(rig.settings.trust.seen_file)->highest("org.vmcp.fixture.echo");
  };
  rig.settings.trust.mode = Mode::dev;
  REQUIRE(rig.load().plugin);
  CHECK(seen().empty());
  rig.settings.trust.mode = Mode::signatures;
  REQUIRE_FALSE(rig.load().plugin);
  CHECK(seen().empty());
  rig.sign_as();
  rig.settings.trust.remember = false;
  REQUIRE(rig.load().plugin);
  CHECK(seen().empty());
  rig.settings.trust.remember = true;
  const Loaded loaded = rig.load();
  REQUIRE_MESSAGE(loaded.plugin, loaded.reason);
  CHECK(loaded.trust.by == Trust::By::signature);
  CHECK(seen() == "1.0.0");
}

TEST_CASE("trust: first-party is a name in the program's own folder, not a name") {
  Rig rig;
  rig.settings.trusted = {"fixture_echo"};
  rig.choice().in_process = false;
  says(rig.verdict(), "nobody vouches");
  rig.choice().in_process = true;
  says(rig.verdict(), "nobody vouches");
  CHECK_FALSE(plan_plugins(rig.settings)[0].first_party);
  const TestFolder elsewhere;
  rig.settings.trust.program_directory = elsewhere.path;
  says(rig.verdict(), "nobody vouches");
  rig.settings.trust.program_directory = rig.plugins + "/../plugins";
  rig.choice().in_process = false;
  CHECK(rig.verdict() == "first-party");
  rig.settings.trusted = {"fixture_other"};
  says(rig.verdict(), "nobody vouches");
  // the operator's pin gives the name back, a signature alone does not
  rig.settings.trusted = {"fixture_echo"};
  rig.settings.trust.program_directory.clear();
  rig.sign_as();
  CHECK_FALSE(plan_plugins(rig.settings)[0].first_party);
  rig.choice().sha256 = rig.hash();
  CHECK(plan_plugins(rig.settings)[0].first_party);
}

TEST_CASE("trust: files and folders that others may change are refused before anybody is asked") {
  Rig rig;
  rig.sign_as();
  for (const std::string& file : {rig.library, rig.manifest, rig.signature}) {
    CAPTURE(file);
    ::chmod(file.c_str(), 0664);
    says(rig.verdict(), "chmod go-w");
    ::chmod(file.c_str(), 0644);
    fs::rename(file, file + ".real");
    fs::create_symlink(file + ".real", file);
    says(rig.verdict(), "symbolic link");
    fs::rename(file + ".real", file);
  }
  ::chmod(rig.plugins.c_str(), 0775);
  says(rig.verdict(), "the folder " + rig.plugins + "; chmod go-w it");
  ::chmod(rig.plugins.c_str(), 0755);
  says(rig.verdict(), "signed by");
}

TEST_CASE("trust: what is mapped is what was judged, though both files are exchanged in between") {
  Rig rig;
  rig.sign_as();
  const auto planned = plan_plugins(rig.settings);
  auto vetted = vet_plugin(planned[0], TrustJudge(rig.settings.trust));
  REQUIRE(vetted.ok());
  REQUIRE(vetted->trust.ok());
  rig.put("plain");
  const auto entry = map_library(vetted->library);
  REQUIRE_MESSAGE(entry.ok(), entry.error().text);
  CHECK(std::string((*entry)()->id) == "org.vmcp.fixture.echo");
  CHECK(Plugin::open(*entry, *planned[0].manifest, rig.log).ok());
}

TEST_CASE("sealed: a running plugin does not feel what happens to its file") {
  Rig rig;
  rig.settings.trust.mode = Mode::dev;
  const Loaded loaded = rig.load();
  REQUIRE_MESSAGE(loaded.plugin, loaded.reason);
  const std::string before = echo(loaded);
  says(before, "still here");
  SUBCASE("written over in place") {
    rig.put("everything");
  }
  SUBCASE("filled with zeros in place") {
    const auto size = fs::file_size(rig.library);
    std::ofstream(rig.library, std::ios::in | std::ios::out | std::ios::binary) << std::string(size, '\0');
  }
  SUBCASE("truncated") {
    fs::resize_file(rig.library, 0);
  }
  SUBCASE("renamed") {
    fs::rename(rig.library, rig.library + ".old");
  }
  SUBCASE("replaced by renaming another over it") {
    fs::copy_file(VMCP_FIXTURE_DIRECTORY "/fixture_plain.so", rig.library + ".new");
    fs::rename(rig.library + ".new", rig.library);
  }
  SUBCASE("removed with its folder") {
    fs::remove_all(rig.plugins);
  }
  CHECK(echo(loaded) == before);
  CHECK(loaded.library->sha256() == to_hex(sha256(bytes_of(VMCP_FIXTURE_DIRECTORY "/fixture_echo.so"))));
}

TEST_CASE("sealed: a library that is gone for the host never lends its name to another") {
  const auto id_of = [](const char* fixture) {
    auto library = seal_library(std::string(VMCP_FIXTURE_DIRECTORY "/fixture_") + fixture + ".so");
    REQUIRE_MESSAGE(library.ok(), library.error().text);
    const auto entry = map_library(*library);
    REQUIRE_MESSAGE(entry.ok(), entry.error().text);
    return std::string((*entry)()->id);
  };
  CHECK(id_of("plain") == "org.vmcp.fixture.plain");
  CHECK(id_of("echo") == "org.vmcp.fixture.echo");
  CHECK(id_of("plain") == "org.vmcp.fixture.plain");
}

TEST_CASE("sealed: a number that the linker knows for another library is refused") {
  auto library = seal_library(VMCP_FIXTURE_DIRECTORY "/fixture_plain.so");
  REQUIRE(library.ok());
  const auto mapped = map_library(*library);
  REQUIRE(mapped.ok());
  auto other = seal_library(VMCP_FIXTURE_DIRECTORY "/fixture_echo.so");
  REQUIRE(other.ok());
  // what a foreign close() would bring about: the number of a mapped library becomes another's
  const int number = library->fd();
  REQUIRE(::dup3(other->fd(), number, O_CLOEXEC) == number);
  auto again = seal_library(VMCP_FIXTURE_DIRECTORY "/fixture_echo.so");
  REQUIRE(again.ok());
  ::close(number);
  {
    auto takes_number = seal_library(VMCP_FIXTURE_DIRECTORY "/fixture_echo.so");
    REQUIRE(takes_number.ok());
    REQUIRE(takes_number->fd() == number);
    refused_saying(map_library(*takes_number), "another library");
  }
  // stays taken: the other tests map libraries too
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(nothing >= 0);
  if (nothing != number) {
    REQUIRE(::dup3(nothing, number, O_CLOEXEC) == number);
    ::close(nothing);
  }
}

TEST_CASE("audit members: the plugin, its version, the hash of its bytes and its generation") {
  Rig rig;
  rig.choice().sha256 = rig.hash();
  Loaded loaded = rig.load();
  REQUIRE_MESSAGE(loaded.plugin, loaded.reason);
  loaded.generation = 3;
  const auto members = parse_trusted_json("{" + audit_members(loaded) + "}");
  REQUIRE(members.ok());
  CHECK(*members == Json{{"plugin", "org.vmcp.fixture.echo"},
                         {"plugin_version", "1.0.0"},
                         {"plugin_sha256", rig.hash()},
                         {"plugin_generation", 3}});
}

TEST_CASE("operations: the list that a plugin declares in code stands in its manifest") {
  const auto declared = read_manifest(VMCP_FIXTURE_DIRECTORY "/fixture_takes_scheme.vmcp.json");
  REQUIRE(declared.ok());
  REQUIRE(declared->operations);
  CHECK(declared->operations->empty());
  CHECK_FALSE(read_manifest(VMCP_FIXTURE_DIRECTORY "/fixture_echo.vmcp.json")->operations);
}

TEST_CASE("trust: a chosen plugin whose manifest cannot be read says so, also when it was named by its id") {
  Rig rig;
  rig.settings.trust.mode = Mode::dev;
  rig.choice().id = "org.vmcp.fixture.echo";
  REQUIRE(rig.load().plugin);
  ::chmod(rig.manifest.c_str(), 0666);
  says(rig.load().reason, "chmod go-w");
}
