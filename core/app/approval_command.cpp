// approvals, approve, deny: what waits for a second person on a server that runs.
#include <cstdio>

#include "app/admin_client.h"

namespace vmcp::app {
namespace {

constexpr const char* kApprovals = "/admin/v1/approvals";

// Whoever decides must see what: all of it, over several lines.
void print_approval(const Json& one) {
  std::printf("%s  %-8s  %s (%s) wants %s\n", one.value("id", "").c_str(), one.value("state", "").c_str(),
              one.value("identity", "").c_str(), one.value("role", "").c_str(),
              one.value("tool", "").c_str());
  for (const Json& target : one.value("targets", Json::array()))
    std::printf("    on        %s\n",
                target.is_string() ? target.get_ref<const std::string&>().c_str() : "?");
  if (one.contains("arguments")) std::printf("    arguments %s\n", dump_json(one["arguments"]).c_str());
  if (one.contains("preview")) std::printf("    preview   %s\n", dump_json(one["preview"]).c_str());
  std::printf("    because   %s\n    asked     %s, until %s\n", one.value("rule", "").c_str(),
              one.value("asked", "").c_str(), one.value("expires", "").c_str());
  if (one.contains("by"))
    std::printf("    decided   by %s at %s%s\n", one.value("by", "").c_str(),
                one.value("decided", "").c_str(),
                one.value("reason", "").empty() ? "" : (": " + one.value("reason", "")).c_str());
}

}  // namespace

int approvals(const ApprovalsOptions& options) {
  const auto answer = ask_or_print(options.server, {"GET", kApprovals});
  if (!answer) return 1;
  const Json all = answer->value("approvals", Json::array());
  if (options.json) {
    std::printf("%s\n", all.dump(2).c_str());
    return 0;
  }
  if (all.empty()) std::puts("nothing waits for approval");
  for (const Json& one : all) print_approval(one);
  return 0;
}

int decide(const ApprovalsOptions& options) {
  const std::string path =
      std::string(kApprovals) + "/" + options.id + (options.approve ? "/approve" : "/deny");
  const auto answer =
      ask_or_print(options.server, {"POST", path, dump_json(Json{{"reason", options.reason}})});
  if (!answer) return 1;
  const Json made = answer->value("approval", Json::object());
  if (options.json)
    std::printf("%s\n", made.dump(2).c_str());
  else
    print_approval(made);
  return 0;
}

}  // namespace vmcp::app
