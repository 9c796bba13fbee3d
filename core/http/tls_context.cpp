#include "http/tls_context.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace vmcp::http {
namespace {

// Of TLS 1.2: forward secrecy and authenticated encryption only. All suites of TLS 1.3 are so.
constexpr const char* kTls12Ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// ---- the socket under TLS. OpenSSL's own BIO would raise SIGPIPE.

int descriptor_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int socket_result(BIO* bio, ssize_t n, int retry) {
  BIO_clear_retry_flags(bio);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
  return static_cast<int>(n);
}

int socket_read(BIO* bio, char* to, int room) {
  ssize_t n;
  do {
    n = ::recv(descriptor_of(bio), to, static_cast<std::size_t>(room), MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  return socket_result(bio, n, BIO_FLAGS_READ);
}

int socket_write(BIO* bio, const char* from, int size) {
  ssize_t n;
  do {
    n = ::send(descriptor_of(bio), from, static_cast<std::size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  return socket_result(bio, n, BIO_FLAGS_WRITE);
}

long socket_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

// ---- reading files

std::string last_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "no reason given" : reason;
}

Error tls_error(const std::string& setting, const std::string& file, const std::string& what,
                const std::string& fix) {
  return make_error(Code::invalid_argument, setting + ": " + file + " " + what + ". " + fix, last_reason());
}

// OpenSSL would otherwise ask on the terminal.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

Result<EVP_PKEY*> read_key(const std::string& path) {
  const char* setting = "server.tls_key";
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "re"));
  if (!file) {
    return tls_error(
        setting, path, std::string("cannot be read (") + std::strerror(errno) + ")",
        "Name the PEM file of the certificate's key, readable by the user that runs the server.");
  }
  struct stat about {};
  if (::fstat(::fileno(file.get()), &about) != 0 || !S_ISREG(about.st_mode)) {
    return tls_error(setting, path, "is not a file", "Name the PEM file of the certificate's key.");
  }
  if ((about.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    return tls_error(setting, path, "is open to every user of this machine",
                     "Restrict it: chmod 600 " + path);
  }
  bool asked = false;
  EVP_PKEY* key = PEM_read_PrivateKey(file.get(), nullptr, no_passphrase, &asked);
  if (key != nullptr) return key;
  if (asked) {
    return tls_error(
        setting, path, "is protected by a passphrase",
        "Store it without one (openssl pkey -in " + path + " -out NEW), readable by the server only.");
  }
  return tls_error(setting, path, "holds no private key that can be used",
                   "Name a PEM file with a PRIVATE KEY block.");
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kHttp11, sizeof kHttp11, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
  BIO_meth_free(socket_method_);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsSettings& settings) {
  ERR_clear_error();
  std::shared_ptr<TlsContext> made(new TlsContext);
  made->context_ = SSL_CTX_new(TLS_server_method());
  made->socket_method_ = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
  if (made->context_ == nullptr || made->socket_method_ == nullptr) {
    return make_error(Code::unavailable, "The TLS library could not be started.", last_reason());
  }
  BIO_meth_set_read(made->socket_method_, socket_read);
  BIO_meth_set_write(made->socket_method_, socket_write);
  BIO_meth_set_ctrl(made->socket_method_, socket_control);

  SSL_CTX* const context = made->context_;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // No resumption: connections live long, a client's certificate is looked at each time, and no ticket key
  // has to be kept and renewed.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  // A write may send a part, and be repeated from another place in memory: what waits moves with its buffer.
  // Idle connections hold no record buffers.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  if (SSL_CTX_set_cipher_list(context, kTls12Ciphers) != 1) {
    return make_error(Code::unavailable,
                      "The TLS library offers none of the ciphers of TLS 1.2 that are served here.",
                      last_reason());
  }
  if (auto used = made->use_certificate(settings); !used) return used.error();
  if (auto used = made->use_clients(settings.client_ca_file); !used) return used.error();
  return std::shared_ptr<const TlsContext>(std::move(made));
}

Result<void> TlsContext::use_certificate(const TlsSettings& settings) {
  if (SSL_CTX_use_certificate_chain_file(context_, settings.certificate_file.c_str()) != 1) {
    return tls_error("server.tls_certificate", settings.certificate_file,
                     "cannot be used as the server's certificate",
                     "Name a readable PEM file with the server's certificate first and its chain behind it "
                     "(keys of at least 2,048 bits for RSA).");
  }
  auto key = read_key(settings.key_file);
  if (!key) return key.error();
  const int used = SSL_CTX_use_PrivateKey(context_, *key);
  EVP_PKEY_free(*key);
  if (used != 1 || SSL_CTX_check_private_key(context_) != 1) {
    return tls_error("server.tls_key", settings.key_file,
                     "is not the key of the certificate in " + settings.certificate_file,
                     "Name the key that the certificate was requested with.");
  }
  return {};
}

Result<void> TlsContext::use_clients(const std::string& ca_file) {
  if (ca_file.empty()) return {};
  // The names are sent to clients, so that they choose the right one of their certificates.
  STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(ca_file.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(context_, ca_file.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return tls_error("server.tls_client_ca", ca_file, "holds no certificate authority that can be used",
                     "Name a readable PEM file with the authorities that issue your clients' certificates.");
  }
  SSL_CTX_set_client_CA_list(context_, names);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

ssl_st* TlsContext::accept_on(int descriptor) const {
  SSL* const ssl = SSL_new(context_);
  BIO* const bio = ssl == nullptr ? nullptr : BIO_new(socket_method_);
  if (bio == nullptr) {
    SSL_free(ssl);
    return nullptr;
  }
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor)));
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  SSL_set_accept_state(ssl);
  return ssl;
}

}  // namespace vmcp::http
