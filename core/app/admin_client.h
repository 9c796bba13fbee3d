// Asking a server that runs on this machine, as its operator: the address and the key lie in its state
// directory, which only its user can read.
#pragma once

#include <optional>
#include <string>

#include "app/commands.h"
#include "base/json.h"
#include "base/result.h"

namespace vmcp::app {

struct AdminCall {
  std::string method, path;  // "/admin/v1/plugins"
  std::string body = {};     // JSON; empty: none
};

// The answer of the server that has this state directory. Errors are the server's own words, or say why it
// could not be asked.
Result<Json> ask_server(const std::string& state_dir, const AdminCall& call);

// The same for a command: what went wrong is printed, and nothing given.
std::optional<Json> ask_or_print(const AdminOptions& server, const AdminCall& call);

// options.state_dir, or what the configuration says; prints its errors and gives nothing when it has some.
std::optional<std::string> state_dir_of(const AdminOptions& options);

}  // namespace vmcp::app
