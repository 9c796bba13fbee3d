// The whole way of a request, both eras: bytes → framer → routes → MCP endpoint → pipeline → plugin, and
// back.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "fuzz/conversation.h"
#include "fuzz/target.h"

using namespace vmcp::fuzz;

namespace {

constexpr std::size_t kMostParts = 12;
// Taken down and built anew now and then: what requests leave behind must not add up over a million of them.
constexpr int kInputsPerWorld = 2'000;

// How many whole requests the server had to answer, said at the end.
struct Count {
  ~Count() { std::fprintf(stderr, "requests: %zu\n", requests); }
  std::size_t requests = 0;
} count;

World& world() {
  static std::unique_ptr<World> now;
  static int inputs = 0;
  if (!now || ++inputs % kInputsPerWorld == 0) {
    now.reset();
    now = std::make_unique<World>();
    // Before OpenSSL's own end, which was set down while the world was built: a thread that ends after that
    // leaves its random generator behind.
    [[maybe_unused]] static const int at_end = std::atexit([] { now.reset(); });
  }
  return *now;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(input.find('\n'), input.size());
  Conversation conversation(world(), input.substr(0, line));
  input.remove_prefix(std::min(line + 1, input.size()));
  constexpr std::string_view kBetween = "\n%%%%\n";
  for (std::size_t parts = 0; parts < kMostParts && !input.empty(); ++parts) {
    const std::size_t end = std::min(input.find(kBetween), input.size());
    conversation.send(input.substr(0, end));
    input.remove_prefix(std::min(end + kBetween.size(), input.size()));
  }
  count.requests += conversation.requests();
  return 0;
}
