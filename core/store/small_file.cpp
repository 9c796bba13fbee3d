#include "store/small_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vmcp::store {
namespace {

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

// Else the new name may be gone after a loss of power, while the bytes are there.
bool sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool synced = ::fsync(fd) == 0;
  ::close(fd);
  return synced;
}

}  // namespace

Result<void> replace_file(const std::string& path, std::string_view bytes) {
  const std::string draft = path + ".new";
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  bool done = fd >= 0 && write_all(fd, bytes) && ::fsync(fd) == 0;
  int why = errno;
  if (fd >= 0 && ::close(fd) != 0 && done) {
    done = false;
    why = errno;
  }
  if (done && (::rename(draft.c_str(), path.c_str()) != 0 || !sync_folder_of(path))) {
    done = false;
    why = errno;
  }
  if (done) return {};
  return make_error(Code::unavailable, path + " cannot be written: " + std::strerror(why) +
                                           "; make room, or correct STATE_DIR and its permissions");
}

}  // namespace vmcp::store
