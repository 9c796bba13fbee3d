#include "audit/verify.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "audit/chain_check.h"

namespace vmcp::audit {

Result<VerifyReport> verify_journal(const std::string& path, const Secret& key) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return make_error(Code::unavailable, "cannot open the journal '" + path + "': " + std::strerror(errno));
  VerifyReport report;
  ChainCheck check(key, [&](std::uint64_t line, std::uint64_t offset, std::string what) {
    ++report.fault_count;
    if (report.faults.size() < VerifyReport::kMaxFaults)
      report.faults.push_back({line, offset, std::move(what)});
  });
  const auto torn = each_line(
      fd, path, [&](std::string_view text) { check.line(text); },
      [&](std::size_t bytes) { check.too_long(bytes); }, {});
  ::close(fd);
  if (!torn) return torn.error();
  report.torn_bytes = *torn;
  report.records = check.records();
  report.first_seq = check.first_seq();
  report.last_seq = check.last_seq();
  report.head = check.last_mac();
  return report;
}

}  // namespace vmcp::audit
