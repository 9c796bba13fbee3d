// The enabled tools without a server around them, for the commands that look at declarations.
#pragma once

#include <memory>
#include <vector>

#include "app/mapping.h"
#include "tools/registry.h"

namespace vmcp::app {

struct OfflineTools {
  std::vector<plugin_host::Loaded> plugins;
  tools::Registry registry;
  static Result<std::unique_ptr<OfflineTools>> load(const config::Settings& settings, Log& log);
};

}  // namespace vmcp::app
