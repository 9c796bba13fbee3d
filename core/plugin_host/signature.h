// NAME.vmcp.sig beside NAME.so: who vouches for exactly these two files. Ed25519 over a short text (see
// signed_text()), so that a signature can be checked with `openssl pkeyutl` too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plugin_host/careful_file.h"

namespace vmcp::plugin_host {

struct Statement {
  std::string id, version;     // of the plugin, as its manifest has them
  std::string library_sha256;  // 64 lower-case hex digits each
  std::string manifest_sha256;
  std::string signed_at;  // "2026-02-03T10:11:12Z"; for people, decides nothing
  std::string key;        // the key's id
};

// What is signed: a line with the format, then one line per member in this order, "name value\n". No value
// holds a control character, so that no two statements have one text.
std::string signed_text(const Statement& statement);

struct Signature {
  Statement statement;
  std::string bytes;  // 64
};

// Where the signature of this library lies: beside it.
std::string signature_path(const std::string& library);

Result<Signature> parse_signature(std::string_view json);
std::string signature_json(const Signature& signature);
Result<Signature> read_signature(const std::string& path, Place place);

// An Ed25519 key that somebody trusts.
struct PublicKey {
  std::string name;  // the file's, without ending
  std::string id;    // SHA-256 of the DER form (SubjectPublicKeyInfo), 64 hex digits: `openssl pkey -pubin
                     // -in KEY.pem -outform DER | sha256sum`
  std::string raw;   // 32 bytes
};

// Every "PUBLIC KEY" in a PEM text; an error when there is none, or one of another kind.
Result<std::vector<PublicKey>> parse_public_keys(std::string_view pem, const std::string& name);
// Of one file, or of every *.pem in a folder (at most 100 files, 1000 keys), read carefully. One bad file is
// an error: a list of keys that is only half of what the operator meant decides wrongly.
Result<std::vector<PublicKey>> read_public_keys(const std::string& path, Place place);

bool verify(const PublicKey& key, const Signature& signature);

// Signs with the Ed25519 key in a PEM file without passphrase, which nobody but its owner may read; sets
// statement.key.
Result<Signature> sign(Statement statement, const std::string& private_key_file);

}  // namespace vmcp::plugin_host
