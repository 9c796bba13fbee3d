// One vCenter as the host talks to it: sessions, dialects, retries and errors are inside; requests and
// replies look the same whatever dialect carries them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"

namespace vmcp::vcenter {

struct AutomationRequest {
  std::string_view method;  // "GET"
  std::string_view path;    // /api dialect, ids percent-encoded, with query
  std::string_view body;    // JSON, or empty
};

struct VimRequest {
  std::string_view type;    // "VirtualMachine"
  std::string_view moref;   // "vm-3301"
  std::string_view member;  // method or property path
  bool property = false;    // true: read the property
  std::string_view params;  // JSON object for a method; empty = {}
};

struct Reply {
  int http_status = 0;  // 0: no answer came
  std::string body;     // success: JSON in the /api shape (also in rest mode), or the VI/JSON value; may be
                        // empty. failure: {"error_type","messages"} or the vim25 fault, when vCenter gave one
  std::optional<Error> error;   // set = failed; the public text carries vCenter's own words and the fix
  bool maybe_happened = false;  // a changing request was sent and no answer came: read before repeating
  bool ok() const { return !error; }
};

// What RetrieveServiceContent tells (vim25 ServiceContent and AboutInfo).
struct About {
  std::string version, build, api_version, full_name, instance_uuid;
  std::string root_folder, property_collector, view_manager, session_manager, performance_manager,
      task_manager;
  std::string vim_release;  // the VI/JSON release segment in use, e.g. "8.0.2.0"
};

// [any thread] unless said otherwise. Blocks at most until limits.deadline; polls limits.cancel.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual const std::string& name() const = 0;  // as configured: what the caller calls `hostname`
  virtual Reply automation(const AutomationRequest& request, const CallLimits& limits) = 0;
  virtual Reply vim(const VimRequest& request, const CallLimits& limits) = 0;
  virtual Result<About> about(const CallLimits& limits) = 0;
  // Logs out the sessions; later requests log in again.
  virtual void close() = 0;
};

// The vCenters that this server may reach: VCENTER_HOST and ALLOWED_VCENTER_HOSTS.
class Fleet {
 public:
  virtual ~Fleet() = default;
  // Empty `hostname` = the first. Otherwise an error: "Hostname 'x' not in allowed set" and the fix.
  virtual Result<Connection*> find(std::string_view hostname) = 0;
  virtual std::vector<std::string> names() const = 0;
  virtual void close() = 0;
};

}  // namespace vmcp::vcenter
