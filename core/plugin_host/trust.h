// Who vouches for a plugin: decided on the sealed bytes, before any of its code runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "plugin_host/library.h"
#include "plugin_host/manifest.h"
#include "plugin_host/seen_versions.h"
#include "plugin_host/signature.h"

namespace vmcp::plugin_host {

struct TrustSettings {
  // What is enough for a plugin that is not first-party. A pin in its [[plugin]] entry is, in every mode.
  enum class Mode {
    pinned,      // a pin, nothing else
    signatures,  // a signature by one of the keys
    dev,         // nothing; for a workbench that only listens on loopback
  };
  Mode mode = Mode::signatures;
  std::string program_directory;     // what lies here under a first-party name is trusted; empty: nothing is
  std::string keys;                  // public keys, a PEM file or a folder of them; empty: none
  std::vector<std::string> revoked;  // "key:HEX" and "sha256:HEX", 64 lower-case digits
  std::string seen_file;  // in state_dir; empty: no memory of versions, for commands that only look
  bool remember = false;  // write it
};

struct Trust {
  enum class By { nobody, first_party, pin, signature, dev } by = By::nobody;
  std::string key_name, key_id;  // of a signature
  std::string text() const;      // "first-party", "pinned", "signed by acme (1a2b3c4d5e6f7a8b)", "dev"
};

// What is asked about.
struct TrustQuestion {
  const SealedLibrary& library;
  const Manifest& manifest;  // read from its file
  std::string pin;           // 64 lower-case hex digits; empty: none
  bool allow_downgrade = false;
  bool first_party = false;  // by name and place
};

class TrustJudge {
 public:
  // Reads keys and seen versions once. Never fails: what cannot be read is the reason of every refusal that
  // would have needed it.
  explicit TrustJudge(TrustSettings settings);

  // The error says what is missing or wrong, and the fix.
  Result<Trust> judge(const TrustQuestion& question) const;
  // After such a plugin was loaded: its version is the least from now on.
  Result<void> loaded(const Manifest& manifest, const Trust& trust, bool allow_downgrade);

  Place place() const {
    return settings_.mode == TrustSettings::Mode::dev ? Place::workshop : Place::service;
  }

 private:
  bool revoked(const std::string& what) const;
  Result<Trust> judge_signature(const TrustQuestion& question) const;
  Result<void> judge_version(const TrustQuestion& question) const;

  TrustSettings settings_;
  Result<std::vector<PublicKey>> keys_;
  Result<SeenVersions> seen_;
};

// The statement that a signature must make for these two files.
Result<void> states(const Statement& statement, const SealedLibrary& library, const Manifest& manifest);

}  // namespace vmcp::plugin_host
