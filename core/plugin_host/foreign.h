// Reading memory that a plugin made: bounded, and never beyond what it says to have filled.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/result.h"
#include "vmcp/abi.h"

namespace vmcp::plugin_host {

constexpr std::size_t kMaxUriBytes = 2048;

// A declaration that the host does not take; the text is for the plugin's author.
inline Error unfit(std::string text) {
  return make_error(Code::invalid_argument, std::move(text));
}

// Text of a foreign C string with a bound, so that a missing zero cannot run away. Null gives no text.
inline bool bounded_text(const char* text, std::size_t max, std::string& out) {
  if (text == nullptr) return true;
  const std::size_t length = strnlen(text, max + 1);
  if (length > max) return false;
  out.assign(text, length);
  return true;
}

inline bool ends_within(std::uint32_t size, std::size_t offset, std::size_t member) {
  return offset + member <= size;
}

// Did the maker of the foreign table fill this member?
#define VMCP_HAS(table, member)                                                                  \
  (::vmcp::plugin_host::ends_within(                                                             \
      (table)->size, offsetof(std::remove_cv_t<std::remove_pointer_t<decltype(table)>>, member), \
      sizeof((table)->member)))

// Copies min(foreign size, sizeof(T)) bytes into a zeroed T: the one way to read a foreign table, which
// begins with a uint32_t size. Cut to whole pointers: half a pointer must read as absent.
template <class T>
T copy_foreign(const T* foreign) {
  T own;
  std::memset(&own, 0, sizeof own);
  std::size_t bytes = std::min<std::size_t>(foreign->size, sizeof own);
  bytes -= bytes % sizeof(void*);
  std::memcpy(&own, foreign, bytes);
  return own;
}

// 1-64 of [A-Za-z0-9_.-]
inline bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

inline std::string_view view(vmcp_str s) {
  return s.ptr == nullptr ? std::string_view{} : std::string_view(s.ptr, s.len);
}
inline vmcp_str span(std::string_view s) {
  return {s.data(), s.size()};
}

}  // namespace vmcp::plugin_host
