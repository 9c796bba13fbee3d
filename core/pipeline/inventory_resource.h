// The host's own resources: vsphere://{vcenter}/ and vsphere://{vcenter}/{kind}/{object}, read through the
// inventory as the caller may see it, and the completion of their variables.
#pragma once

#include <string>
#include <string_view>

#include "pipeline/services.h"
#include "plugin_host/invocation.h"

namespace vmcp::pipeline {

struct InventoryUri {
  std::string vcenter;
  std::string kind;    // empty: the vCenter itself
  std::string object;  // id, name or path, decoded
};
// Code::not_found for what is no such URI.
Result<InventoryUri> read_inventory_uri(std::string_view uri);
// As a policy judges it: decoded, so that no way to write a URI goes around a pattern. What is none of ours
// stays as it is.
std::string plain_uri(std::string_view uri);
// The vCenter of a URI. Code::not_found: none has this very name; other names of its address, which a tool's
// hostname argument may use, would be further URIs of the same object.
Result<vcenter::Connection*> vcenter_of(vcenter::Fleet& fleet, const InventoryUri& uri);

// Puts one contents object into `invocation.blocks`. The object was resolved and judged before: it is the
// only target.
Result<void> read_inventory_resource(Services& services, vcenter::Connection& connection,
                                     const InventoryUri& uri, std::string_view text,
                                     plugin_host::Invocation& invocation);
// What an object is, as text that stays the same until it changes: without its usage figures.
Result<std::string> inventory_state(inventory::Inventory& inventory, vcenter::Connection& connection,
                                    const InventoryUri& uri, const inventory::Visible& visible,
                                    const CallLimits& limits);
// Values for one variable of a template as JSON: {"values":[…],"total":…,"hasMore":…}. `kind` "vcenter" or an
// object's.
Result<std::string> complete_inventory(Services& services, vcenter::Connection* connection,
                                       std::string_view kind, std::string_view typed,
                                       const plugin_host::Invocation& invocation);

}  // namespace vmcp::pipeline
