// What a transport knows of a client's certificate once it is verified: facts, for others to judge.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace vmcp {

struct PeerCertificate {
  std::string subject;             // RFC 2253: "CN=agent-7,O=Example"; may be empty
  std::vector<std::string> names;  // alternative ones: "URI:…", then "DNS:…", then "email:…"; visible ASCII
  std::string sha256;              // of the certificate itself: 64 lower-case hex digits
};

using PeerCertificatePtr = std::shared_ptr<const PeerCertificate>;  // null: none was shown

}  // namespace vmcp
