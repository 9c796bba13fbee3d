#include <cstdio>

#include "app/commands.h"
#include "app/start.h"
#include "config/report.h"

namespace vmcp::app {

int check_config(const CheckConfigOptions& options) {
  if (options.reference) {
    std::fputs(config::reference_markdown().c_str(), stdout);
    return 0;
  }
  const auto loaded = load_config(options.config, options.demo, true);
  if (!loaded) return 1;
  for (const std::string& warning : loaded->warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  std::fputs(config::effective_text(*loaded).c_str(), stdout);
  return 0;
}

}  // namespace vmcp::app
