#include "app/tls_probe.h"

#include <Poco/DateTimeFormatter.h>
#include <Poco/Exception.h>
#include <Poco/Net/Context.h>
#include <Poco/Net/RejectCertificateHandler.h>
#include <Poco/Net/SSLManager.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/X509Certificate.h>

namespace vmcp::app {
namespace {

using Poco::Net::Context;

Poco::Net::SecureStreamSocket connect(const std::string& host, std::uint16_t port,
                                      const std::string& ca_bundle, Context::VerificationMode mode) {
  Context::Ptr context = new Context(Context::TLS_CLIENT_USE, "", "", ca_bundle, mode, 9, ca_bundle.empty());
  Poco::Net::SecureStreamSocket socket(context);
  socket.setPeerHostName(host);
  socket.connect(Poco::Net::SocketAddress(host, port), Poco::Timespan(5, 0));
  socket.completeHandshake();
  return socket;
}

}  // namespace

Result<CertificateReport> probe_certificate(const std::string& host, std::uint16_t port,
                                            const std::string& ca_bundle) {
  Poco::Net::SSLManager::instance().initializeClient(nullptr, new Poco::Net::RejectCertificateHandler(false),
                                                     nullptr);
  CertificateReport report;
  try {
    auto socket = connect(host, port, {}, Context::VERIFY_NONE);
    const auto certificate = socket.peerCertificate();
    report.subject = certificate.commonName();
    report.issuer = certificate.issuerName(Poco::Net::X509Certificate::NID_COMMON_NAME);
    report.expires = Poco::DateTimeFormatter::format(certificate.expiresOn(), "%Y-%m-%d");
    report.days_left = static_cast<int>((certificate.expiresOn() - Poco::DateTime()).days());
    socket.close();
  } catch (const Poco::Exception& e) {
    return make_error(Code::unavailable, e.displayText());
  }
  try {
    auto socket = connect(host, port, ca_bundle, Context::VERIFY_STRICT);
    socket.verifyPeerCertificate(host);  // throws when the name does not match
    report.trusted = true;
    socket.close();
  } catch (const Poco::Exception& e) {
    report.why_not = e.displayText();
  }
  return report;
}

}  // namespace vmcp::app
