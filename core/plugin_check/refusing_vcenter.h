// A vCenter that answers every request with a refusal, and an inventory in front of it: what a tool meets on
// a bad day. Seeded, so that a run can be repeated.
#pragma once

#include <mutex>

#include "inventory/inventory.h"
#include "plugin_check/site.h"
#include "vcenter/connection.h"

namespace vmcp::plugin_check {

class RefusingVcenter final : public vcenter::Connection, public inventory::Inventory, public Site {
 public:
  explicit RefusingVcenter(std::uint64_t seed) : random_(seed, "vcenter") {}

  const std::string& name() const override { return name_; }
  vcenter::Reply automation(const vcenter::AutomationRequest& request, const CallLimits& limits) override;
  vcenter::Reply vim(const vcenter::VimRequest& request, const CallLimits& limits) override;
  Result<vcenter::About> about(const CallLimits& limits) override;
  void close() override {}

  Result<inventory::Object> resolve(vcenter::Connection&, std::string_view, std::string_view,
                                    const inventory::Visible&, const CallLimits&) override;
  Result<inventory::Object> resolve_within(vcenter::Connection&, const inventory::Object&, std::string_view,
                                           std::string_view, const CallLimits&) override;
  // Of an Inventory, which a plugin meets.
  Result<inventory::Object> find(vcenter::Connection&, std::string_view, std::string_view,
                                 const inventory::Visible&, const CallLimits&) override;
  Result<std::string> get(vcenter::Connection&, std::string_view, std::string_view,
                          const std::vector<std::string>&, const inventory::Visible&,
                          const CallLimits&) override;
  Result<std::string> list(vcenter::Connection&, const Json&, const inventory::Visible&,
                           const CallLimits&) override;
  Result<std::vector<inventory::Facts>> facts(vcenter::Connection&,
                                              const std::vector<const inventory::Object*>&,
                                              const inventory::FactsWanted&, const CallLimits&) override;
  Result<std::shared_ptr<const inventory::FactTable>> all_facts(vcenter::Connection&,
                                                                const inventory::FactsWanted&,
                                                                const CallLimits&) override;
  void changed(vcenter::Connection&) override {}

  // Of a Site: the objects that arguments name are there, whatever their names.
  vcenter::Connection& connection() override { return *this; }
  inventory::Inventory& inventory() override { return *this; }
  const KnownObjects& objects() const override { return none_; }
  std::optional<inventory::Object> find(const tools::ObjectArgument& argument, const std::string& name,
                                        const inventory::Object* whole) override;
  void make_agree(const tools::Tool&, Json&) const override {}
  Json task_info(const std::string& task) override;
  milliseconds deadline() const override { return milliseconds(200); }

 private:
  struct Refusal;
  const Refusal& next();  // [any]

  const std::string name_ = "refusing.example";
  const KnownObjects none_;
  std::mutex mutex_;  // guards random_
  Random random_;
};

}  // namespace vmcp::plugin_check
