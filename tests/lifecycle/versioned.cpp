// The same plugin again and again: one tool that tells which build of it answers.
#include <string>
#include <vmcp/plugin.hpp>

namespace {

struct Versioned : vmcp::plugin {
  Versioned() {
    tool("which_build")
        .title("Which build")
        .describe("Tells which build of the plugin answers, and what it was asked.")
        .reads()
        .no_upstream()
        .max_parallel(64)
        .input(R"({"type":"object","properties":{"text":{"type":"string","maxLength":64,)"
               R"("description":"Said back."}},"required":["text"],"additionalProperties":false})")
        .run([](vmcp::call& c, std::string_view arguments) {
          return c.text("build " FIXTURE_BUILD " " + std::string(arguments));
        });
  }
#if defined(FIXTURE_REFUSES)
  vmcp::status start(std::string_view) override {
    return vmcp::status::conflict;
  }
#endif
};

}  // namespace

VMCP_PLUGIN(Versioned, "org.vmcp.fixture.versioned", FIXTURE_BUILD)
