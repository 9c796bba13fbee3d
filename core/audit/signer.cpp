#include "audit/signer.h"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

#include "base/crypto.h"

namespace vmcp::audit {
namespace {

constexpr std::size_t kSeedBytes = 32;
constexpr std::size_t kSignatureBytes = 64;

struct FreeEd25519 {
  void operator()(EVP_PKEY* p) const { ::EVP_PKEY_free(p); }
  void operator()(EVP_MD_CTX* p) const { ::EVP_MD_CTX_free(p); }
};

const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

void Signer::Free::operator()(evp_pkey_st* key) const {
  ::EVP_PKEY_free(key);
}

std::string bytes_of_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return {};
  std::string out;
  out.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = digit_of(hex[i]), low = digit_of(hex[i + 1]);
    if (high < 0 || low < 0) return {};
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

Result<Signer> Signer::make(const Secret& seed) {
  const auto failed = [] { return make_error(Code::internal, "the audit's signing key cannot be used"); };
  if (seed.reveal().size() != kSeedBytes) return failed();
  Signer out;
  out.key_.reset(
      ::EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw(seed.reveal()), seed.reveal().size()));
  std::array<unsigned char, 32> key{};
  std::size_t size = key.size();
  if (!out.key_ || ::EVP_PKEY_get_raw_public_key(out.key_.get(), key.data(), &size) != 1) return failed();
  out.public_key_ = to_hex(key.data(), key.size());
  return out;
}

std::string Signer::sign(std::string_view text) const {
  const std::unique_ptr<EVP_MD_CTX, FreeEd25519> context(::EVP_MD_CTX_new());
  std::array<unsigned char, kSignatureBytes> out{};
  std::size_t size = out.size();
  if (!context || ::EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
      ::EVP_DigestSign(context.get(), out.data(), &size, raw(text), text.size()) != 1)
    throw std::runtime_error("Ed25519 failed");
  return to_hex(out.data(), out.size());
}

bool signature_fits(std::string_view public_key_hex, std::string_view text, std::string_view signature_hex) {
  const std::string key = bytes_of_hex(public_key_hex), signature = bytes_of_hex(signature_hex);
  if (key.size() != kSeedBytes || signature.size() != kSignatureBytes) return false;
  const std::unique_ptr<EVP_PKEY, FreeEd25519> pkey(
      ::EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw(key), key.size()));
  const std::unique_ptr<EVP_MD_CTX, FreeEd25519> context(::EVP_MD_CTX_new());
  return pkey && context &&
         ::EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
         ::EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(text), text.size()) == 1;
}

}  // namespace vmcp::audit
