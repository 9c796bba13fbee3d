// Signed tokens in compact form (RFC 7515, RFC 7519) and the keys that verify them (RFC 7517), over OpenSSL.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

struct evp_pkey_st;

namespace vmcp::auth {

// Nothing of it is believed before its signature is verified.
struct Jws {
  std::string signed_text;  // header and payload as they came
  Json header, claims;
  std::string signature;  // raw bytes
};
// Errors say what is wrong with the form, and quote nothing.
Result<Jws> read_jws(std::string_view token);

// What may sign. No symmetric one: a public key taken for a secret is the classic forgery.
enum class Algorithm { rs256, ps256, es256, eddsa };
std::optional<Algorithm> algorithm_of(std::string_view name);

// One public key. Copies share it. [any thread]
class VerifyKey {
 public:
  // RSA of at least 2048 bits, EC on P-256, Ed25519. Code::invalid_argument for other kinds and for keys that
  // are not for signatures.
  static Result<VerifyKey> read(const Json& jwk);

  const std::string& id() const { return id_; }  // "kid"; may be empty
  bool fits(Algorithm algorithm) const;
  bool verifies(Algorithm algorithm, std::string_view signed_text, std::string_view signature) const;

 private:
  enum class Kind { rsa, p256, ed25519 };
  std::string id_;
  Kind kind_ = Kind::rsa;
  std::optional<Algorithm> only_;  // the JWK's own "alg"
  std::shared_ptr<evp_pkey_st> key_;
};

// base64url without padding, strict. False leaves `out` unspecified.
bool base64url_decode(std::string_view text, std::string& out);

}  // namespace vmcp::auth
