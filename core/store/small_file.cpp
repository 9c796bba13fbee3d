#include "store/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
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

struct Closing {
  int fd;
  ~Closing() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t most) {
  const auto failed = [&](const std::string& why) {
    return make_error(Code::unavailable, path + ": " + why);
  };
  const Closing file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0 && errno == ENOENT) return make_error(Code::not_found, path + " is not there");
  if (file.fd < 0) return failed(std::strerror(errno));
  struct stat st;
  if (::fstat(file.fd, &st) != 0) return failed(std::strerror(errno));
  if (!S_ISREG(st.st_mode)) return failed("it is no regular file");
  std::string out(most + 1, '\0');
  std::size_t have = 0;
  while (have < out.size()) {
    const ssize_t got = ::read(file.fd, out.data() + have, out.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(std::strerror(errno));
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  if (have > most) return failed("it is longer than " + std::to_string(most) + " bytes");
  out.resize(have);
  return out;
}

Result<void> replace_file(const std::string& path, std::string_view bytes) {
  const std::string draft = path + ".new";
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  bool done = fd >= 0 && write_all(fd, bytes) && ::fdatasync(fd) == 0;
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
  ::unlink(draft.c_str());
  return make_error(Code::unavailable, path + " cannot be written: " + std::strerror(why) +
                                           "; make room, or correct STATE_DIR and its permissions");
}

}  // namespace vmcp::store
