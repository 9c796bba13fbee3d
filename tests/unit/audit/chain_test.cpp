#include "audit/chain.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "audit/encode.h"
#include "audit/tail.h"
#include "audit/verify.h"
#include "base/crypto.h"
#include "unit/audit/fakes.h"

using namespace vmcp;
using namespace vmcp::audit;
using test::read_file;
using test::TempDir;
using test::write_file;

namespace {

std::string line_of(const std::string& previous, std::uint64_t seq, const std::string& rest) {
  const std::string json = "{\"seq\":" + std::to_string(seq) + "," + rest + "}";
  return to_hex(hmac_sha256(test::test_key().reveal(), previous + json)) + " " + json;
}

std::vector<std::string> chain_of(std::size_t n) {
  std::vector<std::string> lines;
  std::string previous(64, '0');
  for (std::uint64_t seq = 1; seq <= n; ++seq) {
    lines.push_back(line_of(previous, seq, "\"ts\":\"t\",\"n\":\"" + std::string(seq % 50, 'x') + "\""));
    previous = lines.back().substr(0, 64);
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

VerifyReport verified(const TempDir& dir, const std::string& bytes, const Secret& key = test::test_key()) {
  write_file(dir / "j", bytes);
  auto report = verify_journal(dir / "j", key);
  REQUIRE(report);
  return std::move(*report);
}

}  // namespace

TEST_CASE("chain: the prepared code is HMAC-SHA256, for keys of any length") {
  for (const std::size_t size : {1u, 32u, 64u, 65u, 200u}) {
    const std::string key(size, 'q');
    ChainMac mac{Secret(key)};
    for (const std::string text : {"", "a", "{\"seq\":1}"}) {
      CHECK(mac.of("prev", text) == to_hex(hmac_sha256(key, "prev" + text)));
      CHECK(mac.of("prev", text) == to_hex(hmac_sha256(key, "prev" + text)));
    }
  }
}

TEST_CASE("parse_line: takes what the journal writes and nothing else") {
  const std::string good = line_of(std::string(64, '0'), 17, "\"a\":1");
  const auto line = parse_line(good);
  REQUIRE(line);
  CHECK(line->seq == 17);
  CHECK(line->json == "{\"seq\":17,\"a\":1}");
  for (std::string bad :
       {std::string(), good.substr(1), good + " ", good.substr(0, good.size() - 1), good.substr(0, 64),
        std::string(65, '0'), std::string(64, '0') + " {\"seq\":,\"a\":1}",
        std::string(64, '0') + " {\"seq\":1}", std::string(64, 'A') + " {\"seq\":1,\"a\":1}",
        std::string(64, '0') + "\t{\"seq\":1,\"a\":1}",
        std::string(64, '0') + " {\"seq\":99999999999999999999,\"a\":1}"})
    CHECK_FALSE_MESSAGE(parse_line(bad), bad);
}

TEST_CASE("verify: a journal as it was written is intact") {
  const TempDir dir;
  const auto lines = chain_of(5000);
  const VerifyReport report = verified(dir, joined(lines));
  CHECK(report.intact());
  CHECK(report.records == 5000);
  CHECK(report.first_seq == 1);
  CHECK(report.last_seq == 5000);
  CHECK(report.head == lines.back().substr(0, 64));
  CHECK(report.torn_bytes == 0);
  CHECK(verified(dir, "").intact());
  CHECK_FALSE(verify_journal(dir / "absent", test::test_key()));
}

TEST_CASE("verify: any single flipped bit is found") {
  const TempDir dir;
  const std::string good = joined(chain_of(4));
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 7)));
    const VerifyReport report = verified(dir, bad);
    // The last newline is the one byte whose loss looks like a crash: it is reported as such.
    const bool found = !report.intact() || (at == good.size() - 1 && report.torn_bytes > 0);
    CHECK_MESSAGE(found, at);
  }
}

TEST_CASE("verify: deleted, inserted, repeated and moved records are found where they are") {
  const TempDir dir;
  const auto lines = chain_of(20);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    auto deleted = lines;
    deleted.erase(deleted.begin() + static_cast<std::ptrdiff_t>(i));
    const VerifyReport gap = verified(dir, joined(deleted));
    REQUIRE(gap.fault_count == 1);
    CHECK(gap.faults[0].line == i + 1);

    auto repeated = lines;
    repeated.insert(repeated.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
    CHECK_FALSE(verified(dir, joined(repeated)).intact());

    auto moved = lines;
    std::swap(moved[i], moved[i + 1]);
    CHECK_FALSE(verified(dir, joined(moved)).intact());

    auto inserted = lines;
    inserted.insert(inserted.begin() + static_cast<std::ptrdiff_t>(i),
                    std::string(64, 'a') + " {\"seq\":1,\"forged\":true}");
    CHECK_FALSE(verified(dir, joined(inserted)).intact());
  }
}

TEST_CASE("verify: a cut in the middle and a missing beginning are found") {
  const TempDir dir;
  const std::string good = joined(chain_of(10));
  for (std::size_t from = 100; from + 200 < good.size(); from += 37)
    CHECK_FALSE(verified(dir, good.substr(0, from) + good.substr(from + 90)).intact());
  const auto lines = chain_of(10);
  const VerifyReport headless = verified(dir, joined({lines.begin() + 4, lines.end()}));
  REQUIRE(headless.fault_count == 1);
  CHECK(headless.faults[0].what.find("begins with record 5") != std::string::npos);
}

TEST_CASE("verify: a missing end shows in the head and the number, which is all that a file alone can tell") {
  const TempDir dir;
  auto lines = chain_of(10);
  const VerifyReport whole = verified(dir, joined(lines));
  lines.resize(7);
  const VerifyReport cut = verified(dir, joined(lines));
  CHECK(cut.intact());
  CHECK(cut.last_seq == 7);
  CHECK(cut.head != whole.head);
}

TEST_CASE("verify: an unfinished last line is reported and is no fault") {
  const TempDir dir;
  const std::string good = joined(chain_of(3));
  const VerifyReport report = verified(dir, good + "0123");
  CHECK(report.intact());
  CHECK(report.torn_bytes == 4);
}

TEST_CASE("verify: numbers that do not count up are found although every code is right") {
  const TempDir dir;
  std::string previous(64, '0'), bytes;
  for (const std::uint64_t seq : {1u, 2u, 4u, 5u}) {
    const std::string line = line_of(previous, seq, "\"a\":1");
    previous = line.substr(0, 64);
    bytes += line + "\n";
  }
  const VerifyReport report = verified(dir, bytes);
  REQUIRE(report.fault_count == 1);
  CHECK(report.faults[0].line == 3);
}

TEST_CASE("verify: another key fits no record") {
  const TempDir dir;
  const VerifyReport report = verified(dir, joined(chain_of(200)), Secret(std::string(32, 'x')));
  CHECK(report.fault_count == 200);
  CHECK(report.faults.size() == VerifyReport::kMaxFaults);
}

TEST_CASE("verify: what is no journal is survived, with bounded memory") {
  const TempDir dir;
  const VerifyReport endless = verified(dir, std::string(3u << 20, 'x') + "\n" + joined(chain_of(2)));
  CHECK(endless.fault_count >= 1);
  CHECK(endless.records == 2);
  CHECK_FALSE(verified(dir, std::string(1000, '\n')).intact());
  const VerifyReport unended = verified(dir, std::string(3u << 20, '\0'));
  CHECK(unended.torn_bytes == (3u << 20));
  CHECK(unended.intact());
}

TEST_CASE("verify: one record is a fault once, and what follows it is still checked") {
  const TempDir dir;
  auto lines = chain_of(100);
  lines[10].back() = ' ';
  lines[50][80] ^= 1;
  const VerifyReport report = verified(dir, joined(lines));
  REQUIRE(report.fault_count >= 2);
  CHECK(report.fault_count <= 4);
  CHECK(report.faults.front().line == 11);
  CHECK(std::any_of(report.faults.begin(), report.faults.end(), [](const Fault& f) { return f.line == 51; }));
}

TEST_CASE("recover_tail: goes on behind the last whole line and keeps what it cuts off") {
  const TempDir dir;
  ChainMac mac(test::test_key());
  const auto lines = chain_of(12);
  const std::string good = joined(lines);
  for (const std::string& torn :
       {std::string(), std::string("x"), lines[0].substr(0, 90), std::string(100'000, '\0')}) {
    std::filesystem::remove(dir / "j.torn");
    write_file(dir / "j", good + torn);
    const auto tail = recover_tail(dir / "j", mac);
    REQUIRE(tail);
    CHECK(tail->head.seq == 12);
    CHECK(tail->head.mac == lines.back().substr(0, 64));
    CHECK(tail->torn_bytes == torn.size());
    CHECK(read_file(dir / "j") == good);
    if (!torn.empty()) CHECK(read_file(dir / "j.torn") == torn);
  }
}

TEST_CASE("recover_tail: no file, an empty one, one record, and only an unfinished one") {
  const TempDir dir;
  ChainMac mac(test::test_key());
  CHECK(recover_tail(dir / "absent", mac)->empty);
  write_file(dir / "j", "");
  CHECK(recover_tail(dir / "j", mac)->empty);
  write_file(dir / "j", joined(chain_of(1)));
  CHECK(recover_tail(dir / "j", mac)->head.seq == 1);
  write_file(dir / "j", "unfinished");
  const auto torn = recover_tail(dir / "j", mac);
  REQUIRE(torn);
  CHECK(torn->empty);
  CHECK(torn->head.seq == 0);
  CHECK(read_file(dir / "j").empty());
  CHECK(read_file(dir / "j.torn") == "unfinished");
}

TEST_CASE("recover_tail: every cut of a journal is recovered to its last whole record") {
  const TempDir dir;
  ChainMac mac(test::test_key());
  const std::string good = joined(chain_of(5));
  for (std::size_t size = 0; size <= good.size(); size += 3) {
    write_file(dir / "j", good.substr(0, size));
    const auto tail = recover_tail(dir / "j", mac);
    REQUIRE(tail);
    CHECK(tail->head.seq == static_cast<std::uint64_t>(std::count(
                                good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size), '\n')));
  }
}

TEST_CASE("recover_tail: refuses a changed last record, another key, and what is no journal") {
  const TempDir dir;
  ChainMac mac(test::test_key()), other{Secret(std::string(32, 'o'))};
  const std::string good = joined(chain_of(5));
  write_file(dir / "j", good);
  const auto foreign = recover_tail(dir / "j", other);
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().text.find("audit verify") != std::string::npos);
  std::string changed = good;
  changed[changed.size() - 5] ^= 1;
  write_file(dir / "j", changed);
  CHECK_FALSE(recover_tail(dir / "j", mac));
  CHECK(read_file(dir / "j") == changed);
  write_file(dir / "j", "[settings]\nkey = 1\n");
  CHECK_FALSE(recover_tail(dir / "j", mac));
  write_file(dir / "j", std::string(5u << 20, 'x'));
  CHECK_FALSE(recover_tail(dir / "j", mac));
  std::filesystem::create_directory(dir / "d");
  CHECK_FALSE(recover_tail(dir / "d", mac));
}

TEST_CASE("recover_tail: reads only the end of a long journal") {
  const TempDir dir;
  ChainMac mac(test::test_key());
  std::string previous(64, '0'), bytes;
  for (std::uint64_t seq = 1; bytes.size() < (6u << 20); ++seq) {
    const std::string line = line_of(previous, seq, "\"pad\":\"" + std::string(100'000, 'p') + "\"");
    previous = line.substr(0, 64);
    bytes += line + "\n";
  }
  write_file(dir / "j", bytes);
  const auto tail = recover_tail(dir / "j", mac);
  REQUIRE(tail);
  CHECK(tail->head.mac == previous);
}
