// Ed25519, for the heads of closed segments: whoever has the public key can check them, and make none.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

struct evp_pkey_st;

namespace vmcp::audit {

inline constexpr std::size_t kPublicKeyHexBytes = 64;
inline constexpr std::size_t kSignatureHexBytes = 128;

// One thread at a time.
class Signer {
 public:
  static Result<Signer> make(const Secret& seed);                // 32 bytes
  const std::string& public_key() const { return public_key_; }  // 64 hex digits
  std::string sign(std::string_view text) const;                 // 128 hex digits

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  Signer() = default;
  std::unique_ptr<evp_pkey_st, Free> key_;
  std::string public_key_;
};

// False also for a key or a signature that is none.
bool signature_fits(std::string_view public_key_hex, std::string_view text, std::string_view signature_hex);

// 2 * n lower-case digits to n bytes; empty when it is not that.
std::string bytes_of_hex(std::string_view hex);

}  // namespace vmcp::audit
