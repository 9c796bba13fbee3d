// Which client certificates are meant, and whose they are.
#pragma once

#include <string>
#include <string_view>

#include "base/peer_certificate.h"
#include "base/result.h"

namespace vmcp::auth {

// One certificate, or all that carry a name. All texts are compared as they are, but for the digest's form.
struct CertificateMatch {
  enum class Kind { none, subject, name, sha256 };  // the later ones say more
  Kind kind = Kind::none;
  std::string
      value;  // "CN=agent-7,O=Example"; "URI:spiffe://…", "DNS:…", "email:…"; 64 lower-case hex digits

  bool fits(const PeerCertificate& certificate) const;
};

// `san`: with or without its label; without one, "://" makes a URI and "@" an e-mail address.
CertificateMatch match_name(std::string_view san);
// 64 hex digits in any case, with or without colons. Code::invalid_argument for anything else.
Result<CertificateMatch> match_sha256(std::string_view digest);
// Any of the three, by its form: a digest, a subject (it has a '='), else a name.
Result<CertificateMatch> read_match(std::string_view text);

// A client that is known by its certificate.
struct CertificateEntry {
  CertificateMatch match;
  std::string name, role;
};

}  // namespace vmcp::auth
