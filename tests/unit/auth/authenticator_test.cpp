#include "auth/authenticator.h"
#include "auth/callers.h"
#include "base/bearer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

using namespace vmcp;
using auth::Authenticator;
using auth::TokenEntry;

namespace {

TokenEntry plain(std::string token, std::string role, std::string name = {}) {
  return {Secret(std::move(token)), {}, std::move(name), std::move(role)};
}
TokenEntry hashed(std::string hash, std::string role, std::string name = {}) {
  return {Secret(), std::move(hash), std::move(name), std::move(role)};
}

template <class... E>
Result<Authenticator> made_of(E... entries) {
  std::vector<TokenEntry> list;
  (list.push_back(std::move(entries)), ...);
  return Authenticator::make(std::move(list), true, "");
}

Authenticator two_tokens() {
  return std::move(made_of(plain("demo-read", "read"), plain("demo-admin", "admin", "alice"))).value();
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("authenticate: a configured token becomes its principal") {
  const Authenticator auth = two_tokens();
  const auto alice = auth.authenticate("Bearer demo-admin", 1);
  REQUIRE(alice);
  CHECK((*alice)->identity == "alice");
  CHECK((*alice)->role == "admin");
  const auto unnamed = auth.authenticate("Bearer demo-read", 1);
  REQUIRE(unnamed);
  CHECK((*unnamed)->identity == "token-" + auth::hash_token("demo-read").substr(7, 8));
  CHECK((*unnamed)->role == "read");
}

TEST_CASE("authenticate: the scheme's case and the blanks around the token do not matter") {
  const Authenticator auth = two_tokens();
  for (const char* value :
       {"bearer demo-read", "BEARER demo-read", "BeArEr   demo-read  ", "Bearer demo-read\t"})
    CHECK_MESSAGE(auth.authenticate(value, 1), value);
}

TEST_CASE("authenticate: a missing header names the way to send a token") {
  const Authenticator auth = two_tokens();
  const auto missing = auth.authenticate(std::string_view(), 0);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == Code::unauthenticated);
  CHECK(missing.error().text ==
        "Authentication required: send the header Authorization with 'Bearer <token>'");
}

TEST_CASE("authenticate: whatever is not exactly a known Bearer token is refused without quoting it") {
  const Authenticator auth = two_tokens();
  for (const std::string value :
       {"", "Bearer", "Bearer ", "Bearer demo-rea", "Bearer demo-readx", "Bearer Demo-read", "demo-read",
        "Basic demo-read", "Bearerdemo-read", "Bearer demo-read demo-read", "Bearer demo-read,demo-admin",
        "Bearer \"demo-read\"", "Bearer demo-read\x01", "Bearer d\xc3\xa9mo-read",
        "Bearer =", "Bearer ====", "Bearer de=mo-read", "Bearer\tdemo-read", "Token demo-read"}) {
    const auto refused = auth.authenticate(value, 1);
    REQUIRE_FALSE_MESSAGE(refused, value);
    CHECK(refused.error().code == Code::unauthenticated);
    CHECK(contains(refused.error().text, "This token is not valid"));
    CHECK(contains(refused.error().text, "send the header Authorization with 'Bearer <token>'"));
    CHECK_FALSE(contains(refused.error().text, "demo"));
    CHECK_FALSE(contains(refused.error().detail, "demo"));
  }
}

TEST_CASE("authenticate: a NUL byte does not end the comparison early") {
  const Authenticator auth = two_tokens();
  CHECK_FALSE(auth.authenticate(std::string_view("Bearer demo-read\0x", 18), 1));
}

TEST_CASE("authenticate: two headers are refused even when both are right") {
  const auto refused = two_tokens().authenticate("Bearer demo-read", 2);
  REQUIRE_FALSE(refused);
  CHECK(contains(refused.error().text, "more than once"));
}

TEST_CASE("authenticate: the header is bounded") {
  const std::string longest(kMaxBearerToken + 64 - 7, 'a');
  const Authenticator auth = two_tokens();
  const auto at_bound = auth.authenticate("Bearer " + longest, 1);
  REQUIRE_FALSE(at_bound);
  CHECK_FALSE(contains(at_bound.error().text, "16 KiB"));
  const auto beyond = auth.authenticate("Bearer a" + longest, 1);
  REQUIRE_FALSE(beyond);
  CHECK(contains(beyond.error().text, "16 KiB"));
}

TEST_CASE("authenticate: a hash in either case of hex admits its token") {
  std::string hash = auth::hash_token("s3cret-Token.~+/9==");
  CHECK(hash.size() == 71);
  for (std::size_t i = 7; i < hash.size(); ++i) hash[i] = static_cast<char>(std::toupper(hash[i]));
  const auto auth = made_of(hashed(hash, "ops", "bob"));
  REQUIRE(auth);
  REQUIRE(auth->authenticate("Bearer s3cret-Token.~+/9==", 1));
  CHECK_FALSE(auth->authenticate("Bearer " + hash, 1));
  CHECK_FALSE(auth->authenticate("Bearer s3cret-Token.~+/9=", 1));
}

TEST_CASE(
    "authenticate: without enforcement an absent credential is anonymous and a wrong one is still refused") {
  auto auth = Authenticator::make({plain("demo-ops", "ops", "bob")}, false, "read");
  REQUIRE(auth);
  const auto anonymous = auth->authenticate(std::string_view(), 0);
  REQUIRE(anonymous);
  CHECK((*anonymous)->identity == "anonymous");
  CHECK((*anonymous)->role == "read");
  CHECK_FALSE(auth->authenticate("Bearer nonsense", 1));
  CHECK_FALSE(auth->authenticate("", 1));
  const auto bob = auth->authenticate("Bearer demo-ops", 1);
  REQUIRE(bob);
  CHECK((*bob)->role == "ops");
}

TEST_CASE("authenticate: among many tokens each finds its own principal") {
  std::vector<TokenEntry> entries;
  for (int i = 0; i < 3000; ++i)
    entries.push_back(plain("token-" + std::to_string(i), "read", "n" + std::to_string(i)));
  const auto auth = Authenticator::make(std::move(entries), true, "");
  REQUIRE(auth);
  for (int i = 0; i < 3000; i += 7) {
    const auto principal = auth->authenticate("Bearer token-" + std::to_string(i), 1);
    REQUIRE(principal);
    REQUIRE((*principal)->identity == "n" + std::to_string(i));
  }
  CHECK_FALSE(auth->authenticate("Bearer token-3000", 1));
}

TEST_CASE("make: two tokens may share a name, so that one can replace the other") {
  const auto auth = made_of(plain("old", "ops", "ci"), plain("new", "ops", "ci"));
  REQUIRE(auth);
  CHECK((*auth->authenticate("Bearer old", 1))->identity == "ci");
  CHECK((*auth->authenticate("Bearer new", 1))->identity == "ci");
}

TEST_CASE("make: every bad entry is named at once and no token is quoted") {
  const auto bad =
      made_of(plain("fine", "read"), hashed("sha256:1234", "read", "short"), plain("", "read"),
              plain("canary-norole", ""), plain("fine", "admin"), plain("canary with blank", "read"),
              hashed("md5:" + std::string(64, 'a'), "read"), hashed("sha256:" + std::string(64, 'g'), "read"),
              plain("canary-x", "read", "anonymous"), plain("canary-y", "read", "line\nbreak"),
              TokenEntry{Secret("canary-both"), auth::hash_token("x"), "", "read"});
  REQUIRE_FALSE(bad);
  const std::string& text = bad.error().text;
  for (const char* part :
       {"token 2 ('short')", "token 3 is empty", "token 4 has no role", "token 5 is the same as token 1",
        "token 6 can never be sent", "token 7 has a malformed hash", "token 8 has a malformed hash",
        "token 9 ('anonymous')", "token 10 has a name", "token 11 has a token and a hash"})
    CHECK_MESSAGE(contains(text, part), part, " in ", text);
  CHECK_FALSE(contains(text, "canary"));
  CHECK_FALSE(contains(text, "fine"));
}

TEST_CASE("make: a hash and the plain token of the same secret are duplicates") {
  CHECK_FALSE(made_of(plain("same", "read"), hashed(auth::hash_token("same"), "admin")));
}

TEST_CASE("make: no token at all stops an enforcing server and no other") {
  CHECK_FALSE(Authenticator::make({}, true, ""));
  CHECK(Authenticator::make({}, false, "read"));
  CHECK_FALSE(Authenticator::make({}, false, ""));
}

namespace {

class SetClock final : public Clock {
 public:
  SteadyTime now() const override { return {}; }
  WallTime wall() const override { return at; }
  WallTime at = *parse_iso8601("2027-01-01");
};

}  // namespace

TEST_CASE("authenticate: a token is valid from its beginning to its end, judged at each use") {
  SetClock clock;
  TokenEntry bounded = plain("token-of-the-night", "ops", "night-shift");
  bounded.not_before = clock.at;
  bounded.expires = clock.at + std::chrono::hours(24);
  const auto made = Authenticator::make({bounded}, true, "", false, &clock);
  REQUIRE(made.ok());
  const auto at = [&](std::chrono::milliseconds from_begin) {
    clock.at = *bounded.not_before + from_begin;
    return made->authenticate("Bearer token-of-the-night", 1);
  };
  const std::chrono::milliseconds day = std::chrono::hours(24);
  CHECK(at(milliseconds(0)).ok());
  CHECK(made->find("night-shift", "ops"));
  CHECK(at(day - milliseconds(1)).ok());
  const auto early = at(milliseconds(-1));
  REQUIRE_FALSE(early.ok());
  CHECK(early.error().code == Code::unauthenticated);
  CHECK(contains(early.error().text, "'night-shift' is not valid before 2027-01-01T00:00:00.000Z"));
  const auto late = at(day);
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().code == Code::unauthenticated);
  CHECK(contains(late.error().text, "'night-shift' has expired at 2027-01-02T00:00:00.000Z"));
  CHECK_FALSE(contains(late.error().text, "token-of-the-night"));
  // Nor does what it began go on under its name.
  CHECK_FALSE(made->find("night-shift", "ops"));
}

TEST_CASE("authenticate: two tokens of one name overlap, and one caller has no gap") {
  SetClock clock;
  const WallTime begin = clock.at;
  TokenEntry old = plain("token-number-one", "ops", "agent-7"),
             next = plain("token-number-two", "ops", "agent-7");
  old.expires = begin + std::chrono::hours(2);
  next.not_before = begin + std::chrono::hours(1);
  const auto made = Authenticator::make({old, next}, true, "", false, &clock);
  REQUIRE(made.ok());
  for (int minutes = 0; minutes < 180; ++minutes) {
    clock.at = begin + std::chrono::minutes(minutes);
    const auto one = made->authenticate("Bearer token-number-one", 1),
               two = made->authenticate("Bearer token-number-two", 1);
    CHECK(one.ok() == (minutes < 120));
    CHECK(two.ok() == (minutes >= 60));
    REQUIRE((one.ok() || two.ok()));
    CHECK((one.ok() ? *one : *two)->identity == "agent-7");
    CHECK(made->find("agent-7", "ops"));
  }
  CHECK(contains(
      made_of(plain("token-number-one", "ops", "x"), plain("token-number-two", "read", "x")).error().text,
      "token 2 ('x') has the name of another token with another role"));
  next.expires = next.not_before;
  CHECK(contains(Authenticator::make({next}, true, "").error().text, "expires before it begins"));
}

TEST_CASE("callers: replaced as a whole, and who was admitted keeps what he is") {
  auth::Callers callers(two_tokens());
  const auto alice = callers.now()->authenticate("Bearer demo-admin", 1);
  REQUIRE(alice.ok());
  const auto judging = callers.now();
  callers.replace(std::move(made_of(plain("another-token", "read", "bob"))).value());
  CHECK_FALSE(callers.now()->authenticate("Bearer demo-admin", 1).ok());
  CHECK(callers.now()->authenticate("Bearer another-token", 1).ok());
  CHECK((*alice)->identity == "alice");
  CHECK(judging->authenticate("Bearer demo-admin", 1).ok());
}

namespace {

auth::CertificateEntry certificate(auth::CertificateMatch match, std::string name, std::string role) {
  return {std::move(match), std::move(name), std::move(role)};
}
auth::CertificateMatch subject(std::string text) {
  return {auth::CertificateMatch::Kind::subject, std::move(text)};
}
const std::string kDigest = std::string(63, 'a') + "1";

PeerCertificate agent() {
  return {
      "CN=agent-7,O=Example", {"URI:spiffe://example/agent-7", "DNS:a.example", "email:a@example"}, kDigest};
}

Result<Authenticator> certified(std::vector<auth::CertificateEntry> entries, bool enforce = true,
                                std::vector<TokenEntry> tokens = {}) {
  return Authenticator::make(std::move(tokens), enforce, enforce ? "" : "read", false, nullptr,
                             std::move(entries));
}

}  // namespace

TEST_CASE(
    "certificates: subject, alternative name and digest name a caller, and nothing that only looks alike") {
  const PeerCertificate shown = agent();
  const auto identity = [&](auth::CertificateMatch match) {
    const auto made = certified({certificate(std::move(match), "seven", "ops")});
    REQUIRE(made.ok());
    const auto caller = made->authenticate({}, 0, &shown);
    return caller.ok() ? (*caller)->identity + " " + (*caller)->role : std::string("refused");
  };
  CHECK(identity(subject("CN=agent-7,O=Example")) == "seven ops");
  for (const char* other : {"CN=agent-7", "CN=agent-77,O=Example", "cn=agent-7,O=Example",
                            "O=Example,CN=agent-7", "CN=agent-7,O=Example,C=DE", "*"})
    CHECK_MESSAGE(identity(subject(other)) == "refused", other);
  for (const char* name : {"spiffe://example/agent-7", "a.example", "a@example", "DNS:a.example"})
    CHECK_MESSAGE(identity(auth::match_name(name)) == "seven ops", name);
  for (const char* name :
       {"spiffe://example/agent-77", "spiffe://example", "b.example", "URI:a.example", "example"})
    CHECK_MESSAGE(identity(auth::match_name(name)) == "refused", name);
  CHECK(identity(*auth::match_sha256(kDigest)) == "seven ops");
  CHECK(identity(*auth::match_sha256(std::string(62, 'A') + ":A1")) == "seven ops");
  CHECK(identity(*auth::match_sha256(std::string(64, 'a'))) == "refused");
  for (const char* wrong : {"", "aa", "sha256:aa"}) CHECK_FALSE(auth::match_sha256(wrong).ok());
  CHECK(auth::read_match("CN=x")->kind == auth::CertificateMatch::Kind::subject);
  CHECK(auth::read_match("spiffe://x/y?a=b")->kind == auth::CertificateMatch::Kind::name);
  CHECK(auth::read_match(kDigest)->kind == auth::CertificateMatch::Kind::sha256);
  CHECK_FALSE(auth::read_match("").ok());
  // A certificate without a subject is not the one of an entry without a subject.
  const PeerCertificate nobody{"", {}, ""};
  CHECK_FALSE(subject("").fits(nobody));
  CHECK_FALSE(auth::CertificateMatch{}.fits(nobody));
}

TEST_CASE("certificates: with a token the token decides, without either there is nobody") {
  const PeerCertificate shown = agent(), other{"CN=other", {}, std::string(64, 'b')};
  const auto made = certified({certificate(subject("CN=agent-7,O=Example"), "seven", "ops")}, true,
                              {plain("demo-admin", "admin", "alice")});
  REQUIRE(made.ok());
  CHECK((*made->authenticate("Bearer demo-admin", 1, &shown))->identity == "alice");
  CHECK_FALSE(made->authenticate("Bearer wrong", 1, &shown).ok());
  CHECK_FALSE(made->authenticate("", 1, &shown).ok());
  CHECK_FALSE(made->authenticate("Bearer demo-admin", 2, &shown).ok());
  CHECK_FALSE(made->authenticate({}, 0, nullptr).ok());
  const auto unknown = made->authenticate({}, 0, &other);
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().code == Code::unauthenticated);
  CHECK(contains(unknown.error().text, "certificate of this connection is no caller"));
  CHECK(made->find("seven", "ops"));
  CHECK_FALSE(made->find("seven", "admin"));
  const auto open = certified({certificate(subject("CN=agent-7,O=Example"), "seven", "ops")}, false);
  CHECK((*open->authenticate({}, 0, &shown))->identity == "seven");
  CHECK((*open->authenticate({}, 0, &other))->identity == "anonymous");
}

TEST_CASE("certificates: what says more goes first, and two of a kind are nobody") {
  const PeerCertificate shown = agent();
  const auto by_subject = certificate(subject("CN=agent-7,O=Example"), "by-subject", "read");
  const auto by_name = certificate(auth::match_name("a.example"), "by-name", "ops");
  const auto by_other_name =
      certificate(auth::match_name("spiffe://example/agent-7"), "by-other-name", "ops");
  const auto by_digest = certificate(*auth::match_sha256(kDigest), "by-digest", "admin");
  const auto who = [&](std::vector<auth::CertificateEntry> entries) {
    std::string out;
    for (int twice = 0; twice < 2; ++twice) {  // in either order
      const auto caller = certified(entries)->authenticate({}, 0, &shown);
      out += (caller.ok() ? (*caller)->identity : "refused") + std::string(" ");
      std::reverse(entries.begin(), entries.end());
    }
    return out;
  };
  CHECK(who({by_subject, by_name}) == "by-name by-name ");
  CHECK(who({by_subject, by_name, by_digest}) == "by-digest by-digest ");
  CHECK(who({by_name, by_other_name}) == "refused refused ");
  CHECK(who({by_name, by_other_name, by_subject}) == "refused refused ");
  CHECK(who({by_name, by_other_name, by_digest}) == "by-digest by-digest ");
  auto same = by_other_name;
  same.name = "by-name";
  CHECK(who({by_name, same}) == "by-name by-name ");
}

TEST_CASE("certificates: a token that is bound to one is good with it only") {
  const PeerCertificate shown = agent(), other{"CN=other", {}, std::string(64, 'b')};
  TokenEntry bound = plain("bound-token-00001", "ops", "seven");
  bound.certificate = *auth::read_match(kDigest);
  const auto made = certified({}, true, {bound, plain("free-token-000001", "ops", "free")});
  CHECK(made->authenticate("Bearer bound-token-00001", 1, &shown).ok());
  CHECK(made->authenticate("Bearer free-token-000001", 1, &other).ok());
  for (const PeerCertificate* wrong : {static_cast<const PeerCertificate*>(nullptr), &other}) {
    const auto refused = made->authenticate("Bearer bound-token-00001", 1, wrong);
    REQUIRE_FALSE(refused.ok());
    CHECK(contains(refused.error().text, "bound to a certificate"));
  }
}

TEST_CASE("certificates: entries that name nobody, or nothing, stop the start") {
  const auto why = [](auth::CertificateEntry entry) { return certified({std::move(entry)}).error().text; };
  CHECK(contains(why(certificate({}, "x", "ops")), "certificate 1 names no certificate"));
  CHECK(contains(why(certificate(subject(""), "x", "ops")), "names no certificate"));
  CHECK(contains(why(certificate(subject("CN=x"), "", "ops")), "has no name"));
  CHECK(contains(why(certificate(subject("CN=x"), "x", "")), "has no role"));
  CHECK(contains(why(certificate(subject("CN=x"), "anonymous", "ops")), "reserved"));
  CHECK(contains(why(certificate(subject("CN=x"), "oauth:x", "ops")), "reserved"));
  CHECK(contains(
      certified({certificate(subject("CN=x"), "alice", "ops")}, true, {plain("demo-admin", "admin", "alice")})
          .error()
          .text,
      "another caller with another role"));
}
