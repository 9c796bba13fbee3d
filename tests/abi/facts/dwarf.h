// What a compiler made of the C headers, from `readelf --debug-dump=info`: structures, enumerations,
// prototypes.
#pragma once

#include <cstdint>
#include <istream>
#include <map>
#include <string>
#include <vector>

namespace vmcp::abi_facts {

struct Member {
  std::string name, type;  // the type spelled out down to sized scalars and names that begin with "vmcp_"
  std::uint64_t offset = 0;
};

struct Record {
  std::uint64_t size = 0;
  bool opaque = false;  // declared only
  std::vector<Member> members;
};

struct Enumeration {
  std::string type;
  std::vector<std::pair<std::string, std::int64_t>> values;
};

struct Facts {
  std::map<std::string, Record> records;  // by name
  std::vector<Enumeration> enumerations;
  std::map<std::string, std::string> typedefs;
  std::map<std::string, std::string> prototypes;  // of what describe.c declares as a pointer
  std::map<std::string, std::string> macros;      // those that have a value
};

// Throws std::runtime_error when the text is not what readelf writes, or describes no structure.
void read_dwarf(std::istream& dump, Facts& into);

// The "#define VMCP_NAME value" lines of `cc -dM -E`.
void read_macros(std::istream& dump, Facts& into);

}  // namespace vmcp::abi_facts
