// vmcp_contract_check [--facts F] [--exceptions F] RECORD…: exit 0 when every recorded exchange is as
// documented, 1 when one is not, 2 when nothing could be checked (no exchange, unreadable file).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "contract/exchange_check.h"

namespace {

using vmcp::contract::Deviation;
using vmcp::contract::ExchangeCheck;

bool read_file(const std::string& path, std::string& out) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  std::ostringstream text;
  text << file.rdbuf();
  out = text.str();
  return true;
}

vmcp::Result<vmcp::Json> read_json(const std::string& path) {
  std::string text;
  if (!read_file(path, text)) return vmcp::make_error(vmcp::Code::unavailable, path + ": cannot be read");
  return vmcp::parse_trusted_json(text);
}

vmcp::Result<ExchangeCheck> load(const std::string& facts_path, const std::string& exceptions_path) {
  auto facts = read_json(facts_path);
  if (!facts) return facts.error();
  auto list = read_json(exceptions_path);
  if (!list) return list.error();
  auto exceptions = vmcp::contract::Exceptions::parse(*list);
  if (!exceptions) return exceptions.error();
  return ExchangeCheck::make(std::move(*facts), std::move(*exceptions));
}

// The same deviation comes thousands of times in a load test: one line each, with its first place and its
// count.
struct Tally {
  std::string first;
  std::size_t count = 0;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Holds recorded vCenter exchanges against the official documents"};
  std::string facts = VMCP_CONTRACT_DIR "/official-facts.json",
              exceptions = VMCP_CONTRACT_DIR "/exceptions.json";
  std::vector<std::string> records;
  app.add_option("--facts", facts, "the generated facts");
  app.add_option("--exceptions", exceptions, "the named exceptions");
  app.add_option("RECORD", records, "files of JSON lines, one exchange each")->required();
  CLI11_PARSE(app, argc, argv);

  auto check = load(facts, exceptions);
  if (!check) {
    std::cerr << check.error().text << "\n";
    return 2;
  }
  std::map<std::string, Tally> deviations;
  std::size_t exchanges = 0;
  for (const auto& path : records) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      std::cerr << path << ": cannot be read\n";
      return 2;
    }
    std::string line;
    for (std::size_t number = 1; std::getline(file, line); ++number) {
      if (line.empty()) continue;
      std::string place = path + ":" + std::to_string(number);
      auto exchange = vmcp::contract::parse_exchange(line);
      if (!exchange) {
        std::cerr << place << ": " << exchange.error().text << "\n";
        return 2;
      }
      ++exchanges;
      for (const Deviation& d : check->check(*exchange)) {
        auto& tally =
            deviations["[" + d.rule + "] " + d.operation + " " + std::to_string(d.status) + ": " + d.text];
        if (tally.count++ == 0) tally.first = place;
      }
    }
  }
  for (const auto& [text, tally] : deviations)
    std::cout << tally.first << " (" << tally.count << "x) " << text << "\n";
  std::cout << exchanges << " exchanges, " << deviations.size() << " kinds of deviation\n";
  if (exchanges == 0) return 2;
  return deviations.empty() ? 0 : 1;
}
