// The chain of the journal: what binds a line to the one before it, and how a line is laid out.
//   64 hex of HMAC-SHA256(key, previous hex + json) + ' ' + {"seq":N,…} + '\n'
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

struct evp_md_ctx_st;

namespace vmcp::audit {

inline constexpr std::size_t kMacHexBytes = 64;

// Where a chain stands: the last line's code and number.
struct Head {
  std::string mac = std::string(kMacHexBytes, '0');
  std::uint64_t seq = 0;
};

// HMAC-SHA256 with one key, prepared once: two hashes' states are copied per line instead of keyed anew.
// One thread at a time.
class ChainMac {
 public:
  explicit ChainMac(const Secret& key);
  ChainMac(ChainMac&&) noexcept = default;
  ~ChainMac();
  // Appends 64 hex digits to `out`.
  void append(std::string& out, std::string_view previous_hex, std::string_view json);
  std::string of(std::string_view previous_hex, std::string_view json);

 private:
  struct Free {
    void operator()(evp_md_ctx_st* ctx) const;
  };
  using Context = std::unique_ptr<evp_md_ctx_st, Free>;
  Context inner_, outer_, work_;
};

struct Line {
  std::string_view mac;   // 64 lower-case hex digits
  std::string_view json;  // "{"seq":…}"
  std::uint64_t seq = 0;
};
// One line without its '\n'; nullopt when it is not laid out as above. Does not look at the rest of the json.
std::optional<Line> parse_line(std::string_view line);

// The code that a line states its chain continued from, when that was not the line before it in this file
// (encode_note() lines after the file was lost); empty for ordinary lines. Believe it only if the line's own
// code is right.
std::string_view stated_previous(const Line& line);

}  // namespace vmcp::audit
