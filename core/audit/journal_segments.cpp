// The journal's way from one segment to the next.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>

#include "audit/encode.h"
#include "audit/journal.h"

namespace vmcp::audit {
namespace {

constexpr std::string_view kTimeIn = "\"ts\":\"";
constexpr std::size_t kTimeText = 24;

Error closing_error(const std::string& what, const std::string& path, int error_number) {
  return make_error(Code::unavailable, what + " '" + path + "': " + std::strerror(error_number));
}

Result<void> sync_directory_of(const std::string& path) {
  std::string parent = std::filesystem::path(path).parent_path().string();
  if (parent.empty()) parent = ".";
  const int fd = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return closing_error("cannot open the directory", parent, errno);
  const int result = ::fsync(fd), why = errno;
  ::close(fd);
  if (result != 0) return closing_error("cannot sync the directory", parent, why);
  return {};
}

// The first line of the file, without '\n'; empty when there is none.
std::string first_line_of(const std::string& path, std::uint64_t& bytes) {
  bytes = 0;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return {};
  std::string out(kMaxLineBytes + 1, '\0');
  const ssize_t n = ::pread(fd, out.data(), out.size(), 0);
  struct stat st;
  if (::fstat(fd, &st) == 0) bytes = static_cast<std::uint64_t>(st.st_size);
  ::close(fd);
  out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  const auto end = out.find('\n');
  return end == std::string::npos ? std::string() : out.substr(0, end);
}

}  // namespace

void Journal::note_first(std::string_view text) {
  const auto line = parse_line(text);
  if (!line) return;
  live_.first_seq = line->seq;
  live_.first_line_bytes = text.size() + 1;
  live_.goes_on = !stated_previous(*line).empty();
  const auto at = line->json.substr(0, 64).find(kTimeIn);
  if (at == std::string_view::npos) return;
  if (const auto begun = parse_iso8601(line->json.substr(at + kTimeIn.size(), kTimeText)))
    live_.begun = *begun;
}

void Journal::look_at_file() {
  live_ = {};
  if (place_.path.empty()) return;
  const std::string line = first_line_of(place_.path, live_.bytes);
  if (!line.empty()) note_first(line);
}

Result<void> Journal::begin(const Clock& clock) {
  try {
    if (!owes_first_line()) return {};
    return write_note(
        encode_note("goes on behind record " + std::to_string(head_.seq), head_.mac, clock.wall()));
  } catch (const std::exception& e) {
    return make_error(Code::internal, "the journal failed", e.what());
  }
}

bool Journal::closing_due(WallTime now) const {
  if (!place_.segmented || live_.empty()) return false;
  return live_.bytes >= place_.segment_bytes || now - live_.begun >= place_.segment_age;
}

Result<Segment> Journal::close_segment(const Clock& clock) {
  if (!place_.segmented) return make_error(Code::unavailable, "this journal has no segments");
  if (live_.empty()) return make_error(Code::conflict, "there is nothing in the live segment yet");
  try {
    if (auto ok = write_note(encode_note("this segment ends here", {}, clock.wall())); !ok) return ok.error();
    point("noted");
    const Segment closed = segment_of(place_.path, live_.first_seq, head_.seq);
    if (::access(closed.file.c_str(), F_OK) == 0)
      return closing_error("cannot close the segment as", closed.file, EEXIST);
    if (::rename(place_.path.c_str(), closed.file.c_str()) != 0)
      return closing_error("cannot close the segment as", closed.file, errno);
    point("renamed");
    auto next = sync_directory_of(place_.path) ? open_journal_file(place_.path)
                                               : Result<std::unique_ptr<JournalFile>>(closing_error(
                                                     "cannot sync the directory of", place_.path, EIO));
    if (!next) {
      // Back as it was: the file is still open, and what is to be written has a place.
      if (::rename(closed.file.c_str(), place_.path.c_str()) != 0)
        return closing_error(next.error().text + "; and cannot take back", closed.file, errno);
      return next.error();
    }
    point("created");
    file_ = std::move(*next);
    live_ = {};
    if (auto ok = begin(clock); !ok) return ok.error();
    point("opened");
    return closed;
  } catch (const std::exception& e) {
    return make_error(Code::internal, "the segment could not be closed", e.what());
  }
}

}  // namespace vmcp::audit
