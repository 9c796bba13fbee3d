#include "base/crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <memory>
#include <stdexcept>

namespace vmcp {

Digest sha256(std::string_view bytes) {
  // Fetched once: EVP_sha256() is looked up among the providers anew with each digest.
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  // Kept, since making one costs as much as hashing a token with it: there is one of those in each call.
  thread_local const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                                EVP_MD_CTX_free);
  Digest out;
  if (algorithm == nullptr || context == nullptr ||
      EVP_DigestInit_ex2(context.get(), algorithm, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), out.data(), nullptr) != 1)
    throw std::runtime_error("SHA-256 failed");
  return out;
}

Digest hmac_sha256(std::string_view key, std::string_view bytes) {
  Digest out;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out.data(),
           nullptr) == nullptr)
    throw std::runtime_error("HMAC-SHA-256 failed");
  return out;
}

std::string to_hex(const unsigned char* bytes, std::size_t size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(size * 2, '0');
  for (std::size_t i = 0; i < size; ++i) {
    out[2 * i] = kDigits[bytes[i] >> 4];
    out[2 * i + 1] = kDigits[bytes[i] & 15];
  }
  return out;
}

std::string random_bytes(std::size_t size) {
  std::string out(size, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(size)) != 1)
    throw std::runtime_error("no random bytes");
  return out;
}

std::string random_id() {
  // Every call gets an id, and OpenSSL asks more for being called than for the bytes: so each thread draws 64
  // ids' worth at once. Not for keys and nonces, which must be nowhere before they are used.
  constexpr std::size_t kBytes = 16;
  struct Stock {
    std::array<unsigned char, 64 * kBytes> bytes;
    std::size_t used = sizeof bytes;
  };
  thread_local Stock stock;
  if (stock.used == stock.bytes.size()) {
    if (RAND_bytes(stock.bytes.data(), static_cast<int>(stock.bytes.size())) != 1)
      throw std::runtime_error("no random bytes");
    stock.used = 0;
  }
  const unsigned char* const id = stock.bytes.data() + stock.used;
  stock.used += kBytes;
  return to_hex(id, kBytes);
}

std::string base64_encode(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int n =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(n));
  return out;
}

namespace {

constexpr std::size_t kNonceBytes = 12, kTagBytes = 16, kKeyBytes = 32;

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string encrypt(std::string_view key, std::string_view plain, std::string_view bound) {
  if (key.size() != kKeyBytes) throw std::runtime_error("AES-256 needs a key of 32 bytes");
  const CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  std::string out = random_bytes(kNonceBytes);
  out.resize(kNonceBytes + plain.size() + kTagBytes);
  auto* const to = reinterpret_cast<unsigned char*>(out.data());
  int n = 0;
  const bool ok =
      context &&
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(out)) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &n, bytes_of(bound), static_cast<int>(bound.size())) == 1 &&
      EVP_EncryptUpdate(context.get(), to + kNonceBytes, &n, bytes_of(plain),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), to + kNonceBytes + plain.size(), &n) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, to + kNonceBytes + plain.size()) ==
          1;
  if (!ok) throw std::runtime_error("AES-256-GCM failed");
  return out;
}

bool decrypt(std::string_view key, std::string_view sealed, std::string_view bound, std::string& out) {
  out.clear();
  if (key.size() != kKeyBytes || sealed.size() < kNonceBytes + kTagBytes) return false;
  const std::string_view nonce = sealed.substr(0, kNonceBytes);
  const std::string_view text = sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  const CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  out.resize(text.size() + kTagBytes);
  auto* const to = reinterpret_cast<unsigned char*>(out.data());
  int n = 0;
  const bool ok =
      context &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(nonce)) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &n, bytes_of(bound), static_cast<int>(bound.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), to, &n, bytes_of(text), static_cast<int>(text.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), to + text.size(), &n) == 1;
  out.resize(ok ? text.size() : 0);
  return ok;
}

}  // namespace vmcp
