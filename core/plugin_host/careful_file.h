// Opening a file that becomes code, or decides about code: nobody but root and this process's user may have
// had a hand in it, nor in any folder on the way to it.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace vmcp::plugin_host {

// A file descriptor and its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const { return fd_; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_ = -1;
};

// Where the file lies. Folders above the file's own may always be sticky (/tmp): who may write there cannot
// replace an entry that is not his, and every entry on the way is judged too.
enum class Place {
  service,   // its own folder: written by root and this process's user only
  workshop,  // its own folder may be sticky as well: an author's build in /tmp
};

struct CarefulFile {
  Descriptor fd;
  std::uint64_t size = 0;
};

// Walks from / to the file, each step beneath the folder opened before it, so that nothing can be exchanged
// between a look and an opening. Refuses: a folder or link on the way of somebody else, or that others may
// write to, unless the program itself lies below it; the file itself when it is a link, is not regular, has
// further names (hard links) and is not root's, is somebody else's, or others may write to it.
// Code::not_found when there is none. The error names what is wrong and the fix, not the file. [any thread]
Result<CarefulFile> open_carefully(const std::string& path, Place place);

// The whole of an opened file, or of one that is opened for it. Refuses more than `max` bytes, and a file
// that shrinks or grows meanwhile.
Result<std::string> read_all(const CarefulFile& file, std::uint64_t max);
Result<std::string> read_carefully(const std::string& path, Place place, std::uint64_t max);

}  // namespace vmcp::plugin_host
