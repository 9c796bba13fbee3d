// Built with the SDK of a later release, and content with this host: its author said so (ABI_MINOR).
#include <vmcp/abi.h>
#undef VMCP_ABI_MINOR
#define VMCP_ABI_MINOR LATER_MINOR
#include <vmcp/plugin.hpp>

namespace {

struct Modest : vmcp::plugin {
  Modest() {
    tool("modest")
        .describe("Asks for nothing new.")
        .reads()
        .no_upstream()
        .run([](vmcp::call& c, std::string_view) { return c.text("content with less"); });
  }
};

}  // namespace

VMCP_PLUGIN(Modest, "org.vmcp.newer.modest", "1.0.0")
