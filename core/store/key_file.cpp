#include "store/key_file.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/crypto.h"

namespace vmcp::store {
namespace {

constexpr std::size_t kKeyBytes = 32;

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Error key_error(const std::string& what, const std::string& file, int error_number = 0) {
  std::string text = what + " '" + file + "'";
  if (error_number != 0) text += std::string(": ") + std::strerror(error_number);
  return make_error(Code::unavailable, std::move(text));
}

// nullopt: there is no such file yet.
Result<std::optional<Secret>> read_key(const std::string& file) {
  // Symbolic links are followed: mounted secrets are links, and the directory is ours alone.
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) {
    if (errno == ENOENT) return std::optional<Secret>{};
    return key_error("cannot read the key", file, errno);
  }
  struct stat st;
  if (::fstat(fd.get(), &st) != 0) return key_error("cannot read the key", file, errno);
  if (!S_ISREG(st.st_mode)) return key_error("not a regular file: the key", file);
  if ((st.st_mode & 077) != 0)
    return key_error("other users may read or change the key; make a new one, or run `chmod 600` on", file);
  if (st.st_uid != ::geteuid() && st.st_uid != 0) return key_error("another user owns the key", file);
  if (st.st_size != static_cast<off_t>(kKeyBytes))
    return key_error("a key is exactly 32 bytes long; restore from your backup the key", file);
  std::string bytes(kKeyBytes, '\0');
  std::size_t have = 0;
  while (have < kKeyBytes) {
    const ssize_t n = ::pread(fd.get(), bytes.data() + have, kKeyBytes - have, static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return key_error("cannot read the key", file, n < 0 ? errno : EIO);
    have += static_cast<std::size_t>(n);
  }
  return std::optional<Secret>(Secret(std::move(bytes)));
}

Result<void> write_whole(const std::string& file, const std::string& bytes) {
  const Fd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (fd.get() < 0) return key_error("cannot make the key", file, errno);
  if (::write(fd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    return key_error("cannot write the key", file, errno);
  if (::fsync(fd.get()) != 0) return key_error("cannot write the key", file, errno);
  return {};
}

Result<void> sync_directory(const std::string& directory) {
  const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) return key_error("cannot sync the directory", directory, errno);
  return {};
}

// The whole file appears under its name at once, or not at all; a name that is taken stays as it is.
Result<void> publish(const std::string& made, const std::string& file) {
  if (::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, file.c_str(), RENAME_NOREPLACE) == 0) return {};
  int error_number = errno;
  if (error_number == EINVAL || error_number == ENOSYS)  // a file system without that flag
    error_number = ::link(made.c_str(), file.c_str()) == 0 ? 0 : errno;
  ::unlink(made.c_str());
  if (error_number == 0 || error_number == EEXIST) return {};
  return key_error("cannot make the key", file, error_number);
}

}  // namespace

Result<Secret> read_or_make_key(const std::string& directory, const std::string& name) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return key_error("cannot make the directory", directory, errno);
  struct stat st;
  if (::stat(directory.c_str(), &st) != 0 || !S_ISDIR(st.st_mode))
    return key_error("not a directory:", directory);
  if ((st.st_mode & 022) != 0) return key_error("other users may write; run `chmod 700` on", directory);

  const std::string file = directory + "/" + name;
  auto present = read_key(file);
  if (!present) return present.error();
  if (*present) return std::move(**present);

  std::string bytes = random_bytes(kKeyBytes);
  const std::string made = file + ".new-" + random_id();
  auto written = write_whole(made, bytes);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  if (!written) {
    ::unlink(made.c_str());
    return written.error();
  }
  if (auto ok = publish(made, file); !ok) return ok.error();
  if (auto ok = sync_directory(directory); !ok) return ok.error();
  // Read back, not remembered: somebody else's key may have been there first.
  present = read_key(file);
  if (!present) return present.error();
  if (!*present) return key_error("somebody removed the key", file);
  return std::move(**present);
}

}  // namespace vmcp::store
