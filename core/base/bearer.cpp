#include "base/bearer.h"

#include <algorithm>

namespace vmcp {

bool is_bearer_token(std::string_view token) {
  if (token.size() > kMaxBearerToken) return false;
  while (!token.empty() && token.back() == '=') token.remove_suffix(1);
  return !token.empty() && std::all_of(token.begin(), token.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~' || c == '+' || c == '/';
  });
}

}  // namespace vmcp
