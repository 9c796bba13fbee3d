#include "audit/raw_pass.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "audit/encode.h"
#include "base/crypto.h"

namespace vmcp::audit {
namespace {

constexpr std::size_t kSliceBytes = 1u << 20;

Error pass_error(const std::string& file, int error_number) {
  return make_error(Code::unavailable,
                    "cannot read the segment '" + file + "': " + std::strerror(error_number));
}

}  // namespace

void RawPass::Free::operator()(evp_md_ctx_st* context) const {
  ::EVP_MD_CTX_free(context);
}

Result<std::unique_ptr<RawPass>> RawPass::open(const std::string& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return pass_error(file, errno);
  std::unique_ptr<RawPass> pass(new RawPass(fd, file));
  struct stat st;
  if (::fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return pass_error(file, EINVAL);
  return pass;
}

RawPass::RawPass(int fd, std::string file)
    : fd_(fd), file_(std::move(file)), hash_(::EVP_MD_CTX_new()), buffer_(kSliceBytes, '\0') {
  if (!hash_ || ::EVP_DigestInit_ex(hash_.get(), ::EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 failed");
}

RawPass::~RawPass() {
  ::close(fd_);
}

void RawPass::note_lines(const char* bytes, std::size_t size) {
  const std::string_view slice(bytes, size);
  std::uint64_t newlines = 0;
  for (auto at = slice.find('\n'); at != std::string_view::npos; at = slice.find('\n', at + 1)) ++newlines;
  if (newlines > 0) {
    const auto first = slice.find('\n'), last = slice.rfind('\n');
    if (records_ == 0) first_line_ = rest_ + std::string(slice.substr(0, first));
    const auto before = last == 0 ? std::string_view::npos : slice.rfind('\n', last - 1);
    last_line_ = before == std::string_view::npos ? rest_ + std::string(slice.substr(0, last))
                                                  : std::string(slice.substr(before + 1, last - before - 1));
    rest_ = slice.substr(last + 1);
  } else if (rest_.size() <= kMaxLineBytes) {
    rest_ += slice;
  }
  records_ += newlines;
}

Result<bool> RawPass::step() {
  ssize_t n = 0;
  do {
    n = ::read(fd_, buffer_.data(), buffer_.size());
  } while (n < 0 && errno == EINTR);
  if (n < 0) return pass_error(file_, errno);
  if (n == 0) {
    Digest digest;
    if (::EVP_DigestFinal_ex(hash_.get(), digest.data(), nullptr) != 1)
      throw std::runtime_error("SHA-256 failed");
    sha256_ = to_hex(digest);
    return true;
  }
  const auto size = static_cast<std::size_t>(n);
  if (::EVP_DigestUpdate(hash_.get(), buffer_.data(), size) != 1) throw std::runtime_error("SHA-256 failed");
  bytes_ += size;
  note_lines(buffer_.data(), size);
  return false;
}

}  // namespace vmcp::audit
