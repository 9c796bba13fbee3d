#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "app/commands.h"
#include "auth/authenticator.h"
#include "base/bearer.h"

namespace vmcp::app {

// From standard input, never from an argument: arguments are visible to every user of the machine.
int hash_token() {
  if (::isatty(STDIN_FILENO) != 0) std::fputs("Token: ", stderr);
  std::string token;
  std::getline(std::cin, token);
  while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
  if (token.size() < 16) {
    std::fputs(
        "The token needs at least 16 characters, e.g.: openssl rand -hex 32 | vsphere-mcp-pro hash-token\n",
        stderr);
    return 2;
  }
  if (!is_bearer_token(token)) {
    std::fputs(
        "No client can send this token in a header: use letters, digits and - . _ ~ + / only (= at the end), "
        "at "
        "most 16000, e.g.: openssl rand -hex 32 | vsphere-mcp-pro hash-token\n",
        stderr);
    return 2;
  }
  std::printf("%s\n", auth::hash_token(token).c_str());
  return 0;
}

}  // namespace vmcp::app
