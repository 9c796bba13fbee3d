#include "admin/health.h"

#include "base/json.h"

namespace vmcp::admin {

std::string Health::alive_json() const {
  return R"({"status":"ok","version":")" VMCP_VERSION R"("})";
}

std::string Health::ready_json(int& status) const {
  const Readiness readiness = probe_();
  status = readiness.ready ? 200 : 503;
  std::string out =
      readiness.ready ? R"({"status":"ready","reasons":[)" : R"({"status":"not ready","reasons":[)";
  for (const std::string& reason : readiness.reasons) {
    if (out.back() != '[') out += ',';
    append_json_string(out, reason);
  }
  return out + "]}";
}

}  // namespace vmcp::admin
