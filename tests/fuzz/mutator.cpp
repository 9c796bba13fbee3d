#include "fuzz/mutator.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace vmcp::fuzz {

Mutator::Mutator(std::uint32_t seed, std::vector<std::string> seeds, std::vector<std::string> words)
    : random_(seed), seeds_(std::move(seeds)), words_(std::move(words)) {}

std::string Mutator::next() {
  std::string input = seeds_[below(seeds_.size())];
  for (std::size_t i = 1 + below(6); i > 0; --i) mutate(input);
  return input;
}

void Mutator::mutate(std::string& input) {
  static constexpr char kBytes[] = "{}[]\":,\\0123456789.eE-+ntfu /?%=;\r\n\x00\x01\x7f\xff\xc3\xa4\t ";
  const std::size_t at = input.empty() ? 0 : below(input.size());
  const char byte = below(3) == 0 ? static_cast<char>(below(256)) : kBytes[below(sizeof kBytes - 1)];
  switch (below(9)) {
    case 0:
      if (!input.empty()) input[at] = byte;
      break;
    case 1:
      input.insert(at, 1, byte);
      break;
    case 2:
      input.erase(at, 1 + below(12));
      break;
    case 3:
      input.insert(at, input.substr(at, 1 + below(40)));
      break;
    case 4:
      if (below(4) == 0) input.resize(at);
      break;
    case 5: {  // a piece of another seed
      const std::string& other = seeds_[below(seeds_.size())];
      if (!other.empty()) input.insert(at, other.substr(below(other.size()), 1 + below(80)));
      break;
    }
    case 6:  // over and over
      input.insert(at, std::string(1 + below(below(8) == 0 ? 5'000 : 40), byte));
      break;
    default:
      if (!words_.empty()) {
        const std::string& word = words_[below(words_.size())];
        input.replace(at, below(2) == 0 ? 0 : std::min(word.size(), input.size() - at), word);
      }
      break;
  }
}

std::vector<std::string> read_dictionary(const std::string& file) {
  std::vector<std::string> words;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const std::size_t begin = line.find('"'), end = line.rfind('"');
    if (line.starts_with('#') || begin == end) continue;
    std::string word;
    for (std::size_t i = begin + 1; i < end; ++i) {
      if (line[i] == '\\' && line.compare(i + 1, 1, "x") == 0) {
        word += static_cast<char>(std::stoi(line.substr(i + 2, 2), nullptr, 16));
        i += 3;
      } else {
        if (line[i] == '\\') ++i;
        word += line[i];
      }
    }
    words.push_back(word);
  }
  return words;
}

}  // namespace vmcp::fuzz
