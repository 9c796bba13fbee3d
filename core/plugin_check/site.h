// What a plugin's calls meet in a trial: a vCenter, its inventory, and the objects that arguments may name.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "inventory/inventory.h"
#include "plugin_check/arguments.h"
#include "plugin_host/invocation.h"
#include "tools/tool.h"
#include "vcenter/connection.h"

namespace vmcp::plugin_check {

class Site {
 public:
  virtual ~Site() = default;
  virtual vcenter::Connection& connection() = 0;
  virtual inventory::Inventory& inventory() = 0;
  virtual const KnownObjects& objects() const = 0;
  // The object that an argument names, as the host finds it before the plugin is entered. `whole` is what it
  // is a part of, or null. Nothing: the host would refuse the call.
  virtual std::optional<inventory::Object> find(const tools::ObjectArgument& argument,
                                                const std::string& name, const inventory::Object* whole) = 0;
  // Where an argument names a part of an object, has the other argument name that object.
  virtual void make_agree(const tools::Tool& tool, Json& arguments) const = 0;
  // vim25's TaskInfo of a task that a tool waits for, when it has ended or when that takes too long.
  virtual Json task_info(const std::string& task) = 0;
  virtual milliseconds deadline() const = 0;  // of one call
};

// Gives the site on which calls are answered, when it is first needed; null when there is none.
using SiteOnDemand = std::function<Site*()>;

// The objects that `arguments` name, as a call's targets. Nothing when one of them is not there.
std::optional<std::vector<plugin_host::Target>> targets_of(const tools::Tool& tool, const Json& arguments,
                                                           Site& site);

}  // namespace vmcp::plugin_check
