#include "app/lock_options.h"

#include <memory>

#include "app/plugin_options.h"

namespace vmcp::app {
namespace {

constexpr std::int64_t kMost_s = 10LL * 365 * 24 * 3600;

// "90", "30s", "15m", "2h", "7d" → seconds; 0 when it is none of these.
std::int64_t seconds_of(const std::string& text) {
  std::int64_t value = 0;
  std::size_t i = 0;
  for (; i < text.size() && text[i] >= '0' && text[i] <= '9' && value <= kMost_s; ++i)
    value = value * 10 + (text[i] - '0');
  if (i == 0 || i + 1 < text.size()) return 0;
  const char unit = i == text.size() ? 's' : text[i];
  const std::int64_t factor = unit == 's'   ? 1
                              : unit == 'm' ? 60
                              : unit == 'h' ? 3600
                              : unit == 'd' ? 86400
                                            : 0;
  return factor == 0 || value > kMost_s / factor ? 0 : value * factor;
}

void add_lock(CLI::App& app, int& code) {
  auto options = std::make_shared<LockOptions>();
  auto lasts = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "lock", "Stop a caller, a role, a tool, an object or everything at once, on the running server");
  command->add_option("scope", options->scope, "identity, role, tool, target or everything")
      ->required()
      ->check(CLI::IsMember({"identity", "role", "tool", "target", "everything"}));
  command->add_option(
      "value", options->value,
      "which one: a name (with * and ?), VCENTER:KIND:MOREF, or an inventory path and all below");
  command->add_option("--reason", options->reason, "why; whoever is stopped is shown it")->required();
  command->add_option("--for", *lasts, "how long: 90s, 15m, 2h or 7d (default: until `unlock`)")
      ->check(CLI::Validator(
          [](std::string& text) {
            return seconds_of(text) > 0 ? std::string()
                                        : "'" + text + "' is not 90s, 15m, 2h or 7d, of at most ten years";
          },
          ""));
  add_admin_options(command, options->server);
  command->add_flag("--json", options->json, "as JSON");
  command->footer(
      "Calls that run are stopped too; what vCenter has taken already is not undone. It holds after a "
      "restart.\n"
      "Example: vsphere-mcp-pro lock identity agent-7 --reason \"runs away, INC-4711\" --for 2h\n"
      "Example: vsphere-mcp-pro lock everything --reason \"storage is being moved\"");
  command->callback([options, lasts, &code] {
    options->for_s = lasts->empty() ? 0 : seconds_of(*lasts);
    code = lock(*options);
  });
}

void add_unlock(CLI::App& app, int& code) {
  auto options = std::make_shared<UnlockOptions>();
  CLI::App* command = app.add_subcommand("unlock", "Lift a lock of the running server");
  command->add_option("id", options->id, "as `locks` prints it")
      ->required()
      ->check(CLI::Validator(
          [](std::string& text) {
            const bool plain = !text.empty() && text.size() <= 32 &&
                               text.find_first_not_of("0123456789abcdef") == std::string::npos;
            return plain ? std::string() : "'" + text + "' is not the id of a lock";
          },
          ""));
  add_admin_options(command, options->server);
  command->footer("Example: vsphere-mcp-pro unlock 3f2a9c01");
  command->callback([options, &code] { code = unlock(*options); });
}

void add_list_of_locks(CLI::App& app, int& code) {
  auto options = std::make_shared<LocksOptions>();
  CLI::App* command = app.add_subcommand("locks", "Print what is locked on the running server");
  add_admin_options(command, options->server);
  command->add_flag("--json", options->json, "as JSON");
  command->footer("Example: vsphere-mcp-pro locks --json");
  command->callback([options, &code] { code = locks(*options); });
}

}  // namespace

void add_locks(CLI::App& app, int& code) {
  add_lock(app, code);
  add_unlock(app, code);
  add_list_of_locks(app, code);
}

}  // namespace vmcp::app
