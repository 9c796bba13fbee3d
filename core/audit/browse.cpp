#include "audit/browse.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>

#include "audit/chain.h"
#include "audit/chain_check.h"
#include "audit/fd.h"
#include "audit/segment.h"

namespace vmcp::audit {
namespace {

constexpr std::string_view kTimeMember = ",\"ts\":\"";
constexpr std::size_t kIsoBytes = 24;

int open_to_read(const std::string& path) {
  return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

Error browse_error(const std::string& path) {
  return make_error(errno == ENOENT ? Code::not_found : Code::unavailable,
                    "cannot read '" + path + "': " + std::strerror(errno));
}

// False in `go_on`: somebody has enough.
Result<void> records_of(int fd, const std::string& path, const std::function<bool(const Read&)>& on_record,
                        bool& go_on, std::uint64_t* whole_bytes = nullptr) {
  const auto torn = each_line(
      fd, path,
      [&](std::string_view text) {
        if (whole_bytes != nullptr) *whole_bytes += text.size() + 1;
        if (!go_on) return;
        if (const auto line = parse_line(text)) go_on = on_record({line->seq, line->json});
      },
      [&](std::size_t bytes) {
        if (whole_bytes != nullptr) *whole_bytes += bytes;
      },
      {});
  if (!torn) return torn.error();
  return {};
}

bool holds(const Json& json, const char* key, const std::string& value) {
  if (value.empty()) return true;
  const auto it = json.find(key);
  return it != json.end() && it->is_string() && it->get_ref<const std::string&>() == value;
}

bool is_written_as_it_is(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
}

bool has_target(const Json& json, const std::string& wanted) {
  const auto it = json.find("targets");
  if (it == json.end() || !it->is_array()) return false;
  return std::any_of(it->begin(), it->end(), [&](const Json& target) {
    return target.is_string() && target.get_ref<const std::string&>().find(wanted) != std::string::npos;
  });
}

// The files with records, oldest first; those that were closed before `since` are left out.
Result<std::vector<std::string>> files_of(const std::string& journal_file,
                                          const std::optional<WallTime>& since) {
  const auto segments = list_segments(journal_file);
  if (!segments) return segments.error();
  std::vector<std::string> out;
  for (const Segment& segment : *segments) {
    if (!segment.has_file) continue;
    if (since && segment.has_head) {
      const auto head = read_head(segment.head_file);
      const auto closed = head ? parse_iso8601(head->head.at) : std::nullopt;
      if (closed && *closed < *since) continue;
    }
    out.push_back(segment.file);
  }
  out.push_back(journal_file);
  return out;
}

}  // namespace

std::optional<WallTime> time_of(std::string_view json) {
  const auto at = json.substr(0, 64).find(kTimeMember);
  if (at == std::string_view::npos) return std::nullopt;
  return parse_iso8601(json.substr(at + kTimeMember.size(), kIsoBytes));
}

bool Filter::matches(const Read& record) const {
  if (since || until) {
    const auto at = time_of(record.json);
    if (!at || (since && *at < *since) || (until && *at >= *until)) return false;
  }
  if (identity.empty() && tool.empty() && event.empty() && request.empty() && target.empty()) return true;
  // Most records are told apart without reading their JSON.
  for (const std::string* part : {&identity, &tool, &event, &request, &target})
    if (is_written_as_it_is(*part) && record.json.find(*part) == std::string_view::npos) return false;
  const auto json = parse_trusted_json(record.json);
  return json && json->is_object() && holds(*json, "identity", identity) && holds(*json, "tool", tool) &&
         holds(*json, "event", event) && holds(*json, "request_id", request) &&
         (target.empty() || has_target(*json, target));
}

Result<void> each_record(const std::string& journal_file, const std::optional<WallTime>& since,
                         const std::function<bool(const Read&)>& on_record) {
  const auto files = files_of(journal_file, since);
  if (!files) return files.error();
  bool go_on = true, any = false;
  std::uint64_t last = 0;
  // A segment that is closed meanwhile may be met twice.
  const auto once = [&](const Read& record) {
    if (record.seq <= last) return true;
    last = record.seq;
    return on_record(record);
  };
  for (const std::string& file : *files) {
    const Fd fd(open_to_read(file));
    if (fd.fd < 0 && errno == ENOENT) continue;  // deleted meanwhile, or no live journal yet
    if (fd.fd < 0) return browse_error(file);
    any = true;
    if (auto ok = records_of(fd.fd, file, once, go_on); !ok) return ok;
    if (!go_on) return {};
  }
  if (!any) return make_error(Code::not_found, "there is no journal at '" + journal_file + "'");
  return {};
}

Result<std::vector<std::string>> last_records(const std::string& journal_file, const Filter& filter,
                                              std::size_t n) {
  if (n == 0) return std::vector<std::string>();
  auto files = files_of(journal_file, filter.since);
  if (!files) return files.error();
  std::deque<std::string> found;
  bool any = false;
  std::uint64_t first = UINT64_MAX;  // of what was read already
  for (auto file = files->rbegin(); file != files->rend() && found.size() < n; ++file) {
    const Fd fd(open_to_read(*file));
    if (fd.fd < 0 && errno == ENOENT) continue;
    if (fd.fd < 0) return browse_error(*file);
    any = true;
    std::deque<std::string> here;
    bool go_on = true;
    std::uint64_t first_here = first;
    auto ok = records_of(
        fd.fd, *file,
        [&](const Read& record) {
          if (record.seq >= first) return false;
          first_here = std::min(first_here, record.seq);
          if (!filter.matches(record)) return true;
          here.emplace_back(record.json);
          if (here.size() > n - found.size()) here.pop_front();
          return true;
        },
        go_on);
    if (!ok) return ok.error();
    first = first_here;
    found.insert(found.begin(), std::make_move_iterator(here.begin()), std::make_move_iterator(here.end()));
  }
  if (!any) return make_error(Code::not_found, "there is no journal at '" + journal_file + "'");
  return std::vector<std::string>(std::make_move_iterator(found.begin()),
                                  std::make_move_iterator(found.end()));
}

Follower::Follower(std::string journal_file) : journal_file_(std::move(journal_file)) {
  struct stat st {};
  if (::stat(journal_file_.c_str(), &st) == 0) inode_ = static_cast<std::uint64_t>(st.st_ino);
  (void)look([](const Read&) {});  // what cannot be read now is complained of at the next look
}

void Follower::seen(std::uint64_t seq) {
  last_seq_ = std::max(last_seq_, seq);
}

Result<void> Follower::look(const std::function<void(const Read&)>& on_record) {
  const auto fresh = [&](const Read& record) {
    if (record.seq <= last_seq_) return true;
    last_seq_ = record.seq;
    on_record(record);
    return true;
  };
  const Fd live(open_to_read(journal_file_));
  struct stat st {};
  if (live.fd < 0) return errno == ENOENT ? Result<void>() : Result<void>(browse_error(journal_file_));
  if (::fstat(live.fd, &st) != 0) return browse_error(journal_file_);
  if (inode_ != static_cast<std::uint64_t>(st.st_ino)) {
    // Another file than last time: what was closed since then comes first.
    const auto segments = list_segments(journal_file_);
    if (!segments) return segments.error();
    for (const Segment& segment : *segments) {
      if (!segment.has_file || segment.last_seq <= last_seq_) continue;
      const Fd fd(open_to_read(segment.file));
      bool go_on = true;
      if (fd.fd < 0) continue;  // deleted meanwhile
      if (auto ok = records_of(fd.fd, segment.file, fresh, go_on); !ok) return ok;
    }
    inode_ = static_cast<std::uint64_t>(st.st_ino);
    offset_ = 0;
  }
  if (static_cast<std::uint64_t>(st.st_size) < offset_) offset_ = 0;
  if (::lseek(live.fd, static_cast<off_t>(offset_), SEEK_SET) < 0) return browse_error(journal_file_);
  bool go_on = true;
  return records_of(live.fd, journal_file_, fresh, go_on, &offset_);
}

}  // namespace vmcp::audit
