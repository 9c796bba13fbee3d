// lock, unlock, locks: the operator's brake on a server that runs.
#include <cstdio>

#include "app/admin_client.h"

namespace vmcp::app {
namespace {

constexpr const char* kPath = "/admin/v1/locks";

void print_lock(const Json& lock) {
  std::printf(
      "%-9s %-10s %-28s %-24s %s\n", lock.value("id", "").c_str(), lock.value("scope", "").c_str(),
      lock.value("value", "").c_str(), lock.value("expires", "until lifted").c_str(),
      (lock.value("reason", "") + " (" + lock.value("by", "") + ", " + lock.value("at", "") + ")").c_str());
}

}  // namespace

int lock(const LockOptions& options) {
  Json body{{"scope", options.scope}, {"value", options.value}, {"reason", options.reason}};
  if (options.for_s > 0) body["expires_s"] = options.for_s;
  const auto answer = ask_or_print(options.server, {"POST", kPath, dump_json(body)});
  if (!answer) return 1;
  const Json made = answer->value("lock", Json::object());
  if (options.json)
    std::printf("%s\n", made.dump(2).c_str());
  else
    print_lock(made);
  if (!made.value("lasting", true))
    std::fputs(
        "warning: it holds now, but cannot be written to the state directory: it is gone when the server "
        "ends. Free the disk, then lock once more.\n",
        stderr);
  if (!answer->value("recorded", true))
    std::fputs("warning: it holds now, but the audit cannot be written.\n", stderr);
  return 0;
}

int unlock(const UnlockOptions& options) {
  const auto answer = ask_or_print(options.server, {"DELETE", std::string(kPath) + "/" + options.id});
  if (!answer) return 1;
  std::printf("lock %s is lifted; %zu left\n", options.id.c_str(),
              answer->value("locks", Json::array()).size());
  return 0;
}

int locks(const LocksOptions& options) {
  const auto answer = ask_or_print(options.server, {"GET", kPath});
  if (!answer) return 1;
  const Json all = answer->value("locks", Json::array());
  if (options.json) {
    std::printf("%s\n", all.dump(2).c_str());
    return 0;
  }
  if (all.empty()) std::puts("nothing is locked");
  for (const Json& one : all) print_lock(one);
  return 0;
}

}  // namespace vmcp::app
