// Step 3: the credential of a request becomes a Principal. `Authorization: Bearer` only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/certificate_match.h"
#include "auth/token_verifier.h"
#include "base/clock.h"
#include "base/principal.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcp::auth {

// One static token. Either `token` (plain, from TOKENS_TO_ROLES or --demo) or `hash` ("sha256:" + 64 hex).
struct TokenEntry {
  Secret token;
  std::string hash;
  std::string name;  // empty: derived from the hash
  std::string role;
  std::optional<WallTime> not_before = {};
  std::optional<WallTime> expires = {};  // from then on it is refused
  CertificateMatch certificate = {};     // any but `none`: the token is good over a connection with it only
};

// Immutable once made; [any thread]. Compares hashes in constant time; holds no plain token after
// construction.
class Authenticator {
 public:
  // Errors name every bad entry: malformed hash, empty token, duplicate token, empty role.
  // enforce=false: a request without a credential becomes `anonymous` with `anonymous_role`; a wrong one is
  // still refused.
  // `others`: callers with signed tokens will be accepted, so there need not be a static one.
  // `clock`: outlives the authenticator; null: the machine's. Tokens of one name may overlap in time, and
  // must then have one role.
  static Result<Authenticator> make(std::vector<TokenEntry> tokens, bool enforce, std::string anonymous_role,
                                    bool others = false, const Clock* clock = nullptr,
                                    std::vector<CertificateEntry> certificates = {});

  // `authorization`: the raw header value, data()==nullptr when the header is absent. `count`: how often the
  // header occurs (two are refused). The error text says how to send a token; it never quotes the credential.
  // `certificate`: the verified one of the connection, or null. It counts when there is no header; else the
  // token decides. One that two entries of one kind and different names fit is nobody's.
  Result<PrincipalPtr> authenticate(std::string_view authorization, std::size_t count,
                                    const PeerCertificate* certificate = nullptr) const;
  // From here on signed tokens are accepted too. Before the first request.
  void accept_signed(std::shared_ptr<TokenVerifier> verifier) { verifier_ = std::move(verifier); }
  // Who was admitted before; null when that identity, or that role of it, is no longer configured.
  PrincipalPtr find(std::string_view identity, std::string_view role) const;

 private:
  struct Entry {
    std::string digest;  // 32 raw bytes
    PrincipalPtr principal;
    std::optional<WallTime> not_before, expires;
    CertificateMatch certificate;
    bool valid(WallTime now) const {
      return (!not_before || now >= *not_before) && (!expires || now < *expires);
    }
  };
  WallTime wall() const;
  struct Known {
    CertificateMatch match;
    PrincipalPtr principal;
  };
  Result<PrincipalPtr> by_certificate(const PeerCertificate& certificate) const;
  std::vector<Entry> entries_;
  std::vector<Known> certificates_;
  PrincipalPtr anonymous_;  // null when enforced
  std::shared_ptr<TokenVerifier> verifier_;
  const Clock* clock_ = nullptr;  // null: the machine's
};

// "sha256:" + hex of the token, as `hash-token` prints it.
std::string hash_token(std::string_view token);

}  // namespace vmcp::auth
