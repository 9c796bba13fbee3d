// Self-signed certificates for the TLS tests, made when they run.
#pragma once

#include <string>

namespace vmcp::test {

// A directory that is removed with its files at the end.
class ScratchDir {
 public:
  ScratchDir();
  ~ScratchDir();
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Writes `name`.pem (key and certificate, for the server) and returns its path; `name`.crt holds the
// certificate alone. `alt_names` as OpenSSL writes them: "DNS:localhost,IP:127.0.0.1".
std::string make_certificate(const ScratchDir& dir, const std::string& name, const std::string& alt_names);

}  // namespace vmcp::test
