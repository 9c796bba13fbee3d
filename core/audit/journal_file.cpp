// The journal's file on a real file system.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "audit/audit.h"

namespace vmcp::audit {
namespace {

Error file_error(const char* what, const std::string& path, int error_number = 0) {
  std::string text = std::string(what) + " '" + path + "'";
  if (error_number != 0) text += std::string(": ") + std::strerror(error_number);
  return make_error(Code::unavailable, std::move(text));
}

// Writes at its own offsets instead of with O_APPEND: what a failed write left behind is written over.
class PosixJournalFile final : public JournalFile {
 public:
  PosixJournalFile(int fd, std::string path, off_t size)
      : fd_(fd), path_(std::move(path)), size_(size), synced_size_(size) {}
  ~PosixJournalFile() override { ::close(fd_); }

  Result<void> append(std::string_view bytes) override {
    if (auto ok = cut_partial_write(); !ok) return ok;
    if (auto ok = write_at(size_, bytes); !ok) {
      partial_write_ = true;
      (void)cut_partial_write();  // tried again before the next append
      return ok;
    }
    size_ += static_cast<off_t>(bytes.size());
    unsynced_ += bytes;
    return {};
  }

  Result<void> sync() override {
    if (auto ok = cut_partial_write(); !ok) return ok;
    // After a failed fdatasync the kernel may call the lost pages clean: a second fdatasync would succeed
    // without having written them. So they are written again first.
    if (sync_failed_)
      if (auto ok = write_at(synced_size_, unsynced_); !ok) return ok;
    if (::fdatasync(fd_) != 0) {
      sync_failed_ = true;
      return file_error("cannot sync the journal", path_, errno);
    }
    sync_failed_ = false;
    synced_size_ = size_;
    unsynced_.clear();
    return {};
  }

  Result<void> check() override {
    struct stat ours, there;
    if (::fstat(fd_, &ours) != 0) return file_error("cannot examine the journal", path_, errno);
    if (::stat(path_.c_str(), &there) != 0) return file_error("somebody removed the journal", path_, errno);
    if (ours.st_ino != there.st_ino || ours.st_dev != there.st_dev)
      return file_error("somebody replaced the journal", path_);
    if (!partial_write_ && ours.st_size != size_)
      return file_error("somebody else changed the journal", path_);
    return {};
  }

 private:
  Result<void> write_at(off_t offset, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), offset);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return file_error("cannot write the journal", path_, n < 0 ? errno : EIO);
      bytes.remove_prefix(static_cast<std::size_t>(n));
      offset += n;
    }
    return {};
  }

  Result<void> cut_partial_write() {
    if (!partial_write_) return {};
    if (::ftruncate(fd_, size_) != 0)
      return file_error("cannot cut an unfinished write off the journal", path_, errno);
    partial_write_ = false;
    return {};
  }

  const int fd_;
  const std::string path_;
  off_t size_;                  // of what was appended whole
  off_t synced_size_;           // of what is on the disk
  std::string unsynced_;        // what lies between the two; Journal syncs before it grows large
  bool partial_write_ = false;  // bytes beyond size_ may exist
  bool sync_failed_ = false;
};

// A file's name is durable only when its directory is.
Result<void> sync_parent(const std::string& path) {
  std::string parent = std::filesystem::path(path).parent_path().string();
  if (parent.empty()) parent = ".";
  const int fd = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return file_error("cannot open the directory", parent, errno);
  const int result = ::fsync(fd);
  const int error_number = errno;
  ::close(fd);
  if (result != 0) return file_error("cannot sync the directory", parent, error_number);
  return {};
}

}  // namespace

Result<std::unique_ptr<JournalFile>> open_journal_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
  if (fd < 0) return file_error("cannot open the journal", path, errno);
  struct stat st;
  std::unique_ptr<JournalFile> file;
  if (::fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    ::close(fd);
    return file_error("not a regular file: the journal", path);
  }
  file = std::make_unique<PosixJournalFile>(fd, path, st.st_size);
  if ((st.st_mode & 022) != 0)
    return file_error("other users may write it; run `chmod go-w` on the journal", path);
  if (auto ok = sync_parent(path); !ok) return ok.error();
  return file;
}

}  // namespace vmcp::audit
