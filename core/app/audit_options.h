// The options of `audit` and its subcommands. Only main.cpp asks.
#pragma once

#include <CLI/CLI.hpp>

namespace vmcp::app {

void add_audit(CLI::App& app, int& code);

}  // namespace vmcp::app
