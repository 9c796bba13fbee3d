#include "app/audit_options.h"

#include <memory>

#include "app/commands.h"
#include "app/plugin_options.h"

namespace vmcp::app {
namespace {

void add_audit_verify(CLI::App& audit, int& code) {
  auto options = std::make_shared<AuditVerifyOptions>();
  CLI::App* command = audit.add_subcommand(
      "verify", "Check that no record of the journal was changed, removed, inserted, moved or cut");
  command->add_option("files", options->files,
                      "segments and live journals to check instead of the state directory's");
  add_admin_options(command, options->server);
  command->add_option("--head", options->heads,
                      "a head that was kept elsewhere: shows a cut end and a journal that was written anew");
  command->add_option("--key", options->key,
                      "the public key that must have signed the heads: 64 hex digits in a file, or a head");
  command->add_option("--chain-key", options->chain_key,
                      "the chain's key (default: keys/audit-chain of the state directory)");
  command->add_flag("--json", options->json, "as one JSON object");
  command->footer(
      "Without the chain's key the bytes of closed segments are checked against their signed heads alone.\n"
      "Exit code: 0 no findings, 1 findings, 2 something cannot be read.\n"
      "Example: vsphere-mcp-pro audit verify --head /mnt/elsewhere/monday.head");
  command->callback([options, &code] { code = audit_verify(*options); });
}

void add_audit_head(CLI::App& audit, int& code) {
  auto options = std::make_shared<AuditHeadOptions>();
  CLI::App* command = audit.add_subcommand(
      "head", "Print where the journal stands now, signed, to be kept where this machine cannot write");
  add_admin_options(command, options->server);
  command->footer("Example: vsphere-mcp-pro audit head > /mnt/elsewhere/monday.head");
  command->callback([options, &code] { code = audit_head(*options); });
}

void add_audit_tail(CLI::App& audit, int& code) {
  auto options = std::make_shared<AuditTailOptions>();
  CLI::App* command = audit.add_subcommand("tail", "Print the last records of the journal");
  add_admin_options(command, options->server);
  command->add_option("-n,--lines", options->lines, "how many")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  command->add_flag("-f,--follow", options->follow, "and what comes, until interrupted");
  command->add_option("--identity", options->identity, "whose");
  command->add_option("--tool", options->tool, "of this tool");
  command->add_option("--event", options->event, "of this kind")
      ->check(CLI::IsMember({"intent", "accepted", "outcome", "refused", "journal"}));
  command->add_option("--target", options->target, "on this object: vm:vm-3301, or a part of it");
  command->add_option("--request", options->request, "of this request");
  command->add_option("--since", options->since, "2026-02-03 or 2026-02-03T10:11, UTC");
  command->add_flag("--json", options->json, "the records as they are written");
  command->footer("Example: vsphere-mcp-pro audit tail --follow --event refused");
  command->callback([options, &code] { code = audit_tail(*options); });
}

void add_audit_report(CLI::App& audit, int& code) {
  auto options = std::make_shared<AuditReportOptions>();
  CLI::App* command = audit.add_subcommand(
      "report", "Count calls and refusals per identity and tool, and list intents without an outcome");
  add_admin_options(command, options->server);
  command->add_option("--since", options->since, "2026-02-03 or 2026-02-03T10:11, UTC");
  command->add_option("--until", options->until, "before this");
  command->add_flag("--json", options->json, "as one JSON object");
  command->footer("Example: vsphere-mcp-pro audit report --since 2026-02-01 --until 2026-03-01");
  command->callback([options, &code] { code = audit_report(*options); });
}

}  // namespace

void add_audit(CLI::App& app, int& code) {
  CLI::App* audit = app.add_subcommand("audit", "Check and read the journal of what was done");
  audit->require_subcommand(1);
  audit->footer("Example: vsphere-mcp-pro audit verify --state-dir /var/lib/vsphere-mcp-pro");
  add_audit_head(*audit, code);
  add_audit_report(*audit, code);
  add_audit_tail(*audit, code);
  add_audit_verify(*audit, code);
}

}  // namespace vmcp::app
