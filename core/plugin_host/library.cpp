#include "plugin_host/library.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <vector>

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>

namespace vmcp::plugin_host {
namespace {

Error refuse_file(std::string text) {
  return make_error(Code::denied, std::move(text));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

bool read_at(int fd, void* into, std::size_t size, off_t offset) {
  return ::pread(fd, into, size, offset) == static_cast<ssize_t>(size);
}

// Every program header's bytes must lie within the file.
Result<void> vet_elf(int fd, std::uint64_t file_size) {
  Elf64_Ehdr header{};
  if (!read_at(fd, &header, sizeof header, 0) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN)
    return refuse_file("it is no 64-bit ELF shared library");
#if defined(__x86_64__)
  if (header.e_machine != EM_X86_64) return refuse_file("it was built for another processor");
#elif defined(__aarch64__)
  if (header.e_machine != EM_AARCH64) return refuse_file("it was built for another processor");
#endif
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum > 128)
    return refuse_file("its program headers are damaged");
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  if (header.e_phoff > file_size ||
      !read_at(fd, segments.data(), segments.size() * sizeof(Elf64_Phdr), static_cast<off_t>(header.e_phoff)))
    return refuse_file("the file is truncated");
  for (const Elf64_Phdr& segment : segments)
    if (segment.p_offset > file_size || segment.p_filesz > file_size - segment.p_offset)
      return refuse_file("the file is truncated");
  return {};
}

}  // namespace

Result<void> vet_library(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0)
    return refuse_file(errno == ELOOP ? "it is a symbolic link; put the file itself there"
                                      : std::string("it cannot be opened: ") + std::strerror(errno));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return refuse_file("it is no regular file");
  if (info.st_uid != 0 && info.st_uid != ::geteuid())
    return refuse_file("it belongs to another user; chown it to root or to the server's user");
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) return refuse_file("others may write to it; chmod go-w it");
  return vet_elf(file.get(), static_cast<std::uint64_t>(info.st_size));
}

Result<EntryFunction> map_library(const std::string& path) {
  namespace dll = boost::dll;
  try {
    // NODELETE: a library that ran once may have left threads, thread-local destructors or unique symbols
    // behind.
    const auto mode = dll::load_mode::rtld_now | static_cast<dll::load_mode::type>(RTLD_NODELETE);
    dll::shared_library library(path, mode);
    if (!library.has(VMCP_ENTRY_SYMBOL))
      return refuse_file("it does not export " VMCP_ENTRY_SYMBOL "; build it with vmcp_add_plugin");
    return &library.get<const vmcp_entry*(void)>(VMCP_ENTRY_SYMBOL);
  } catch (const std::exception& e) {
    // Only the linker's own words: Boost adds a system error that has nothing to do with it.
    std::string words = e.what();
    if (const auto at = words.find("dlerror system message: "); at != std::string::npos)
      words = words.substr(at + 24);
    if (const auto at = words.rfind(": Bad file descriptor"); at != std::string::npos) words.resize(at);
    return refuse_file("it cannot be loaded: " + words);
  }
}

}  // namespace vmcp::plugin_host
