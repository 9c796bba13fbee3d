// Signed tokens: what is accepted, and every way in which one is not.
#include "auth/token_verifier.h"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>

#include "auth/authenticator.h"
#include "unit/auth/signing.h"

using namespace vmcp;
using namespace vmcp::auth;
using namespace std::chrono_literals;
using test::SigningKey;

namespace {

constexpr const char* kIssuer = "https://login.example/realm";
constexpr const char* kMetadata = "https://login.example/.well-known/oauth-authorization-server/realm";
constexpr const char* kKeys = "https://login.example/realm/keys";
constexpr std::int64_t kNow = 1'800'000'000;

class FixedClock final : public Clock {
 public:
  SteadyTime now() const override { return {}; }
  WallTime wall() const override { return WallTime(std::chrono::seconds(seconds.load())); }
  std::atomic<std::int64_t> seconds{kNow};
};

// The documents of an authorization server, as the test has them at the moment.
struct Site {
  Result<std::string> get(const std::string& url) {
    const std::lock_guard lock(mutex);
    ++fetches[url];
    const auto it = documents.find(url);
    if (it == documents.end()) return make_error(Code::unavailable, url + ": HTTP 404");
    return it->second;
  }
  void put(const std::string& url, const Json& document) {
    const std::lock_guard lock(mutex);
    documents[url] = dump_json(document);
  }
  int fetched(const std::string& url) {
    const std::lock_guard lock(mutex);
    return fetches[url];
  }
  void keys(const std::vector<const SigningKey*>& keys) {
    Json set{{"keys", Json::array()}};
    for (const SigningKey* key : keys) set["keys"].push_back(key->jwk());
    put(kKeys, set);
  }
  std::mutex mutex;
  std::map<std::string, std::string> documents;
  std::map<std::string, int> fetches;
};

Json claims() {
  return {{"iss", kIssuer}, {"aud", "https://mcp.example/mcp"}, {"sub", "agent-7"}, {"exp", kNow + 300},
          {"iat", kNow},    {"scope", "read ops unknown"}};
}
Json with(const char* key, Json value) {
  Json out = claims();
  if (value.is_null())
    out.erase(key);
  else
    out[key] = std::move(value);
  return out;
}

struct Rig {
  explicit Rig(const std::string& algorithm = "ES256") : key(algorithm, "k1") {
    site.put(kMetadata, {{"issuer", kIssuer}, {"jwks_uri", kKeys}});
    site.keys({&key});
    start();
  }
  void start() {
    IssuerSettings quick;
    quick.retry = 1ms;
    issuers = std::make_unique<Issuers>(
        std::vector<std::string>{kIssuer}, [this](const std::string& url) { return site.get(url); }, quick,
        log);
    VerifierSettings settings;
    settings.audiences = {"https://mcp.example/mcp"};
    settings.roles = {"read", "ops", "admin"};
    settings.max_kept = 4;
    if (change) change(settings);
    verifier = std::make_shared<TokenVerifier>(settings, *issuers, clock);
    issuers->wait(10s);
  }
  void check_refused(const std::string& token, const std::string& why) {
    CAPTURE(why);
    const auto r = verifier->verify(token);
    REQUIRE_FALSE(r.ok());
    CHECK(r.error().code == Code::unauthenticated);
    CHECK_MESSAGE(r.error().text.find(why) != std::string::npos, r.error().text);
    CHECK(r.error().text.find(token.substr(0, 20)) == std::string::npos);
  }

  void with_settings(const std::function<void(VerifierSettings&)>& what) {
    change = what;
    issuers.reset();
    start();
  }

  std::function<void(VerifierSettings&)> change;
  SilentLog log;
  FixedClock clock;
  SigningKey key;
  Site site;
  std::unique_ptr<Issuers> issuers;
  std::shared_ptr<TokenVerifier> verifier;
};

}  // namespace

TEST_CASE("signed: a token of each accepted algorithm is its caller, with the widest role it grants") {
  for (const char* algorithm : {"RS256", "PS256", "ES256", "EdDSA"}) {
    CAPTURE(algorithm);
    Rig r(algorithm);
    const auto caller = r.verifier->verify(r.key.token(claims()));
    REQUIRE_MESSAGE(caller.ok(), (caller.ok() ? "" : caller.error().text));
    CHECK((*caller)->identity == "oauth:agent-7@login.example");
    CHECK((*caller)->role == "ops");
  }
}

TEST_CASE("signed: roles come from scope, scp or roles, and without one a caller has none") {
  Rig r;
  const auto role = [&](Json claims) { return (*r.verifier->verify(r.key.token(claims)))->role; };
  CHECK(role(with("scope", "read")) == "read");
  CHECK(role(with("scope", "ops admin")) == "admin");
  CHECK(role(with("scope", "administrator")) == "");
  CHECK(role(with("scope", nullptr)) == "");
  Json other = with("scope", nullptr);
  other["scp"] = {"read", "ops"};
  CHECK(role(other) == "ops");
  other["roles"] = {"admin"};
  CHECK(role(other) == "admin");
  other["scp"] = 7;
  CHECK(role(other) == "admin");
}

TEST_CASE("signed: what says who a token is for, by whom, for how long, must be there and right") {
  Rig r;
  const auto refused = [&](const char* key, Json value, const char* why) {
    CAPTURE(key);
    r.check_refused(r.key.token(with(key, std::move(value))), why);
  };
  refused("iss", "https://evil.example", "issuer");
  refused("iss", std::string(kIssuer) + "/", "issuer");
  refused("iss", nullptr, "issuer");
  refused("aud", "https://other.example/mcp", "another audience");
  refused("aud", "https://mcp.example/mcp/", "another audience");
  refused("aud", Json::array({"a", 7}), "another audience");
  refused("aud", nullptr, "another audience");
  refused("exp", kNow - 61, "expired");
  refused("exp", nullptr, "when it expires");
  refused("exp", "tomorrow", "when it expires");
  refused("exp", -1, "when it expires");
  refused("nbf", kNow + 61, "not valid yet");
  refused("iat", kNow + 61, "not valid yet");
  refused("iat", "now", "not valid yet");
  refused("sub", "", "who it is for");
  refused("sub", "a\nb", "who it is for");
  refused("sub", std::string(129, 'a'), "who it is for");
  Json client = with("sub", nullptr);
  client["client_id"] = "robot";
  CHECK((*r.verifier->verify(r.key.token(client)))->identity == "oauth:robot@login.example");
  CHECK(r.verifier->verify(r.key.token(with("aud", Json::array({"x", "https://mcp.example/mcp"})))).ok());
  CHECK(r.verifier->verify(r.key.token(with("exp", kNow - 59))).ok());
}

TEST_CASE("signed: forged, unsigned and re-labelled tokens are refused") {
  Rig r("RS256");
  const std::string good = r.key.token(claims());
  r.check_refused(r.key.token(claims(), {{"alg", "none"}}), "algorithm");
  r.check_refused(r.key.token(claims(), {{"alg", "HS256"}}), "algorithm");
  r.check_refused(r.key.token(claims(), {{"alg", nullptr}}), "algorithm");
  r.check_refused(r.key.token(claims(), {{"alg", "ES256"}}), "key is not known");
  r.check_refused(r.key.token(claims(), {{"alg", "PS256"}}), "key is not known");  // the JWK says RS256
  r.check_refused(r.key.token(claims(), {{"crit", {"b64"}}}), "extensions");
  r.check_refused(r.key.token(claims(), {{"typ", "oauth-id-jag+jwt"}}), "no access token");
  r.check_refused(r.key.token(claims(), {{"typ", 7}}), "no access token");
  const SigningKey stranger("RS256", "k1");
  r.check_refused(stranger.token(claims()), "signature is wrong");
  // A public key as the secret of a symmetric algorithm.
  const std::string text =
      test::base64url(R"({"alg":"HS256","kid":"k1"})") + "." + test::base64url(dump_json(claims()));
  const Digest mac = hmac_sha256(dump_json(r.key.jwk()), text);
  r.check_refused(text + "." + test::base64url({reinterpret_cast<const char*>(mac.data()), mac.size()}),
                  "algorithm");
  const std::size_t dot = good.find('.');
  std::string other = good;
  other.replace(dot + 1, good.rfind('.') - dot - 1, test::base64url(dump_json(with("scope", "admin"))));
  r.check_refused(other, "signature is wrong");
  CHECK(r.verifier->verify(good).ok());
}

TEST_CASE("signed: malformed tokens are refused in words") {
  Rig r;
  const std::string good = r.key.token(claims());
  for (const char* bad : {"a.b", "a.b.c.d", "..", "a..b"}) CHECK_FALSE(r.verifier->verify(bad).ok());
  r.check_refused("e30." + test::base64url("[]") + ".AAAA", "payload");
  r.check_refused(test::base64url(R"({"alg":"ES256","alg":"none"})") + ".e30.AAAA", "header");
  r.check_refused(good + "=", "signature");
  r.check_refused(good.substr(0, good.rfind('.') + 1), "signature");
  r.check_refused(good.substr(0, good.rfind('.') + 1) + test::base64url(std::string(60, 'x')),
                  "signature is wrong");
  r.check_refused(good.substr(0, good.rfind('.') + 1) + test::base64url(std::string(64, '\0')),
                  "signature is wrong");
}

TEST_CASE("signed: a verified token costs its signature once until it expires, and what is kept is bounded") {
  Rig r;
  const std::string token = r.key.token(claims());
  const auto first = r.verifier->verify(token);
  REQUIRE(first.ok());
  CHECK(*r.verifier->verify(token) == *first);  // the very same object
  for (int i = 0; i < 10; ++i) CHECK(r.verifier->verify(r.key.token(with("jti", i))).ok());
  CHECK(*r.verifier->verify(token) != *first);
  r.clock.seconds = kNow + 361;
  r.check_refused(token, "expired");
}

TEST_CASE("signed: a new key is found by looking again, and no request waits for it") {
  Rig r;
  const SigningKey next("EdDSA", "k2");
  r.site.keys({&r.key, &next});
  const std::string token = next.token(claims());
  r.check_refused(token, "not known here (yet)");
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (!r.verifier->verify(token).ok()) REQUIRE(std::chrono::steady_clock::now() < until);
  CHECK(r.verifier->verify(r.key.token(claims())).ok());
}

TEST_CASE("signed: a key that was withdrawn does not live on in the tokens that it signed") {
  Rig r;
  const std::string token = r.key.token(with("exp", kNow + 7'200));
  REQUIRE(r.verifier->verify(token).ok());
  const SigningKey next("EdDSA", "k2");
  r.site.keys({&next});
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (!r.verifier->verify(next.token(claims())).ok()) REQUIRE(std::chrono::steady_clock::now() < until);
  r.clock.seconds = kNow + 599;
  CHECK(r.verifier->verify(token).ok());
  r.clock.seconds = kNow + 600;
  r.check_refused(token, "not known here");
}

TEST_CASE("signed: keys stay when the authorization server is away") {
  Rig r;
  r.site.documents.clear();
  const int before = r.site.fetched(kMetadata);
  r.issuers->look_again(kIssuer);
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (r.site.fetched(kMetadata) == before) REQUIRE(std::chrono::steady_clock::now() < until);
  CHECK(r.verifier->verify(r.key.token(claims())).ok());
}

TEST_CASE("issuers: metadata that names another issuer, or keys over plain http elsewhere, is not believed") {
  for (const Json& metadata :
       {Json{{"issuer", "https://evil.example"}, {"jwks_uri", kKeys}}, Json{{"jwks_uri", kKeys}},
        Json{{"issuer", kIssuer}, {"jwks_uri", "http://other.example/keys"}}, Json{{"issuer", kIssuer}},
        Json{{"issuer", kIssuer}, {"jwks_uri", "file:///etc/passwd"}}}) {
    CAPTURE(metadata.dump());
    Rig r;
    r.issuers.reset();
    r.site.put(kMetadata, metadata);
    r.site.put("http://other.example/keys", Json{{"keys", {r.key.jwk()}}});
    r.site.fetches.clear();
    IssuerSettings once;
    once.retry = 1h;
    Issuers issuers(
        {kIssuer}, [&](const std::string& url) { return r.site.get(url); }, once, r.log);
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (r.site.fetched(kMetadata) == 0) REQUIRE(std::chrono::steady_clock::now() < until);
    CHECK_FALSE(issuers.wait(50ms));
    CHECK(issuers.keys(kIssuer) == nullptr);
  }
}

TEST_CASE("issuers: metadata is looked for where the two standards put it") {
  CHECK(metadata_urls("https://a.example/r/") ==
        std::vector<std::string>{"https://a.example/.well-known/oauth-authorization-server/r",
                                 "https://a.example/.well-known/openid-configuration/r",
                                 "https://a.example/r/.well-known/openid-configuration"});
  CHECK(metadata_urls("https://a.example").size() == 2);
}

TEST_CASE("keys: small, foreign and contradictory ones are left out, and a set needs one that is left") {
  const SigningKey small("RS256", "small", 1024), good("ES256", "good");
  Json encrypting = good.jwk(), off_curve = good.jwk(), odd = good.jwk();
  encrypting["use"] = "enc";
  off_curve["y"] = off_curve["x"];
  odd["alg"] = "ES512";
  for (const Json& bad : {small.jwk(), encrypting, off_curve, odd, Json{{"kty", "oct"}, {"k", "AAAA"}},
                          Json{{"kty", "EC"}, {"crv", "P-256"}}, Json(7)}) {
    CAPTURE(bad.dump());
    CHECK_FALSE(VerifyKey::read(bad).ok());
    CHECK_FALSE(KeySet::read(dump_json(Json{{"keys", {bad}}})).ok());
    CHECK(KeySet::read(dump_json(Json{{"keys", {bad, good.jwk()}}})).ok());
  }
  CHECK_FALSE(KeySet::read("[]").ok());
  CHECK_FALSE(KeySet::read(dump_json(Json{{"keys", std::vector<Json>(65, good.jwk())}})).ok());
  // Without an id the only key that fits is meant; of two, neither.
  const SigningKey second("ES256", "second");
  CHECK(KeySet::read(dump_json(Json{{"keys", {good.jwk()}}}))->find("", Algorithm::es256) != nullptr);
  const auto two = KeySet::read(dump_json(Json{{"keys", {good.jwk(), second.jwk()}}}));
  CHECK(two->find("", Algorithm::es256) == nullptr);
  CHECK(two->find("second", Algorithm::es256) != nullptr);
  CHECK(two->find("second", Algorithm::rs256) == nullptr);
}

TEST_CASE("signed: static tokens go first, and an identity of either kind is found again by name and role") {
  Rig r;
  auto made = Authenticator::make({{Secret("static-token-00001"), "", "boss", "admin"}}, true, "");
  REQUIRE(made.ok());
  made->accept_signed(r.verifier);
  CHECK((*made->authenticate("Bearer static-token-00001", 1))->identity == "boss");
  const auto caller = made->authenticate("Bearer " + r.key.token(claims()), 1);
  REQUIRE(caller.ok());
  CHECK(made->find((*caller)->identity, "ops")->role == "ops");
  CHECK(made->find("boss", "admin"));
  CHECK_FALSE(made->find("boss", "read"));
  CHECK_FALSE(made->find("nobody", "admin"));
  CHECK_FALSE(made->authenticate("Bearer a.b.c", 1).ok());
  CHECK_FALSE(Authenticator::make({{Secret("static-token-00001"), "", "oauth:x", "admin"}}, true, "").ok());
  CHECK_FALSE(Authenticator::make({}, true, "").ok());
  CHECK(Authenticator::make({}, true, "", true).ok());
}

TEST_CASE(
    "signed: a token that is bound to a certificate is good with it only, also when it was seen before") {
  Rig r;
  const std::string raw(32, '\x5a');
  const PeerCertificate right{
      "CN=a", {}, to_hex(reinterpret_cast<const unsigned char*>(raw.data()), raw.size())};
  const PeerCertificate wrong{"CN=a", {}, std::string(64, 'b')};
  const std::string token = r.key.token(with("cnf", {{"x5t#S256", test::base64url(raw)}}));
  for (int twice = 0; twice < 2; ++twice) {
    r.check_refused(token, "bound to a certificate");
    CHECK_FALSE(r.verifier->verify(token, &wrong).ok());
    CHECK(r.verifier->verify(token, &right).ok());
  }
  CHECK(r.verifier->verify(r.key.token(claims()), &wrong).ok());
  // What would have to be proved in another way is no bearer token.
  for (const Json& cnf : {Json{{"jkt", "abc"}}, Json::object(), Json("x"), Json{{"x5t#S256", "short"}},
                          Json{{"x5t#S256", test::base64url(raw)}, {"jkt", "abc"}}, Json{{"x5t#S256", 7}}})
    r.check_refused(r.key.token(with("cnf", cnf)), "bound in a way");
}

TEST_CASE("signed: the roles of a configured claim count as the table says, and nothing else of it") {
  Rig r;
  const auto role = [&](Json given) {
    Json all = with("scope", nullptr);
    all.update(given);
    return (*r.verifier->verify(r.key.token(all)))->role;
  };
  r.with_settings([](VerifierSettings& s) {
    s.role_claims = {"groups", "realm_access.roles", "https://example.com/roles"};
    s.claim_roles = {
        {"vm-admins", "admin"}, {"VM Operators", "ops"}, {"everybody", "read"}, {"gone", "no-such-role"}};
  });
  CHECK(role({{"groups", {"vm-admins"}}}) == "admin");
  CHECK(role({{"groups", {"everybody", "VM Operators"}}}) == "ops");
  CHECK(role({{"groups", "everybody vm-admins"}}) == "admin");
  CHECK(role({{"realm_access", {{"roles", {"VM Operators"}}}}}) == "ops");
  CHECK(role({{"https://example.com/roles", {"vm-admins"}}}) == "admin");
  // A group that happens to be called like a role is none; nor is the claim that was not configured.
  for (const Json& nothing :
       {Json{{"groups", {"admin", "ops"}}}, Json{{"groups", {"VM", "Operators", "vm-admin"}}},
        Json{{"groups", {"gone"}}}, Json{{"roles", {"vm-admins", "admin"}}}, Json{{"groups", 7}},
        Json{{"groups", {7, nullptr, {{"a", 1}}}}}, Json{{"realm_access", "roles"}},
        Json{{"realm_access", {{"roles", {{"x", "vm-admins"}}}}}}, Json{{"groups", {"VM-ADMINS"}}}}) {
    CAPTURE(nothing.dump());
    CHECK(role(nothing) == "");
  }
  // Scopes go on to be roles beside it.
  CHECK(role({{"scope", "ops"}, {"groups", {"everybody"}}}) == "ops");
  r.with_settings([](VerifierSettings& s) { s.role_claims = {"groups"}; });
  CHECK(role({{"groups", {"admin"}}}) == "admin");
  CHECK(role({{"roles", {"admin"}}}) == "");
}

TEST_CASE("signed: times are judged with the configured difference of clocks, and no more") {
  for (const int skew : {0, 5, 300}) {
    CAPTURE(skew);
    Rig r;
    r.with_settings([&](VerifierSettings& s) { s.leeway = std::chrono::seconds(skew); });
    CHECK(r.verifier->verify(r.key.token(with("exp", kNow - skew + 1))).ok());
    r.check_refused(r.key.token(with("exp", kNow - skew)), "expired");
    for (const char* claim : {"nbf", "iat"}) {
      CHECK(r.verifier->verify(r.key.token(with(claim, kNow + skew))).ok());
      r.check_refused(r.key.token(with(claim, kNow + skew + 1)), "not valid yet");
    }
    // Also of one that was seen before.
    const std::string token = r.key.token(with("exp", kNow + 100));
    CHECK(r.verifier->verify(token).ok());
    r.clock.seconds = kNow + 100 + skew - 1;
    CHECK(r.verifier->verify(token).ok());
    r.clock.seconds = kNow + 100 + skew;
    r.check_refused(token, "expired");
  }
}

TEST_CASE("issuers: keys are renewed by themselves, and forgotten when that fails for too long") {
  Rig r;
  r.issuers.reset();
  IssuerSettings often;
  often.refresh = 2ms;
  often.retry = 2ms;
  often.keep = 50ms;
  Issuers issuers(
      {kIssuer}, [&](const std::string& url) { return r.site.get(url); }, often, r.log);
  REQUIRE(issuers.wait(10s));
  const auto soon = [](const std::function<bool()>& what) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (!what())
      if (std::chrono::steady_clock::now() > until) return false;
    return true;
  };
  const SigningKey next("ES256", "k2");
  r.site.keys({&next});
  CHECK(soon([&] {
    const auto keys = issuers.keys(kIssuer);
    return keys && keys->find("k2", Algorithm::es256) != nullptr &&
           keys->find("k1", Algorithm::es256) == nullptr;
  }));
  {
    const std::lock_guard lock(r.site.mutex);
    r.site.documents.clear();
  }
  CHECK(soon([&] { return issuers.keys(kIssuer) == nullptr; }));
  r.site.put(kMetadata, {{"issuer", kIssuer}, {"jwks_uri", kKeys}});
  r.site.keys({&r.key});
  CHECK(soon([&] { return issuers.keys(kIssuer) != nullptr; }));
}

TEST_CASE("issuers: whoever names keys that do not exist cannot make them be asked for without a pause") {
  for (const bool away : {false, true}) {
    CAPTURE(away);
    Rig r;
    r.issuers.reset();
    if (away) {
      const std::lock_guard lock(r.site.mutex);
      r.site.documents.clear();
    }
    const int before = r.site.fetched(kMetadata);
    IssuerSettings slow;
    slow.retry = 1h;
    Issuers issuers(
        {kIssuer}, [&](const std::string& url) { return r.site.get(url); }, slow, r.log);
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (r.site.fetched(kMetadata) == before) REQUIRE(std::chrono::steady_clock::now() < until);
    CHECK(issuers.wait(away ? 20ms : 10'000ms) == !away);
    for (int i = 0; i < 50; ++i) {
      issuers.look_again(kIssuer);
      CHECK(issuers.wait(1ms) == !away);
    }
    CHECK(r.site.fetched(kMetadata) == before + 1);
  }
}

TEST_CASE("keys: a set that is too large is not read") {
  const SigningKey good("ES256", "good");
  Json set{{"keys", {good.jwk()}}};
  CHECK(KeySet::read(dump_json(set)).ok());
  set["padding"] = std::string(300'000, 'x');
  CHECK_FALSE(KeySet::read(dump_json(set)).ok());
}
