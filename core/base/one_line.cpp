#include "base/one_line.h"

namespace vmcp {

std::string one_line(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    const auto third = static_cast<unsigned char>(i + 2 < text.size() ? text[i + 2] : 0);
    if (c < 0x20 || c == 0x7f) {
      out += '?';
    } else if (c == 0xc2 && next >= 0x80 && next <= 0x9f) {
      out += '?';
      ++i;
    } else if (c == 0xe2 && ((next == 0x80 && third >= 0xa8 && third <= 0xae) ||
                             (next == 0x81 && third >= 0xa6 && third <= 0xa9))) {
      out += '?';
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace vmcp
