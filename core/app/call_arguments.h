// The key=value words of `call` and `explain` as a call's arguments.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace vmcp::app {

// key=value: the value as JSON when it is a number, true, false, a list or an object; else as text.
inline Result<Json> parse_arguments(const std::vector<std::string>& arguments) {
  Json out = Json::object();
  for (const std::string& argument : arguments) {
    const auto equals = argument.find('=');
    if (equals == 0 || equals == std::string::npos)
      return make_error(Code::invalid_argument, "'" + argument + "' is not key=value");
    const std::string text = argument.substr(equals + 1);
    const auto value = parse_json(text);
    out[argument.substr(0, equals)] = value && !value->is_string() ? *value : Json(text);
  }
  return out;
}

}  // namespace vmcp::app
