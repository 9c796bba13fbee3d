// One pass over a closed segment's bytes, in slices, so that whoever makes it can do other things between.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

struct evp_md_ctx_st;

namespace vmcp::audit {

class RawPass {
 public:
  static Result<std::unique_ptr<RawPass>> open(const std::string& file);
  ~RawPass();
  RawPass(const RawPass&) = delete;
  RawPass& operator=(const RawPass&) = delete;

  // Reads the next slice (1 MiB: about a millisecond). True at the end: what follows is then known.
  Result<bool> step();
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t records() const { return records_; }
  const std::string& sha256() const { return sha256_; }          // 64 hex digits
  const std::string& first_line() const { return first_line_; }  // without '\n'; empty: there is none
  const std::string& last_line() const { return last_line_; }

 private:
  RawPass(int fd, std::string file);
  void note_lines(const char* bytes, std::size_t size);

  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  const int fd_;
  const std::string file_;
  std::unique_ptr<evp_md_ctx_st, Free> hash_;
  std::string buffer_;
  std::uint64_t bytes_ = 0, records_ = 0;
  std::string sha256_, first_line_, last_line_;
  std::string rest_;  // of a line whose end was not seen yet; no longer than a line can be
};

}  // namespace vmcp::audit
