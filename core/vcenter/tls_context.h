// What a TLS connection to vCenter is checked against. Internal to the transport.
#pragma once

#include <Poco/Net/Context.h>

#include <string>

#include "base/result.h"

namespace vmcp::vcenter {

// TLS 1.2 or later. With `verify`: the chain against `ca_bundle` (empty = the system's) and the name or
// address.
Result<Poco::Net::Context::Ptr> make_tls_context(bool verify, const std::string& ca_bundle);

// Why OpenSSL refused the certificate in the handshake that this thread ran last; Poco keeps it from us.
std::string& tls_verdict();

}  // namespace vmcp::vcenter
