// Who calls. Made by auth/, read by everyone after it; never made from anything that the model can write.
#pragma once

#include <memory>
#include <string>

namespace vmcp {

struct Principal {
  std::string identity;  // stable name of the caller for limits and audit: the token's configured name, or
                         // "token-" + first 8 hex of its hash; "anonymous" when authentication is off
  std::string role;      // "read", "ops", "admin" or the site's own
};

using PrincipalPtr = std::shared_ptr<const Principal>;

}  // namespace vmcp
