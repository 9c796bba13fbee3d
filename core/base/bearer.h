// What a token may look like: one rule for who configures it, hashes it and receives it.
#pragma once

#include <cstddef>
#include <string_view>

namespace vmcp {

// Signed tokens with many claims are long; the head of a request bounds them too.
inline constexpr std::size_t kMaxBearerToken = 16'000;

// RFC 6750's b64token: 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
bool is_bearer_token(std::string_view token);

// What an Authorization header's value holds behind "Bearer" (in any case, RFC 9110 section 11.1); empty when
// it is another scheme. Not judged yet: is_bearer_token().
std::string_view bearer_token(std::string_view authorization);

}  // namespace vmcp
