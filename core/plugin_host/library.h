// Vetting and mapping of a plugin's file. The only place that knows Boost.DLL.
#pragma once

#include <string>

#include "base/result.h"
#include "plugin_host/in_process.h"

namespace vmcp::plugin_host {

// Refuses, before anything is mapped: what is no regular file, is a symbolic link, belongs to somebody else
// than root or this process's user, may be written by group or others, or is no whole ELF library of this
// machine (a truncated one would kill the process by SIGBUS).
Result<void> vet_library(const std::string& path);

// Maps the library (now, local, never unmapped) and gives its entry function. Runs the library's
// constructors.
Result<EntryFunction> map_library(const std::string& path);

}  // namespace vmcp::plugin_host
