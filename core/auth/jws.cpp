#include "auth/jws.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/crypto.h"

namespace vmcp::auth {
namespace {

constexpr std::size_t kMaxPart = 12u << 10;
constexpr std::size_t kMinRsaBits = 2048, kMaxRsaBytes = 1024;
constexpr std::size_t kCoordinateBytes = 32, kEd25519Bytes = 32;

template <class T, void (*F)(T*)>
struct Free {
  void operator()(T* p) const { F(p); }
};
using Context = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX, EVP_MD_CTX_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Free<BIGNUM, BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM, OSSL_PARAM_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG, ECDSA_SIG_free>>;
using KeyPtr = std::shared_ptr<EVP_PKEY>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
Number number_of(std::string_view big_endian) {
  return Number(BN_bin2bn(bytes_of(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

Error unusable(const char* why) {
  return make_error(Code::invalid_argument, std::string("key not usable: ") + why);
}

// A text member, decoded; empty when it is missing or no base64url.
std::string decoded(const Json& jwk, const char* name) {
  std::string out;
  const auto it = jwk.find(name);
  if (it == jwk.end() || !it->is_string() || !base64url_decode(it->get_ref<const std::string&>(), out))
    return {};
  return out;
}

KeyPtr key_from(const char* type, OSSL_PARAM* params) {
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
    return nullptr;
  return KeyPtr(key, EVP_PKEY_free);
}

KeyPtr rsa_key(const Json& jwk) {
  const std::string n = decoded(jwk, "n"), e = decoded(jwk, "e");
  if (n.empty() || n.size() > kMaxRsaBytes || e.empty() || e.size() > 8) return nullptr;
  const Number modulus = number_of(n), exponent = number_of(e);
  const Builder builder(OSSL_PARAM_BLD_new());
  if (OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1)
    return nullptr;
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  KeyPtr key = key_from("RSA", params.get());
  if (key && static_cast<std::size_t>(EVP_PKEY_get_bits(key.get())) < kMinRsaBits) return nullptr;
  return key;
}

// OpenSSL refuses a point that is not on the curve.
KeyPtr p256_key(const Json& jwk) {
  const std::string x = decoded(jwk, "x"), y = decoded(jwk, "y");
  if (x.size() != kCoordinateBytes || y.size() != kCoordinateBytes) return nullptr;
  std::string point = "\x04" + x + y, curve = "prime256v1";
  std::array<OSSL_PARAM, 3> params = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  return key_from("EC", params.data());
}

KeyPtr ed25519_key(const Json& jwk) {
  const std::string x = decoded(jwk, "x");
  if (x.size() != kEd25519Bytes) return nullptr;
  EVP_PKEY* key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(x), x.size());
  return key == nullptr ? nullptr : KeyPtr(key, EVP_PKEY_free);
}

// JOSE writes r and s side by side, OpenSSL wants them in DER.
std::string der_of(std::string_view r_and_s) {
  if (r_and_s.size() != 2 * kCoordinateBytes) return {};
  const Signature signature(ECDSA_SIG_new());
  Number r = number_of(r_and_s.substr(0, kCoordinateBytes)), s = number_of(r_and_s.substr(kCoordinateBytes));
  if (!signature || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());  // the signature's now
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

Result<Json> read_part(std::string_view text, const char* which) {
  std::string json;
  if (text.size() > kMaxPart || !base64url_decode(text, json))
    return make_error(Code::malformed, std::string("its ") + which + " is no base64url");
  JsonLimits limits;
  limits.max_bytes = kMaxPart;
  limits.max_depth = 8;
  limits.max_values = 2'000;
  auto value = parse_json(json, limits);
  if (!value || !value->is_object())
    return make_error(Code::malformed, std::string("its ") + which + " is no JSON object");
  return value;
}

}  // namespace

bool base64url_decode(std::string_view text, std::string& out) {
  if (text.size() % 4 == 1) return false;
  std::string standard(text);
  for (char& c : standard) {
    if (c == '+' || c == '/' || c == '=') return false;
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  standard.append((4 - standard.size() % 4) % 4, '=');
  return base64_decode(standard, out);
}

Result<Jws> read_jws(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
    return make_error(Code::malformed, "it does not consist of three parts");
  auto header = read_part(token.substr(0, first), "header");
  if (!header) return header.error();
  auto claims = read_part(token.substr(first + 1, second - first - 1), "payload");
  if (!claims) return claims.error();
  Jws out{std::string(token.substr(0, second)), std::move(*header), std::move(*claims), {}};
  if (!base64url_decode(token.substr(second + 1), out.signature) || out.signature.empty())
    return make_error(Code::malformed, "its signature is no base64url");
  // An extension that must be understood, and is not, refuses the whole (RFC 7515, section 4.1.11).
  if (out.header.contains("crit")) return make_error(Code::malformed, "its header has extensions");
  return out;
}

std::optional<Algorithm> algorithm_of(std::string_view name) {
  if (name == "RS256") return Algorithm::rs256;
  if (name == "PS256") return Algorithm::ps256;
  if (name == "ES256") return Algorithm::es256;
  if (name == "EdDSA") return Algorithm::eddsa;
  return std::nullopt;
}

Result<VerifyKey> VerifyKey::read(const Json& jwk) {
  const auto text = [&](const char* name) {
    const auto it = jwk.find(name);
    return it != jwk.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  if (!jwk.is_object()) return unusable("no object");
  if (const std::string use = text("use"); !use.empty() && use != "sig")
    return unusable("not for signatures");
  VerifyKey out;
  out.id_ = text("kid");
  if (out.id_.size() > 256) return unusable("its id is too long");
  if (const std::string alg = text("alg"); !alg.empty()) {
    out.only_ = algorithm_of(alg);
    if (!out.only_) return unusable("its algorithm is not accepted here");
  }
  const std::string type = text("kty"), curve = text("crv");
  if (type == "RSA") {
    out.kind_ = Kind::rsa;
    out.key_ = rsa_key(jwk);
  } else if (type == "EC" && curve == "P-256") {
    out.kind_ = Kind::p256;
    out.key_ = p256_key(jwk);
  } else if (type == "OKP" && curve == "Ed25519") {
    out.kind_ = Kind::ed25519;
    out.key_ = ed25519_key(jwk);
  } else {
    return unusable("its kind is not accepted here");
  }
  if (!out.key_) return unusable("its numbers make no key, or too small a one");
  return out;
}

bool VerifyKey::fits(Algorithm algorithm) const {
  if (only_ && *only_ != algorithm) return false;
  switch (algorithm) {
    case Algorithm::rs256:
    case Algorithm::ps256:
      return kind_ == Kind::rsa;
    case Algorithm::es256:
      return kind_ == Kind::p256;
    case Algorithm::eddsa:
      return kind_ == Kind::ed25519;
  }
  return false;
}

bool VerifyKey::verifies(Algorithm algorithm, std::string_view signed_text,
                         std::string_view signature) const {
  if (!fits(algorithm)) return false;
  const Context context(EVP_MD_CTX_new());
  if (!context) return false;
  EVP_PKEY_CTX* options = nullptr;
  const EVP_MD* const digest = algorithm == Algorithm::eddsa ? nullptr : EVP_sha256();
  if (EVP_DigestVerifyInit(context.get(), &options, digest, nullptr, key_.get()) != 1) return false;
  if (algorithm == Algorithm::ps256 &&
      (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1))
    return false;
  const std::string der = algorithm == Algorithm::es256 ? der_of(signature) : std::string(signature);
  return !der.empty() && EVP_DigestVerify(context.get(), bytes_of(der), der.size(), bytes_of(signed_text),
                                          signed_text.size()) == 1;
}

}  // namespace vmcp::auth
