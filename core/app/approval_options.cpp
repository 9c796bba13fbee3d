#include "app/approval_options.h"

#include <memory>

#include "app/plugin_options.h"

namespace vmcp::app {
namespace {

void add_decision(CLI::App& app, int& code, bool approve) {
  auto options = std::make_shared<ApprovalsOptions>();
  options->approve = approve;
  CLI::App* command = app.add_subcommand(approve ? "approve" : "deny",
                                         approve ? "Let a call run that waits for a second person"
                                                 : "Refuse a call that waits for a second person");
  command->add_option("id", options->id, "as `approvals` prints it")
      ->required()
      ->check(CLI::Validator(
          [](std::string& text) {
            const bool plain = !text.empty() && text.size() <= 32 &&
                               text.find_first_not_of("0123456789abcdef") == std::string::npos;
            return plain ? std::string() : "'" + text + "' is not the id of a call that waits";
          },
          ""));
  command->add_option("--reason", options->reason, "why; the audit keeps it, and who is refused is shown it");
  add_admin_options(command, options->server);
  command->add_flag("--json", options->json, "as JSON");
  command->footer(
      approve ? "It is good for that very call, once, and only while its objects and the policy stay as "
                "they are.\nExample: vsphere-mcp-pro approve 3f2a9c01d7 --reason \"CHG-812\""
              : "Example: vsphere-mcp-pro deny 3f2a9c01d7 --reason \"not this week\"");
  command->callback([options, &code] { code = decide(*options); });
}

void add_explain(CLI::App& app, int& code) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* command = app.add_subcommand(
      "explain", "Say what would become of a call on the running server, and which rule decides");
  command->add_option("tool", options->tool, "the tool, or prompt/NAME");
  command->add_option("arguments", options->arguments, "its arguments as key=value");
  command->add_option("--role", options->role, "the caller's role");
  command->add_option("--identity", options->identity, "the caller's name, for rules that name callers");
  command->add_option("--request", options->request, "instead: the request id of a call in the audit");
  add_admin_options(command, options->server);
  command->add_flag("--json", options->json, "as JSON");
  command->footer(
      "The server's own steps decide; nothing is changed.\n"
      "Example: vsphere-mcp-pro explain delete_vm vm_id=ledger-db-01 --role ops --identity agent-7\n"
      "Example: vsphere-mcp-pro explain --request 0d9c…");
  command->callback([options, command, &code] {
    if (options->request.empty() == options->tool.empty() ||
        (options->request.empty() && options->role.empty()))
      throw CLI::ValidationError(command->get_name(), "name a tool and its caller's --role, or a --request");
    code = explain(*options);
  });
}

}  // namespace

void add_approvals(CLI::App& app, int& code) {
  auto options = std::make_shared<ApprovalsOptions>();
  CLI::App* command =
      app.add_subcommand("approvals", "Print the calls of the running server that wait for a second person");
  add_admin_options(command, options->server);
  command->add_flag("--json", options->json, "as JSON");
  command->footer("Example: vsphere-mcp-pro approvals --json");
  command->callback([options, &code] { code = approvals(*options); });
  add_explain(app, code);
  add_decision(app, code, true);
  add_decision(app, code, false);
}

}  // namespace vmcp::app
