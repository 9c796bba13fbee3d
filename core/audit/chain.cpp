#include "audit/chain.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <charconv>
#include <stdexcept>

#include "base/crypto.h"

namespace vmcp::audit {
namespace {

constexpr std::size_t kBlockBytes = 64;
constexpr std::string_view kSeqKey = "{\"seq\":";
constexpr std::string_view kPreviousKey = "\"event\":\"journal\",\"previous\":\"";

void must(int ok) {
  if (ok != 1) throw std::runtime_error("SHA-256 failed");
}

void append_hex(std::string& out, const unsigned char* bytes, std::size_t size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const std::size_t begin = out.size();
  out.resize(begin + 2 * size);
  char* at = out.data() + begin;
  for (std::size_t i = 0; i < size; ++i) {
    *at++ = kDigits[bytes[i] >> 4];
    *at++ = kDigits[bytes[i] & 15];
  }
}

bool is_mac(std::string_view text) {
  if (text.size() != kMacHexBytes) return false;
  // Without a branch for each: whoever verifies a journal does this for every record.
  unsigned bad = 0;
  for (const char c : text)
    bad |= static_cast<unsigned>(static_cast<unsigned char>(c - '0') > 9) &
           static_cast<unsigned>(static_cast<unsigned char>(c - 'a') > 5);
  return bad == 0;
}

}  // namespace

void ChainMac::Free::operator()(evp_md_ctx_st* ctx) const {
  EVP_MD_CTX_free(ctx);
}

ChainMac::ChainMac(const Secret& key)
    : inner_(EVP_MD_CTX_new()), outer_(EVP_MD_CTX_new()), work_(EVP_MD_CTX_new()) {
  if (!inner_ || !outer_ || !work_) throw std::runtime_error("out of memory");
  std::string block = key.reveal();
  if (block.size() > kBlockBytes) {
    const Digest short_key = sha256(block);
    block.assign(short_key.begin(), short_key.end());
  }
  block.resize(kBlockBytes, '\0');
  for (char& c : block) c = static_cast<char>(c ^ 0x36);
  must(EVP_DigestInit_ex(inner_.get(), EVP_sha256(), nullptr));
  must(EVP_DigestUpdate(inner_.get(), block.data(), block.size()));
  for (char& c : block) c = static_cast<char>(c ^ 0x36 ^ 0x5c);
  must(EVP_DigestInit_ex(outer_.get(), EVP_sha256(), nullptr));
  must(EVP_DigestUpdate(outer_.get(), block.data(), block.size()));
  OPENSSL_cleanse(block.data(), block.size());
}

ChainMac::~ChainMac() = default;

void ChainMac::append(std::string& out, std::string_view previous_hex, std::string_view json) {
  Digest digest;
  must(EVP_MD_CTX_copy_ex(work_.get(), inner_.get()));
  must(EVP_DigestUpdate(work_.get(), previous_hex.data(), previous_hex.size()));
  must(EVP_DigestUpdate(work_.get(), json.data(), json.size()));
  must(EVP_DigestFinal_ex(work_.get(), digest.data(), nullptr));
  must(EVP_MD_CTX_copy_ex(work_.get(), outer_.get()));
  must(EVP_DigestUpdate(work_.get(), digest.data(), digest.size()));
  must(EVP_DigestFinal_ex(work_.get(), digest.data(), nullptr));
  append_hex(out, digest.data(), digest.size());
}

std::string ChainMac::of(std::string_view previous_hex, std::string_view json) {
  std::string out;
  append(out, previous_hex, json);
  return out;
}

std::optional<Line> parse_line(std::string_view text) {
  Line line;
  if (text.size() < kMacHexBytes + 1 + kSeqKey.size() + 2) return std::nullopt;
  line.mac = text.substr(0, kMacHexBytes);
  line.json = text.substr(kMacHexBytes + 1);
  if (!is_mac(line.mac) || text[kMacHexBytes] != ' ' || !line.json.starts_with(kSeqKey) ||
      line.json.back() != '}')
    return std::nullopt;
  const char* const begin = line.json.data() + kSeqKey.size();
  const char* const end = line.json.data() + line.json.size();
  const auto [stop, failure] = std::from_chars(begin, end, line.seq);
  if (failure != std::errc() || stop == end || *stop != ',') return std::nullopt;
  return line;
}

std::string_view stated_previous(const Line& line) {
  // Looked for at its one place: behind "seq" and "ts", before anything that a caller can write.
  const auto at = line.json.substr(0, 160).find(kPreviousKey);
  if (at == std::string_view::npos) return {};
  const std::string_view mac = line.json.substr(at + kPreviousKey.size()).substr(0, kMacHexBytes);
  return is_mac(mac) ? mac : std::string_view{};
}

}  // namespace vmcp::audit
