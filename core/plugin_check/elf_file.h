// What an ELF shared library says about itself, read from its bytes: nothing is mapped, no code of it runs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vmcp::plugin_check {

struct ElfFacts {
  std::vector<std::string> exports;  // defined symbols that other libraries can bind to, in the file's order
  std::vector<std::string> unique;   // those of them that are STB_GNU_UNIQUE
  std::vector<std::string> needed;   // libraries that the loader fetches with it
  std::string run_path;              // DT_RUNPATH or DT_RPATH; empty when there is none
  std::string build_id;              // of the linker, in hex; empty when there is none
  bool binds_now = false;            // linked with -z now
  bool executable_stack = false;
  bool text_relocations = false;
};

// `bytes` is the whole file. Only what the dynamic loader itself would read is read: a library without
// section headers is as good as one with. Every offset and count is checked against the bytes that are there;
// the error names the part of the file that is damaged.
Result<ElfFacts> read_elf(std::string_view bytes);

}  // namespace vmcp::plugin_check
