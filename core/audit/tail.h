// The end of an existing journal: where its chain goes on, after a clean stop or a crash.
#pragma once

#include <cstdint>
#include <string>

#include "audit/chain.h"
#include "audit/signer.h"
#include "base/clock.h"
#include "base/result.h"

namespace vmcp::audit {

struct Tail {
  Head head;
  bool empty = true;             // no such file, or nothing in it
  std::uint64_t torn_bytes = 0;  // an unfinished last line that was moved to `torn_file`
  std::string torn_file;
};

// Reads only the end of the file, so it takes the same time for any journal. An unfinished last line (the
// process died while it wrote) is appended to PATH.torn and cut off. Refuses a journal whose last whole line
// is not of this chain: somebody changed it, or the key is another one; going on would hide that.
Result<Tail> recover_tail(const std::string& path, ChainMac& mac);

// As recover_tail(); and when the live journal is not there or empty, because the process died while it
// closed a segment, the head is that of the last segment. `empty` and the torn bytes are the live file's.
Result<Tail> recover_journal(const std::string& path, ChainMac& mac);

// The last whole record of a file that may be written meanwhile; only reads. Code::not_found: it has none.
Result<Head> read_last(const std::string& path, ChainMac& mac);

// Where the journal stands, as the text of a signed head; also beside a server that writes.
Result<std::string> live_head(const std::string& path, ChainMac& mac, const Signer& signer, WallTime at);

}  // namespace vmcp::audit
