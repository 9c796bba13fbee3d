// Access tokens that an authorization server signed (RFC 9068 and the like) become a Principal: who, and by
// scope or role claim the widest role of this server that the token grants.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "auth/issuers.h"
#include "base/peer_certificate.h"
#include "base/principal.h"
#include "base/result.h"

namespace vmcp::auth {

struct VerifierSettings {
  std::vector<std::string> audiences;  // a token must be for one of them (RFC 8707)
  std::vector<std::string> roles;      // of this server, the least first
  // Claims that hold roles besides the scopes: a text, or a list of texts. "a.b" is b in a, unless a claim
  // has that very name.
  std::vector<std::string> role_claims = {"roles"};
  // What their values mean: value → role. Empty: they are roles of this server; else only what stands here.
  std::map<std::string, std::string, std::less<>> claim_roles = {};
  milliseconds leeway{60'000};    // between the clocks of two machines
  std::size_t max_kept = 10'000;  // verified tokens, so that not every request costs a signature
  milliseconds keep{600'000};  // … for so long: a key that was withdrawn must not live on in what it signed
};

class TokenVerifier {
 public:
  // `issuers` and `clock` outlive the verifier.
  TokenVerifier(VerifierSettings settings, Issuers& issuers, const Clock& clock);

  // Three parts between dots: worth a look.
  static bool looks_signed(std::string_view token);
  // Code::unauthenticated, with the reason in public words. Never blocks on the network. [any thread]
  // `certificate`: of the connection, or null; a token that is bound to one (RFC 8705, section 3) is good
  // with it only.
  Result<PrincipalPtr> verify(std::string_view token, const PeerCertificate* certificate = nullptr);

 private:
  struct Kept {
    PrincipalPtr principal;
    std::string bound_to;  // the certificate's digest, 64 hex digits; empty: to none
    std::int64_t expires_s = 0, look_again_s = 0;
  };
  Result<Kept> check(std::string_view token);
  PrincipalPtr principal_of(const Json& claims, const std::string& issuer) const;
  std::string role_of(const Json& claims) const;
  void add_claimed_roles(const Json& claims, std::set<std::string, std::less<>>& granted) const;

  const VerifierSettings settings_;
  Issuers& issuers_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Kept, std::less<>> kept_;  // by SHA-256 of the token
};

// What every identity out of a signed token begins with: none of the configured names can.
inline constexpr std::string_view kSignedIdentity = "oauth:";

}  // namespace vmcp::auth
