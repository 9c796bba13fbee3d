// Steps 11 and 14, and every refusal: the journal that proves what was done, and its readable view.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcp::audit {

// In the state directory, also for the commands that read it.
inline constexpr const char* kJournalFile = "journal.jsonl";
inline constexpr const char* kChainKey = "audit-chain";      // keys/…
inline constexpr const char* kSigningKey = "audit-signing";  // keys/…

enum class Event { intent, accepted, outcome, refused };

// One audit line. Views are borrowed for the call. Everything is masked before it is written (base/mask.h).
struct Record {
  Event event = Event::refused;
  std::string_view request_id;
  std::string_view trace_id;  // may be empty
  std::string_view identity;  // may be empty: not known yet
  std::string_view role;
  std::string_view method;  // MCP method, "tools/call"
  std::string_view tool;    // may be empty
  std::string_view host;    // the vCenter; may be empty
  std::string_view peer;
  // The plugin as JSON members, made and masked once when it was loaded (plugin_host::audit_members()): the
  // one field that is written as it stands. May be empty; more than 1 KiB is left out.
  std::string_view plugin_members;
  std::string_view args_json;             // JSON text of the arguments, unmasked; empty = none
  std::vector<std::string_view> targets;  // "vm:vm-3301"
  std::string_view step;                  // pipeline step that decided, "authorise"
  std::string_view rule;                  // rule that decided; may be empty
  std::string_view policy;                // version of the policy that decided; may be empty
  std::string_view approver, approval;    // who agreed, and under which id; empty when nobody was asked
  std::string_view task;                  // vCenter task id (accepted)
  std::string_view error;                 // public error text; empty = fine
  std::string_view code;                  // code_name of the error
  bool ok = false;
  std::int64_t duration_ms = -1;  // -1 = left out
};

struct Settings {
  std::string journal_file;  // in state_dir; empty = no journal: changing tools are then refused
  Secret chain_key;          // HMAC key of the chain
  std::string view_path;     // AUDIT_LOG_PATH: JSON lines appended; empty = stdout (stderr under stdio)
  bool view_to_stderr = false;
  milliseconds sync_timeout{5'000};  // a sync that takes longer refuses the call
  std::size_t max_args_bytes = 8192;

  // Segments (segment.h). Without a signing key the journal is one file that only grows.
  Secret signing_key;  // seed of the Ed25519 key that signs their heads: 32 bytes
  std::uint64_t segment_bytes = 64u << 20;
  milliseconds segment_age{24 * 3'600'000};
  std::int64_t keep_days = 0;  // closed segments are deleted after this; 0 = never
  // Called on the journal thread between the steps of closing a segment ("noted", "renamed", "created",
  // "opened", "hashed", "headed"): for tests that end the process there.
  std::function<void(std::string_view)> at_point;
};

// The journal's file behind a seam, so that tests can fail it.
class JournalFile {
 public:
  virtual ~JournalFile() = default;
  virtual Result<void> append(std::string_view bytes) = 0;  // whole or failed
  virtual Result<void> sync() = 0;                          // fdatasync
  virtual Result<void> check() = 0;  // the path still leads to the open file (not removed, not replaced)
};
Result<std::unique_ptr<JournalFile>> open_journal_file(const std::string& path);

// Journal line: 64 hex of HMAC-SHA256(key, previous hex + json) + ' ' + json + '\n'; the json carries "seq".
// The first previous is 64 zeros. View line: the json without "seq", in the Python server's fields plus ours:
// {"ts","event","request_id","tool","ok","duration_ms","args","error","host","role","identity","method","step","rule",…}
class Audit {
 public:
  // Continues the chain of an existing journal (a torn last line is cut off into NAME.torn and reported).
  // `file` null: opens settings.journal_file.
  static Result<std::unique_ptr<Audit>> open(Settings settings, const Clock& clock, Log& log,
                                             std::unique_ptr<JournalFile> file = nullptr);
  ~Audit();  // flushes

  // Durable: returns when the record is on disk (group commit over concurrent callers), or an error: then the
  // change must not be made. Error text is generic ("the audit cannot be written; changing tools are
  // refused"); the cause goes to the log only. [any thread]
  Result<void> durable(const Record& record);
  // Buffered: appended in order, written by the journal thread, never blocks on the disk; bounded (beyond the
  // bound it waits up to sync_timeout, then the audit is unhealthy). [any thread]
  void buffered(const Record& record);

  // False after a failed write until a later write succeeds: changing tools refuse and readiness is false.
  bool healthy() const;
  // Closes the live segment now: gives the closed file, whose signed head then lies beside it. Code::conflict
  // when there is nothing in it yet, Code::timeout when it takes longer than `limit` (it is then done later).
  // [any thread]
  Result<std::string> rotate(milliseconds limit);
  // Writes out everything that was given before. False when it could not within `limit`.
  bool flush(milliseconds limit);

 private:
  struct Impl;
  explicit Audit(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmcp::audit
