// A vCenter's property collector over a table of canned objects, in the VI/JSON shape; it counts, pages and
// fails as the test wants.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/json.h"
#include "vcenter/connection.h"

namespace vmcp::inventory {

struct FakeObject {
  std::string type, id;
  std::map<std::string, Json> properties;        // boxed
  std::map<std::string, std::string> missing{};  // path → fault type
};

inline Json boxed(const char* type, Json value) {
  return {{"_typeName", type}, {"_value", std::move(value)}};
}
inline Json text(const std::string& value) {
  return boxed("string", value);
}
inline Json ref(const std::string& type, const std::string& id) {
  return {{"_typeName", "ManagedObjectReference"}, {"type", type}, {"value", id}};
}

class FakeConnection final : public vcenter::Connection {
 public:
  std::vector<FakeObject> objects;
  std::size_t page = 100;
  std::string root = "group-d1";
  std::function<void(const std::string& member)> before;  // runs before each answer
  std::function<std::optional<Error>(const std::string& member, int count)>
      failing;                                                                // count: of that member, from 1
  std::function<vcenter::Reply(const vcenter::AutomationRequest&)> automate;  // the Automation API, if any
  std::map<std::string, std::string> snapshots;                               // VM id → "snapshot" property

  int calls(const std::string& member) {
    const std::lock_guard lock(mutex_);
    return calls_[member];
  }
  int open_views() const { return open_views_; }
  std::vector<Json> retrievals() {
    const std::lock_guard lock(mutex_);
    return retrievals_;
  }

  const std::string& name() const override { return name_; }
  vcenter::Reply automation(const vcenter::AutomationRequest& request, const CallLimits&) override {
    if (automate) return automate(request);
    return fail(make_error(Code::internal, "the inventory has no business in the Automation API"));
  }
  vcenter::Reply vim(const vcenter::VimRequest& request, const CallLimits& limits) override;
  Result<vcenter::About> about(const CallLimits&) override {
    vcenter::About about;
    about.root_folder = root;
    about.property_collector = "propertyCollector";
    about.view_manager = "ViewManager";
    return about;
  }
  void close() override {}

  static vcenter::Reply fail(Error error) {
    vcenter::Reply reply;
    reply.http_status = 500;
    reply.error = std::move(error);
    return reply;
  }
  static vcenter::Reply good(std::string body) { return {200, std::move(body), std::nullopt, false}; }

 private:
  vcenter::Reply retrieve(const Json& parameters);
  vcenter::Reply next_page(const std::string& token);

  std::string name_ = "vc.example";
  std::mutex mutex_;
  std::map<std::string, int> calls_;
  std::map<std::string, std::vector<std::string>> views_;
  std::map<std::string, std::vector<std::string>> pending_;  // token → the pages that are left, last first
  std::vector<Json> retrievals_;
  std::atomic<int> open_views_{0};
  int counter_ = 0;
};

}  // namespace vmcp::inventory
