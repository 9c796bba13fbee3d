#include <doctest/doctest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/bearer.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/glob.h"
#include "base/result.h"
#include "base/secret.h"

using namespace vmcp;

TEST_CASE("glob_match: stars, question marks, literals") {
  CHECK(glob_match("*", ""));
  CHECK(glob_match("list_*", "list_vms"));
  CHECK(glob_match("*_vm", "power_on_vm"));
  CHECK(glob_match("a*b*c", "aXXbYYc"));
  CHECK(glob_match("a?c", "abc"));
  CHECK(glob_match("", ""));
  CHECK_FALSE(glob_match("list_*", "List_vms"));
  CHECK_FALSE(glob_match("a?c", "ac"));
  CHECK_FALSE(glob_match("", "x"));
  CHECK(glob_match("dc-?", "dc-\xC3\xBC"));
  CHECK(glob_match("*??", "a\xE2\x82\xAC"));
  CHECK_FALSE(glob_match("dc-??", "dc-\xC3\xBC"));
  CHECK_FALSE(glob_match("*??", "\xE2\x82\xAC"));
  CHECK(glob_match("a?c",
                   "a\xFF"
                   "c"));
  CHECK_FALSE(glob_match("*a", "ab"));
  CHECK_FALSE(glob_match(std::string(50, '*') + "b", std::string(20'000, 'a')));  // linear, or this hangs
}

TEST_CASE("bearer token: letters, digits, six signs, padding at the end only, bounded") {
  CHECK(is_bearer_token("aZ09-._~+/"));
  CHECK(is_bearer_token("a=="));
  for (const std::string bad :
       {"", "=", "==", "a=b", "=a", "a b", "a\"b", "a,b", "a:b", "a\tb", "t\u00f6ken"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_bearer_token(bad));
  }
  CHECK_FALSE(is_bearer_token(std::string_view("a\0b", 3)));
  CHECK(is_bearer_token(std::string(kMaxBearerToken, 'a')));
  CHECK_FALSE(is_bearer_token(std::string(kMaxBearerToken + 1, 'a')));
}

TEST_CASE("iso8601: UTC with milliseconds") {
  CHECK(iso8601(WallTime{std::chrono::milliseconds{0}}) == "1970-01-01T00:00:00.000Z");
  CHECK(iso8601(WallTime{std::chrono::milliseconds{1770113472345}}) == "2026-02-03T10:11:12.345Z");
}

TEST_CASE("iso8601: what people write is read, and nothing that leaves the moment open") {
  const auto ms = [](std::string_view text) -> std::int64_t {
    const auto t = parse_iso8601(text);
    return t ? std::chrono::duration_cast<milliseconds>(t->time_since_epoch()).count() : -1;
  };
  CHECK(ms("1970-01-01") == 0);
  CHECK(ms("2026-02-03T10:11:12.345Z") == 1770113472345);
  CHECK(ms("2026-02-03T10:11:12.345678901Z") == 1770113472345);
  CHECK(ms("2026-02-03 11:11:12+01:00") == 1770113472000);
  CHECK(ms("2026-02-03T08:41:12-01:30") == 1770113472000);
  CHECK(ms("2028-02-29") == 1835395200000);
  for (const char* wrong : {"",
                            "2026",
                            "2026-02",
                            "2026-2-3",
                            "2026-02-30",
                            "2027-02-29",
                            "2026-13-01",
                            "1969-12-31",
                            "2201-01-01",
                            "2026-02-03T",
                            "2026-02-03T10",
                            "2026-02-03T10:11",
                            "2026-02-03T10:11:12",
                            "2026-02-03T24:00:00Z",
                            "2026-02-03T10:60:00Z",
                            "2026-02-03T10:11:60Z",
                            "2026-02-03T10:11:12.Z",
                            "2026-02-03T10:11:12Zx",
                            "2026-02-03T10:11:12+1:00",
                            "2026-02-03T10:11:12+01:00x",
                            "2026-02-03Z",
                            " 2026-02-03",
                            "+026-02-03"}) {
    CAPTURE(wrong);
    CHECK(ms(wrong) == -1);
  }
}

TEST_CASE("crypto: known answers") {
  CHECK(to_hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(random_id().size() == 32);
  CHECK(random_id() != random_id());
}

TEST_CASE("base64: round trip, strict decoding") {
  std::string out;
  for (const std::string& s : std::initializer_list<std::string>{"", "a", "ab", "abc", "abcd", "\xff\xfe"}) {
    REQUIRE(base64_decode(base64_encode(s), out));
    CHECK(out == s);
  }
  CHECK(base64_encode("Hi") == "SGk=");
  for (const char* bad : {"SGk", "SGk==", "SG k=", "SGk=\n", "SGl=", "====", "S===", "=Gk=", "SGk-"})
    CHECK_FALSE_MESSAGE(base64_decode(bad, out), bad);
}

TEST_CASE("secret: equal in constant time means equal") {
  CHECK(equal_constant_time("abc", "abc"));
  CHECK_FALSE(equal_constant_time("abc", "abd"));
  CHECK_FALSE(equal_constant_time("abc", "ab"));
  Secret a("x");
  Secret b = std::move(a);
  CHECK(b.reveal() == "x");
  CHECK(a.empty());  // NOLINT(bugprone-use-after-move): the point of the case
}

TEST_CASE("result: carries a value or an error") {
  Result<int> good = 5;
  Result<int> bad = make_error(Code::denied, "no");
  CHECK(good.ok());
  CHECK(*good == 5);
  CHECK_FALSE(bad.ok());
  CHECK(bad.error().text == "no");
  Result<void> fine;
  CHECK(fine.ok());
  CHECK(std::string(code_name(Code::needs_confirm)) == "needs_confirm");
}

TEST_CASE("crypto: what was encrypted opens with the same key and the same bound text only") {
  const std::string key(32, 'k'), plain("secret\0state", 12);
  const std::string sealed = encrypt(key, plain, "for alice");
  CHECK(sealed.find("secret") == std::string::npos);
  CHECK(sealed.size() == plain.size() + 28);
  std::string out;
  CHECK(decrypt(key, sealed, "for alice", out));
  CHECK(out == plain);
  CHECK(decrypt(key, encrypt(key, "", ""), "", out));
  CHECK(out.empty());
  CHECK_FALSE(decrypt(key, sealed, "for bob", out));
  CHECK_FALSE(decrypt(std::string(32, 'x'), sealed, "for alice", out));
  for (const std::size_t size : {std::size_t{0}, std::size_t{27}, sealed.size() - 1})
    CHECK_FALSE(decrypt(key, sealed.substr(0, size), "for alice", out));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string altered = sealed;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    CHECK_FALSE(decrypt(key, altered, "for alice", out));
    CHECK(out.empty());
  }
  CHECK_THROWS(encrypt("short", plain, ""));
}

TEST_CASE("ids do not repeat within a thread or between threads") {
  constexpr std::size_t kThreads = 4, kIds = 1000;  // several stocks each
  std::vector<std::vector<std::string>> drawn(kThreads);
  std::vector<std::thread> threads;
  for (auto& ids : drawn)
    threads.emplace_back([&ids] {
      for (std::size_t i = 0; i < kIds; ++i) ids.push_back(random_id());
    });
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& ids : drawn) all.insert(ids.begin(), ids.end());
  CHECK(all.size() == kThreads * kIds);
  CHECK_FALSE(all.contains(std::string(32, '0')));
}
