// doctor's look at a vCenter's certificate: who it is for, who issued it, until when, and whether it is
// trusted.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace vmcp::app {

struct CertificateReport {
  std::string subject, issuer, expires;
  int days_left = 0;
  bool trusted = false;
  std::string why_not;  // words of the verification, when not trusted
};

// Connects (5 s at most) without sending anything. The error is that of the connection.
Result<CertificateReport> probe_certificate(const std::string& host, std::uint16_t port,
                                            const std::string& ca_bundle);

}  // namespace vmcp::app
