// What every command does first: read the configuration, or print every error.
#pragma once

#include <optional>

#include "app/commands.h"
#include "config/load.h"

namespace vmcp::app {

// Prints the problems to stderr and gives nothing when there are any.
std::optional<config::Loaded> load_config(const ConfigOptions& options, bool demo, bool needs_token,
                                          std::vector<config::Flag> flags = {});

// Blocks SIGINT and SIGTERM (call before any thread is made); ignores SIGPIPE and SIGXFSZ for the process.
void block_signals();
// Waits for one of them; gives its number.
int wait_for_signal();

}  // namespace vmcp::app
