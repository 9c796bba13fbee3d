#include "config/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace vmcp::config {

bool read_config_file(const std::string& path, std::size_t max_bytes, std::string& text, std::string& why,
                      std::string& fix) {
  const auto fail = [&](std::string what, std::string remedy) {
    why = std::move(what);
    fix = std::move(remedy);
    return false;
  };
  // O_NONBLOCK: a FIFO put there by mistake must not hang the start.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return fail(std::string("cannot be read: ") + std::strerror(errno), "check the path and its permissions");
  struct stat st {};
  std::string bytes;
  bool good = false;
  if (::fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    fail("is not a regular file", "name a file");
  } else if (st.st_mode & S_IWOTH) {
    fail("may be written by everyone", "take that right away: chmod o-w " + path);
  } else {
    char block[16384];
    ssize_t got = 0;
    while ((got = ::read(fd, block, sizeof block)) > 0 && bytes.size() <= max_bytes)
      bytes.append(block, static_cast<std::size_t>(got));
    if (got < 0)
      fail(std::string("cannot be read: ") + std::strerror(errno), "check the disk");
    else if (bytes.size() > max_bytes)
      fail("is larger than " + std::to_string(max_bytes) + " bytes", "name the right file");
    else
      good = true;
  }
  ::close(fd);
  if (good) text = std::move(bytes);
  return good;
}

bool readable_by_all(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 && (st.st_mode & S_IROTH) != 0;
}

std::vector<std::string> toml_files_in(const std::string& dir) {
  namespace fs = std::filesystem;
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error))
    if (it->path().extension() == ".toml") out.push_back(it->path().string());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace vmcp::config
