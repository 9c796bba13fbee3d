// A fuzz target without libFuzzer: all committed seeds, then mutations of them, the same ones in every run.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "fuzz/mutator.h"
#include "fuzz/target.h"
#include "support/rounds.h"

namespace {

struct Seed {
  std::string name, text;
};

std::vector<Seed> seeds() {
  std::vector<Seed> out;
  for (const auto& entry : std::filesystem::directory_iterator(VMCP_CORPUS)) {
    std::ifstream in(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    out.push_back({entry.path().filename(), text.str()});
  }
  std::sort(out.begin(), out.end(), [](const Seed& a, const Seed& b) { return a.name < b.name; });
  return out;
}

// Where VMCP_FUZZ_LAST names a file, it holds the input that was running when the program died.
void run(const std::string& input) {
  if (const char* const file = std::getenv("VMCP_FUZZ_LAST"))
    std::ofstream(file, std::ios::binary | std::ios::trunc) << input;
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::string found_in(const std::string& input) {
  try {
    run(input);
  } catch (const std::exception& e) {
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("fuzz: the committed seeds") {
  const auto all = seeds();
  REQUIRE(!all.empty());
  for (const Seed& seed : all) {
    CAPTURE(seed.name);
    CHECK(found_in(seed.text) == "");
  }
}

// An input of the request target has two or three requests: 20,000 of them in all.
TEST_CASE("fuzz: 8,000 mutations of them") {
  std::vector<std::string> texts;
  for (const Seed& seed : seeds()) texts.push_back(seed.text);
  vmcp::fuzz::Mutator mutator(20260728, texts, vmcp::fuzz::read_dictionary(VMCP_DICTIONARY));
  for (int round = 0; round < vmcp::testing::rounds(8'000); ++round) {
    const std::string input = mutator.next();
    const std::string found = found_in(input);
    REQUIRE_MESSAGE(found.empty(), "round " << round << ": " << found << "\ninput: " << input);
  }
}
