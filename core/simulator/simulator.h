// The embedded vCenter: inventory, statistics, tasks, sessions and faults in memory, served over HTTP on
// loopback in the Automation API's two dialects and VI/JSON. It keeps us honest only as far as it is checked:
// every exchange can be recorded and is held against the official documents by tests/contract.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcp::simulator {

// An account beside the main one (which may do everything).
struct Account {
  std::string user;
  Secret password;
  std::vector<std::string> privileges;  // globs: "System.*", "VirtualMachine.Interact.PowerOn"
  std::vector<std::string> scope;  // names or ids of datacenters, folders, clusters …; empty = everywhere
  bool appliance_admin = false;    // may read the appliance's version
};

struct Settings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  // 0 = a free one
  std::string user = "demo@vsphere.local";
  Secret password{"demo"};
  std::size_t vms = 120;        // up to 20,000
  std::uint64_t seed = 1;       // the same seed makes the same inventory
  milliseconds task_time{300};  // how long a task takes, virtual clock
  milliseconds session_idle{30 * 60'000};
  std::size_t page_size = 100;      // RetrievePropertiesEx
  std::string release = "8.0.2.0";  // what it claims to be
  bool share_session = true;        // /api sessions valid for VI/JSON (8.0 U3 and later)
  std::string record_file;          // JSON lines, one exchange each; empty = none
  std::string admin_token;          // for /simulator/…; empty = open (loopback only)
  std::vector<Account> accounts;    // restricted users
  std::vector<std::string> faults;  // fault rules from the start, each the JSON of POST /simulator/fault
};

class Simulator {
 public:
  Simulator(Settings settings, Log& log);
  ~Simulator();
  Result<void> start();
  void stop();
  std::uint16_t port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmcp::simulator
