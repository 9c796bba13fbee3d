// Appends VI/JSON values straight to the answer: a page of properties is written without building a tree.
// Each returns true, so that a property's writer can end in `return put(…)`; false means "unset".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "simulator/model.h"

namespace vmcp::simulator {

bool put(std::string& out, std::string_view text);
inline bool put(std::string& out, const char* text) {
  return put(out, std::string_view(text));
}
inline bool put(std::string& out, const std::string& text) {
  return put(out, std::string_view(text));
}
bool put(std::string& out, bool value);
bool put(std::string& out, std::int64_t value);
inline bool put(std::string& out, int value) {
  return put(out, static_cast<std::int64_t>(value));
}
inline bool put_time(std::string& out, Millis time) {
  return put(out, iso_time(time));
}
bool put_moref(std::string& out, std::string_view type, std::string_view id);
bool put_moref(std::string& out, const Entity& entity);
inline bool put_json(std::string& out, const Json& value) {
  out += dump_json(value);
  return true;
}
inline bool put_empty_list(std::string& out) {
  out += "[]";
  return true;
}

template <class List>
bool put_morefs(std::string& out, const List& list) {
  out += '[';
  bool first = true;
  for (const auto* entity : list) {
    if (!first) out += ',';
    first = false;
    put_moref(out, *entity);
  }
  out += ']';
  return true;
}

}  // namespace vmcp::simulator
