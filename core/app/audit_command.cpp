// audit verify|head|tail|report: what an operator, or somebody who checks on them, asks the journal. All read
// the files alone; no server need run.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "app/admin_client.h"
#include "app/commands.h"
#include "audit/audit.h"
#include "audit/browse.h"
#include "audit/report.h"
#include "audit/tail.h"
#include "audit/verify.h"
#include "base/crypto.h"
#include "store/small_file.h"

namespace vmcp::app {
namespace {

namespace fs = std::filesystem;

constexpr int kFindings = 1, kCannotRead = 2;
constexpr std::size_t kKeyBytes = 32, kMaxKeyFile = 16 * 1024;
constexpr milliseconds kFollowEvery{200};
constexpr std::size_t kRefusalsShown = 20;

int cannot(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  return kCannotRead;
}

std::optional<std::string> journal_of(const AdminOptions& options) {
  const auto dir = state_dir_of(options);
  if (!dir) return std::nullopt;
  return *dir + "/" + audit::kJournalFile;
}

// Never made here: a key that is not there is not this journal's.
Result<Secret> key_in(const std::string& file) {
  auto bytes = store::read_file(file, kKeyBytes);
  if (!bytes) return bytes.error();
  if (bytes->size() != kKeyBytes) return make_error(Code::malformed, file + " is no key: it is not 32 bytes");
  return Secret(std::move(*bytes));
}

// 64 hex digits, or a head of which the key is taken.
Result<std::string> public_key_in(const std::string& file) {
  auto text = store::read_file(file, kMaxKeyFile);
  if (!text) return text.error();
  if (const auto head = audit::parse_head(*text)) return head->head.public_key;
  while (!text->empty() && (text->back() == '\n' || text->back() == ' ' || text->back() == '\r'))
    text->pop_back();
  if (text->size() != audit::kPublicKeyHexBytes || audit::bytes_of_hex(*text).empty())
    return make_error(Code::malformed,
                      file + " is no public key: 64 hex digits, as `audit head` prints them");
  return std::move(*text);
}

Result<audit::ArchiveToVerify> to_verify(const AuditVerifyOptions& options) {
  audit::ArchiveToVerify what;
  what.files = options.files;
  std::string keys;
  if (options.files.empty()) {
    const auto journal = journal_of(options.server);
    if (!journal) return make_error(Code::invalid_argument, "No state directory.");
    what.journal_file = *journal;
    keys = (fs::path(*journal).parent_path() / "keys").string();
  } else {
    const std::string dir = options.server.state_dir.empty()
                                ? fs::path(options.files.front()).parent_path().string()
                                : options.server.state_dir;
    keys = (fs::path(dir.empty() ? "." : dir) / "keys").string();
  }
  auto chain = key_in(options.chain_key.empty() ? keys + "/" + audit::kChainKey : options.chain_key);
  if (!chain && !options.chain_key.empty()) return chain.error();
  if (chain) what.chain_key = std::move(*chain);
  if (!options.key.empty()) {
    auto key = public_key_in(options.key);
    if (!key) return key.error();
    what.public_key = std::move(*key);
  } else if (const auto seed = key_in(keys + "/" + audit::kSigningKey)) {
    const auto signer = audit::Signer::make(*seed);
    if (!signer) return signer.error();
    what.public_key = signer->public_key();
  }
  for (const std::string& file : options.heads) {
    auto head = audit::read_head(file);
    if (!head) return head.error();
    what.kept.push_back({file, std::move(*head)});
  }
  return what;
}

void print_json(const audit::ArchiveReport& r) {
  Json faults = Json::array();
  for (const audit::Fault& f : r.faults)
    faults.push_back({{"file", f.file}, {"line", f.line}, {"offset", f.offset}, {"what", f.what}});
  const Json out{{"intact", r.intact()},
                 {"segments", r.segments},
                 {"segments_deleted", r.deleted},
                 {"records", r.records},
                 {"bytes", r.bytes},
                 {"first_seq", r.first_seq},
                 {"last_seq", r.last_seq},
                 {"last_mac", r.last_mac},
                 {"public_key", r.public_key},
                 {"codes_checked", r.codes_checked},
                 {"torn_bytes", r.torn_bytes},
                 {"findings", r.fault_count},
                 {"faults", std::move(faults)},
                 {"notes", r.notes}};
  std::printf("%s\n", dump_json(out).c_str());
}

void print_text(const audit::ArchiveReport& r) {
  for (const audit::Fault& f : r.faults) {
    const std::string where =
        (f.file.empty() ? "" : f.file + (f.line > 0 ? ":" + std::to_string(f.line) : "") + ": ");
    std::printf("FINDING %s%s%s\n", where.c_str(), f.line > 0 ? "record " : "", f.what.c_str());
  }
  if (r.fault_count > r.faults.size())
    std::printf("… and %llu more\n", static_cast<unsigned long long>(r.fault_count - r.faults.size()));
  for (const std::string& note : r.notes) std::printf("note: %s\n", note.c_str());
  if (r.torn_bytes > 0)
    std::printf("note: the last record is not whole (%llu bytes): a writer at work, or a crash\n",
                static_cast<unsigned long long>(r.torn_bytes));
  std::printf("%s: %llu records (%llu to %llu), %llu closed segments", r.intact() ? "intact" : "NOT INTACT",
              static_cast<unsigned long long>(r.records), static_cast<unsigned long long>(r.first_seq),
              static_cast<unsigned long long>(r.last_seq), static_cast<unsigned long long>(r.segments));
  if (r.deleted > 0) std::printf(", %llu deleted ones", static_cast<unsigned long long>(r.deleted));
  std::printf("\nlast record's code %s\n", r.last_mac.c_str());
  if (!r.public_key.empty()) std::printf("public key of the heads %s\n", r.public_key.c_str());
}

// On a terminal, a few times a second.
std::function<void(std::uint64_t, std::uint64_t)> progress_on_terminal() {
  if (::isatty(STDERR_FILENO) != 1) return {};
  return [last = SteadyTime{}](std::uint64_t done, std::uint64_t total) mutable {
    const SteadyTime now = std::chrono::steady_clock::now();
    if (last == SteadyTime{}) last = now;
    const bool end = done >= total;
    if (now - last < milliseconds(250)) return;
    if (!end) last = now;
    std::fprintf(stderr, end ? "\r\033[K" : "\rverified %llu of %llu MiB",
                 static_cast<unsigned long long>(done >> 20), static_cast<unsigned long long>(total >> 20));
  };
}

bool time_option(const std::string& text, const char* name, std::optional<WallTime>& out) {
  if (text.empty()) return true;
  // People leave out what goes without saying.
  for (const char* rest : {"", "Z", ":00Z"})
    if (!out) out = parse_iso8601(text + rest);
  if (!out)
    std::fprintf(stderr, "%s: '%s' is no time; write 2026-02-03 or 2026-02-03T10:11 (UTC)\n", name,
                 text.c_str());
  return out.has_value();
}

void print_record(std::string_view text, bool json) {
  if (json) {
    std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
    return;
  }
  if (const auto record = parse_trusted_json(text); record && record->is_object())
    std::printf("%s\n", audit::readable(*record).c_str());
}

std::uint64_t seq_in(std::string_view text) {
  const auto record = parse_trusted_json(text);
  return record && record->is_object() ? record->value("seq", std::uint64_t{0}) : 0;
}

Json report_json(const audit::ActivityReport& r) {
  Json callers = Json::array(), refusals = Json::array(), orphans = Json::array();
  for (const auto& [who, sums] : r.by_caller)
    callers.push_back({{"identity", who.first},
                       {"tool", who.second},
                       {"calls", sums.calls()},
                       {"ok", sums.ok},
                       {"failed", sums.failed},
                       {"unknown", sums.unknown},
                       {"refused", sums.refused}});
  for (const auto& [rule, n] : r.refusals) refusals.push_back({{"rule", rule}, {"refused", n}});
  for (const audit::Orphan& o : r.orphans)
    orphans.push_back({{"ts", o.at},
                       {"request_id", o.request},
                       {"identity", o.identity},
                       {"tool", o.tool},
                       {"task", o.task},
                       {"targets", o.targets}});
  return {{"records", r.records},
          {"first", r.first_at},
          {"last", r.last_at},
          {"callers", std::move(callers)},
          {"refusals", std::move(refusals)},
          {"orphans", std::move(orphans)},
          {"orphans_not_kept", r.orphans_not_kept}};
}

// Names come from callers: printed as readable() prints them.
std::string shown(const std::string& text) {
  std::string out = text.empty() ? "-" : text;
  std::replace_if(
      out.begin(), out.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f; },
      '?');
  return out;
}

void print_report(const audit::ActivityReport& r) {
  std::printf("%llu records from %s to %s\n\n", static_cast<unsigned long long>(r.records),
              r.first_at.empty() ? "-" : r.first_at.c_str(), r.last_at.empty() ? "-" : r.last_at.c_str());
  std::printf("%-24s %-32s %8s %8s %8s %8s %8s\n", "identity", "tool", "calls", "ok", "failed", "unknown",
              "refused");
  for (const auto& [who, sums] : r.by_caller)
    std::printf("%-24s %-32s %8llu %8llu %8llu %8llu %8llu\n", shown(who.first).c_str(),
                shown(who.second).c_str(), static_cast<unsigned long long>(sums.calls()),
                static_cast<unsigned long long>(sums.ok), static_cast<unsigned long long>(sums.failed),
                static_cast<unsigned long long>(sums.unknown), static_cast<unsigned long long>(sums.refused));
  if (!r.refusals.empty()) std::printf("\nrefused by\n");
  for (std::size_t i = 0; i < std::min(kRefusalsShown, r.refusals.size()); ++i)
    std::printf("%8llu  %s\n", static_cast<unsigned long long>(r.refusals[i].second),
                shown(r.refusals[i].first).c_str());
  std::printf("\nintents without an outcome: %zu\n", r.orphans.size());
  for (const audit::Orphan& o : r.orphans) {
    std::string targets;
    for (const std::string& target : o.targets) targets += " " + shown(target);
    std::printf("  %s %s %s%s%s [%s]\n", shown(o.at).c_str(), shown(o.identity).c_str(),
                shown(o.tool).c_str(), targets.c_str(), o.task.empty() ? "" : (" " + shown(o.task)).c_str(),
                shown(o.request).c_str());
  }
  if (r.orphans_not_kept > 0)
    std::printf("  and up to %llu more: narrow it with --since and --until\n",
                static_cast<unsigned long long>(r.orphans_not_kept));
  if (!r.orphans.empty())
    std::printf("  (of a server that runs, calls that run are among them; else read the objects)\n");
}

}  // namespace

int audit_verify(const AuditVerifyOptions& options) {
  auto what = to_verify(options);
  if (!what) return cannot(what.error().text);
  what->progress = progress_on_terminal();
  const auto report = audit::verify_archive(*what);
  if (!report) return cannot(report.error().text);
  if (options.json)
    print_json(*report);
  else
    print_text(*report);
  return report->intact() ? 0 : kFindings;
}

int audit_head(const AuditHeadOptions& options) {
  const auto dir = state_dir_of(options.server);
  if (!dir) return kCannotRead;
  const std::string journal = *dir + "/" + audit::kJournalFile;
  const auto chain = key_in(*dir + "/keys/" + audit::kChainKey);
  const auto seed = key_in(*dir + "/keys/" + audit::kSigningKey);
  if (!chain || !seed)
    return cannot("The journal's keys cannot be read (" + (chain ? seed.error().text : chain.error().text) +
                  "). Run this as the server's user.");
  const auto signer = audit::Signer::make(*seed);
  if (!signer) return cannot(signer.error().text);
  audit::ChainMac mac(*chain);
  const auto made = audit::live_head(journal, mac, *signer, SystemClock().wall());
  if (!made) return cannot(made.error().text);
  std::fputs(made->c_str(), stdout);
  return 0;
}

int audit_tail(const AuditTailOptions& options) {
  const auto journal = journal_of(options.server);
  if (!journal) return kCannotRead;
  audit::Filter filter{
      options.identity, options.tool, options.event, options.request, options.target, {}, {}};
  if (!time_option(options.since, "--since", filter.since)) return kCannotRead;
  std::optional<audit::Follower> follower;
  if (options.follow) follower.emplace(*journal);
  const auto last = audit::last_records(*journal, filter, options.lines);
  if (!last) return cannot(last.error().text);
  for (const std::string& text : *last) print_record(text, options.json);
  std::fflush(stdout);
  if (!follower) return 0;
  if (!last->empty()) follower->seen(seq_in(last->back()));
  while (std::ferror(stdout) == 0) {
    const auto ok = follower->look([&](const audit::Read& record) {
      if (filter.matches(record)) print_record(record.json, options.json);
    });
    if (!ok) return cannot(ok.error().text);
    std::fflush(stdout);
    std::this_thread::sleep_for(kFollowEvery);
  }
  return 0;
}

int audit_report(const AuditReportOptions& options) {
  const auto journal = journal_of(options.server);
  if (!journal) return kCannotRead;
  std::optional<WallTime> since, until;
  if (!time_option(options.since, "--since", since) || !time_option(options.until, "--until", until))
    return kCannotRead;
  const auto report = audit::activity(*journal, since, until);
  if (!report) return cannot(report.error().text);
  if (options.json)
    std::printf("%s\n", dump_json(report_json(*report)).c_str());
  else
    print_report(*report);
  return 0;
}

}  // namespace vmcp::app
