#include "unit/http/tls_client.h"

#include <doctest/doctest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace vmcp::http::test {
namespace {

struct Pair {
  X509* certificate;
  EVP_PKEY* key;
};

void write_pem(const std::string& path, X509* certificate) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  REQUIRE(file != nullptr);
  CHECK(PEM_write_X509(file, certificate) == 1);
  std::fclose(file);
}

void write_pem(const std::string& path, EVP_PKEY* key, mode_t mode, const char* passphrase = nullptr) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  REQUIRE(file != nullptr);
  CHECK(PEM_write_PrivateKey(file, key, passphrase ? EVP_aes_128_cbc() : nullptr, nullptr, 0, nullptr,
                             const_cast<char*>(passphrase)) == 1);
  std::fclose(file);
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

void extend(X509* certificate, int kind, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
  REQUIRE(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

struct Wanted {
  const char* common_name = "";  // empty: no subject at all
  const char* alternative_name = nullptr;
  const char* usage = nullptr;  // null: an authority
};

Pair make(const Wanted& wanted, const Pair* issuer, long serial) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* c = X509_new();
  X509_set_version(c, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(c), serial);
  X509_gmtime_adj(X509_getm_notBefore(c), -3600);
  X509_gmtime_adj(X509_getm_notAfter(c), 3600);
  X509_set_pubkey(c, key);
  const auto add = [&](const char* field, const char* text) {
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), field, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(text), -1, -1, 0);
  };
  if (*wanted.common_name != '\0') {
    add("O", "Example");
    add("CN", wanted.common_name);
  }
  X509_set_issuer_name(c, X509_get_subject_name(issuer ? issuer->certificate : c));
  extend(c, NID_basic_constraints, wanted.usage ? "critical,CA:FALSE" : "critical,CA:TRUE");
  if (wanted.usage) extend(c, NID_ext_key_usage, wanted.usage);
  if (wanted.alternative_name) extend(c, NID_subject_alt_name, wanted.alternative_name);
  REQUIRE(X509_sign(c, issuer ? issuer->key : key, EVP_sha256()) > 0);
  return {c, key};
}

void drop(const Pair& pair) {
  X509_free(pair.certificate);
  EVP_PKEY_free(pair.key);
}

}  // namespace

TlsFiles::TlsFiles() {
  std::string pattern = (std::filesystem::temp_directory_path() / "vmcp-tls-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
  const Pair ca = make({.common_name = "Authority"}, nullptr, 1);
  const Pair other = make({.common_name = "Other authority"}, nullptr, 2);
  write_pem(path("ca.pem"), ca.certificate);
  const auto leaf = [&](const std::string& name, const Wanted& wanted, const Pair& issuer, long serial) {
    const Pair made = make(wanted, &issuer, serial);
    write_pem(path(name + ".pem"), made.certificate);
    write_pem(path(name + ".key"), made.key, 0600);
    if (name == "server") {
      write_pem(path("locked.key"), made.key, 0600, "secret");
      write_pem(path("open.key"), made.key, 0644);
    }
    drop(made);
  };
  leaf("server", {"server", "IP:127.0.0.1", "serverAuth"}, ca, 3);
  leaf("agent", {"agent-7", "DNS:agent.example", "clientAuth"}, ca, 4);
  leaf("spiffe", {"", "critical,URI:spiffe://example/agent", "clientAuth"}, ca, 5);
  leaf("stranger", {"agent-7", nullptr, "clientAuth"}, other, 6);
  drop(ca);
  drop(other);
}

TlsFiles::~TlsFiles() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

const TlsFiles& tls_files() {
  static const TlsFiles files;
  return files;
}

// Memory on both sides: the test's own socket code moves the bytes, so that nothing blocks and every cut is
// possible.
TlsClient::TlsClient(std::uint16_t port, const TlsOptions& options)
    : RawClient(port, options.receive_buffer),
      context_(SSL_CTX_new(TLS_client_method())),
      ssl_(nullptr),
      byte_wise_(options.byte_wise) {
  const TlsFiles& files = tls_files();
  SSL_CTX_set_security_level(context_, options.version != 0 && options.version < TLS1_2_VERSION ? 0 : 2);
  if (options.version != 0) {
    SSL_CTX_set_min_proto_version(context_, options.version);
    SSL_CTX_set_max_proto_version(context_, options.version);
  }
  REQUIRE(SSL_CTX_load_verify_file(context_, files.path("ca.pem").c_str()) == 1);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  if (!options.certificate.empty()) {
    const std::string base = files.path(options.certificate);
    REQUIRE(SSL_CTX_use_certificate_file(context_, (base + ".pem").c_str(), SSL_FILETYPE_PEM) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey_file(context_, (base + ".key").c_str(), SSL_FILETYPE_PEM) == 1);
  }
  const unsigned char offered[] = {2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(context_, offered, sizeof offered);
  ssl_ = SSL_new(context_);
  X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), "127.0.0.1");
  SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(ssl_);
  const SteadyTime until = std::chrono::steady_clock::now() + milliseconds(8000);
  for (;;) {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl_);
    const int why = SSL_get_error(ssl_, done);
    if (!push()) break;
    ready_ = done == 1;
    if (ready_ || why != SSL_ERROR_WANT_READ || !receive(until)) break;
  }
}

TlsClient::~TlsClient() {
  SSL_free(ssl_);
  SSL_CTX_free(context_);
}

const char* TlsClient::version() const {
  return SSL_get_version(ssl_);
}

std::string TlsClient::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

void TlsClient::say_goodbye() {
  SSL_shutdown(ssl_);
  push();
}

bool TlsClient::push() {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(ssl_), &bytes);
  const std::string out(bytes, static_cast<std::size_t>(size));
  (void)BIO_reset(SSL_get_wbio(ssl_));
  if (!byte_wise_) return RawClient::send_all(out);
  for (const char c : out) {
    if (!RawClient::send_all({&c, 1})) return false;
  }
  return true;
}

bool TlsClient::send_all(std::string_view bytes) {
  ERR_clear_error();
  if (!bytes.empty() && SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) <= 0) return false;
  return push();
}

void TlsClient::take(std::string_view from_wire, std::string& to) {
  BIO_write(SSL_get_rbio(ssl_), from_wire.data(), static_cast<int>(from_wire.size()));
  if (!ready_ && SSL_is_init_finished(ssl_) == 0) return;  // the handshake reads it
  char block[16384];
  ERR_clear_error();
  for (int n; (n = SSL_read(ssl_, block, sizeof block)) > 0;) to.append(block, static_cast<std::size_t>(n));
}

}  // namespace vmcp::http::test
