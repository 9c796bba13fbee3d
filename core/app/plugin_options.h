// The options of `plugin` and its subcommands, and those that several commands share. Only main.cpp asks.
#pragma once

#include <CLI/CLI.hpp>

#include "app/commands.h"

namespace vmcp::app {

void add_config_options(CLI::App* command, ConfigOptions& options);
void add_admin_options(CLI::App* command, AdminOptions& options);
void add_plugin(CLI::App& app, int& code);

}  // namespace vmcp::app
