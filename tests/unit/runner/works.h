// What an honest plugin does, done by the sandboxed process itself.
#pragma once

#include <string>

namespace vmcp::runner::test {

// Empty when `what` works, else what went wrong; "abort" and "foreign_call" do not return.
std::string works(const std::string& what);

}  // namespace vmcp::runner::test
