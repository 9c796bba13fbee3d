// vmcp-manifest PLUGIN.so [--output FILE]: writes what a plugin declares, as the host wants to know it before
// it loads the library. vmcp_add_plugin() runs it after every link.
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>

#include "library.h"
#include "manifest.h"

namespace {

constexpr int kUsage = 2;

void write_file(const std::string& file, const std::string& text) {
  // Beside and then renamed: a host that watches the folder never reads half a manifest.
  const std::string draft = file + ".new";
  std::ofstream out(draft, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out || std::rename(draft.c_str(), file.c_str()) != 0) throw std::runtime_error("cannot write " + file);
}

}  // namespace

int main(int argc, char** argv) {
  std::string library, output;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--output" && i + 1 < argc) {
      output = argv[++i];
    } else if (library.empty() && arg.rfind("--", 0) != 0) {
      library = arg;
    } else {
      library.clear();
      break;
    }
  }
  if (library.empty()) {
    std::cerr << "usage: vmcp-manifest PLUGIN.so [--output FILE]\n";
    return kUsage;
  }
  try {
    const vmcp::manifest_tool::Library opened(library);
    const std::string text = vmcp::manifest_tool::manifest_of(opened);
    if (output.empty()) {
      std::cout << text << std::flush;
    } else {
      write_file(output, text);
    }
  } catch (const std::exception& e) {
    std::cerr << "vmcp-manifest: " << library << ": " << e.what() << '\n';
    return 1;
  }
  return 0;
}
