// Whole lines from a descriptor.
#pragma once

#include <string>

namespace vmcp::stdio {

class LineReader {
 public:
  // `stop`: a descriptor that becomes readable when reading is to end; -1 = none. Neither is owned.
  LineReader(int input, int stop, std::size_t max_line_bytes)
      : input_(input), stop_(stop), max_line_bytes_(max_line_bytes) {}

  enum class Got { line, too_long, end };
  // `line` without its end. Blocks. A line over the limit is read to its end and given as too_long.
  Got next(std::string& line);

 private:
  bool fill();  // false: no more comes
  const int input_, stop_;
  const std::size_t max_line_bytes_;
  std::string buffer_;
  std::size_t searched_ = 0;
  bool skipping_ = false;
};

}  // namespace vmcp::stdio
