#include "plugin_host/trust.h"

#include <algorithm>

namespace vmcp::plugin_host {
namespace {

using Mode = TrustSettings::Mode;

Error distrust(std::string text) {
  return make_error(Code::denied, std::move(text));
}

constexpr const char* kUnknownBytes = "; ask its maker where these files come from";

Result<std::vector<PublicKey>> keys_of(const TrustSettings& settings) {
  if (settings.keys.empty() || settings.mode != Mode::signatures) return std::vector<PublicKey>();
  return read_public_keys(settings.keys, Place::service);
}

Result<SeenVersions> seen_of(const TrustSettings& settings) {
  if (settings.seen_file.empty()) return SeenVersions();
  return SeenVersions::open(settings.seen_file);
}

}  // namespace

std::string Trust::text() const {
  switch (by) {
    case By::first_party:
      return "first-party";
    case By::pin:
      return "pinned";
    case By::signature:
      return "signed by " + key_name + " (" + key_id.substr(0, 16) + ")";
    case By::dev:
      return "dev";
    case By::nobody:
      break;
  }
  return "nobody";
}

Result<void> states(const Statement& statement, const SealedLibrary& library, const Manifest& manifest) {
  if (statement.library_sha256 != library.sha256())
    return distrust("the library is not the one that was signed (sha256 " + library.sha256() + ", signed " +
                    statement.library_sha256 + ")" + kUnknownBytes);
  if (statement.manifest_sha256 != manifest.sha256)
    return distrust("the manifest is not the one that was signed (sha256 " + manifest.sha256 + ", signed " +
                    statement.manifest_sha256 + ")" + kUnknownBytes);
  if (statement.id != manifest.id || statement.version != manifest.version)
    return distrust("the signature is of " + statement.id + " " + statement.version + ", the manifest of " +
                    manifest.id + " " + manifest.version + kUnknownBytes);
  return {};
}

TrustJudge::TrustJudge(TrustSettings settings)
    : settings_(std::move(settings)), keys_(keys_of(settings_)), seen_(seen_of(settings_)) {}

bool TrustJudge::revoked(const std::string& what) const {
  return std::find(settings_.revoked.begin(), settings_.revoked.end(), what) != settings_.revoked.end();
}

Result<Trust> TrustJudge::judge(const TrustQuestion& q) const {
  const std::string& hash = q.library.sha256();
  if (revoked("sha256:" + hash))
    return distrust("its library (sha256 " + hash +
                    ") is revoked in plugins.revoked; install another version");
  if (!q.pin.empty()) {
    if (q.pin != hash)
      return distrust("its sha256 is " + hash + " and not the pinned " + q.pin +
                      "; put the pinned file back, or pin the new one after you have checked it");
    return Trust{Trust::By::pin, {}, {}};
  }
  if (q.first_party) return Trust{Trust::By::first_party, {}, {}};
  switch (settings_.mode) {
    case Mode::dev:
      return Trust{Trust::By::dev, {}, {}};
    case Mode::pinned:
      return distrust(
          "plugins.trust is pinned and its [[plugin]] entry pins no hash; once you have checked the "
          "file add sha256 = \"" +
          hash + "\" there");
    case Mode::signatures:
      break;
  }
  return judge_signature(q);
}

Result<Trust> TrustJudge::judge_signature(const TrustQuestion& q) const {
  if (!keys_) return keys_.error();
  const auto signature = read_signature(signature_path(q.library.path()), place());
  if (!signature && signature.error().code == Code::not_found)
    return distrust(
        "nobody vouches for it: " + signature.error().text +
        ", and its [[plugin]] entry pins no hash; once you have checked the file add sha256 = \"" +
        q.library.sha256() +
        "\" there, or get its signature and its maker's key (plugins.keys); on a workbench set "
        "plugins.trust = \"dev\"");
  if (!signature) return signature.error();
  const Statement& statement = signature->statement;
  if (revoked("key:" + statement.key))
    return distrust("the key " + statement.key +
                    " that signed it is revoked in plugins.revoked; get one signed "
                    "with its maker's new key");
  const auto key =
      std::find_if(keys_->begin(), keys_->end(), [&](const PublicKey& k) { return k.id == statement.key; });
  if (key == keys_->end())
    return distrust("it is signed with the key " + statement.key + ", which is not among the " +
                    std::to_string(keys_->size()) + " in plugins.keys" +
                    (settings_.keys.empty() ? std::string(" (not set)") : " (" + settings_.keys + ")") +
                    "; add its maker's public key there if you trust it");
  if (!verify(*key, *signature))
    return distrust("its signature is not one of the key " + key->name + " (" + key->id.substr(0, 16) +
                    "): the signature file was changed; get it again from its maker");
  if (auto r = states(statement, q.library, q.manifest); !r) return r.error();
  if (auto r = judge_version(q); !r) return r.error();
  return Trust{Trust::By::signature, key->name, key->id};
}

// Only where a signature decides: who pins a hash, or brings the program's own package, chose the version.
Result<void> TrustJudge::judge_version(const TrustQuestion& q) const {
  if (!seen_) return seen_.error();
  const std::string& version = q.manifest.version;
  int compared = 0;
  if (!compare_versions(version, version, compared))
    return distrust(
        "its version '" + version +
        "' is not of the form 1.2.3, so that an older one could not be told from a newer; its maker "
        "must correct it, or pin its hash");
  const std::string highest = seen_->highest(q.manifest.id);
  if (highest.empty() || q.allow_downgrade) return {};
  if (compare_versions(version, highest, compared) && compared < 0)
    return distrust("it is version " + version + ", and " + highest +
                    " ran here before; install that or a later one, or set allow_downgrade = true in its "
                    "[[plugin]] entry if you go back on purpose");
  return {};
}

Result<void> TrustJudge::loaded(const Manifest& manifest, const Trust& trust, bool allow_downgrade) {
  const bool counts = trust.by == Trust::By::signature || trust.by == Trust::By::pin;
  if (!counts || !settings_.remember || settings_.seen_file.empty()) return {};
  // A damaged list refused the signed ones already; a pinned one must not lose it for good.
  if (!seen_) return {};
  return seen_->remember(manifest.id, manifest.version, allow_downgrade);
}

}  // namespace vmcp::plugin_host
