// The public keys of the authorization servers, fetched and kept fresh in the background: no request waits
// for them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/jws.h"
#include "base/clock.h"
#include "base/log.h"

namespace vmcp::auth {

// Of one issuer, at one time. Immutable.
class KeySet {
 public:
  // A JWK set (RFC 7517, section 5). Keys that are not usable here are left out; Code::malformed when none is
  // left or it is no set.
  static Result<KeySet> read(std::string_view json);
  // The key with that id, or the only one that fits when the token names none. Null: there is no such key.
  const VerifyKey* find(std::string_view id, Algorithm algorithm) const;

 private:
  std::vector<VerifyKey> keys_;
};

struct IssuerSettings {
  milliseconds refresh{600'000};      // between two fetches
  milliseconds retry{5'000};          // after a failed one, and at the earliest when an unknown key is named
  milliseconds keep{24 * 3'600'000};  // keys that could not be renewed for so long are forgotten
};

class Issuers {
 public:
  // GET of one URL, bounded in time and size by the one who gives it. [the background thread]
  using Fetch = std::function<Result<std::string>(const std::string& url)>;

  // `urls`: issuers as configured. `log` outlives this.
  Issuers(std::vector<std::string> urls, Fetch fetch, IssuerSettings settings, Log& log);
  ~Issuers();
  Issuers(const Issuers&) = delete;
  Issuers& operator=(const Issuers&) = delete;

  bool trusted(std::string_view issuer) const;
  // Null: none are known, at present. [any thread]
  std::shared_ptr<const KeySet> keys(std::string_view issuer) const;
  // A token named a key that is not there: maybe it is new.
  void look_again(std::string_view issuer);
  // True when every issuer has keys. Waits at most that long.
  bool wait(milliseconds at_most) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Where the metadata of an issuer may be (RFC 8414, section 3; OpenID Connect Discovery), in the order of
// trying.
std::vector<std::string> metadata_urls(std::string_view issuer);

}  // namespace vmcp::auth
