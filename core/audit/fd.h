// An open file that closes itself.
#pragma once

#include <unistd.h>

namespace vmcp::audit {

struct Fd {
  explicit Fd(int f) : fd(f) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd >= 0) ::close(fd);
  }
  int fd;  // negative: it could not be opened
};

}  // namespace vmcp::audit
