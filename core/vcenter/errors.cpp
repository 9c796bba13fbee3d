#include "vcenter/errors.h"

#include <algorithm>
#include <span>

namespace vmcp::vcenter {
namespace {

struct Rule {
  std::string_view type;
  Code code;
  std::string_view fix;
};

constexpr std::string_view kRereadFix = "read the object's state, change it first, then repeat";
constexpr std::string_view kBusyFix = "wait until the other operation is over, then repeat";
constexpr std::string_view kArgumentFix = "correct the arguments; vCenter's message names the one";
constexpr std::string_view kGoneFix = "list the objects again: the id may be mistyped, or the object is gone";
constexpr std::string_view kCapacityFix = "free or add capacity, or ask for less";
constexpr std::string_view kVcenterFix =
    "repeat later; if it lasts, the operator looks at vCenter's health and logs";
constexpr std::string_view kSessionFix =
    "the operator checks VCENTER_USER and VCENTER_PASSWORD and that the account may log in";

// Automation API error types (com.vmware.vapi.std.errors).
constexpr Rule kAutomationRules[] = {
    {"NOT_FOUND", Code::not_found, kGoneFix},
    {"INVALID_ARGUMENT", Code::invalid_argument, kArgumentFix},
    {"INVALID_REQUEST", Code::invalid_argument, kArgumentFix},
    {"INVALID_ELEMENT_TYPE", Code::invalid_argument, kArgumentFix},
    {"INVALID_ELEMENT_CONFIGURATION", Code::invalid_argument, kArgumentFix},
    {"UNEXPECTED_INPUT", Code::invalid_argument, kArgumentFix},
    {"ALREADY_IN_DESIRED_STATE", Code::conflict, "nothing is left to do"},
    {"NOT_ALLOWED_IN_CURRENT_STATE", Code::conflict, kRereadFix},
    {"ALREADY_EXISTS", Code::conflict, "choose another name, or use the object that exists"},
    {"RESOURCE_IN_USE", Code::conflict, "free what uses it, then repeat"},
    {"FEATURE_IN_USE", Code::conflict, "turn the feature that uses it off, then repeat"},
    {"CONCURRENT_CHANGE", Code::conflict, "someone changed it meanwhile: read it again, then repeat"},
    {"UNSUPPORTED", Code::conflict,
     "this object or this vCenter does not support it; choose another object or way"},
    {"UNAUTHORIZED", Code::denied, "the vCenter administrator grants the privilege to the server's account"},
    {"UNAUTHENTICATED", Code::unavailable, kSessionFix},
    {"OPERATION_NOT_FOUND", Code::unavailable,
     "it needs another vCenter release; the operator checks the version"},
    {"RESOURCE_BUSY", Code::unavailable, kBusyFix},
    {"RESOURCE_INACCESSIBLE", Code::unavailable,
     "the operator checks that its host and datastore are connected"},
    {"SERVICE_UNAVAILABLE", Code::unavailable, kVcenterFix},
    {"UNABLE_TO_ALLOCATE_RESOURCE", Code::conflict, kCapacityFix},
    {"UNVERIFIED_PEER", Code::unavailable,
     "the operator checks the certificates between vCenter and its peer"},
    {"TIMED_OUT", Code::timeout, "read the state before repeating"},
    {"CANCELED", Code::unavailable, "it was cancelled in vCenter; repeat if it is still wanted"},
    {"INTERNAL_SERVER_ERROR", Code::unavailable, kVcenterFix},
    {"ERROR", Code::unavailable, kVcenterFix},
};

// vim25 faults; those that are not here fall under fallback_rule().
constexpr Rule kVimRules[] = {
    {"ManagedObjectNotFound", Code::not_found, kGoneFix},
    {"NotFound", Code::not_found, kGoneFix},
    {"FileNotFound", Code::not_found, "check the datastore path"},
    {"InvalidArgument", Code::invalid_argument, kArgumentFix},
    {"InvalidName", Code::invalid_argument, "choose another name"},
    {"InvalidProperty", Code::invalid_argument, "ask for a property that the object has"},
    {"InvalidType", Code::invalid_argument, kArgumentFix},
    {"InvalidRequest", Code::invalid_argument, kArgumentFix},
    {"InvalidDatastorePath", Code::invalid_argument, "write the path as [datastore] folder/file"},
    {"FileNameTooLong", Code::invalid_argument, "choose a shorter name"},
    {"InvalidPowerState", Code::conflict, kRereadFix},
    {"InvalidState", Code::conflict, kRereadFix},
    {"InvalidHostState", Code::conflict, kRereadFix},
    {"InvalidHostConnectionState", Code::conflict, kRereadFix},
    {"TaskInProgress", Code::conflict, kBusyFix},
    {"VAppTaskInProgress", Code::conflict, kBusyFix},
    {"ResourceInUse", Code::conflict, "free what uses it, then repeat"},
    {"DuplicateName", Code::conflict, "choose another name, or use the object that exists"},
    {"AlreadyExists", Code::conflict, "choose another name, or use the object that exists"},
    {"FileAlreadyExists", Code::conflict, "choose another name, or use the file that exists"},
    {"FileLocked", Code::conflict, kBusyFix},
    {"ConcurrentAccess", Code::conflict, "someone changed it meanwhile: read it again, then repeat"},
    {"ToolsUnavailable", Code::conflict, "start VMware Tools in the guest, then repeat"},
    {"OperationNotSupportedByGuest", Code::conflict,
     "the guest system does not support it; choose another way"},
    {"NotSupported", Code::conflict, "this object or host does not support it; choose another object or way"},
    {"MethodDisabled", Code::conflict,
     "another product has disabled it on this object; ask the vCenter administrator"},
    {"RestrictedByAdministrator", Code::denied, "ask the vCenter administrator"},
    {"NoPermission", Code::denied, "the vCenter administrator grants the privilege to the server's account"},
    {"NotAuthenticated", Code::unavailable, kSessionFix},
    {"InvalidLogin", Code::unavailable, kSessionFix},
    {"PasswordExpired", Code::unavailable, "the operator renews the password of VCENTER_USER"},
    {"RestrictedVersion", Code::unavailable,
     "the host's licence does not allow it; ask the vCenter administrator"},
    {"NotEnoughLicenses", Code::unavailable, "ask the vCenter administrator for a licence"},
    {"MethodNotFound", Code::unavailable,
     "it needs another vCenter release; the operator checks the version"},
    {"NotImplemented", Code::unavailable,
     "it needs another vCenter release; the operator checks the version"},
    {"HostCommunication", Code::unavailable, "the operator checks that the host is connected to vCenter"},
    {"HostNotConnected", Code::unavailable, "the operator checks that the host is connected to vCenter"},
    {"HostNotReachable", Code::unavailable, "the operator checks that the host is connected to vCenter"},
    {"RequestCanceled", Code::unavailable, "it was cancelled in vCenter; repeat if it is still wanted"},
    {"Timedout", Code::timeout, "read the state before repeating"},
    {"NoDiskSpace", Code::conflict, kCapacityFix},
    {"SystemError", Code::unavailable, kVcenterFix},
    {"DatabaseError", Code::unavailable, kVcenterFix},
    {"UnexpectedFault", Code::unavailable, kVcenterFix},
};

const Rule* find_rule(std::span<const Rule> rules, std::string_view type) {
  const auto it =
      std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.type == type; });
  return it == rules.end() ? nullptr : &*it;
}

// Of some 700 faults most say that the object or its surroundings forbid the operation.
Rule fallback_vim_rule(std::string_view type) {
  if (type.starts_with("Insufficient") || type.starts_with("NotEnough"))
    return {type, Code::conflict, kCapacityFix};
  if (type.starts_with("Invalid")) return {type, Code::invalid_argument, kArgumentFix};
  return {type, Code::conflict, kRereadFix};
}

// No type: the status is all there is, perhaps from a proxy on the way.
Rule status_rule(int status) {
  switch (status) {
    case 400:
      return {"", Code::invalid_argument, kArgumentFix};
    case 401:
      return {"", Code::unavailable, kSessionFix};
    case 403:
      return {"", Code::denied, "the vCenter administrator grants the privilege to the server's account"};
    case 404:
      return {"", Code::not_found,
              "check the id; if it is right, this vCenter release does not serve the operation"};
    case 409:
      return {"", Code::conflict, kRereadFix};
    case 429:
      return {"", Code::unavailable, "vCenter is overloaded: wait, then repeat"};
    case 504:
      return {"", Code::timeout, "read the state before repeating"};
    default:
      break;
  }
  if (status >= 300 && status < 400) {
    return {"", Code::unavailable,
            "the address answers with a redirect; VCENTER_HOST must name the vCenter itself"};
  }
  return {"", status < 500 ? Code::invalid_argument : Code::unavailable, kVcenterFix};
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

// What the operation needs, when vCenter refuses for want of a privilege and names none. Empty otherwise.
std::string unnamed_privileges(const Fault& fault, std::string_view privileges) {
  if (fault.type != "UNAUTHORIZED" && fault.type != "NoPermission") return {};
  if (!fault.privileges.empty()) return {};
  std::string out;
  while (!privileges.empty()) {
    const std::string_view name = privileges.substr(0, privileges.find(','));
    privileges.remove_prefix(std::min(privileges.size(), name.size() + 1));
    for (const std::string& message : fault.messages)
      if (message.find(name) != std::string::npos) return {};
    out += (out.empty() ? "" : ", ") + std::string(name);
  }
  return out;
}

Error compose(int status, const Fault& fault, const Rule& rule, std::string_view privileges = {}) {
  Error error;
  error.code = rule.code;
  const std::string words = join(fault.messages, " / ");
  error.text = rule.code == Code::denied ? "vCenter denied it" : "vCenter refused it";
  if (!words.empty()) error.text += ": " + words;
  error.text += " (";
  error.text += fault.type.empty() ? "HTTP " + std::to_string(status) : fault.type;
  if (!fault.states.empty()) error.text += ", it is " + fault.states;
  if (!fault.object.empty()) error.text += ", " + fault.object;
  error.text += ")";
  if (rule.code == Code::denied && !fault.privileges.empty()) {
    error.text += "; missing privilege: " + join(fault.privileges, ", ");
  }
  if (const std::string needed = unnamed_privileges(fault, privileges); !needed.empty())
    error.text += "; the operation needs: " + needed;
  error.text += "; fix: ";
  error.text += rule.fix;
  error.detail = "HTTP " + std::to_string(status) + (fault.ids.empty() ? "" : " " + join(fault.ids, " "));
  return error;
}

bool guest_path(std::string_view target) {
  return target.find("/guest/") != std::string_view::npos;
}

}  // namespace

Error automation_error(int status, std::string_view body, std::string_view target,
                       std::string_view privileges) {
  const Fault fault = read_automation_fault(body);
  const auto has_id = [&](std::string_view part) {
    return std::any_of(fault.ids.begin(), fault.ids.end(),
                       [&](const std::string& id) { return id.find(part) != std::string::npos; });
  };
  Rule rule = status_rule(status);
  if (const Rule* known = find_rule(kAutomationRules, fault.type)) rule = *known;
  // A path that the server does not know looks like a missing object; only the message id tells them apart.
  if (has_id("httpNotFound") || has_id("operationsForUrlNotFound")) {
    rule = {"", Code::unavailable,
            "this vCenter release does not serve the operation; the operator checks the version"};
  } else if (has_id("too_many_matches")) {
    rule = {"", Code::invalid_argument, "narrow the list with filters (cluster, host, folder, power state)"};
  } else if (fault.type == "SERVICE_UNAVAILABLE" && guest_path(target)) {
    rule = {"", Code::conflict, "VMware Tools is not running in the guest: start it, then repeat"};
  }
  return compose(status, fault, rule, privileges);
}

Error vim_error(int status, std::string_view body, std::string_view privileges) {
  const Fault fault = read_vim_fault(body);
  if (fault.type.empty()) return compose(status, fault, status_rule(status));
  const Rule* known = find_rule(kVimRules, fault.type);
  return compose(status, fault, known ? *known : fallback_vim_rule(fault.type), privileges);
}

Error vim_fault_error(const Json& value) {
  const Fault fault = fault_from_json(value);
  const Rule* known = find_rule(kVimRules, fault.type);
  Error error = compose(500, fault, known ? *known : fallback_vim_rule(fault.type));
  if (fault.type.empty())
    error.text = "vCenter's task failed without a reason; fix: " + std::string(kVcenterFix);
  return error;
}

Error transport_error(const TransportFailure& failure, std::string_view host, bool changing) {
  using Kind = TransportFailure::Kind;
  const std::string name = "vCenter '" + std::string(host) + "'";
  Error error;
  switch (failure.kind) {
    case Kind::connect:
      error = make_error(Code::unavailable,
                         name +
                             " cannot be reached; fix: the operator checks VCENTER_HOST, the name "
                             "service, the network and that vCenter runs");
      break;
    case Kind::tls:
      error = make_error(Code::unavailable,
                         "the TLS certificate of " + name + " is not accepted" +
                             (failure.detail.empty() ? "" : " (" + failure.detail + ")") +
                             "; fix: the operator sets VCENTER_CA_BUNDLE to the PEM file of vCenter's "
                             "CA and VCENTER_HOST to a name that the certificate holds (INSECURE=true "
                             "only for a test system)");
      break;
    case Kind::busy:
      error = make_error(Code::unavailable,
                         "all connections to " + name + " are in use; fix: repeat in a moment");
      error.retry_after_ms = 1'000;
      break;
    case Kind::resting:
      error = make_error(Code::unavailable,
                         name +
                             " could not be reached several times; it is left alone for a moment; "
                             "fix: repeat later, and the operator checks that vCenter runs");
      error.retry_after_ms = failure.retry_after.count();
      break;
    case Kind::timeout:
      error = make_error(Code::timeout,
                         name +
                             " did not answer in time; fix: repeat with more time, or the operator "
                             "raises VCENTER_TIMEOUT_S");
      break;
    case Kind::cancelled:
      error = make_error(Code::cancelled, "the call was cancelled");
      break;
    case Kind::broken:
      error = make_error(Code::unavailable, "the connection to " + name +
                                                " broke before the answer was complete; fix: "
                                                "repeat; if it lasts, the operator checks "
                                                "vCenter and the network");
      break;
    case Kind::too_large:
      error = make_error(Code::invalid_argument,
                         "the answer of " + name + " is too large; fix: ask for less at once");
      break;
  }
  error.detail = failure.detail;
  if (changing && outcome_unknown(failure)) mark_outcome_unknown(error);
  return error;
}

bool outcome_unknown(const TransportFailure& failure) {
  return failure.sent;
}

bool outcome_unknown(int status, const Fault& fault) {
  if (fault.type == "TIMED_OUT" || fault.type == "Timedout") return true;
  // Without vCenter's own error type these come from a proxy, which may have passed the request on.
  return fault.type.empty() && (status == 502 || status == 503 || status == 504);
}

void mark_outcome_unknown(Error& error) {
  if (const std::size_t fix = error.text.find("; fix: "); fix != std::string::npos) error.text.resize(fix);
  error.text += "; the change may have happened: read the object's state before repeating";
}

}  // namespace vmcp::vcenter
