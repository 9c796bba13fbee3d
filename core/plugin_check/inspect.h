// What can be known about a plugin without running any of it: its manifest and its library's bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "plugin_check/elf_file.h"
#include "plugin_host/loader.h"
#include "plugin_host/manifest.h"

namespace vmcp::plugin_check {

// The whole of a plugin's file; an error when it is no regular file or larger than 256 MiB.
Result<std::string> read_library(const std::string& path);

struct Inspection {
  std::string file, sha256;
  std::uint64_t bytes = 0;
  ElfFacts elf;
  plugin_host::Manifest manifest;
};

// Both the library and the manifest beside it; the error says which of them cannot be read, and why.
Result<Inspection> inspect(const std::string& file);

std::string inspection_text(const Inspection& inspection);
std::string inspection_json(const Inspection& inspection);

// A plugin of a folder and whether a host with these settings would begin to load it. Judged without its
// code: what open() and start() say is not known.
struct Listed {
  plugin_host::Planned planned;
  std::string sha256;  // empty when the file cannot be read
  plugin_host::Trust trust;
};
std::vector<Listed> list_plugins(const plugin_host::LoadSettings& settings);

std::string listing_text(const std::vector<Listed>& plugins);
std::string listing_json(const std::vector<Listed>& plugins);

}  // namespace vmcp::plugin_check
