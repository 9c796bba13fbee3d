#include "vcenter/tls_context.h"

#include <Poco/Exception.h>
#include <Poco/Net/InvalidCertificateHandler.h>
#include <Poco/Net/VerificationErrorArgs.h>
#include <openssl/err.h>

#include <fstream>

namespace vmcp::vcenter {
namespace {

// Only listens: never forgives an error.
class NotingHandler final : public Poco::Net::InvalidCertificateHandler {
 public:
  NotingHandler() : InvalidCertificateHandler(false) {}
  void onInvalidCertificate(const void*, Poco::Net::VerificationErrorArgs& args) override {
    tls_verdict() = args.errorMessage();
  }
};

}  // namespace

std::string& tls_verdict() {
  thread_local std::string verdict;
  return verdict;
}

Result<Poco::Net::Context::Ptr> make_tls_context(bool verify, const std::string& ca_bundle) {
  using Poco::Net::Context;
  const bool own_bundle = verify && !ca_bundle.empty();
  if (own_bundle && !std::ifstream(ca_bundle).good()) {
    return make_error(Code::invalid_argument,
                      "the CA bundle '" + ca_bundle +
                          "' cannot be read; set VCENTER_CA_BUNDLE to a readable PEM file "
                          "with the certificate of vCenter's CA");
  }
  try {
    ERR_clear_error();
    Context::Params params;
    params.caLocation = own_bundle ? ca_bundle : std::string();
    // STRICT: also the name of a host on loopback is compared.
    params.verificationMode = verify ? Context::VERIFY_STRICT : Context::VERIFY_NONE;
    params.loadDefaultCAs = verify && !own_bundle;
    params.cipherList = "HIGH:!aNULL:!eNULL:!MD5:!RC4:!3DES";
    Context::Ptr context(new Context(Context::TLS_CLIENT_USE, params));
    context->requireMinimumProtocol(Context::PROTO_TLSV1_2);
    if (verify) context->setInvalidCertificateHandler(new NotingHandler);
    return context;
  } catch (const Poco::Exception& e) {
    return make_error(Code::invalid_argument,
                      "the CA bundle '" + ca_bundle +
                          "' holds no usable certificate; set VCENTER_CA_BUNDLE to a PEM "
                          "file with the certificate of vCenter's CA",
                      e.displayText());
  }
}

}  // namespace vmcp::vcenter
