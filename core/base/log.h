// The operational log: one line per event on stderr, for the operator. Never on stdout (stdio mode owns it).
// Every value passes mask_text(), so that a secret that slipped into a message is not printed.
#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>

namespace vmcp {

enum class LogLevel { debug, info, warning, error };

// [any thread]; each call writes one whole line with one write(2).
class Log {
 public:
  using Field = std::pair<std::string_view, std::string_view>;
  virtual ~Log() = default;
  virtual void write(LogLevel level, std::string_view event, std::initializer_list<Field> fields) = 0;

  void debug(std::string_view e, std::initializer_list<Field> f = {}) { write(LogLevel::debug, e, f); }
  void info(std::string_view e, std::initializer_list<Field> f = {}) { write(LogLevel::info, e, f); }
  void warning(std::string_view e, std::initializer_list<Field> f = {}) { write(LogLevel::warning, e, f); }
  void error(std::string_view e, std::initializer_list<Field> f = {}) { write(LogLevel::error, e, f); }
};

// Writes to stderr; lines below `threshold` cost one comparison.
class StderrLog final : public Log {
 public:
  explicit StderrLog(LogLevel threshold) : threshold_(threshold) {}
  void write(LogLevel level, std::string_view event, std::initializer_list<Field> fields) override;

 private:
  LogLevel threshold_;
};

// Drops everything: for tests and one-shot commands.
class SilentLog final : public Log {
 public:
  void write(LogLevel, std::string_view, std::initializer_list<Field>) override {}
};

}  // namespace vmcp
