// Every kind of tampering with a journal in segments, and that each is found.
#include <doctest/doctest.h>

#include <functional>

#include "audit/verify.h"
#include "base/crypto.h"
#include "unit/audit/segments.h"

using namespace vmcp;
using namespace vmcp::audit;
using test::read_file;
using test::record_of;
using test::segmented_in;
using test::TempDir;
using test::write_file;

namespace {

constexpr milliseconds kPatience{20'000};

void write_some(Audit& audit, const std::string& name, int n) {
  for (int i = 0; i < n; ++i)
    REQUIRE(audit.durable(record_of(Event::intent, name + std::to_string(i), R"({"vm_id":"vm-1"})")));
}

// Three closed segments and a live journal.
struct Journal {
  TempDir dir;
  std::string live = dir / "journal.jsonl";
  std::vector<Segment> segments;

  explicit Journal(const std::string& name = "r", const Secret& seed = test::test_seed()) {
    const SystemClock clock;
    test::MemoryLog log;
    Settings settings = segmented_in(dir);
    settings.signing_key = seed;
    auto audit = Audit::open(std::move(settings), clock, log);
    REQUIRE(audit);
    for (int i = 0; i < 3; ++i) {
      write_some(**audit, name + std::to_string(i) + "-", 5);
      REQUIRE((*audit)->rotate(kPatience));
    }
    write_some(**audit, name + "live-", 5);
    audit->reset();
    auto found = list_segments(live);
    REQUIRE(found);
    segments = std::move(*found);
    REQUIRE(segments.size() == 3);
  }

  ArchiveToVerify what() const {
    ArchiveToVerify out;
    out.journal_file = live;
    out.chain_key = test::test_key();
    out.public_key = Signer::make(test::test_seed())->public_key();
    return out;
  }
  ArchiveReport verified(const ArchiveToVerify& what) const {
    auto report = verify_archive(what);
    REQUIRE_MESSAGE(report, report.error().text);
    return std::move(*report);
  }
  ArchiveReport verified() const { return verified(what()); }

  // A head of the live journal as it is now, as `audit head` prints it.
  KeptHead kept() const {
    const auto lines = test::split_lines(read_file(live));
    const auto last = parse_line(lines.back());
    REQUIRE(last);
    SegmentHead head;
    head.live = true;
    head.last_seq = last->seq;
    head.last_mac = std::string(last->mac);
    head.at = "2026-02-03T10:11:12.345Z";
    const auto signer = Signer::make(test::test_seed());
    auto read = parse_head(signed_text(head, *signer));
    REQUIRE(read);
    return {"kept.head", std::move(*read)};
  }
};

std::string faults_of(const ArchiveReport& report) {
  std::string out;
  for (const Fault& fault : report.faults)
    out += fault.file + ":" + std::to_string(fault.line) + ": " + fault.what + "\n";
  return out;
}

void edit_lines(const std::string& file, const std::function<void(std::vector<std::string>&)>& edit) {
  auto lines = test::split_lines(read_file(file));
  edit(lines);
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  write_file(file, out);
}

// The line with other words in it and the right code: by somebody who has the chain's key.
void forge_from(const std::string& file, std::size_t from) {
  ChainMac mac(test::test_key());
  edit_lines(file, [&](auto& lines) {
    for (std::size_t i = from; i < lines.size(); ++i) {
      std::string json = lines[i].substr(kMacHexBytes + 1);
      if (const auto at = json.find("alice"); i == from && at != std::string::npos)
        json.replace(at, 5, "mavis");
      const std::string previous =
          i == 0 ? std::string(stated_previous(*parse_line(lines[i]))) : lines[i - 1].substr(0, kMacHexBytes);
      lines[i] = mac.of(previous.empty() ? Head{}.mac : previous, json) + " " + json;
    }
  });
}

struct Tampering {
  const char* name;
  void (*with)(Journal&);
  const char* says;
  bool without_key = true;  // found also by who has not the chain's key
};

const Tampering kTamperings[] = {
    {"a flipped bit in a segment",
     [](Journal& j) {
       std::string bytes = read_file(j.segments[1].file);
       bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
       write_file(j.segments[1].file, bytes);
     },
     "not those that its head was signed for"},
    {"a deleted record of a segment",
     [](Journal& j) { edit_lines(j.segments[1].file, [](auto& l) { l.erase(l.begin() + 2); }); },
     "not those that its head was signed for"},
    {"an inserted record",
     [](Journal& j) { edit_lines(j.segments[1].file, [](auto& l) { l.insert(l.begin() + 2, l[3]); }); },
     "not those that its head was signed for"},
    {"reordered records",
     [](Journal& j) { edit_lines(j.segments[1].file, [](auto& l) { std::swap(l[2], l[3]); }); },
     "not those that its head was signed for"},
    {"a segment cut at a record",
     [](Journal& j) { edit_lines(j.segments[1].file, [](auto& l) { l.pop_back(); }); },
     "does not hold the records that its name says"},
    {"a segment cut within a record",
     [](Journal& j) {
       const std::string bytes = read_file(j.segments[1].file);
       write_file(j.segments[1].file, bytes.substr(0, bytes.size() - 7));
     },
     "it was cut"},
    {"an emptied segment", [](Journal& j) { write_file(j.segments[1].file, ""); },
     "does not hold the records"},
    {"a missing segment and head",
     [](Journal& j) {
       std::filesystem::remove(j.segments[1].file);
       std::filesystem::remove(j.segments[1].head_file);
     },
     "a segment, or its head, is missing"},
    {"the first segment and its head missing",
     [](Journal& j) {
       std::filesystem::remove(j.segments[0].file);
       std::filesystem::remove(j.segments[0].head_file);
     },
     "a segment, or its head, is missing"},
    {"the last segment and its head missing",
     [](Journal& j) {
       std::filesystem::remove(j.segments[2].file);
       std::filesystem::remove(j.segments[2].head_file);
     },
     "record"},
    {"a missing head", [](Journal& j) { std::filesystem::remove(j.segments[1].head_file); }, "has no head"},
    {"a changed head",
     [](Journal& j) {
       std::string head = read_file(j.segments[1].head_file);
       head[head.find("\"bytes\":") + 9] ^= 1;
       write_file(j.segments[1].head_file, head);
     },
     "does not fit its signature"},
    {"a head that is no JSON", [](Journal& j) { write_file(j.segments[1].head_file, "{"); },
     "cannot be read"},
    {"another segment's head",
     [](Journal& j) { write_file(j.segments[1].head_file, read_file(j.segments[0].head_file)); },
     "another segment's"},
    {"a head signed with another key",
     [](Journal& j) {
       auto head = read_head(j.segments[1].head_file)->head;
       const auto signer = Signer::make(Secret(std::string(32, 'x')));
       write_file(j.segments[1].head_file, signed_text(head, *signer));
     },
     "another key"},
    {"a segment under another's name",
     [](Journal& j) { write_file(j.segments[1].file, read_file(j.segments[0].file)); },
     "does not hold the records that its name says"},
    {"a segment written anew by who has the chain's key",
     [](Journal& j) { forge_from(j.segments[1].file, 2); }, "not those that its head was signed for"},
    {"a flipped bit in the live journal",
     [](Journal& j) {
       // In what a record says: where a line is laid out, it shows without the key too.
       edit_lines(j.live, [](auto& l) {
         char& c = l[1].at(l[1].find("\"request_id\":\"") + 14);
         c = static_cast<char>(c ^ 1);
       });
     },
     "does not follow from the record before it", false},
    {"a deleted record of the live journal",
     [](Journal& j) { edit_lines(j.live, [](auto& l) { l.erase(l.begin() + 2); }); }, "record"},
    {"an inserted record in the live journal",
     [](Journal& j) { edit_lines(j.live, [](auto& l) { l.insert(l.begin() + 2, l[3]); }); }, "record"},
    {"reordered records in the live journal",
     [](Journal& j) { edit_lines(j.live, [](auto& l) { std::swap(l[2], l[3]); }); }, "record"},
    {"the live journal's first record deleted",
     [](Journal& j) { edit_lines(j.live, [](auto& l) { l.erase(l.begin()); }); }, "record"},
    {"the live journal removed", [](Journal& j) { std::filesystem::remove(j.live); }, "not there"},
    {"the live journal emptied", [](Journal& j) { write_file(j.live, ""); }, "is empty"},
};

}  // namespace

TEST_CASE("verify_archive: a journal as it was written has no findings") {
  const Journal journal;
  const ArchiveReport report = journal.verified();
  CHECK_MESSAGE(report.intact(), faults_of(report));
  CHECK(report.segments == 3);
  CHECK(report.records == test::split_lines(test::whole_journal(journal.dir)).size());
  CHECK(report.first_seq == 1);
  CHECK(report.last_seq == report.records);
  CHECK(report.codes_checked);
  CHECK(report.notes.empty());
  CHECK(report.torn_bytes == 0);

  ArchiveToVerify blind = journal.what();
  blind.chain_key = Secret();
  blind.public_key.clear();
  const ArchiveReport without = journal.verified(blind);
  CHECK_MESSAGE(without.intact(), faults_of(without));
  CHECK(without.public_key == report.public_key);
  CHECK(without.notes.size() == 2);
}

TEST_CASE("verify_archive: every kind of tampering is found") {
  for (const Tampering& tampering : kTamperings) {
    CAPTURE(std::string(tampering.name));
    Journal journal;
    tampering.with(journal);
    const ArchiveReport report = journal.verified();
    CHECK_FALSE(report.intact());
    const std::string said = faults_of(report);
    CHECK_MESSAGE(said.find(tampering.says) != std::string::npos, said);
    ArchiveToVerify blind = journal.what();
    blind.chain_key = Secret();
    CHECK(journal.verified(blind).intact() != tampering.without_key);
  }
}

// A sanitizer makes each reading twenty times slower, and finds nothing more in the thousandth one.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kFlipEvery = 61;
#else
constexpr std::size_t kFlipEvery = 3;
#endif

TEST_CASE("verify_archive: any flipped bit of a segment, of a head and of the live journal is found") {
  const Journal journal;
  for (const std::string& file : {journal.segments[1].file, journal.segments[1].head_file, journal.live}) {
    const std::string good = read_file(file);
    for (std::size_t at = 0; at < good.size(); at += kFlipEvery) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 7)));
      write_file(file, bad);
      const ArchiveReport report = journal.verified();
      // The live journal's last newline looks like a writer at work.
      CHECK_MESSAGE((!report.intact() || report.torn_bytes > 0), file << " " << at);
    }
    write_file(file, good);
  }
  CHECK(journal.verified().intact());
}

TEST_CASE("verify_archive: a cut tail and a rewritten journal show against a head that was kept elsewhere") {
  Journal journal;
  const KeptHead kept = journal.kept();
  ArchiveToVerify what = journal.what();
  what.kept = {kept};
  CHECK(journal.verified(what).intact());

  SUBCASE("the live journal lost its last record") {
    edit_lines(journal.live, [](auto& l) { l.pop_back(); });
    CHECK(journal.verified().intact());  // which is why heads are kept elsewhere
    CHECK(faults_of(journal.verified(what)).find("was cut off") != std::string::npos);
  }
  SUBCASE("the live journal was written anew with the chain's key") {
    forge_from(journal.live, 2);
    CHECK(journal.verified().intact());
    CHECK(faults_of(journal.verified(what)).find("written anew") != std::string::npos);
  }
  SUBCASE("all of it was written anew with both keys") {
    const Journal other("other");
    ArchiveToVerify theirs = other.what();
    CHECK(other.verified(theirs).intact());
    theirs.kept = {kept};
    CHECK(faults_of(other.verified(theirs)).find("written anew") != std::string::npos);
  }
  SUBCASE("all of it was written anew with a new signing key") {
    const Journal other("r", Secret(std::string(32, 'x')));
    ArchiveToVerify theirs = other.what();
    theirs.public_key.clear();
    CHECK(other.verified(theirs).intact());
    theirs.kept = {kept};
    CHECK_FALSE(other.verified(theirs).intact());
  }
  SUBCASE("the head itself was changed") {
    what.kept[0].head.signature_fits = false;
    CHECK(faults_of(journal.verified(what)).find("kept.head does not fit its signature") !=
          std::string::npos);
  }
  SUBCASE("a closed segment's head is one too, also when its segment is deleted") {
    const auto head = read_head(journal.segments[0].head_file);
    REQUIRE(head);
    what.kept = {{"old.head", *head}};
    CHECK(journal.verified(what).intact());
    std::filesystem::remove(journal.segments[0].file);
    const ArchiveReport report = journal.verified(what);
    CHECK_MESSAGE(report.intact(), faults_of(report));
    CHECK(report.deleted == 1);
  }
  SUBCASE("it was closed meanwhile") {
    const SystemClock clock;
    test::MemoryLog log;
    auto audit = Audit::open(segmented_in(journal.dir), clock, log);
    REQUIRE(audit);
    REQUIRE((*audit)->rotate(kPatience));
    const ArchiveReport report = journal.verified(what);
    CHECK_MESSAGE(report.intact(), faults_of(report));
    CHECK(report.segments == 4);
  }
}

TEST_CASE("verify_archive: files named one by one, in any order, from anywhere in the chain") {
  const Journal journal;
  ArchiveToVerify what = journal.what();
  what.files = {journal.live, journal.segments[2].file, journal.segments[1].file};
  const ArchiveReport report = journal.verified(what);
  CHECK_MESSAGE(report.intact(), faults_of(report));
  CHECK(report.segments == 2);
  what.files = {journal.segments[0].file, journal.segments[2].file};
  CHECK_FALSE(journal.verified(what).intact());
  edit_lines(journal.segments[1].file, [](auto& l) { l.erase(l.begin()); });
  what.files = {journal.segments[1].file};
  CHECK_FALSE(journal.verified(what).intact());
  what.files = {journal.live + ".absent"};
  CHECK_FALSE(verify_archive(what));
  what.files.clear();
  what.journal_file = journal.dir / "absent.jsonl";
  CHECK(verify_archive(what).error().code == Code::not_found);
}

TEST_CASE("verify_archive: beside a server that writes and closes segments there are no findings") {
  const TempDir dir;
  const SystemClock clock;
  test::MemoryLog log;
  Settings settings = segmented_in(dir);
  settings.segment_bytes = 8'000;
  auto audit = Audit::open(std::move(settings), clock, log);
  REQUIRE(audit);
  write_some(**audit, "first", 1);
  // So many for each look, or a slow reader would have ever more to read.
  std::atomic<int> may_write{0}, written{0};
  std::atomic<bool> done{false};
  std::thread writer([&] {
    while (!done) {
      if (written < may_write)
        (void)(*audit)->durable(record_of(Event::intent, "w" + std::to_string(written++)));
      else
        std::this_thread::yield();
    }
  });
  int clean = 0, owed = 0;
  for (int i = 0; i < 20; ++i) {
    may_write += 50;
    while (written < may_write - 25) std::this_thread::yield();
    const auto report = verify_archive({dir / "journal.jsonl", {}, test::test_key(), "", {}, {}});
    REQUIRE(report);
    // A segment that was closed this moment may have no head yet; nothing else is ever wrong.
    bool only_owed = true;
    for (const Fault& fault : report->faults)
      only_owed = only_owed && (fault.what.starts_with("has no head") || fault.what.starts_with("the live"));
    CHECK_MESSAGE(only_owed, faults_of(*report));
    ++(report->intact() ? clean : owed);
  }
  done = true;
  writer.join();
  CHECK(clean > 0);
  CHECK(list_segments(dir / "journal.jsonl")->size() > 5);
}
