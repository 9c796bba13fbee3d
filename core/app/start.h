// What every command does first: read the configuration, or print every error.
#pragma once

#include <optional>

#include "app/commands.h"
#include "base/clock.h"
#include "config/load.h"

namespace vmcp::app {

// Prints the problems to stderr and gives nothing when there are any.
std::optional<config::Loaded> load_config(const ConfigOptions& options, bool demo, bool needs_token,
                                          std::vector<config::Flag> flags = {}, bool needs_vcenter = true);

// Blocks SIGINT, SIGTERM and SIGHUP (call before any thread is made); ignores SIGPIPE and SIGXFSZ for the
// process.
void block_signals();
// Waits for one of them; gives its number.
int wait_for_signal();
int wait_for_signal(milliseconds at_most);  // 0: none came

}  // namespace vmcp::app
