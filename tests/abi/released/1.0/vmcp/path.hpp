// vmcp/path.hpp: request paths with percent-encoded identifiers.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace vmcp {

// Percent-encodes everything but the unreserved characters of RFC 3986, so that an identifier can be neither
// a second path segment nor a query.
inline std::string escape(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unreserved = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                            (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
                            byte == '~';
    if (unreserved) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  return out;
}

// path("/api/vcenter/vm/{}/power?action=start", vm): every "{}" is replaced by the next argument, escaped.
// An argument without a "{}" is ignored; a "{}" without an argument stays.
template <class... Args>
std::string path(std::string_view pattern, const Args&... args) {
  static_assert((std::is_convertible_v<const Args&, std::string_view> && ...), "path takes texts");
  std::string out;
  std::size_t from = 0;
  [[maybe_unused]] const auto place = [&](std::string_view arg) {
    const std::size_t hole = pattern.find("{}", from);
    if (hole == std::string_view::npos) return;
    out.append(pattern.substr(from, hole - from));
    out.append(escape(arg));
    from = hole + 2;
  };
  (place(args), ...);
  out.append(pattern.substr(from));
  return out;
}

}  // namespace vmcp
