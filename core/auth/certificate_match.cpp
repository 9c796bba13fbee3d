#include "auth/certificate_match.h"

#include <algorithm>

namespace vmcp::auth {

bool CertificateMatch::fits(const PeerCertificate& certificate) const {
  switch (kind) {
    case Kind::subject:
      return !value.empty() && certificate.subject == value;
    case Kind::name:
      return std::find(certificate.names.begin(), certificate.names.end(), value) != certificate.names.end();
    case Kind::sha256:
      return !value.empty() && certificate.sha256 == value;
    case Kind::none:
      break;
  }
  return false;
}

CertificateMatch match_name(std::string_view san) {
  for (const char* label : {"URI:", "DNS:", "email:"})
    if (san.starts_with(label)) return {CertificateMatch::Kind::name, std::string(san)};
  const char* const label = san.find("://") != std::string_view::npos ? "URI:"
                            : san.find('@') != std::string_view::npos ? "email:"
                                                                      : "DNS:";
  return {CertificateMatch::Kind::name, label + std::string(san)};
}

Result<CertificateMatch> match_sha256(std::string_view digest) {
  CertificateMatch out{CertificateMatch::Kind::sha256, {}};
  for (const char c : digest) {
    if (c == ':') continue;
    const char low = c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
    if (!((low >= '0' && low <= '9') || (low >= 'a' && low <= 'f'))) out.value += '?';
    out.value += low;
  }
  if (out.value.size() == 64 && out.value.find('?') == std::string::npos) return out;
  return make_error(Code::invalid_argument,
                    "the digest of a certificate has 64 hex digits, as `openssl x509 -noout -fingerprint "
                    "-sha256` prints them");
}

Result<CertificateMatch> read_match(std::string_view text) {
  if (auto digest = match_sha256(text)) return digest;
  if (text.empty()) return make_error(Code::invalid_argument, "an empty text names no certificate");
  if (text.find('=') != std::string_view::npos && text.find("://") == std::string_view::npos)
    return CertificateMatch{CertificateMatch::Kind::subject, std::string(text)};
  return match_name(text);
}

}  // namespace vmcp::auth
