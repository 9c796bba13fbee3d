// The few primitives that the host needs, over OpenSSL's EVP. All [any thread]; failures of the library
// are exhaustion and throw std::runtime_error.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace vmcp {

using Digest = std::array<unsigned char, 32>;

Digest sha256(std::string_view bytes);
Digest hmac_sha256(std::string_view key, std::string_view bytes);
std::string to_hex(const unsigned char* bytes, std::size_t size);
inline std::string to_hex(const Digest& d) {
  return to_hex(d.data(), d.size());
}

std::string random_bytes(std::size_t size);
// 128 random bits as 32 hex characters: request ids, session ids.
std::string random_id();

std::string base64_encode(std::string_view bytes);
// Strict: the standard alphabet, correct padding, nothing else. False leaves `out` unspecified.
bool base64_decode(std::string_view text, std::string& out);

// AES-256-GCM under a 32-byte key with a fresh random nonce: nonce, ciphertext and tag in one string. `bound`
// is not stored, but must be the same when it is opened again.
std::string encrypt(std::string_view key, std::string_view plain, std::string_view bound);
// False: another key, other bytes, another `bound`; `out` is then empty.
bool decrypt(std::string_view key, std::string_view sealed, std::string_view bound, std::string& out);

}  // namespace vmcp
