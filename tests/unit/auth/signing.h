// An authorization server's side: keys, their JWKs, and tokens signed with them.
#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <memory>
#include <string>
#include <vector>

#include "base/crypto.h"
#include "base/json.h"

namespace vmcp::test {

inline std::string base64url(std::string_view bytes) {
  std::string out = base64_encode(bytes);
  while (out.ends_with('=')) out.pop_back();
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

class SigningKey {
 public:
  // "RS256", "PS256", "ES256" or "EdDSA".
  SigningKey(std::string algorithm, std::string id, unsigned rsa_bits = 2048)
      : algorithm_(std::move(algorithm)), id_(std::move(id)) {
    EVP_PKEY* key = algorithm_ == "ES256"   ? EVP_EC_gen("P-256")
                    : algorithm_ == "EdDSA" ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                                            : EVP_RSA_gen(rsa_bits);
    key_.reset(key, EVP_PKEY_free);
  }

  Json jwk() const {
    Json out{{"kid", id_}, {"use", "sig"}, {"alg", algorithm_}};
    if (algorithm_ == "ES256") {
      out.update({{"kty", "EC"}, {"crv", "P-256"}, {"x", number("qx", 32)}, {"y", number("qy", 32)}});
    } else if (algorithm_ == "EdDSA") {
      std::string raw(32, '\0');
      std::size_t size = raw.size();
      EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size);
      out.update({{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", base64url(raw)}});
    } else {
      out.update(
          {{"kty", "RSA"}, {"n", number(OSSL_PKEY_PARAM_RSA_N, 0)}, {"e", number(OSSL_PKEY_PARAM_RSA_E, 0)}});
    }
    return out;
  }

  // `header` replaces or adds members; null removes one.
  std::string token(const Json& claims, const Json& header = Json::object()) const {
    Json head{{"typ", "at+jwt"}, {"alg", algorithm_}, {"kid", id_}};
    head.merge_patch(header);
    const std::string text = base64url(dump_json(head)) + "." + base64url(dump_json(claims));
    return text + "." + base64url(signature(text));
  }

  std::string signature(const std::string& text) const {
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_PKEY_CTX* options = nullptr;
    EVP_DigestSignInit(context.get(), &options, algorithm_ == "EdDSA" ? nullptr : EVP_sha256(), nullptr,
                       key_.get());
    if (algorithm_ == "PS256") {
      EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
    }
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t size = 0;
    EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size());
    std::string out(size, '\0');
    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes, text.size());
    out.resize(size);
    return algorithm_ == "ES256" ? side_by_side(out) : out;
  }

 private:
  std::string number(const char* name, int bytes) const {
    BIGNUM* n = nullptr;
    EVP_PKEY_get_bn_param(key_.get(), name, &n);
    std::string out(static_cast<std::size_t>(bytes > 0 ? bytes : BN_num_bytes(n)), '\0');
    BN_bn2binpad(n, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
    BN_free(n);
    return base64url(out);
  }
  static std::string side_by_side(const std::string& der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
    std::string out(64, '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), reinterpret_cast<unsigned char*>(out.data()), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), reinterpret_cast<unsigned char*>(out.data()) + 32, 32);
    ECDSA_SIG_free(signature);
    return out;
  }

  std::string algorithm_, id_;
  std::shared_ptr<EVP_PKEY> key_;
};

}  // namespace vmcp::test
