// The options of `lock`, `unlock` and `locks`. Only main.cpp asks.
#pragma once

#include <CLI/CLI.hpp>

namespace vmcp::app {

void add_locks(CLI::App& app, int& code);

}  // namespace vmcp::app
