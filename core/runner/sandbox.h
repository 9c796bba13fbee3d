// The sandbox that a plugin's process puts on before it maps the plugin. It cannot be taken off again.
//
// Two steps, since mapping a library runs its constructors: raise_before_load() leaves nothing but computing,
// the kept descriptors and reading system libraries; raise_after_load() takes away mapping code as well.
// Depends on libc and libseccomp alone: the process that uses it has to be ready within milliseconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vmcp::runner {

// What any C or C++ library may have to read: system libraries and locales, their index, time zones and
// random bytes. Never a folder in which the server keeps something.
std::vector<std::string> system_files();

struct SandboxWish {
  // Stay open; every other one is closed, but for 0, 1 and 2, which become /dev/null. Sockets must be
  // connected ones (stream or seqpacket): a datagram socket could still send to anybody. What is shared with
  // another process (a terminal, a log file) can be flooded and made non-blocking for both: give the plugin a
  // pipe of its own.
  std::vector<int> keep_descriptors;
  // Folders and files that may be opened, for reading only. What does not exist is passed over.
  std::vector<std::string> readable = system_files();
  // For tests: what an older kernel has. 2 is that of Debian 12, 0 is none.
  int landlock_abi_at_most = 99;

  // Limits; 0 leaves the one that is inherited. None is ever raised.
  // Writable memory: heap, data and the whole stack of every thread (8 MiB each, if not chosen otherwise).
  std::uint64_t memory_bytes = std::uint64_t{1} << 30;
  // Addresses, used or only reserved: bounds page tables. malloc reserves up to 128 MiB for each thread.
  std::uint64_t address_bytes = std::uint64_t{16} << 30;
  std::uint64_t descriptors = 128;
  // Threads and processes of this user, the server's own and foreign ones among them, as the kernel counts.
  // So it has to be generous, and only stops a plugin that makes threads without end. uid 0 is exempt.
  std::uint64_t threads_of_user = 4096;
};

// One protection and what became of it.
struct SandboxPart {
  enum class State {
    active,
    replaced,  // the kernel lacks it, but another part refuses the same
    waived,    // whoever runs or built this chose to do without
    missing,   // the kernel lacks it, or something around this process refuses it; nothing replaces it
  };
  std::string name;  // "landlock_files", "system_calls", …
  State state = State::missing;
  std::string detail;  // what it covers, or why it is not there and what would help
};

struct SandboxReport {
  std::vector<SandboxPart> parts;  // every part there is, in the order in which they were raised
  int landlock_abi = 0;            // that is used; 0 = none

  // Nothing is missing. What else that means is the caller's (the configuration's) decision.
  bool complete() const;
  const SandboxPart* find(std::string_view name) const;
  // One line a part, "name: state (detail)".
  std::string to_text() const;
};

// Raises everything but the last step for this process, and erases its environment. The process must still
// have one thread only. What the kernel lacks is in the report; an error means that the wish cannot be
// fulfilled or that something failed which no kernel of the last years refuses. Some parts may then be up and
// others not: end the process.
Result<SandboxReport> raise_before_load(const SandboxWish& wish);

// No more code may be mapped from now on, by any thread, those included that the plugin's constructors
// started: neither dlopen() nor generated code works. An error where raise_before_load() reported no
// "system_calls".
Result<void> raise_after_load();

}  // namespace vmcp::runner
