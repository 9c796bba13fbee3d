// vmcp/quote.hpp: JSON text out of plain text, for the small objects that the wrapper itself makes.
#pragma once

#include <string>
#include <string_view>

namespace vmcp {

// `text` as a JSON string with its quotes. Bytes that are not ASCII pass as they are: text is UTF-8.
inline std::string quote(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  out.reserve(text.size() + 2);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20) {
      out.append("\\u00");
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
  return out;
}

}  // namespace vmcp
