// What every fuzz target says when the server does what it must not: libFuzzer and the replay program both
// take an exception that leaves the target for a find.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace vmcp::fuzz {

struct Found : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The words are put together only when they are needed: this stands in the fuzzer's inner loop.
template <class... Words>
void require(bool holds, const Words&... words) {
  if (holds) return;
  std::string text;
  (text.append(words), ...);
  throw Found(text);
}

}  // namespace vmcp::fuzz
