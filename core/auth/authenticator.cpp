#include "auth/authenticator.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/bearer.h"
#include "base/crypto.h"

namespace vmcp::auth {
namespace {

constexpr std::size_t kMaxHeaderBytes = kMaxBearerToken + 64;
constexpr std::size_t kMaxTokens = 10'000;
constexpr std::size_t kMaxNameBytes = 128;
constexpr std::string_view kHashPrefix = "sha256:";
constexpr const char* kAnonymous = "anonymous";

std::string_view raw(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> parse_hash(std::string_view text) {
  if (!text.starts_with(kHashPrefix)) return std::nullopt;
  text.remove_prefix(kHashPrefix.size());
  if (text.size() != 64) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]), low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
  }
  return out;
}

// Names go into limits, audit lines and log lines as they are.
bool is_printable_name(std::string_view name) {
  return name.size() <= kMaxNameBytes && std::none_of(name.begin(), name.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
         });
}

// The entry's digest, or why it is bad. The text may end in a log: it never quotes the token.
Result<std::string> digest_of(const TokenEntry& entry) {
  const auto bad = [](const char* text) { return make_error(Code::invalid_argument, text); };
  if (!entry.token.empty() && !entry.hash.empty()) return bad("has a token and a hash: keep the hash");
  if (entry.role.empty()) return bad("has no role: name one, e.g. read");
  if (!is_printable_name(entry.name)) return bad("has a name with control characters or over 128 bytes");
  if (entry.name.starts_with(kSignedIdentity))
    return bad("has a name that begins with 'oauth:', which is reserved: choose another name");
  if (entry.name == kAnonymous) return bad("is named 'anonymous', which is reserved: choose another name");
  if (!entry.hash.empty()) {
    if (auto digest = parse_hash(entry.hash)) return std::move(*digest);
    return bad("has a malformed hash: 'sha256:' and 64 hex digits, as `hash-token` prints it");
  }
  if (entry.token.empty()) return bad("is empty: give a token or its hash");
  if (!is_bearer_token(entry.token.reveal()))
    return bad(
        "can never be sent in a header: use letters, digits and - . _ ~ + / only, at most 16000 of them");
  return std::string(raw(sha256(entry.token.reveal())));
}

// These texts pass the masking of every error, so they must not look like a header with a credential.
Error missing_credential() {
  return make_error(Code::unauthenticated,
                    "Authentication required: send the header Authorization with 'Bearer <token>'");
}

Error invalid_token(const char* why) {
  return make_error(Code::unauthenticated,
                    std::string("This token is not valid: ") + why +
                        "; send the header Authorization with 'Bearer <token>' and a token that the "
                        "operator issued");
}

// Empty: there is none. `roles`: of each name so far.
std::string problem_of(const CertificateEntry& entry, std::map<std::string_view, std::string_view>& roles) {
  if (entry.match.kind == CertificateMatch::Kind::none || entry.match.value.empty())
    return "names no certificate: give a subject, a san or a sha256";
  if (entry.role.empty()) return "has no role: name one, e.g. read";
  if (entry.name.empty()) return "has no name: give one for limits and audit";
  if (!is_printable_name(entry.name)) return "has a name with control characters or over 128 bytes";
  if (entry.name.starts_with(kSignedIdentity) || entry.name == kAnonymous)
    return "has a name that is reserved: choose another one";
  if (const auto [it, fresh] = roles.emplace(entry.name, entry.role); !fresh && it->second != entry.role)
    return "has the name of another caller with another role: limits and audit could not tell them apart";
  return {};
}

// Whoever has the token learns nothing new by its name, and the audit learns whose it was.
Error outside_its_time(const std::string& name, WallTime when, bool expired) {
  return make_error(Code::unauthenticated,
                    "The token '" + name + (expired ? "' has expired at " : "' is not valid before ") +
                        iso8601(when) + (expired ? "; ask the operator for a new one" : ""));
}

}  // namespace

Result<Authenticator> Authenticator::make(std::vector<TokenEntry> tokens, bool enforce,
                                          std::string anonymous_role, bool others, const Clock* clock,
                                          std::vector<CertificateEntry> certificates) {
  std::string problems;
  const auto complain = [&](std::size_t index, const std::string& why) {
    if (problems.size() > 8192) return;  // a list of thousands of bad entries helps nobody
    const std::string& name = tokens[index].name;
    problems += (problems.empty() ? "" : "\n") + std::string("token ") + std::to_string(index + 1);
    if (!name.empty() && is_printable_name(name)) problems += " ('" + name + "')";
    problems += " " + why;
  };

  Authenticator made;
  made.clock_ = clock;
  if (tokens.size() > kMaxTokens)
    return make_error(Code::invalid_argument, "more than 10000 tokens are configured");
  std::vector<std::pair<std::string, std::size_t>> digests;  // with the entry's index, for the messages
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    auto digest = digest_of(tokens[i]);
    if (!digest)
      complain(i, digest.error().text);
    else
      digests.emplace_back(std::move(*digest), i);
  }
  std::map<std::string_view, std::string_view> roles;  // of each name
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const TokenEntry& token = tokens[i];
    if (token.not_before && token.expires && *token.not_before >= *token.expires)
      complain(i, "expires before it begins: no moment is left");
    if (token.name.empty()) continue;
    if (const auto [it, fresh] = roles.emplace(token.name, token.role); !fresh && it->second != token.role)
      complain(i,
               "has the name of another token with another role: limits and audit could not tell them apart");
  }
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    const std::string why = problem_of(certificates[i], roles);
    if (!why.empty() && problems.size() <= 8192)
      problems +=
          (problems.empty() ? "" : "\n") + std::string("certificate ") + std::to_string(i + 1) + " " + why;
  }
  std::sort(digests.begin(), digests.end());
  for (std::size_t k = 1; k < digests.size(); ++k)
    if (digests[k].first == digests[k - 1].first)
      complain(digests[k].second,
               "is the same as token " + std::to_string(digests[k - 1].second + 1) + ": remove one");
  if (tokens.empty() && certificates.empty() && enforce && !others)
    problems = "no token is configured: set TOKENS_TO_ROLES (or AUTH_ENFORCE=false on loopback)";
  if (!enforce && anonymous_role.empty())
    problems += (problems.empty() ? "" : "\n") +
                std::string("authentication is off and no role is given to anonymous callers");
  if (!problems.empty()) return make_error(Code::invalid_argument, std::move(problems));

  for (auto& [digest, index] : digests) {
    Principal principal;
    principal.identity = tokens[index].name;
    if (principal.identity.empty())
      principal.identity = "token-" + to_hex(reinterpret_cast<const unsigned char*>(digest.data()), 4);
    principal.role = tokens[index].role;
    made.entries_.push_back({std::move(digest), std::make_shared<const Principal>(std::move(principal)),
                             tokens[index].not_before, tokens[index].expires,
                             std::move(tokens[index].certificate)});
  }
  for (CertificateEntry& entry : certificates)
    made.certificates_.push_back(
        {std::move(entry.match),
         std::make_shared<const Principal>(Principal{std::move(entry.name), std::move(entry.role)})});
  if (!enforce)
    made.anonymous_ = std::make_shared<const Principal>(Principal{kAnonymous, std::move(anonymous_role)});
  return made;
}

Result<PrincipalPtr> Authenticator::by_certificate(const PeerCertificate& certificate) const {
  const Known* found = nullptr;
  bool clear = true;
  for (const Known& known : certificates_) {
    if (!known.match.fits(certificate) || (found != nullptr && known.match.kind < found->match.kind))
      continue;
    // What says more goes first: a digest before a name, a name before a subject.
    const bool same_kind = found != nullptr && known.match.kind == found->match.kind;
    clear = !same_kind || (clear && known.principal->identity == found->principal->identity);
    found = &known;
  }
  if (found != nullptr && clear) return found->principal;
  if (found != nullptr)
    return make_error(
        Code::unauthenticated,
        "The certificate of this connection fits several callers of this server: the operator must "
        "say which one it is");
  if (anonymous_) return anonymous_;
  return make_error(
      Code::unauthenticated,
      "Authentication required: the certificate of this connection is no caller's here, so send the "
      "header Authorization with 'Bearer <token>'");
}

Result<PrincipalPtr> Authenticator::authenticate(std::string_view authorization, std::size_t count,
                                                 const PeerCertificate* certificate) const {
  if (authorization.data() == nullptr || count == 0) {
    if (certificate != nullptr && !certificates_.empty()) return by_certificate(*certificate);
    if (anonymous_) return anonymous_;
    return missing_credential();
  }
  if (count > 1) return invalid_token("the Authorization header occurs more than once");
  if (authorization.size() > kMaxHeaderBytes) return invalid_token("the Authorization header is over 16 KiB");
  const std::string_view token = bearer_token(authorization);
  if (token.empty()) return invalid_token("the Authorization header does not hold a Bearer token");
  if (!is_bearer_token(token)) return invalid_token("the token holds characters that no token has");

  // A search by the digest: its timing tells about digests of the caller's own guesses, which without a
  // preimage of SHA-256 lead nowhere; a scan would make 10,000 tokens slow for everybody.
  const Digest digest = sha256(token);
  const auto it = std::lower_bound(entries_.begin(), entries_.end(), raw(digest),
                                   [](const Entry& e, std::string_view d) { return e.digest < d; });
  if (it == entries_.end() || !equal_constant_time(it->digest, raw(digest))) {
    if (verifier_ && TokenVerifier::looks_signed(token)) return verifier_->verify(token, certificate);
    return invalid_token("it is unknown or was withdrawn");
  }
  const WallTime now = wall();
  const std::string& name = it->principal->identity;
  if (it->expires && now >= *it->expires) return outside_its_time(name, *it->expires, true);
  if (it->not_before && now < *it->not_before) return outside_its_time(name, *it->not_before, false);
  if (it->certificate.kind != CertificateMatch::Kind::none &&
      (certificate == nullptr || !it->certificate.fits(*certificate)))
    return invalid_token("it is bound to a certificate that this connection does not have");
  return it->principal;
}

WallTime Authenticator::wall() const {
  return clock_ != nullptr ? clock_->wall() : SystemClock().wall();
}

PrincipalPtr Authenticator::find(std::string_view identity, std::string_view role) const {
  const auto is = [&](const PrincipalPtr& p) { return p && p->identity == identity && p->role == role; };
  if (is(anonymous_)) return anonymous_;
  const WallTime now = wall();
  for (const Entry& entry : entries_)
    if (is(entry.principal) && entry.valid(now)) return entry.principal;
  for (const Known& known : certificates_)
    if (is(known.principal)) return known.principal;
  // Its token was good when it began what is going on now; nothing here could ask for it again.
  if (verifier_ && identity.starts_with(kSignedIdentity))
    return std::make_shared<const Principal>(Principal{std::string(identity), std::string(role)});
  return nullptr;
}

std::string hash_token(std::string_view token) {
  return std::string(kHashPrefix) + to_hex(sha256(token));
}

}  // namespace vmcp::auth
