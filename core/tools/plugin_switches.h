// Which plugins an operator switched off while the server ran. It stays so when the server starts again.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace vmcp::tools {

class PluginSwitches {
 public:
  PluginSwitches() = default;  // remembers nothing beyond the process
  // From and to `file`; it need not be there. Error: it cannot be understood, so that nobody knows what must
  // stay off.
  Result<void> keep_in(const std::string& file);

  // Plugin id → why it is off, for people. [any]
  std::map<std::string, std::string> off() const;
  // On the disk when they return; an error changes nothing. [control]
  Result<void> turn_off(const std::string& id, const std::string& by, WallTime at);
  Result<void> turn_on(const std::string& id);

 private:
  struct Switch {
    std::string by, at;
  };
  using Switches = std::map<std::string, Switch>;
  Result<void> put(Switches next);

  mutable std::mutex mutex_;
  std::string file_;
  Switches off_;
};

}  // namespace vmcp::tools
