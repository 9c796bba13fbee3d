// A log that remembers, for tests in which several threads write it.
#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.h"

namespace vmcp::testing {

class HeardLog final : public Log {
 public:
  // "event name=value name=value"
  void write(LogLevel, std::string_view event, std::initializer_list<Field> fields) override {
    std::string line(event);
    for (const auto& [name, value] : fields) line.append(" ").append(name).append("=").append(value);
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  // How many lines have these words.
  int count(std::string_view words) const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(std::count_if(lines_.begin(), lines_.end(), [&](const std::string& line) {
      return line.find(words) != std::string::npos;
    }));
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace vmcp::testing
