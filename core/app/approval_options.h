// The command lines of `approvals`, `approve`, `deny` and `explain`.
#pragma once

#include <CLI/CLI.hpp>

namespace vmcp::app {

// `code` becomes the exit code of the one that was called.
void add_approvals(CLI::App& app, int& code);

}  // namespace vmcp::app
