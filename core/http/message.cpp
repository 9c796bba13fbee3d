#include "http/message.h"

#include "http/syntax.h"

namespace vmcp::http {

std::string_view Request::header(std::string_view name) const {
  for (const Header& h : headers) {
    // An empty value still is a value: it points into the bytes, so its data() is not null.
    if (h.name.size() == name.size() && equal_ignoring_case(h.name, name)) return h.value;
  }
  return {};
}

std::size_t Request::count(std::string_view name) const {
  std::size_t n = 0;
  for (const Header& h : headers) n += equal_ignoring_case(h.name, name) ? 1 : 0;
  return n;
}

}  // namespace vmcp::http
