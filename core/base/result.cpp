#include "base/result.h"

namespace vmcp {

const char* code_name(Code code) {
  switch (code) {
    case Code::unauthenticated:
      return "unauthenticated";
    case Code::malformed:
      return "malformed";
    case Code::unknown_tool:
      return "unknown_tool";
    case Code::invalid_argument:
      return "invalid_argument";
    case Code::not_found:
      return "not_found";
    case Code::conflict:
      return "conflict";
    case Code::denied:
      return "denied";
    case Code::needs_confirm:
      return "needs_confirm";
    case Code::throttled:
      return "throttled";
    case Code::unavailable:
      return "unavailable";
    case Code::timeout:
      return "timeout";
    case Code::cancelled:
      return "cancelled";
    case Code::client_lacks:
      return "client_lacks";
    case Code::internal:
      return "internal";
  }
  return "internal";
}

}  // namespace vmcp
