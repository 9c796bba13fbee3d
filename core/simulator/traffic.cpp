#include "simulator/traffic.h"

#include <algorithm>
#include <array>

namespace vmcp::simulator {
namespace {

constexpr std::size_t kRing = 1000;
constexpr std::size_t kMostOperations = 2000;
constexpr std::size_t kMostTarget = 512;

// vim25 methods that change nothing but the caller's own session.
constexpr std::array kHarmless = {"Login",
                                  "Logout",
                                  "CurrentTime",
                                  "RetrieveServiceContent",
                                  "CreateContainerView",
                                  "DestroyView",
                                  "RetrievePropertiesEx",
                                  "ContinueRetrievePropertiesEx",
                                  "CancelRetrievePropertiesEx",
                                  "RetrieveProperties",
                                  "HasPrivilegeOnEntities",
                                  "HasPrivilegeOnEntity",
                                  "HasUserPrivilegeOnEntities",
                                  "FetchUserPrivilegeOnEntities",
                                  "GetResourceUsage",
                                  "SessionIsActive"};

// POST …/cis/tagging/…?action=list-…
bool is_tag_query(const std::vector<std::string>& path, const std::string& query) {
  return std::find(path.begin(), path.end(), "tagging") != path.end() &&
         query.find("action=list-") != std::string::npos;
}

}  // namespace

bool is_changing(const Request& request) {
  if (request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS") return false;
  const std::vector<std::string> path = split_path(request.path);
  if (path.size() > 2 && path[0] == "sdk" && path[1] == "vim25") {
    return std::find(kHarmless.begin(), kHarmless.end(), path.back()) == kHarmless.end();
  }
  if (!path.empty() && path.back() == "session") return false;
  if (path.size() == 3 && path[1] == "vcenter" && path[2] == "system") return false;
  if (is_tag_query(path, request.query)) return false;
  return request.path != "/api/cis/tasks";
}

std::uint64_t Traffic::arrive(const Request& request, Millis now) {
  Entry entry;
  entry.number = next_++;
  entry.at = now;
  entry.method = request.method;
  entry.target = request.target().substr(0, kMostTarget);
  entry.changing = is_changing(request);
  ++total_;
  if (entry.changing) ++changing_;
  last_.push_back(std::move(entry));
  if (last_.size() > kRing) last_.pop_front();
  return last_.back().number;
}

void Traffic::finish(std::uint64_t number, const std::string& operation, const std::string& user,
                     int status) {
  const std::string& name = operation.empty() ? std::string("unknown") : operation;
  if (by_operation_.size() < kMostOperations || by_operation_.count(name) != 0) ++by_operation_[name];
  if (last_.empty() || number < last_.front().number) return;
  const std::uint64_t index = number - last_.front().number;
  if (index >= last_.size()) return;
  Entry& entry = last_[index];
  entry.operation = name;
  entry.user = user;
  entry.status = status;
}

void Traffic::reset() {
  total_ = changing_ = 0;
  by_operation_.clear();
  last_.clear();
}

Json Traffic::report() const {
  Json last = Json::array();
  for (const Entry& entry : last_) {
    last.push_back({{"number", entry.number},
                    {"at", iso_time(entry.at)},
                    {"method", entry.method},
                    {"path", entry.target},
                    {"operation", entry.operation},
                    {"user", entry.user},
                    {"changing", entry.changing},
                    {"status", entry.status}});
  }
  return {
      {"total", total_}, {"changing", changing_}, {"by_operation", by_operation_}, {"last", std::move(last)}};
}

}  // namespace vmcp::simulator
