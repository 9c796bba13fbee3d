// Recorded exchanges with a vCenter, held against the official facts: every request that we send and every
// reply that the embedded vCenter gives.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "contract/deviation.h"
#include "contract/schema_check.h"
#include "contract/vim_check.h"

namespace vmcp::contract {

// One line of a record file. The path has its query; the dialect is "api", "rest", "vim" or "other". A body
// is parsed when it is JSON, its text when it is not, null when there is none.
struct Exchange {
  std::string method, path, dialect;
  Json request_body, reply_body;
  int status = 0;
  bool injected =
      false;  // the reply is a test's order to misbehave: only the request is held against the facts
};

Result<Exchange> parse_exchange(std::string_view line);

class ExchangeCheck {
 public:
  // Both are read once; the facts are checked for the members that the check needs.
  static Result<ExchangeCheck> make(Json facts, Exceptions exceptions);

  // What is wrong with the exchange, without what an exception covers. [any thread]
  std::vector<Deviation> check(const Exchange& exchange) const;

 private:
  struct Operation {
    std::string method;
    std::vector<std::string> segments;           // of the path; "{" starts a parameter, at the end of one
    std::map<std::string, std::string> chooser;  // query parameters that choose it: action, vmw-task
    const Json* facts = nullptr;
  };
  using Query = std::vector<std::pair<std::string, std::string>>;  // decoded

  ExchangeCheck() = default;
  void index();
  void check_automation(const Exchange& exchange, Report& report) const;
  void check_query(const Operation& operation, const Query& query, Report& report) const;
  void check_request_body(const Operation& operation, const Json& body, Report& report) const;
  void check_reply(const Operation& operation, const Exchange& exchange, Report& report) const;
  void check_error(const Exchange& exchange, const Json& reply, Report& report) const;
  const Operation* find(const std::string& method, const std::vector<std::string>& segments,
                        const Query& query, std::string& why) const;
  void check_vim(const Exchange& exchange, Report& report) const;
  void check_vim_property(const Exchange& exchange, const std::string& type, const std::string& name,
                          Report& report) const;
  void check_vim_method(const Exchange& exchange, const std::string& type, const std::string& name,
                        Report& report) const;
  void check_vim_reply(const Exchange& exchange, const std::string& declared, Report& report) const;
  void check_vim_failure(const Exchange& exchange, const Json* declared_faults, Report& report) const;

  std::shared_ptr<const Json> facts_;  // shared: the checks below point into it
  std::shared_ptr<const Exceptions> exceptions_;
  std::shared_ptr<const SchemaCheck> schemas_;
  std::shared_ptr<const VimCheck> vim_;
  std::vector<Operation> operations_;
};

}  // namespace vmcp::contract
