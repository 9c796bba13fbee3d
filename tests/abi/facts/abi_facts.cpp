// vmcp_abi_facts: judges what describe.cmake collects about the C headers.
//   prefix RELEASED TODAY [--draft]   fails when a released structure, value or signature has changed
//   layout TODAY LIST                 fails when a member, size or value has no line in layout.c
//   structures TODAY                  prints the names of the structures
//   ids TODAY                         prints the interface ids
// RELEASED and TODAY are paths without ".dwarf" and ".macros".
#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "dwarf.h"
#include "prefix.h"

namespace vmcp::abi_facts {
namespace {

std::ifstream opened(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  return in;
}

Facts read_facts(const std::string& path) {
  Facts out;
  std::ifstream dwarf = opened(path + ".dwarf"), macros = opened(path + ".macros");
  read_dwarf(dwarf, out);
  read_macros(macros, out);
  return out;
}

int report(const std::vector<std::string>& complaints) {
  for (const std::string& complaint : complaints) std::cout << complaint << '\n';
  return complaints.empty() ? 0 : 1;
}

int prefix(const Facts& released, const Facts& today, bool draft) {
  const int code = report(broken_promises(released, today, draft));
  if (code == 0)
    std::cout << released.records.size() << " structures and " << released.macros.size()
              << " macros are what they were; ABI " << released.macros.at("VMCP_ABI_MAJOR") << "."
              << released.macros.at("VMCP_ABI_MINOR") << '\n';
  return code;
}

// layout.c as a list: VMCP_LAYOUT_AT type member offset, VMCP_LAYOUT_SIZE type bytes, VMCP_LAYOUT_VALUE name
// value.
std::map<std::string, std::string> read_layout(std::istream& list) {
  std::map<std::string, std::string> out;
  std::string text((std::istreambuf_iterator<char>(list)), {}), word, a, b, c;
  std::replace(text.begin(), text.end(), ';', ' ');
  std::istringstream words(text);
  while (words >> word) {
    if (word == "VMCP_LAYOUT_AT" && words >> a >> b >> c)
      out["AT(" + a + ", " + b] = c;
    else if (word == "VMCP_LAYOUT_SIZE" && words >> a >> b)
      out["SIZE(" + a] = b;
    else if (word == "VMCP_LAYOUT_VALUE" && words >> a >> b)
      out["VALUE(" + a] = b;
  }
  return out;
}

int layout(const Facts& today, std::istream& list) {
  const auto lines = read_layout(list);
  std::vector<std::string> complaints;
  const auto expect = [&](const std::string& line, const std::string& value) {
    const auto it = lines.find(line);
    if (it == lines.end())
      complaints.push_back("layout.c lacks " + line + ", " + value + ");");
    else if (it->second != value)
      complaints.push_back("layout.c has " + line + ", " + it->second + "), and it is " + value);
  };
  for (const auto& [name, record] : today.records) {
    if (record.opaque) continue;
    expect("SIZE(" + name, std::to_string(record.size));
    for (const Member& member : record.members)
      expect("AT(" + name + ", " + member.name, std::to_string(member.offset));
  }
  for (const Enumeration& enumeration : today.enumerations)
    for (const auto& [name, value] : enumeration.values) expect("VALUE(" + name, std::to_string(value));
  const int code = report(complaints);
  if (code == 0) std::cout << lines.size() << " lines of layout.c are all there are\n";
  return code;
}

int structures(const Facts& today) {
  for (const auto& [name, record] : today.records) std::cout << name << '\n';
  return 0;
}

int ids(const Facts& today) {
  for (const auto& [name, value] : today.macros)
    if (name.rfind("VMCP_IFACE_", 0) == 0) std::cout << value.substr(1, value.size() - 2) << '\n';
  return 0;
}

int run(const std::vector<std::string>& arguments) {
  const std::string what = arguments.empty() ? "" : arguments[0];
  const std::size_t count = arguments.size();
  if (what == "prefix" && (count == 3 || (count == 4 && arguments[3] == "--draft")))
    return prefix(read_facts(arguments[1]), read_facts(arguments[2]), count == 4);
  if (what == "layout" && count == 3) {
    std::ifstream list = opened(arguments[2]);
    return layout(read_facts(arguments[1]), list);
  }
  if (what == "structures" && count == 2) return structures(read_facts(arguments[1]));
  if (what == "ids" && count == 2) return ids(read_facts(arguments[1]));
  throw std::runtime_error(
      "usage: vmcp_abi_facts prefix RELEASED TODAY [--draft] | layout TODAY LIST | "
      "structures TODAY | ids TODAY");
}

}  // namespace
}  // namespace vmcp::abi_facts

int main(int argc, char** argv) {
  try {
    return vmcp::abi_facts::run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::cerr << "vmcp_abi_facts: " << e.what() << '\n';
    return 2;
  }
}
