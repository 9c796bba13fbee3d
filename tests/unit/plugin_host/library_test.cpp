#include "plugin_host/library.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "base/crypto.h"
#include "trust_rig.h"

using namespace vmcp;
using namespace vmcp::plugin_host;
using namespace vmcp::plugin_host::test;

namespace {

const std::string& own_program() {
  static const std::string bytes = bytes_of("/proc/self/exe");
  return bytes;
}

}  // namespace

TEST_CASE("seal_library: refuses what is no library before it is mapped") {
  const TestFolder folder;
  refused_saying(seal_library(folder / "absent.so"), "cannot be opened");
  refused_saying(seal_library(folder.folder("d.so", 0755)), "regular");
  refused_saying(seal_library(folder.file("none.so", "")), "empty");
  refused_saying(seal_library(folder.file("text.so", "hello")), "ELF");
  const std::string& elf = own_program();
  CHECK(seal_library(folder.file("whole.so", elf, 0755)).ok());
  refused_saying(seal_library(folder.file("cut.so", elf.substr(0, 4096), 0755)), "truncated");
  refused_saying(seal_library(folder.file("head.so", elf.substr(0, 40), 0755)), "ELF");
}

TEST_CASE("seal_library: refuses what others may have changed") {
  const TestFolder folder;
  refused_saying(seal_library(folder.file("open.so", own_program(), 0666)), "chmod");
  const std::string real = folder.file("real.so", own_program(), 0755);
  REQUIRE(::symlink(real.c_str(), (folder / "link.so").c_str()) == 0);
  refused_saying(seal_library(folder / "link.so"), "symbolic link");
  folder.folder("shared", 0775);
  refused_saying(seal_library(folder.file("shared/a.so", own_program(), 0755)), "chmod go-w");
}

TEST_CASE("seal_library: the hash is that of exactly the sealed bytes, which nobody can change any more") {
  const TestFolder folder;
  const std::string file = folder.file("a.so", own_program(), 0755);
  auto sealed = seal_library(file);
  REQUIRE(sealed.ok());
  CHECK(sealed->sha256() == to_hex(sha256(own_program())));
  CHECK(sealed->path() == file);
  CHECK(sealed->size() == own_program().size());
  std::ofstream(file, std::ios::binary) << "something else";
  char first[4] = {};
  CHECK(::pread(sealed->fd(), first, 4, 0) == 4);
  CHECK(std::string(first, 4) ==
        "\x7f"
        "ELF");

  CHECK(::pwrite(sealed->fd(), "x", 1, 0) < 0);
  CHECK(::ftruncate(sealed->fd(), 1) != 0);
  CHECK(::ftruncate(sealed->fd(), 1 << 30) != 0);
  CHECK(::fcntl(sealed->fd(), F_ADD_SEALS, F_SEAL_WRITE) != 0);
  CHECK(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, sealed->fd(), 0) == MAP_FAILED);
  CHECK((::fcntl(sealed->fd(), F_GETFD) & FD_CLOEXEC) != 0);
  // a new writer through /proc cannot either
  CHECK(::open(("/proc/self/fd/" + std::to_string(sealed->fd())).c_str(), O_RDWR | O_TRUNC) < 0);
}

TEST_CASE("seal_library: the descriptor has one owner") {
  const TestFolder folder;
  const std::string file = folder.file("a.so", own_program(), 0755);
  int fd = -1;
  {
    auto first = seal_library(file);
    REQUIRE(first.ok());
    fd = first->fd();
    SealedLibrary second = std::move(*first);
    CHECK(second.fd() == fd);
    CHECK(first->fd() == -1);
    CHECK(::fcntl(fd, F_GETFD) >= 0);
    auto third = seal_library(file);
    REQUIRE(third.ok());
    const int other = third->fd();
    second = std::move(*third);
    CHECK(second.fd() == other);
    CHECK(::fcntl(fd, F_GETFD) < 0);
    fd = other;
  }
  CHECK(::fcntl(fd, F_GETFD) < 0);
}

TEST_CASE("map_library: gives the linker's words and nothing misleading") {
  const TestFolder folder;
  auto r = map_library_file(folder.file("bad.so", std::string("\x7f") + "ELF" + std::string(100, '\0')));
  refused_saying(r, "cannot be loaded");
  CHECK(r.error().text.find("Bad file descriptor") == std::string::npos);
  if (std::filesystem::exists("/lib/x86_64-linux-gnu/libm.so.6")) {
    auto libm = seal_library(std::filesystem::canonical("/lib/x86_64-linux-gnu/libm.so.6").string());
    REQUIRE_MESSAGE(libm.ok(), libm.error().text);
    refused_saying(map_library(*libm), "vmcp_entry_v1");
  }
}
