// A plugin's library: sealed into memory that nobody can change any more, hashed there, and mapped from
// there. The only place that knows Boost.DLL.
#pragma once

#include <string>

#include "base/result.h"
#include "plugin_host/careful_file.h"
#include "plugin_host/in_process.h"

namespace vmcp::plugin_host {

// The bytes of one library as they were when they were read. What happens to the file afterwards (replaced,
// truncated, written over) touches neither the hash nor a mapping of it. Move-only; owns the descriptor.
class SealedLibrary {
 public:
  SealedLibrary(SealedLibrary&&) noexcept = default;
  SealedLibrary& operator=(SealedLibrary&& other) noexcept;
  ~SealedLibrary();

  // A sealed memory file, close-on-exec, named as the file. A child process that shall map it inherits it.
  int fd() const { return fd_.get(); }
  const std::string& sha256() const { return sha256_; }  // 64 lower-case hex digits, of exactly these bytes
  const std::string& path() const { return path_; }      // where they came from
  std::uint64_t size() const { return size_; }

 private:
  friend Result<SealedLibrary> seal_library(const std::string& path, Place place);
  friend Result<const vmcp_entry* (*)(void)> map_library(SealedLibrary& library);
  SealedLibrary() = default;
  void give_up();

  Descriptor fd_;
  std::string sha256_, path_;
  std::uint64_t size_ = 0;
  bool mapped_ = false;
};

// Reads the file (careful_file.h; at most 256 MiB) into a sealed memory file. Refuses what is no whole ELF
// library of this machine: a truncated one would kill the process by SIGBUS. Where the system gives no memory
// file it says so: there is no other way in. Runs nothing of it.
Result<SealedLibrary> seal_library(const std::string& path, Place place = Place::service);

// Maps the sealed bytes (now, local, never unmapped) and gives the entry function. Runs the library's
// constructors. From here on the descriptor stays open for the life of the process: the dynamic linker knows
// the mapping as "/proc/PID/fd/N" for ever, and would give it out again for whatever else got that number.
Result<EntryFunction> map_library(SealedLibrary& library);

// Maps the file itself. For an author's own tools (`plugin check`) alone: sanitizers find symbols by the
// file's name, which a sealed library does not have. A debugger reads the sealed bytes and needs no help.
Result<EntryFunction> map_library_file(const std::string& path);

}  // namespace vmcp::plugin_host
