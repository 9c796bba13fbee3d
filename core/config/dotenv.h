// The .env file, as the Python server's users have it. Reads; never expands or runs anything.
//
//   NAME=value            # trailing comment: white space and '#', outside quotes
//   export NAME = value   # both are allowed
//   NAME='as it is, $HOME and \ too, over several lines'
//   NAME="with \n \t \r \" \\ escapes, over several lines"
//   NAME={ "json": …,     # for settings that take JSON: without quotes, until the brackets close
//          "over": "lines" }
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.h"

namespace vmcp::config {

struct EnvEntry {
  std::string name;
  std::string value;
  int line = 0, column = 0;              // of the name
  int value_line = 0, value_column = 0;  // of the value's first character
};

inline constexpr std::size_t kMaxConfigBytes = 1u << 20;

// Every entry that can be read; adds a problem for each line that cannot. `takes_json` says whether a
// variable's unquoted value may run over lines. A name that occurs twice is a problem: which one counts would
// be a guess.
std::vector<EnvEntry> parse_dotenv(std::string_view text, const std::string& file_name,
                                   const std::function<bool(std::string_view)>& takes_json,
                                   Problems& problems);

}  // namespace vmcp::config
