// How one round of a call reaches a plugin: through its tables in this process, or as messages to a child
// process. What lies above (Plugin, the pipeline) sees no difference.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plugin_host/invocation.h"
#include "plugin_host/manifest.h"
#include "plugin_host/offers.h"
#include "vmcp/vmcp.h"

namespace vmcp::plugin_host {

struct Round {
  enum class Kind : std::uint8_t { tool, preview, resource, prompt, completion };
  Kind kind = Kind::tool;
  std::uint32_t index = 0;  // of the tool or prompt
  // tool, preview, prompt: the arguments; resource: the URI; completion: the reference.
  std::string_view text;
  std::string_view argument = {}, value = {}, context = {};  // of a completion
};

class Carrier {
 public:
  // [control] No round runs. Quiesces if it was started, and closes.
  virtual ~Carrier() = default;
  virtual Result<void> start(const std::string& config_json) = 0;  // [control]
  // Sets invocation.produces. VMCP_E_UNSUPPORTED when the plugin has no such table.
  virtual vmcp_status round(const Round& round, Invocation& invocation) = 0;  // [worker]
  // False once it answers every round with the same refusal, for good. [any]
  virtual bool usable() const { return true; }
};

// A plugin that was opened and whose declarations were checked; not yet started.
struct Opened {
  std::string id, version;
  std::vector<Declaration> tools;
  Offers offers;
  bool previews = false;
  std::shared_ptr<const Manifest> manifest;
  std::unique_ptr<Carrier> carrier;
};

constexpr Produces produced_by(Round::Kind kind) {
  switch (kind) {
    case Round::Kind::resource:
      return Produces::resource;
    case Round::Kind::prompt:
      return Produces::prompt;
    case Round::Kind::completion:
      return Produces::completion;
    default:
      return Produces::tool;
  }
}

}  // namespace vmcp::plugin_host
