#include "auth/token_verifier.h"

#include <algorithm>

#include "base/crypto.h"

namespace vmcp::auth {
namespace {

constexpr std::size_t kMaxSubject = 128;

Error refused(const char* why) {
  return make_error(Code::unauthenticated, std::string("This token is not valid: ") + why +
                                               "; get a new one from the authorization server");
}

std::string text_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// Seconds since 1970. False: missing or no number.
bool time_of(const Json& claims, const char* key, std::int64_t& out) {
  const auto it = claims.find(key);
  if (it == claims.end() || !it->is_number()) return false;
  const double value = it->get<double>();
  if (!(value >= 0 && value < 1e12)) return false;
  out = static_cast<std::int64_t>(value);
  return true;
}

// A text, or a list of texts; with `separator` a text is taken apart.
std::set<std::string, std::less<>> texts_of(const Json& claims, const char* key, char separator) {
  std::set<std::string, std::less<>> out;
  const auto it = claims.find(key);
  if (it == claims.end()) return out;
  const auto add = [&](const Json& value) {
    if (!value.is_string()) return;
    const std::string& text = value.get_ref<const std::string&>();
    for (std::size_t from = 0; from <= text.size();) {
      const std::size_t to = separator == 0 ? text.size() : std::min(text.find(separator, from), text.size());
      if (to > from) out.insert(text.substr(from, to - from));
      from = to + 1;
    }
  };
  if (it->is_array())
    for (const Json& value : *it) add(value);
  else
    add(*it);
  return out;
}

// The claim of that name, or else what the parts between its dots lead to. Null: there is none.
const Json* claim_of(const Json& claims, std::string_view name) {
  if (const auto whole = claims.find(name); whole != claims.end()) return &*whole;
  const Json* at = &claims;
  while (!name.empty()) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    if (!at->is_object()) return nullptr;
    const auto next = at->find(name.substr(0, dot));
    if (next == at->end()) return nullptr;
    at = &*next;
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return at == &claims ? nullptr : at;
}

std::string_view host_of(std::string_view url) {
  const std::size_t at = url.find("://");
  if (at != std::string_view::npos) url.remove_prefix(at + 3);
  return url.substr(0, url.find('/'));
}

// An access token says so or says nothing; what says that it is something else (an ID token, a grant) is not
// one.
bool is_access_token(const Json& header) {
  if (!header.contains("typ")) return true;
  std::string type = text_of(header, "typ");
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return type == "at+jwt" || type == "application/at+jwt" || type == "jwt";
}

// The "cnf" claim (RFC 7800): whoever sends the token must prove something else too. False: something that
// cannot be asked for here, such as a DPoP key; the token is then no bearer's.
bool bound_certificate(const Json& claims, std::string& digest) {
  const auto cnf = claims.find("cnf");
  if (cnf == claims.end()) return true;
  const std::string thumbprint =
      cnf->is_object() && cnf->size() == 1 ? text_of(*cnf, "x5t#S256") : std::string();
  std::string raw;
  if (!base64url_decode(thumbprint, raw) || raw.size() != 32) return false;
  digest = to_hex(reinterpret_cast<const unsigned char*>(raw.data()), raw.size());
  return true;
}

}  // namespace

TokenVerifier::TokenVerifier(VerifierSettings settings, Issuers& issuers, const Clock& clock)
    : settings_(std::move(settings)), issuers_(issuers), clock_(clock) {}

bool TokenVerifier::looks_signed(std::string_view token) {
  return std::count(token.begin(), token.end(), '.') == 2;
}

Result<PrincipalPtr> TokenVerifier::verify(std::string_view token, const PeerCertificate* certificate) {
  const auto with_its_certificate = [&](const Kept& kept) -> Result<PrincipalPtr> {
    if (kept.bound_to.empty() || (certificate != nullptr && certificate->sha256 == kept.bound_to))
      return kept.principal;
    return refused("it is bound to a certificate that this connection does not have");
  };
  const Digest digest = sha256(token);
  const std::string key(reinterpret_cast<const char*>(digest.data()), digest.size());
  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();
  const std::int64_t leeway = std::chrono::duration_cast<std::chrono::seconds>(settings_.leeway).count();
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = kept_.find(key); it != kept_.end()) {
      if (now < std::min(it->second.expires_s + leeway, it->second.look_again_s))
        return with_its_certificate(it->second);
      kept_.erase(it);
    }
  }
  auto checked = check(token);
  if (!checked) return checked.error();
  const std::lock_guard lock(mutex_);
  // Rare, and cheap to rebuild: each token pays its signature once more.
  if (kept_.size() >= settings_.max_kept) kept_.clear();
  kept_[key] = *checked;
  return with_its_certificate(*checked);
}

Result<TokenVerifier::Kept> TokenVerifier::check(std::string_view token) {
  const auto jws = read_jws(token);
  if (!jws) return refused(jws.error().text.c_str());
  if (!is_access_token(jws->header)) return refused("it is no access token");
  const auto algorithm = algorithm_of(text_of(jws->header, "alg"));
  if (!algorithm) return refused("its algorithm is not accepted here");
  const std::string issuer = text_of(jws->claims, "iss");
  if (!issuers_.trusted(issuer)) return refused("its issuer is not trusted here");
  const auto keys = issuers_.keys(issuer);
  const VerifyKey* key = keys ? keys->find(text_of(jws->header, "kid"), *algorithm) : nullptr;
  if (key == nullptr) {
    issuers_.look_again(issuer);
    return refused("its key is not known here (yet)");
  }
  if (!key->verifies(*algorithm, jws->signed_text, jws->signature)) return refused("its signature is wrong");

  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();
  const std::int64_t leeway = std::chrono::duration_cast<std::chrono::seconds>(settings_.leeway).count();
  std::int64_t expires = 0, from = 0;
  if (!time_of(jws->claims, "exp", expires)) return refused("it does not say when it expires");
  if (now >= expires + leeway) return refused("it has expired");
  for (const char* claim : {"nbf", "iat"})
    if (jws->claims.contains(claim) && (!time_of(jws->claims, claim, from) || from > now + leeway))
      return refused("it is not valid yet");
  const auto audiences = texts_of(jws->claims, "aud", 0);
  if (std::none_of(settings_.audiences.begin(), settings_.audiences.end(),
                   [&](const std::string& own) { return audiences.contains(own); }))
    return refused("it is for another audience");
  std::string bound_to;
  if (!bound_certificate(jws->claims, bound_to))
    return refused("it is bound in a way that is not understood here");
  PrincipalPtr principal = principal_of(jws->claims, issuer);
  if (!principal) return refused("it does not say who it is for");
  return Kept{std::move(principal), std::move(bound_to), expires,
              now + std::chrono::duration_cast<std::chrono::seconds>(settings_.keep).count()};
}

PrincipalPtr TokenVerifier::principal_of(const Json& claims, const std::string& issuer) const {
  std::string subject;
  for (const char* claim : {"sub", "client_id", "azp"})
    if (subject.empty()) subject = text_of(claims, claim);
  // It goes into limits, audit lines and log lines as it is.
  const bool printable = std::none_of(subject.begin(), subject.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F;
  });
  if (subject.empty() || subject.size() > kMaxSubject || !printable) return nullptr;
  return std::make_shared<const Principal>(Principal{
      std::string(kSignedIdentity) + subject + "@" + std::string(host_of(issuer)), role_of(claims)});
}

void TokenVerifier::add_claimed_roles(const Json& claims, std::set<std::string, std::less<>>& granted) const {
  for (const std::string& name : settings_.role_claims) {
    const Json* claim = claim_of(claims, name);
    if (claim == nullptr) continue;
    const auto grant = [&](const std::string& value) {
      if (settings_.claim_roles.empty()) {
        granted.insert(value);
      } else if (const auto role = settings_.claim_roles.find(value); role != settings_.claim_roles.end()) {
        granted.insert(role->second);
      }
    };
    // A name in a list may hold blanks; in a text they part the names.
    if (claim->is_string()) {
      for (const std::string& value : texts_of(Json{{"it", *claim}}, "it", ' ')) grant(value);
    } else if (claim->is_array()) {
      for (const Json& value : *claim)
        if (value.is_string()) grant(value.get<std::string>());
    }
  }
}

// A token without any role of this server is a caller who may do nothing yet: every refusal names the scope
// to ask for.
std::string TokenVerifier::role_of(const Json& claims) const {
  std::set<std::string, std::less<>> granted;
  for (const char* claim : {"scope", "scp"}) granted.merge(texts_of(claims, claim, ' '));
  add_claimed_roles(claims, granted);
  for (auto role = settings_.roles.rbegin(); role != settings_.roles.rend(); ++role)
    if (granted.contains(*role)) return *role;
  return {};
}

}  // namespace vmcp::auth
