// A vCenter that answers: the client and inventory of the server, in front of a simulator that the caller of
// the check has started. What a tool meets on a good day.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "plugin_check/site.h"

namespace vmcp::plugin_check {

// On loopback, over plain HTTP, with nothing behind it that anybody could miss.
struct VcenterAddress {
  std::string host;  // "127.0.0.1:8990"
  std::string user, password;
};

class AnsweringVcenter final : public Site {
 public:
  // Logs in, and learns which objects there are. `log` outlives it.
  static Result<std::unique_ptr<AnsweringVcenter>> reach(const VcenterAddress& address, Log& log);
  ~AnsweringVcenter() override;

  vcenter::Connection& connection() override { return *connection_; }
  inventory::Inventory& inventory() override { return *inventory_; }
  const KnownObjects& objects() const override { return objects_; }
  std::optional<inventory::Object> find(const tools::ObjectArgument& argument, const std::string& name,
                                        const inventory::Object* whole) override;
  void make_agree(const tools::Tool& tool, Json& arguments) const override;
  Json task_info(const std::string& task) override;
  milliseconds deadline() const override { return milliseconds(500); }

 private:
  AnsweringVcenter() = default;
  Result<void> learn_objects();
  void learn_snapshots(const std::string& vm, const Json& list, int depth);

  const SystemClock clock_;
  std::unique_ptr<vcenter::Fleet> fleet_;
  vcenter::Connection* connection_ = nullptr;  // the fleet's
  std::unique_ptr<inventory::Inventory> inventory_;
  KnownObjects objects_;
  std::map<std::string, std::string> vm_of_;  // of a snapshot
};

}  // namespace vmcp::plugin_check
