// The characters of HTTP (RFC 9110 §5.6.2, §5.5) and comparison of names. Shared by what reads and what
// writes.
#pragma once

#include <string_view>

namespace vmcp::http {

bool is_token(std::string_view s);                                 // not empty
bool is_field_value(std::string_view s);                           // no control byte but TAB; may be empty
bool is_target(std::string_view s);                                // visible ASCII without '#'; not empty
bool equal_ignoring_case(std::string_view a, std::string_view b);  // ASCII only
std::string_view trim_blanks(std::string_view s);                  // SP and TAB at both ends

}  // namespace vmcp::http
