#include "base/log.h"

#include <unistd.h>

#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "base/mask.h"

namespace vmcp {
namespace {

constexpr const char* kNames[] = {"debug", "info", "warning", "error"};

bool plain(std::string_view v) {
  if (v.empty()) return false;
  for (const char c : v)
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || static_cast<unsigned char>(c) >= 0x7F) return false;
  return true;
}

}  // namespace

void StderrLog::write(LogLevel level, std::string_view event, std::initializer_list<Field> fields) {
  if (level < threshold_) return;
  std::string line;
  append_iso8601(line, std::chrono::system_clock::now());
  line += ' ';
  line += kNames[static_cast<int>(level)];
  line += ' ';
  line += mask_text(event);
  for (const auto& [key, value] : fields) {
    line += ' ';
    line += key;
    line += '=';
    const std::string masked = is_secret_key(key) ? std::string("[secret]") : mask_text(value);
    if (plain(masked))
      line += masked;
    else
      append_json_string(line, masked);  // quotes keep one event on one line
  }
  line += '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (n <= 0) return;  // nobody reads the log; there is nobody left to tell
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace vmcp
