// All that this server offers at one moment, and the place where the next such moment is put. A call begins
// with what is offered then and ends with it, whatever is loaded, replaced or switched off meanwhile.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "tools/features.h"
#include "tools/registry.h"

namespace vmcp::tools {

struct Catalog {
  Registry registry;
  Features features;
};
using CatalogPtr = std::shared_ptr<const Catalog>;

// [any thread]
class CurrentCatalog {
 public:
  CatalogPtr now() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }
  // Gives what was current: it lives until the calls that began with it have ended.
  CatalogPtr publish(CatalogPtr next) {
    const std::lock_guard lock(mutex_);
    return std::exchange(current_, std::move(next));
  }

 private:
  mutable std::mutex mutex_;
  CatalogPtr current_ = std::make_shared<const Catalog>();
};

}  // namespace vmcp::tools
