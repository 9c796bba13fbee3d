#include "audit/segment.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <utility>

#include "base/crypto.h"
#include "base/json.h"
#include "store/small_file.h"

namespace vmcp::audit {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSeqDigits = 20;
constexpr std::size_t kMaxHeadBytes = 16 * 1024;
constexpr std::string_view kHeadEnding = ".head";
constexpr std::string_view kSignatureKey = ",\"signature\":\"";
// So that this key's signatures cannot be taken for anything else.
constexpr std::string_view kSignedFor = "vsphere-mcp-pro audit head\n";

std::string digits(std::uint64_t seq) {
  std::string text = std::to_string(seq);
  return std::string(kSeqDigits - std::min(kSeqDigits, text.size()), '0') + text;
}

bool take_number(std::string_view& text, std::uint64_t& out) {
  if (text.size() < kSeqDigits) return false;
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + kSeqDigits, out);
  if (failure != std::errc() || stop != text.data() + kSeqDigits) return false;
  text.remove_prefix(kSeqDigits);
  return true;
}

void add(std::string& out, std::string_view key, std::string_view value) {
  append_json_key(out, key);
  append_json_string(out, value);
}
void add(std::string& out, std::string_view key, std::uint64_t value) {
  append_json_key(out, key);
  out += std::to_string(value);
}

std::string text_in(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}
std::uint64_t number_in(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_number_unsigned() ? it->get<std::uint64_t>() : 0;
}

}  // namespace

Segment segment_of(const std::string& journal_file, std::uint64_t first_seq, std::uint64_t last_seq) {
  const fs::path journal(journal_file);
  const std::string stem =
      (journal.parent_path() / journal.stem()).string() + "-" + digits(first_seq) + "-" + digits(last_seq);
  Segment out;
  out.first_seq = first_seq;
  out.last_seq = last_seq;
  out.file = stem + journal.extension().string();
  out.head_file = stem + std::string(kHeadEnding);
  return out;
}

Result<std::vector<Segment>> list_segments(const std::string& journal_file) {
  const fs::path journal(journal_file);
  const std::string prefix = journal.stem().string() + "-", ending = journal.extension().string();
  std::map<std::pair<std::uint64_t, std::uint64_t>, Segment> found;
  const std::string parent = journal.parent_path().empty() ? "." : journal.parent_path().string();
  std::error_code error;
  for (fs::directory_iterator it(parent, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    std::string_view rest = name;
    std::uint64_t first = 0, last = 0;
    if (!rest.starts_with(prefix)) continue;
    rest.remove_prefix(prefix.size());
    if (!take_number(rest, first) || !rest.starts_with('-')) continue;
    rest.remove_prefix(1);
    if (!take_number(rest, last) || (rest != ending && rest != kHeadEnding)) continue;
    std::error_code gone;
    if (!it->is_regular_file(gone)) continue;
    Segment& segment = found.try_emplace({last, first}, segment_of(journal_file, first, last)).first->second;
    (rest == kHeadEnding ? segment.has_head : segment.has_file) = true;
  }
  if (error) return make_error(Code::unavailable, "cannot read the directory " + parent, error.message());
  std::vector<Segment> out;
  for (auto& [seqs, segment] : found) out.push_back(std::move(segment));
  return out;
}

std::string signed_text(SegmentHead& head, const Signer& signer) {
  head.public_key = signer.public_key();
  std::string out = "{";
  add(out, "kind", head.live ? "live" : "segment");
  if (!head.live) {
    add(out, "first_seq", head.first_seq);
    add(out, "last_seq", head.last_seq);
    add(out, "records", head.records);
    add(out, "bytes", head.bytes);
    add(out, "sha256", head.sha256);
    add(out, "first_previous", head.first_previous);
    add(out, "last_mac", head.last_mac);
  } else {
    add(out, "seq", head.last_seq);
    add(out, "mac", head.last_mac);
  }
  add(out, "previous_head_sha256", head.previous_head_sha256);
  add(out, head.live ? "at" : "closed_at", head.at);
  add(out, "public_key", head.public_key);
  head.signature = signer.sign(std::string(kSignedFor) + out);
  out += kSignatureKey;
  out += head.signature;
  out += "\"}\n";
  return out;
}

Result<ReadHead> parse_head(std::string_view text) {
  const auto none = [] { return make_error(Code::malformed, "this is no head of an audit journal"); };
  const auto json = parse_trusted_json(text, kMaxHeadBytes);
  if (!json || !json->is_object()) return none();
  ReadHead out;
  const std::string kind = text_in(*json, "kind");
  if (kind != "live" && kind != "segment") return none();
  SegmentHead& head = out.head;
  head.live = kind == "live";
  head.first_seq = number_in(*json, "first_seq");
  head.last_seq = number_in(*json, head.live ? "seq" : "last_seq");
  head.records = number_in(*json, "records");
  head.bytes = number_in(*json, "bytes");
  head.sha256 = text_in(*json, "sha256");
  head.first_previous = text_in(*json, "first_previous");
  head.last_mac = text_in(*json, head.live ? "mac" : "last_mac");
  head.previous_head_sha256 = text_in(*json, "previous_head_sha256");
  head.at = text_in(*json, head.live ? "at" : "closed_at");
  head.public_key = text_in(*json, "public_key");
  head.signature = text_in(*json, "signature");
  // The signature stands last, and nothing behind it: what is signed is what was read.
  const auto at = text.rfind(kSignatureKey);
  const std::string tail = std::string(kSignatureKey) + head.signature + "\"}";
  std::string_view rest = at == std::string_view::npos ? std::string_view() : text.substr(at);
  while (rest.ends_with('\n')) rest.remove_suffix(1);
  out.signature_fits =
      rest == tail &&
      signature_fits(head.public_key, std::string(kSignedFor).append(text.substr(0, at)), head.signature);
  out.file_sha256 = to_hex(sha256(text));
  return out;
}

Result<ReadHead> read_head(const std::string& file) {
  const auto text = store::read_file(file, kMaxHeadBytes);
  if (!text) return text.error();
  auto head = parse_head(*text);
  if (!head) return make_error(Code::malformed, file + ": " + head.error().text);
  return head;
}

}  // namespace vmcp::audit
