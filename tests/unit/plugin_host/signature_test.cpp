#include "plugin_host/signature.h"

#include "base/json.h"
#include "trust_rig.h"

using namespace vmcp;
using namespace vmcp::plugin_host;
using namespace vmcp::plugin_host::test;

namespace {

struct Keys {
  TestFolder folder;
  std::string secret = folder / "private.pem", shared = folder / "acme.pem";
  Keys() { make_keys(secret, shared); }
  PublicKey key() const { return read_public_keys(shared, Place::service)->front(); }
};

Statement statement() {
  return {
      "org.example.a", "1.2.3", std::string(64, 'a'), std::string(64, 'b'), "2026-02-03T10:11:12.000Z", {}};
}

}  // namespace

TEST_CASE("signature: what was signed verifies after a way through its file, under its key only") {
  const Keys keys, others;
  const auto made = sign(statement(), keys.secret);
  REQUIRE_MESSAGE(made.ok(), made.error().text);
  const auto read = read_signature(keys.folder.file("a.vmcp.sig", signature_json(*made)), Place::service);
  REQUIRE_MESSAGE(read.ok(), read.error().text);
  CHECK(read->statement.id == "org.example.a");
  CHECK(read->statement.key == keys.key().id);
  CHECK(verify(keys.key(), *read));
  CHECK_FALSE(verify(others.key(), *read));
  PublicKey impostor = others.key();
  impostor.id = keys.key().id;
  CHECK_FALSE(verify(impostor, *read));
  PublicKey renamed = keys.key();
  renamed.id = others.key().id;
  CHECK_FALSE(verify(renamed, *read));
}

TEST_CASE("signature: every bit of what it says and of itself counts") {
  const Keys keys;
  const Signature good = *sign(statement(), keys.secret);
  REQUIRE(verify(keys.key(), good));
  const auto changed = [&](auto change) {
    Signature s = good;
    change(s);
    CHECK_FALSE(verify(keys.key(), s));
  };
  changed([](Signature& s) { s.statement.id += "x"; });
  changed([](Signature& s) { s.statement.version = "1.2.4"; });
  changed([](Signature& s) { s.statement.library_sha256[0] = 'c'; });
  changed([](Signature& s) { s.statement.manifest_sha256[63] = 'c'; });
  changed([](Signature& s) { s.statement.signed_at[0] = '3'; });
  changed([](Signature& s) { s.statement.key[0] ^= 1; });
  changed([](Signature& s) { std::swap(s.statement.library_sha256, s.statement.manifest_sha256); });
  for (std::size_t i = 0; i < good.bytes.size(); ++i)
    changed([&](Signature& s) { s.bytes[i] = static_cast<char>(s.bytes[i] ^ 1); });
  changed([](Signature& s) { s.bytes.pop_back(); });
  changed([](Signature& s) { s.bytes.clear(); });
}

TEST_CASE("signature: a member cannot reach into the next line") {
  const Keys keys;
  Statement s = statement();
  s.version = "1.2.3\nlibrary_sha256 0";
  refused_saying(sign(s, keys.secret), "control characters");
  const Signature good = *sign(statement(), keys.secret);
  Json json = Json::parse(signature_json(good));
  json["version"] = "1.2.3\nx";
  refused_saying(parse_signature(json.dump()), "no version");
}

TEST_CASE("signature: a file that is none says so") {
  const Keys keys;
  const Json good = Json::parse(signature_json(*sign(statement(), keys.secret)));
  REQUIRE(parse_signature(good.dump()).ok());
  for (const char* text : {"", "[]", "{}", "null", "{\"format\":\"vmcp-signature/2\"}"})
    CHECK_FALSE(parse_signature(text).ok());
  for (const auto& [name, value] : good.items()) {
    CAPTURE(name);
    Json less = good;
    less.erase(name);
    CHECK_FALSE(parse_signature(less.dump()).ok());
    less[name] = 7;
    CHECK_FALSE(parse_signature(less.dump()).ok());
  }
  for (const char* name : {"library_sha256", "manifest_sha256", "key", "signature"}) {
    CAPTURE(name);
    Json odd = good;
    odd[name] = good[name].get<std::string>().substr(1);
    CHECK_FALSE(parse_signature(odd.dump()).ok());
  }
  Json upper = good;
  upper["library_sha256"] = std::string(64, 'A');
  CHECK_FALSE(parse_signature(upper.dump()).ok());
  CHECK(read_signature(keys.folder / "absent", Place::service).error().code == Code::not_found);
  refused_saying(read_signature(keys.folder.file("open.sig", good.dump(), 0666), Place::service), "chmod");
}

TEST_CASE("keys: only private ones that are private are signed with") {
  const Keys keys;
  REQUIRE(sign(statement(), keys.secret).ok());
  for (const mode_t mode : {0640u, 0604u, 0644u}) {
    ::chmod(keys.secret.c_str(), mode);
    refused_saying(sign(statement(), keys.secret), "chmod 600");
  }
  refused_saying(sign(statement(), keys.folder / "absent.pem"), "cannot be used");
  refused_saying(sign(statement(), keys.folder.file("text.pem", "hello", 0600)), "openssl genpkey");
  ::chmod(keys.shared.c_str(), 0600);
  refused_saying(sign(statement(), keys.shared), "openssl genpkey");
  make_keys(keys.folder / "rsa.pem", keys.folder / "rsa-public.pem", "RSA");
  refused_saying(sign(statement(), keys.folder / "rsa.pem"), "another kind");
}

TEST_CASE("keys: a file of several, a folder of several, and one bad one spoils all") {
  const Keys one, two;
  const TestFolder folder;
  const std::string both = folder.file("both.pem", bytes_of(one.shared) + "\n" + bytes_of(two.shared));
  const auto of_file = read_public_keys(both, Place::service);
  REQUIRE(of_file.ok());
  REQUIRE(of_file->size() == 2);
  CHECK((*of_file)[0].id == one.key().id);
  CHECK((*of_file)[1].id == two.key().id);
  CHECK((*of_file)[1].name == "both");
  folder.file("notes.txt", "not a key");
  folder.file("alone.pem", bytes_of(one.shared));
  CHECK(read_public_keys(folder.path, Place::service)->size() == 3);

  const auto spoiled_by = [&](const std::string& text, const char* words, mode_t mode = 0644) {
    folder.file("bad.pem", text, mode);
    refused_saying(read_public_keys(folder.path, Place::service), words);
    std::filesystem::remove(folder / "bad.pem");
  };
  spoiled_by("", "no public key");
  spoiled_by("hello", "no public key");
  spoiled_by(bytes_of(one.secret), "PRIVATE KEY");
  spoiled_by(bytes_of(one.shared).substr(0, 80), "damaged");
  spoiled_by(bytes_of(one.shared) + bytes_of(two.shared).substr(0, 80), "damaged");
  spoiled_by(bytes_of(one.shared), "chmod", 0666);
  make_keys(folder / "rsa.key", folder / "rsa.pub", "RSA");
  spoiled_by(bytes_of(folder / "rsa.pub"), "no Ed25519");
  CHECK(read_public_keys(folder.path, Place::service).ok());
  CHECK_FALSE(read_public_keys(folder / "absent", Place::service).ok());
}
