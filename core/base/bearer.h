// What a token may look like: one rule for who configures it, hashes it and receives it.
#pragma once

#include <cstddef>
#include <string_view>

namespace vmcp {

// Leaves room in a header of 4096 bytes for the scheme.
inline constexpr std::size_t kMaxBearerToken = 4032;

// RFC 6750's b64token: 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
bool is_bearer_token(std::string_view token);

}  // namespace vmcp
