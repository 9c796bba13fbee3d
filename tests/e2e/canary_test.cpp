// 200 secrets in arguments and headers: none may be found in the log, the audit, the journal or an answer.
#include <doctest/doctest.h>

#include "base/crypto.h"
#include "support/server_process.h"

using namespace vmcp;
using namespace vmcp::testing;

TEST_CASE("canaries: 200 secrets are found nowhere") {
  ServerOptions options;
  options.environment = {{"RATE_LIMIT", "false"}, {"VMCP__LOG__LEVEL", "debug"}};
  ServerProcess server(options);
  std::vector<std::string> canaries;
  const auto canary = [&] {
    canaries.push_back("cAnArY" + random_id());
    return canaries.back();
  };
  std::string answers;
  for (int i = 0; i < 25; ++i) {
    const std::vector<std::pair<std::string, std::string>> tools = {{"list_vms", "demo-read"},
                                                                    {"get_vm_details", "demo-read"},
                                                                    {"power_on_vm", "demo-ops"},
                                                                    {"delete_vm", "demo-admin"}};
    const auto& [tool, token] = tools[static_cast<std::size_t>(i) % tools.size()];
    answers += call_tool(server.port(), token, tool, {{"token", canary()}}).body;
    answers += call_tool(server.port(), token, tool, {{"vm_id", "vm-1"}, {"password", canary()}}).body;
    answers += call_tool(server.port(), token, tool, {{"vm_id", "Bearer " + canary()}}).body;
    answers += call_tool(server.port(), token, tool,
                         {{"vm_id", "password=" + canary()}, {"reason", "api_key: " + canary()}})
                   .body;
    answers += call_tool(server.port(), canary(), tool, {{"vm_id", "vm-1"}}).body;
    answers +=
        call_tool(server.port(), token, tool, {{"vm_id", "https://user:" + canary() + "@vc.example/"}}).body;
    answers += send(server.port(), "POST", "/mcp",
                    {{"Authorization", "Basic " + base64_encode("user:" + canary())},
                     {"Content-Type", "application/json"}},
                    "{}")
                   .body;
  }
  CHECK(canaries.size() == 200);
  CHECK(server.stop() == 0);
  const std::string written = server.everything_written();
  CHECK(written.size() > 10'000);
  for (const std::string& c : canaries) {
    CHECK_MESSAGE(answers.find(c) == std::string::npos, "in an answer: " << c);
    CHECK_MESSAGE(written.find(c) == std::string::npos, "written: " << c);
  }
}
