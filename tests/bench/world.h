// The real services with one echo tool in memory and no vCenter: what the benches that run in one process
// share.
#pragma once

#include <memory>

#include "pipeline/guarded_pipeline.h"
#include "tasks/task_store.h"

namespace vmcp::bench {

inline constexpr const char* kToken = "bench-token-000001";  // its role may call echo

class World {
 public:
  World();
  ~World();
  pipeline::Services& services();
  pipeline::Pipeline& pipeline();
  tasks::TaskStore& tasks();
  Log& log();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmcp::bench
