#include "plugin_host/signature.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/crypto.h"
#include "base/json.h"

namespace vmcp::plugin_host {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFormat = "vmcp-signature/1";
constexpr std::size_t kSignatureBytes = 64;
constexpr std::uint64_t kMaxSignatureFile = 64 * 1024;
constexpr std::uint64_t kMaxKeyFile = 1u << 20;
constexpr std::size_t kMaxKeyFiles = 100, kMaxKeys = 1000;

struct Free {
  void operator()(BIO* p) const { ::BIO_free(p); }
  void operator()(EVP_PKEY* p) const { ::EVP_PKEY_free(p); }
  void operator()(EVP_MD_CTX* p) const { ::EVP_MD_CTX_free(p); }
};
using Bio = std::unique_ptr<BIO, Free>;
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_MD_CTX, Free>;

Error bad_signature(std::string why) {
  return make_error(Code::denied, "the signature " + std::move(why));
}

Bio memory_of(std::string_view text) {
  return Bio(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

bool is_hash(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_plain_text(std::string_view text) {
  return !text.empty() && text.size() <= 300 &&
         std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

// Each member of a statement with its name, in the order of the signed text.
template <class S, class F>
void each_member(S& s, F f) {
  f("id", s.id);
  f("version", s.version);
  f("library_sha256", s.library_sha256);
  f("manifest_sha256", s.manifest_sha256);
  f("signed_at", s.signed_at);
  f("key", s.key);
}

std::string id_of(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = ::i2d_PUBKEY(key, &der);
  if (size <= 0) return {};
  std::string out = to_hex(sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)}));
  ::OPENSSL_free(der);
  return out;
}

struct PemBlock {
  std::string name, data;
};

bool read_block(BIO* from, PemBlock& out) {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  if (::PEM_read_bio(from, &name, &header, &data, &size) != 1) return false;
  out.name = name;
  out.data.assign(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
  ::OPENSSL_free(name);
  ::OPENSSL_free(header);
  ::OPENSSL_free(data);
  return true;
}

std::optional<PublicKey> public_key_of(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const Key key(::d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  PublicKey out;
  out.raw.resize(32);
  std::size_t size = out.raw.size();
  const bool right =
      key && ::EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_ED25519 &&
      ::EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(out.raw.data()), &size) == 1;
  ::ERR_clear_error();
  if (!right) return std::nullopt;
  out.id = id_of(key.get());
  return out;
}

// Never asks on the terminal.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

Error bad_key(const std::string& path, std::string why) {
  return make_error(Code::invalid_argument, "the key " + path + " " + std::move(why));
}

Result<Key> read_private_key(const std::string& path) {
  const auto file = open_carefully(path, Place::workshop);
  if (!file) return bad_key(path, "cannot be used: " + file.error().text);
  struct stat info {};
  if (::fstat(file->fd.get(), &info) != 0 || (info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return bad_key(path, "may be read by others; chmod 600 it");
  const auto text = read_all(*file, kMaxKeyFile);
  if (!text) return bad_key(path, "cannot be used: " + text.error().text);
  const Bio bio = memory_of(*text);
  Key key(::PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  ::ERR_clear_error();
  if (!key)
    return bad_key(path,
                   "is no private key in PEM form without passphrase; make one with: openssl genpkey "
                   "-algorithm ed25519 -out KEY.pem");
  if (::EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_ED25519)
    return bad_key(path,
                   "is of another kind; make one with: openssl genpkey -algorithm ed25519 -out KEY.pem");
  return key;
}

}  // namespace

std::string signed_text(const Statement& statement) {
  std::string out(kFormat);
  out += '\n';
  each_member(statement, [&](const char* name, const std::string& value) {
    out += name;
    out += ' ';
    out += value;
    out += '\n';
  });
  return out;
}

std::string signature_path(const std::string& library) {
  return fs::path(library).replace_extension(".vmcp.sig").string();
}

Result<Signature> parse_signature(std::string_view json) {
  const auto parsed = parse_trusted_json(json, kMaxSignatureFile);
  if (!parsed || !parsed->is_object()) return bad_signature("is no JSON object; sign the plugin again");
  const auto text = [&](const char* key) {
    const auto it = parsed->find(key);
    return it != parsed->end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  if (text("format") != kFormat)
    return bad_signature("is not of the format " + std::string(kFormat) +
                         "; sign the plugin with this release");
  Signature out;
  std::string missing;
  each_member(out.statement, [&](const char* name, std::string& value) {
    value = text(name);
    if (!is_plain_text(value) && missing.empty()) missing = name;
  });
  if (!missing.empty()) return bad_signature("has no " + missing + "; sign the plugin again");
  for (const std::string* hash :
       {&out.statement.library_sha256, &out.statement.manifest_sha256, &out.statement.key})
    if (!is_hash(*hash))
      return bad_signature("has a hash that is not 64 lower-case hex digits; sign the plugin again");
  if (!base64_decode(text("signature"), out.bytes) || out.bytes.size() != kSignatureBytes)
    return bad_signature("is not 64 bytes in base64; sign the plugin again");
  return out;
}

std::string signature_json(const Signature& signature) {
  nlohmann::ordered_json out;
  out["format"] = kFormat;
  each_member(signature.statement, [&](const char* name, const std::string& value) { out[name] = value; });
  out["signature"] = base64_encode(signature.bytes);
  return out.dump(2) + "\n";
}

Result<Signature> read_signature(const std::string& path, Place place) {
  const auto text = read_carefully(path, place, kMaxSignatureFile);
  if (!text && text.error().code == Code::not_found)
    return make_error(Code::not_found, "there is no signature " + path);
  if (!text) return make_error(text.error().code, "the signature " + path + ": " + text.error().text);
  return parse_signature(*text);
}

Result<std::vector<PublicKey>> parse_public_keys(std::string_view pem, const std::string& name) {
  const auto refuse = [](const std::string& what) {
    return make_error(Code::invalid_argument,
                      what + "; write it with: openssl pkey -in PRIVATE.pem -pubout -out PUBLIC.pem");
  };
  std::vector<PublicKey> out;
  const Bio bio = memory_of(pem);
  for (PemBlock block; read_block(bio.get(), block); block = {}) {
    if (block.name != PEM_STRING_PUBLIC) return refuse("holds a " + block.name + ", which is no public key");
    auto key = public_key_of(block.data);
    if (!key) return refuse("holds a public key that is no Ed25519 key");
    key->name = name;
    out.push_back(std::move(*key));
  }
  // Anything but the end of the text is a key that could not be read.
  const unsigned long why = ::ERR_peek_last_error();
  const bool ended = ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE;
  ::ERR_clear_error();
  if (!ended) return refuse("holds a damaged key");
  if (out.empty()) return refuse("holds no public key in PEM form");
  return out;
}

Result<std::vector<PublicKey>> read_public_keys(const std::string& path, Place place) {
  const auto refuse = [](const std::string& file, const std::string& why) {
    return make_error(Code::invalid_argument, "the keys in " + file + ": " + why);
  };
  std::vector<std::string> files;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
      if (it->path().extension() == ".pem") files.push_back(it->path().string());
      if (files.size() > kMaxKeyFiles) return refuse(path, "more than 100 files; keep those that are needed");
    }
    if (error) return refuse(path, "the folder cannot be read: " + error.message());
    std::sort(files.begin(), files.end());
  } else {
    files.push_back(path);
  }
  std::vector<PublicKey> out;
  for (const std::string& file : files) {
    const auto text = read_carefully(file, place, kMaxKeyFile);
    if (!text) return refuse(file, text.error().text);
    auto keys = parse_public_keys(*text, fs::path(file).stem().string());
    if (!keys) return refuse(file, "it " + keys.error().text);
    out.insert(out.end(), keys->begin(), keys->end());
    if (out.size() > kMaxKeys) return refuse(path, "more than 1000 keys; keep those that are needed");
  }
  return out;
}

bool verify(const PublicKey& key, const Signature& signature) {
  const auto* raw = reinterpret_cast<const unsigned char*>(key.raw.data());
  const Key pkey(::EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw, key.raw.size()));
  const Context context(::EVP_MD_CTX_new());
  const std::string text = signed_text(signature.statement);
  const bool good =
      pkey && context && signature.bytes.size() == kSignatureBytes && signature.statement.key == key.id &&
      ::EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
      ::EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.bytes.data()),
                         signature.bytes.size(), reinterpret_cast<const unsigned char*>(text.data()),
                         text.size()) == 1;
  ::ERR_clear_error();
  return good;
}

Result<Signature> sign(Statement statement, const std::string& private_key_file) {
  const auto key = read_private_key(private_key_file);
  if (!key) return key.error();
  statement.key = id_of(key->get());
  bool plain = true;
  each_member(statement,
              [&](const char*, const std::string& value) { plain = plain && is_plain_text(value); });
  if (!plain)
    return make_error(Code::invalid_argument,
                      "the plugin's id or version is empty or holds control characters; correct it in its "
                      "VMCP_PLUGIN(…)");
  const std::string text = signed_text(statement);
  const Context context(::EVP_MD_CTX_new());
  Signature out{std::move(statement), std::string(kSignatureBytes, '\0')};
  std::size_t size = out.bytes.size();
  if (!context || ::EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key->get()) != 1 ||
      ::EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.bytes.data()), &size,
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) != 1 ||
      size != kSignatureBytes)
    return make_error(Code::internal, "OpenSSL could not sign");
  return out;
}

}  // namespace vmcp::plugin_host
