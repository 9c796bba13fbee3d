// Folders with files of any owner and mode, and keys that are made when they are needed.
#pragma once

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/result.h"

namespace vmcp::plugin_host::test {

struct TestFolder {
  std::string path;
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vmcp-trust-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::string operator/(const std::string& name) const { return path + "/" + name; }
  std::string file(const std::string& name, const std::string& bytes, mode_t mode = 0644) const {
    const std::string f = *this / name;
    std::filesystem::remove(f);
    std::ofstream(f, std::ios::binary) << bytes;
    REQUIRE(::chmod(f.c_str(), mode) == 0);
    return f;
  }
  std::string folder(const std::string& name, mode_t mode) const {
    const std::string f = *this / name;
    std::filesystem::create_directories(f);
    REQUIRE(::chmod(f.c_str(), mode) == 0);
    return f;
  }
};

inline std::string bytes_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void flip(const std::string& file, std::size_t at) {
  std::string bytes = bytes_of(file);
  REQUIRE(at < bytes.size());
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  std::ofstream(file, std::ios::binary) << bytes;
}

// A key pair as `openssl genpkey` makes it: PRIVATE and PUBLIC in PEM.
inline void make_keys(const std::string& private_file, const std::string& public_file,
                      const char* kind = "ED25519") {
  EVP_PKEY* const key = std::string(kind) == "RSA"
                            ? EVP_PKEY_Q_keygen(nullptr, nullptr, kind, std::size_t{2048})
                            : EVP_PKEY_Q_keygen(nullptr, nullptr, kind);
  REQUIRE(key != nullptr);
  FILE* out = std::fopen(private_file.c_str(), "w");
  REQUIRE(PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  std::fclose(out);
  ::chmod(private_file.c_str(), 0600);
  out = std::fopen(public_file.c_str(), "w");
  REQUIRE(PEM_write_PUBKEY(out, key) == 1);
  std::fclose(out);
  EVP_PKEY_free(key);
}

template <class T>
void refused_saying(const Result<T>& r, const std::string& words) {
  REQUIRE_FALSE(r.ok());
  CHECK_MESSAGE(r.error().text.find(words) != std::string::npos, r.error().text);
}

}  // namespace vmcp::plugin_host::test
