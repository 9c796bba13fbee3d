// Looks again and again at the objects behind vsphere:// URIs that somebody subscribed to, and tells when one
// has changed. Usage figures, which never stand still, do not count as a change.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/principal.h"
#include "inventory/inventory.h"
#include "policy/current.h"
#include "vcenter/connection.h"

namespace vmcp::pipeline {

struct WatchSettings {
  milliseconds interval{10'000};  // between two looks at one object; longer when there are many
  milliseconds pause{50};         // between two looks at all: bounds what this costs a vCenter
  std::size_t max_objects = 1'000;
};

class ObjectWatch {
 public:
  // All but the settings outlive the watch.
  ObjectWatch(WatchSettings settings, vcenter::Fleet& fleet, inventory::Inventory& inventory,
              const policy::CurrentPolicy& policy, Log& log);
  ~ObjectWatch();  // stop()
  ObjectWatch(const ObjectWatch&) = delete;
  ObjectWatch& operator=(const ObjectWatch&) = delete;

  // As long as somebody holds it.
  using Handle = std::shared_ptr<void>;
  // `changed` is called on the watch's thread after each change that `principal` may see, also when the
  // object goes or comes; never for the first look. It must not block. Code::not_found for a URI that is no
  // object's, Code::unavailable when too many are watched. [any thread]
  Result<Handle> watch(const std::string& uri, const PrincipalPtr& principal, std::function<void()> changed);
  void stop();

 private:
  struct Impl;
  // Shared with the handles, which may be let go after this object.
  std::shared_ptr<Impl> impl_;
};

}  // namespace vmcp::pipeline
