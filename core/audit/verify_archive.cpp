// The whole journal, closed segments and live one, as one chain.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <set>

#include "audit/chain_check.h"
#include "audit/raw_pass.h"
#include "audit/verify.h"

namespace vmcp::audit {
namespace {

class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)), error_(errno) {
    if (fd_ >= 0 && (::fstat(fd_, &st_) != 0 || !S_ISREG(st_.st_mode))) {
      ::close(fd_);
      fd_ = -1;
      error_ = EINVAL;
    }
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }
  int error() const { return error_; }
  const struct stat& st() const { return st_; }

 private:
  int fd_;
  int error_;
  struct stat st_ {};
};

struct Piece {
  Segment segment;                 // `file` alone for the live one
  bool live = false;               // no segment's name
  std::shared_ptr<OpenFile> open;  // the live one is held open from the beginning: it may be closed meanwhile
};

Error unreadable_piece(const std::string& file, int error_number) {
  return make_error(Code::unavailable, "cannot read '" + file + "': " + std::strerror(error_number));
}

// "…/journal-<first>-<last>.jsonl" as a segment of the journal beside it.
std::optional<Segment> segment_named(const std::string& file) {
  namespace fs = std::filesystem;
  const fs::path path(file);
  const std::string stem = path.stem().string();
  constexpr std::size_t kNumbers = 42;  // -20 digits-20 digits
  if (stem.size() <= kNumbers) return std::nullopt;
  const auto found = list_segments((path.parent_path() / stem.substr(0, stem.size() - kNumbers)).string() +
                                   path.extension().string());
  if (!found) return std::nullopt;
  for (const Segment& segment : *found)
    if (segment.has_file && fs::path(segment.file).filename() == path.filename()) return segment;
  return std::nullopt;
}

Result<std::vector<Piece>> pieces_of(const ArchiveToVerify& what) {
  std::vector<Piece> closed, live;
  if (!what.files.empty()) {
    for (const std::string& file : what.files) {
      Piece piece;
      piece.open = std::make_shared<OpenFile>(file);
      if (piece.open->fd() < 0) return unreadable_piece(file, piece.open->error());
      if (auto segment = segment_named(file)) {
        piece.segment = std::move(*segment);
        closed.push_back(std::move(piece));
      } else {
        piece.segment.file = file;
        piece.live = true;
        live.push_back(std::move(piece));
      }
    }
    std::stable_sort(closed.begin(), closed.end(), [](const Piece& a, const Piece& b) {
      return a.segment.first_seq < b.segment.first_seq;
    });
  } else {
    // Opened before the list is made: a segment that is closed in between is then found twice, never missed.
    auto open = std::make_shared<OpenFile>(what.journal_file);
    if (open->fd() < 0 && open->error() != ENOENT) return unreadable_piece(what.journal_file, open->error());
    const auto segments = list_segments(what.journal_file);
    if (!segments) return segments.error();
    bool again = false;
    for (const Segment& segment : *segments) {
      Piece piece{segment, false, nullptr};
      if (segment.has_file) {
        piece.open = std::make_shared<OpenFile>(segment.file);
        if (piece.open->fd() < 0 && piece.open->error() != ENOENT)
          return unreadable_piece(segment.file, piece.open->error());
        if (piece.open->fd() < 0) piece.segment.has_file = false;
      }
      again = again ||
              (piece.segment.has_file && open->fd() >= 0 && piece.open->st().st_ino == open->st().st_ino &&
               piece.open->st().st_dev == open->st().st_dev);
      closed.push_back(std::move(piece));
    }
    if (open->fd() >= 0 && !again) {
      Piece piece;
      piece.segment.file = what.journal_file;
      piece.live = true;
      piece.open = std::move(open);
      live.push_back(std::move(piece));
    }
    if (closed.empty() && live.empty())
      return make_error(Code::not_found, "there is no journal at '" + what.journal_file + "'");
  }
  for (Piece& piece : live) closed.push_back(std::move(piece));
  return closed;
}

class ArchiveVerifier {
 public:
  explicit ArchiveVerifier(const ArchiveToVerify& what)
      : what_(what),
        check_(what.chain_key, [this](std::uint64_t line, std::uint64_t offset, std::string why) {
          fault(std::move(why), line, offset);
        }) {
    report_.codes_checked = !what.chain_key.empty();
    report_.public_key = what.public_key;
    for (const KeptHead& kept : what.kept) wanted_.push_back({&kept, false});
    std::stable_sort(wanted_.begin(), wanted_.end(), [](const Wanted& a, const Wanted& b) {
      return a.kept->head.head.last_seq < b.kept->head.head.last_seq;
    });
    if (!wanted_.empty()) check_.on_record = [this](const Line& line) { compare_kept(line.seq, line.mac); };
  }

  Result<ArchiveReport> run() {
    const auto pieces = pieces_of(what_);
    if (!pieces) return pieces.error();
    for (const Piece& piece : *pieces)
      if (piece.open && piece.open->fd() >= 0) total_ += static_cast<std::uint64_t>(piece.open->st().st_size);
    if (!what_.files.empty()) check_.go_on_from_anywhere();
    for (const Piece& piece : *pieces) {
      file_ = piece.segment.file;
      if (auto ok = verify(piece); !ok) return ok.error();
    }
    file_.clear();
    if (what_.files.empty() && !pieces->back().live)
      fault(
          "the live journal is not there: it was removed (or the server was killed while it closed a "
          "segment)");
    finish_kept();
    report_.last_seq = check_.last_seq();
    report_.last_mac = check_.last_mac();
    if (!report_.codes_checked)
      report_.notes.push_back(
          "the chain key could not be read: the codes of the records were not checked, only their numbers "
          "and "
          "the heads; the live journal has no head yet");
    return std::move(report_);
  }

 private:
  struct Wanted {
    const KeptHead* kept;
    bool met;  // its record was seen, or need not be
  };

  void fault(std::string why, std::uint64_t line = 0, std::uint64_t offset = 0) {
    ++report_.fault_count;
    if (report_.faults.size() < VerifyReport::kMaxFaults)
      report_.faults.push_back({line, offset, std::move(why), file_});
  }

  bool signed_right(const ReadHead& head, const std::string& whose) {
    if (!head.signature_fits) {
      fault(whose + " does not fit its signature: it was changed");
      return false;
    }
    if (report_.public_key.empty()) {
      report_.public_key = head.head.public_key;
      report_.notes.push_back("the heads were checked with the key that they name themselves, " +
                              report_.public_key + ": compare it with one that was kept elsewhere");
    }
    if (head.head.public_key == report_.public_key) return true;
    fault(whose + " is signed with another key: " + head.head.public_key);
    return false;
  }

  Result<void> verify(const Piece& piece) {
    std::optional<ReadHead> head;
    if (piece.segment.has_head) {
      auto read = read_head(piece.segment.head_file);
      if (!read && read.error().code != Code::malformed) return read.error();
      if (!read)
        fault("its head cannot be read: it was changed");
      else if (signed_right(*read, "its head") && fits_its_place(piece.segment, *read))
        head = *read;
      previous_head_ = read ? read->file_sha256 : std::string();
      heads_seen_ = true;
    } else if (!piece.live) {
      fault("has no head (a server that was killed while it closed the segment makes it at its next start)");
    }
    if (!piece.live && !piece.segment.has_file) {
      pass_over(piece.segment, head);
      return {};
    }
    return read_piece(piece, head);
  }

  // What the head says of its neighbours.
  bool fits_its_place(const Segment& segment, const ReadHead& read) {
    const SegmentHead& head = read.head;
    if (head.live || head.first_seq != segment.first_seq || head.last_seq != segment.last_seq) {
      fault("its head is another segment's");
      return false;
    }
    if (heads_seen_ ? head.previous_head_sha256 != previous_head_
                    : what_.files.empty() && !head.previous_head_sha256.empty())
      fault("its head goes on from another head than the one before it: a segment, or its head, is missing");
    return true;
  }

  // A segment that was deleted: its head stands for it.
  void pass_over(const Segment& segment, const std::optional<ReadHead>& head) {
    if (!head) return;  // said already
    ++report_.deleted;
    if (segment.first_seq != check_.last_seq() + 1 || head->head.first_previous != check_.last_mac())
      fault("its head does not follow from the record before it: a segment is missing");
    if (report_.first_seq == 0) report_.first_seq = segment.first_seq;
    check_.go_on_from(head->head.last_mac, head->head.last_seq);
    for (Wanted& wanted : wanted_) {
      const std::uint64_t seq = wanted.kept->head.head.last_seq;
      if (seq < segment.first_seq || seq >= segment.last_seq) continue;
      wanted.met = true;
      report_.notes.push_back(wanted.kept->name + ": its record " + std::to_string(seq) +
                              " is in a segment that was deleted, and cannot be compared");
    }
    compare_kept(segment.last_seq, head->head.last_mac);
  }

  Result<void> read_piece(const Piece& piece, const std::optional<ReadHead>& head) {
    // The bytes on one processor, the chain on another.
    std::future<Result<std::unique_ptr<RawPass>>> raw;
    if (head)
      raw = std::async(std::launch::async, [file = piece.segment.file]() {
        auto pass = RawPass::open(file);
        if (!pass) return pass;
        while (true) {
          const auto at_end = (*pass)->step();
          if (!at_end) return Result<std::unique_ptr<RawPass>>(at_end.error());
          if (*at_end) return pass;
        }
      });
    if (head && !check_.last_mac().empty() && (what_.files.empty() || begun_) &&
        head->head.first_previous != check_.last_mac())
      fault("its head does not follow from the record before it: a segment is missing, or was changed");
    begun_ = true;
    check_.begin_file();
    const auto torn = each_line(
        piece.open->fd(), piece.segment.file, [&](std::string_view text) { check_.line(text); },
        [&](std::size_t bytes) { check_.too_long(bytes); },
        [&](std::size_t bytes) {
          report_.bytes += bytes;
          if (what_.progress) what_.progress(report_.bytes, total_);
        });
    if (!torn) return torn.error();
    report_.records += check_.records();
    if (report_.first_seq == 0) report_.first_seq = check_.first_seq();
    if (piece.live) {
      report_.torn_bytes += *torn;
      if (check_.records() == 0 && report_.segments + report_.deleted > 0 && what_.files.empty())
        fault(
            "is empty, although segments were closed before it: it was cut (or the server was killed just "
            "then)");
      return {};
    }
    ++report_.segments;
    if (*torn > 0) fault("its last record is not whole: it was cut");
    if (check_.records() == 0 || check_.first_seq() != piece.segment.first_seq ||
        check_.last_seq() != piece.segment.last_seq)
      fault("does not hold the records that its name says");
    if (!head) return {};
    const auto pass = raw.get();
    if (!pass) return pass.error();
    compare_raw(head->head, **pass);
    return {};
  }

  void compare_raw(const SegmentHead& head, const RawPass& pass) {
    if (pass.sha256() != head.sha256)
      fault("its bytes are not those that its head was signed for (SHA-256 " + pass.sha256() + ", signed " +
            head.sha256 + ")");
    if (pass.bytes() != head.bytes || pass.records() != head.records)
      fault("has " + std::to_string(pass.records()) + " records in " + std::to_string(pass.bytes()) +
            " bytes; its head says " + std::to_string(head.records) + " in " + std::to_string(head.bytes));
    if (check_.last_mac() != head.last_mac) fault("ends with another record than its head says");
  }

  void compare_kept(std::uint64_t seq, std::string_view mac) {
    // In order, so that most records cost one comparison.
    while (next_wanted_ < wanted_.size() && wanted_[next_wanted_].kept->head.head.last_seq < seq)
      ++next_wanted_;
    for (std::size_t i = next_wanted_; i < wanted_.size(); ++i) {
      Wanted& wanted = wanted_[i];
      if (wanted.kept->head.head.last_seq != seq) return;
      wanted.met = true;
      if (wanted.kept->head.head.last_mac != mac)
        fault("record " + std::to_string(seq) + " is not the one that " + wanted.kept->name +
              " was made for: the journal was written anew");
    }
  }

  void finish_kept() {
    for (const Wanted& wanted : wanted_) {
      const SegmentHead& head = wanted.kept->head.head;
      if (!signed_right(wanted.kept->head, wanted.kept->name) || wanted.met) continue;
      fault("record " + std::to_string(head.last_seq) + ", for which " + wanted.kept->name + " was made at " +
            head.at + ", is not there: " +
            (head.last_seq > check_.last_seq()
                 ? "what followed record " + std::to_string(check_.last_seq()) + " was cut off"
                 : "it was removed"));
    }
  }

  const ArchiveToVerify& what_;
  ArchiveReport report_;
  ChainCheck check_;
  std::vector<Wanted> wanted_;
  std::size_t next_wanted_ = 0;
  std::string file_;
  std::string previous_head_;  // SHA-256 of the head file before
  bool heads_seen_ = false;
  bool begun_ = false;  // a file was read
  std::uint64_t total_ = 0;
};

}  // namespace

Result<ArchiveReport> verify_archive(const ArchiveToVerify& what) {
  return ArchiveVerifier(what).run();
}

}  // namespace vmcp::audit
