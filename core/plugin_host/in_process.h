// A plugin in this process: its tables, checked and copied, and the one place that calls through them.
#pragma once

#include "base/log.h"
#include "base/result.h"
#include "plugin_host/carrier.h"
#include "plugin_host/host_api.h"
#include "plugin_host/manifest.h"

namespace vmcp::plugin_host {

using EntryFunction = const vmcp_entry* (*)(void);

// Checks the entry, opens, reads the declarations and compares them with the manifest. `log` outlives the
// carrier; so does what `on_change` refers to. [control]
Result<Opened> open_in_process(EntryFunction entry, const Manifest& manifest, Log& log, ChangeSink on_change,
                               UpstreamTables upstream);

}  // namespace vmcp::plugin_host
