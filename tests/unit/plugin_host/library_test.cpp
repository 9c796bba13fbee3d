#include "plugin_host/library.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace vmcp::plugin_host;
namespace fs = std::filesystem;

namespace {

struct Folder {
  std::string path;
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "vmcp-library-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Folder() { fs::remove_all(path); }
  std::string file(const std::string& name, const std::string& bytes, mode_t mode = 0644) const {
    const std::string f = path + "/" + name;
    std::ofstream(f, std::ios::binary) << bytes;
    ::chmod(f.c_str(), mode);
    return f;
  }
};

std::string own_program() {
  std::ifstream in("/proc/self/exe", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void refused_with(const vmcp::Result<void>& r, const char* word) {
  REQUIRE_FALSE(r.ok());
  CHECK_MESSAGE(r.error().text.find(word) != std::string::npos, r.error().text);
}

}  // namespace

TEST_CASE("vet_library: refuses what is no library before it is mapped") {
  const Folder folder;
  refused_with(vet_library(folder.path + "/absent.so"), "cannot be opened");
  refused_with(vet_library(folder.path), "regular");
  refused_with(vet_library(folder.file("text.so", "hello")), "ELF");
  const std::string elf = own_program();
  CHECK(vet_library(folder.file("whole.so", elf, 0755)).ok());
  refused_with(vet_library(folder.file("cut.so", elf.substr(0, 4096), 0755)), "truncated");
  refused_with(vet_library(folder.file("head.so", elf.substr(0, 40), 0755)), "ELF");
}

TEST_CASE("vet_library: refuses what others may have changed") {
  const Folder folder;
  const std::string elf = own_program();
  refused_with(vet_library(folder.file("open.so", elf, 0666)), "chmod");
  const std::string real = folder.file("real.so", elf, 0755);
  REQUIRE(::symlink(real.c_str(), (folder.path + "/link.so").c_str()) == 0);
  refused_with(vet_library(folder.path + "/link.so"), "symbolic link");
}

TEST_CASE("map_library: gives the linker's words and nothing misleading") {
  const Folder folder;
  auto r = map_library(folder.file("bad.so", std::string("\x7f") + "ELF" + std::string(100, '\0')));
  REQUIRE_FALSE(r.ok());
  CHECK(r.error().text.find("cannot be loaded") != std::string::npos);
  CHECK(r.error().text.find("Bad file descriptor") == std::string::npos);
  auto libc = map_library("/lib/x86_64-linux-gnu/libm.so.6");
  if (fs::exists("/lib/x86_64-linux-gnu/libm.so.6")) {
    REQUIRE_FALSE(libc.ok());
    CHECK(libc.error().text.find("vmcp_entry_v1") != std::string::npos);
  }
}
