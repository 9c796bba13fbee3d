// Simple mutations, reproducible from a seed: for machines without libFuzzer.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace vmcp::fuzz {

class Mutator {
 public:
  // `seeds` is not empty. `words` may be put anywhere.
  Mutator(std::uint32_t seed, std::vector<std::string> seeds, std::vector<std::string> words);
  std::string next();

 private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  void mutate(std::string& input);

  std::mt19937 random_;
  const std::vector<std::string> seeds_, words_;
};

// The words of a dictionary in libFuzzer's format: one a line, NAME="WORD" or "WORD", with \xNN, \" and \\.
std::vector<std::string> read_dictionary(const std::string& file);

}  // namespace vmcp::fuzz
