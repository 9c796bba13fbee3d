#include "http/tls_wire.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

#include "base/crypto.h"

namespace vmcp::http {
namespace {

constexpr std::size_t kRecord = SSL3_RT_MAX_PLAIN_LENGTH;

// RFC 2253, as in "CN=agent-7,O=Example"; non-ASCII as UTF-8, control characters escaped.
std::string subject_text(X509* certificate) {
  X509_NAME* const name = X509_get_subject_name(certificate);
  if (name == nullptr || X509_NAME_entry_count(name) == 0) return {};
  BIO* const memory = BIO_new(BIO_s_mem());
  if (memory == nullptr) return {};
  std::string out;
  if (X509_NAME_print_ex(memory, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(memory, &bytes);
    if (size > 0) out.assign(bytes, static_cast<std::size_t>(size));
  }
  BIO_free(memory);
  return out;
}

constexpr std::size_t kMaxNames = 64, kMaxNameBytes = 2048;

// The alternative names of `type` of which all is visible: a NUL or a line break in one is a forgery.
void add_alternative_names(const GENERAL_NAMES* names, int type, const char* label,
                           std::vector<std::string>& out) {
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names, i);
    if (name->type != type || out.size() >= kMaxNames) continue;
    const ASN1_STRING* const value = name->d.ia5;  // URI, DNS and e-mail all have this type
    const std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                           static_cast<std::size_t>(ASN1_STRING_length(value)));
    const bool visible = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (visible && !text.empty() && text.size() <= kMaxNameBytes) out.push_back(label + text);
  }
}

std::vector<std::string> alternative_names(X509* certificate) {
  auto* const names =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (names == nullptr) return {};
  std::vector<std::string> out;
  add_alternative_names(names, GEN_URI, "URI:", out);
  add_alternative_names(names, GEN_DNS, "DNS:", out);
  add_alternative_names(names, GEN_EMAIL, "email:", out);
  GENERAL_NAMES_free(names);
  return out;
}

}  // namespace

TlsWire::TlsWire(Poco::Net::StreamSocket socket, std::shared_ptr<const TlsContext> context)
    : socket_(std::move(socket)),
      context_(std::move(context)),
      ssl_(context_->accept_on(socket_.descriptor())) {
  if (ssl_ == nullptr) throw std::bad_alloc();
}

TlsWire::~TlsWire() {
  close();
}

WireResult TlsWire::outcome(int returned, bool reading) {
  if (returned > 0) return {WireResult::Kind::bytes, static_cast<std::size_t>(returned)};
  switch (SSL_get_error(ssl_, returned)) {
    case SSL_ERROR_WANT_READ:
      return {WireResult::Kind::would_block, 0, !reading};
    case SSL_ERROR_WANT_WRITE:
      return {WireResult::Kind::would_block, 0, reading};
    case SSL_ERROR_ZERO_RETURN:
      return {WireResult::Kind::closed};
    default:
      broken_ = true;
      ERR_clear_error();
      return {WireResult::Kind::failed};
  }
}

WireResult TlsWire::read(char* to, std::size_t room) {
  if (ssl_ == nullptr || broken_) return {WireResult::Kind::failed};
  ERR_clear_error();  // what another connection left in this thread would be taken for ours
  return outcome(SSL_read(ssl_, to, static_cast<int>(std::min<std::size_t>(room, 1 << 30))), true);
}

bool TlsWire::holds_more() const {
  return ssl_ != nullptr && SSL_has_pending(ssl_) == 1;
}

// Gathers small parts into one record: head and body of an answer, size and data of a chunk. Whoever repeats
// a write that did not go begins with the same bytes and has at least as many, which is what TLS asks.
WireResult TlsWire::write(const iovec* parts, int count) {
  if (ssl_ == nullptr || broken_) return {WireResult::Kind::failed};
  ERR_clear_error();
  char record[kRecord];
  std::size_t went = 0, offset = 0;  // in all; in parts[0]
  for (;;) {
    std::size_t filled = 0;
    int at = 0;
    for (std::size_t skip = offset; at < count && filled < kRecord; ++at, skip = 0) {
      const std::size_t n = std::min(parts[at].iov_len - skip, kRecord - filled);
      if (n > 0) std::memcpy(record + filled, static_cast<const char*>(parts[at].iov_base) + skip, n);
      filled += n;
    }
    if (filled == 0) return {WireResult::Kind::bytes, went};
    const WireResult sent = outcome(SSL_write(ssl_, record, static_cast<int>(filled)), false);
    if (sent.kind == WireResult::Kind::would_block && went > 0) return {WireResult::Kind::bytes, went};
    if (sent.kind != WireResult::Kind::bytes) return sent;
    went += sent.count;
    offset += sent.count;
    while (count > 0 && offset >= parts->iov_len) {
      offset -= parts->iov_len;
      ++parts;
      --count;
    }
  }
}

void TlsWire::say_goodbye() {
  if (ssl_ == nullptr || broken_ || greeting()) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);  // does not wait for the client's own
  ERR_clear_error();
}

void TlsWire::finish_writing() {
  say_goodbye();
  socket_.finish_writing();
}

void TlsWire::close() {
  if (ssl_ == nullptr) return;
  say_goodbye();
  SSL_free(ssl_);
  ssl_ = nullptr;
  socket_.close();
}

bool TlsWire::greeting() const {
  return ssl_ != nullptr && SSL_is_init_finished(ssl_) == 0;
}

PeerCertificatePtr TlsWire::peer_certificate() const {
  X509* const certificate = ssl_ == nullptr ? nullptr : SSL_get0_peer_certificate(ssl_);
  if (certificate == nullptr || SSL_get_verify_result(ssl_) != X509_V_OK) return nullptr;
  auto out = std::make_shared<PeerCertificate>();
  out->subject = subject_text(certificate);
  out->names = alternative_names(certificate);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest, &size) == 1) out->sha256 = to_hex(digest, size);
  return out;
}

}  // namespace vmcp::http
