#include "plugin_host/library.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <vector>

#include "base/crypto.h"

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>

namespace vmcp::plugin_host {
namespace {

constexpr std::uint64_t kMaxLibraryBytes = 256u << 20;
// Linux 6.3; older headers do not know it.
constexpr unsigned kNoExecSeal = 0x0008U;
constexpr int kSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

Error refuse_file(std::string text) {
  return make_error(Code::denied, std::move(text));
}

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

// Without the permission to be executed as a program, which mapping does not need and which a strict
// vm.memfd_noexec insists on; kernels that do not know the flag refuse it and have no such rule.
Result<Descriptor> memory_file(const std::string& name) {
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = ::memfd_create(name.c_str(), kFlags | kNoExecSeal);
  if (fd < 0 && errno == EINVAL) fd = ::memfd_create(name.c_str(), kFlags);
  if (fd < 0)
    return make_error(Code::unavailable, std::string("the system gives this process no memory file "
                                                     "(memfd_create: ") +
                                             std::strerror(errno) +
                                             "), and plugins are loaded from nothing else; allow "
                                             "memfd_create in the unit's SystemCallFilter=, or see "
                                             "vm.memfd_noexec and the limit on open files");
  return Descriptor(fd);
}

Result<void> copy_all(int from, int to, std::uint64_t size) {
  std::vector<char> buffer(256 * 1024);
  std::uint64_t have = 0;
  for (;;) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refuse_file(std::string("it cannot be read: ") + std::strerror(errno));
    if (got == 0) break;
    have += static_cast<std::uint64_t>(got);
    if (have > size) break;
    for (ssize_t done = 0; done < got;) {
      const ssize_t put =
          ::write(to, buffer.data() + done, static_cast<std::size_t>(got) - static_cast<std::size_t>(done));
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return refuse_file(std::string("there is no memory for it: ") + std::strerror(errno));
      done += put;
    }
  }
  if (have != size) return refuse_file("it changed while it was read; is it being written?");
  return {};
}

Result<std::string> hash_of(int fd, std::uint64_t size) {
  void* const bytes = ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ, MAP_PRIVATE, fd, 0);
  if (bytes == MAP_FAILED) return refuse_file(std::string("it cannot be read: ") + std::strerror(errno));
  std::string out = to_hex(vmcp::sha256({static_cast<const char*>(bytes), static_cast<std::size_t>(size)}));
  ::munmap(bytes, static_cast<std::size_t>(size));
  return out;
}

Result<EntryFunction> map_path(const std::string& path) {
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

// True when the dynamic linker has a library under this name already.
bool is_mapped(const std::string& path) {
  void* const there = ::dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  if (there != nullptr) ::dlclose(there);
  return there != nullptr;
}

}  // namespace

SealedLibrary& SealedLibrary::operator=(SealedLibrary&& other) noexcept {
  if (this == &other) return *this;
  give_up();
  fd_ = std::move(other.fd_);
  sha256_ = std::move(other.sha256_);
  path_ = std::move(other.path_);
  size_ = other.size_;
  mapped_ = other.mapped_;
  return *this;
}

SealedLibrary::~SealedLibrary() {
  give_up();
}

// What was mapped stays mapped, so its number must never be another file's.
void SealedLibrary::give_up() {
  if (mapped_) fd_.release();
}

Result<SealedLibrary> seal_library(const std::string& path, Place place) {
  const auto file = open_carefully(path, place);
  if (!file) return file.error();
  if (file->size == 0) return refuse_file("it is empty");
  if (file->size > kMaxLibraryBytes) return refuse_file("it is larger than 256 MiB");
  auto memory = memory_file(std::filesystem::path(path).filename().string().substr(0, 200));
  if (!memory) return memory.error();
  if (auto r = copy_all(file->fd.get(), memory->get(), file->size); !r) return r.error();
  if (::fcntl(memory->get(), F_ADD_SEALS, kSeals) != 0)
    return refuse_file(std::string("its copy in memory cannot be sealed: ") + std::strerror(errno));
  if (auto r = vet_elf(memory->get(), file->size); !r) return r.error();
  auto hash = hash_of(memory->get(), file->size);
  if (!hash) return hash.error();
  SealedLibrary out;
  out.fd_ = std::move(*memory);
  out.sha256_ = std::move(*hash);
  out.path_ = path;
  out.size_ = file->size;
  return out;
}

Result<EntryFunction> map_library(SealedLibrary& library) {
  // Not /proc/self: a debugger opens the name that it finds, and would meet a descriptor of its own there.
  const std::string descriptor = "/fd/" + std::to_string(library.fd());
  std::string path = "/proc/" + std::to_string(::getpid()) + descriptor;
  // Where /proc is that of another namespace, only the kernel knows this process's number there.
  if (::access(path.c_str(), F_OK) != 0) path = "/proc/self" + descriptor;
  if (!library.mapped_ && is_mapped(path))
    return refuse_file("the dynamic linker takes it for another library; restart the server");
  auto entry = map_path(path);
  // A library without our symbol stays too.
  library.mapped_ = library.mapped_ || entry.ok() || is_mapped(path);
  return entry;
}

Result<EntryFunction> map_library_file(const std::string& path) {
  return map_path(path);
}

}  // namespace vmcp::plugin_host
