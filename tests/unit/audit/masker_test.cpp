#include "audit/masker.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "base/json.h"
#include "base/mask.h"
#include "support/rounds.h"

using namespace vmcp;
using namespace vmcp::audit;

namespace {

std::string through_tree(const std::string& json, std::size_t max = 8192) {
  std::string out;
  append_masked_json(out, *parse_trusted_json(json), max);
  return out;
}
std::string through_audit(const std::string& json, std::size_t max = 8192) {
  std::string out;
  append_masked_args(out, json, max);
  return out;
}

class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  int operator()(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  template <std::size_t N>
  const char* of(const char* const (&choices)[N]) {
    return choices[random_() % N];
  }

 private:
  std::mt19937 random_;
};

const char* const kFragments[] = {"password",
                                  "token",
                                  "a",
                                  " ",
                                  "  ",
                                  "=",
                                  ":",
                                  "\"",
                                  "'",
                                  "Bearer ",
                                  "basic ",
                                  "eyJ",
                                  ".",
                                  "..",
                                  "://",
                                  "@",
                                  "user",
                                  "-----BEGIN ",
                                  "KEY-----",
                                  "vm-12",
                                  "prod",
                                  "x_pwd-",
                                  "abcdef",
                                  ",",
                                  "\n",
                                  "/",
                                  "secretary",
                                  "api",
                                  "-",
                                  "_key",
                                  "?",
                                  "#",
                                  "\t",
                                  "cookie",
                                  "apikey",
                                  "-----END X-----",
                                  "0123456789abcdef0123456789"};

}  // namespace

TEST_CASE("may_hold_secret: false only for text that mask_text leaves alone") {
  Dice dice(1);
  int plain = 0;
  for (int round = 0; round < vmcp::testing::rounds(60'000); ++round) {
    std::string text;
    for (int i = dice(9); i >= 0; --i) text += dice.of(kFragments);
    if (may_hold_secret(text)) continue;
    ++plain;
    REQUIRE_MESSAGE(mask_text(text) == text, text);
  }
  CHECK(plain > 10'000);
}

TEST_CASE("may_hold_secret: ordinary names, paths, times and identifiers stay on the short way") {
  for (const char* text :
       {"vm-3301", "vm:vm-3301", "/north/vm/prod/ledger-db", "2026-02-03T10:11:12.345Z", "192.0.2.1",
        "before the upgrade", "org.vmcp.vm 0.1.0", "http://host/path", "memory=on"})
    CHECK_FALSE_MESSAGE(may_hold_secret(text), text);
  for (const char* text : {"Bearer abcdefgh", "password=x", "\"token\" : \"x\"", "https://u:p@h",
                           "eyJhbGciOi.J9.abcdefghijklm", "-----BEGIN RSA PRIVATE KEY-----"})
    CHECK_MESSAGE(may_hold_secret(text), text);
}

TEST_CASE("args: ordinary arguments take the short way and come out as they are") {
  std::string out;
  const std::string json =
      R"({"vm_id":"vm-3301","limit":50,"names":["a","b"],"deep":{"on":true,"ratio":-0.25,"none":null}})";
  REQUIRE(append_plain_args(out, json, 8192));
  CHECK(out == json);
  out.clear();
  REQUIRE(append_plain_args(out, " {\n \"a\" : [ 1 , 2 ] , \"b\":{ } , \"c\" : [] }\t", 8192));
  CHECK(out == R"({"a":[1,2],"b":{},"c":[]})");
}

TEST_CASE("args: a secret key's value is masked whatever it is, on both ways") {
  for (const std::string value :
       {"\"canary\"", "[\"canary\"]", "{\"x\":\"canary\"}", "\"can\\u0061ry\"", "12345", "null"})
    for (const std::string key : {"token", "Password", "vc-pass-word", "apiKey", "session.id"}) {
      const std::string json = "{\"vm\":\"a\",\"" + key + "\":" + value + ",\"z\":1}";
      const std::string out = through_audit(json);
      CHECK(out.find("canary") == std::string::npos);
      CHECK(out.find("12345") == std::string::npos);
      CHECK(parse_trusted_json(out)->at(key) == "[secret]");
      CHECK(*parse_trusted_json(out) == *parse_trusted_json(through_tree(json)));
    }
}

TEST_CASE("args: secrets inside strings, keys and nested values are masked") {
  for (const std::string json :
       {R"({"note":"use Bearer canary-canary now"})", R"({"a":[{"b":"password=canary"}]})",
        R"({"url":"https://me:canary@host/x"})", R"({"password=canary":1})",
        R"({"x":"\u0042earer canary-canary"})", R"({"x":{"\u0074oken":"canary"}})"}) {
    const std::string out = through_audit(json);
    CHECK_MESSAGE(out.find("canary") == std::string::npos, out);
    CHECK(parse_trusted_json(out));
  }
}

TEST_CASE("args: what is not JSON is not shown at all") {
  for (const std::string json :
       {"canary", "{\"a\":canary}", "{\"a\":\"canary\"", "{\"a\":1}canary", "{\"a\":1,}", "[1,]", "{,}",
        "{\"a\" 1}", "{\"canary\nx\":1}", "{\"a\":\"canary\xff\"}", "{\"a\":01,\"canary\":1}",
        "{\"a\":-,\"canary\":1}", "{\"a\":1.,\"canary\":1}", "{\"a\":tru,\"canary\":1}", "[1 canary]",
        "\"canary", "{\"a\":\"canary\n\"}"}) {
    const std::string out = through_audit(json);
    CHECK_MESSAGE(out == "\"[unreadable]\"", json);
  }
  CHECK(through_audit("") == "{}");
}

TEST_CASE("args: a line stays one line and bounded, however long or deep the arguments") {
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "{\"a\":";
  deep += "\"canary\"";
  deep += std::string(40, '}');
  CHECK(through_audit(deep).find("canary") == std::string::npos);
  CHECK(parse_trusted_json(through_audit(deep)));

  std::string wide = "{";
  for (int i = 0; i < 5000; ++i) wide += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":\"some value here\"";
  wide += "}";
  const std::string cut = through_audit(wide, 1000);
  CHECK(cut.size() < 1500);
  CHECK(parse_trusted_json(cut));
  CHECK(through_audit("{\"a\":\"" + std::string(100'000, 'x') + "\"}").size() < 9000);
  CHECK(through_audit("{\"a\":\"line\\nbreak\"}").find('\n') == std::string::npos);
}

namespace {

std::string random_value(Dice& dice, int depth) {
  static const char* const keys[] = {"vm_id", "name", "token",    "limit",    "Password",
                                     "a b",   "x:y",  "\\u0061b", "\xc3\xa9", "memory"};
  static const char* const strings[] = {"vm-1",         "Bearer abcdefgh",
                                        "plain text",   "a=b",
                                        "p\\nq",        "eyJaaaaaaaaaa.bbbbbbbbb.ccccccccc",
                                        "\xe2\x82\xac", "",
                                        "pwd: x",       "a\\\"b",
                                        "1.2.3"};
  static const char* const scalars[] = {
      "0", "-1", "12.5", "true", "false", "null", "1e3", "123456789012345678", "9223372036854775807", "-0.5"};
  const int kind = dice(depth > 4 ? 2 : 4);
  if (kind == 0) return std::string("\"") + dice.of(strings) + "\"";
  if (kind == 1) return dice.of(scalars);
  std::string out = kind == 2 ? "{" : "[";
  for (int i = 0, n = dice(4); i < n; ++i) {
    if (i > 0) out += dice(2) ? "," : " ,\n";
    if (kind == 2) out += "\"" + std::string(dice.of(keys)) + std::to_string(i) + "\": ";
    out += random_value(dice, depth + 1);
  }
  return out + (kind == 2 ? "}" : "]");
}

}  // namespace

TEST_CASE("args: on random JSON the short way agrees with the tree") {
  Dice dice(7);
  int plain = 0;
  for (int round = 0; round < vmcp::testing::rounds(20'000); ++round) {
    const std::string json = random_value(dice, 0);
    REQUIRE_MESSAGE(parse_trusted_json(json).ok(), json);
    std::string out;
    if (append_plain_args(out, json, 8192))
      ++plain;
    else
      REQUIRE(out.empty());
    REQUIRE_MESSAGE(*parse_trusted_json(through_audit(json)) == *parse_trusted_json(through_tree(json)),
                    json);
  }
  CHECK(plain > 3000);
}

TEST_CASE("args: the short way never accepts what the parser refuses, on mutated JSON") {
  Dice dice(11);
  int accepted = 0;
  const char noise[] = "{}[]\",:0a.-+e \\\n\x80t";
  for (int round = 0; round < vmcp::testing::rounds(60'000); ++round) {
    std::string json = random_value(dice, 2);
    for (int i = dice(3); i >= 0 && !json.empty(); --i) {
      const auto at = static_cast<std::size_t>(dice(static_cast<int>(json.size())));
      if (dice(2))
        json[at] = noise[dice(sizeof noise - 1)];
      else
        json.erase(at, 1);
    }
    std::string out;
    if (!append_plain_args(out, json, 8192)) continue;
    ++accepted;
    const auto parsed = parse_trusted_json(json);
    // Duplicate keys are the one thing that the short way lets pass: it masks each, and the server refused
    // them before.
    if (!parsed && parsed.error().text.find("duplicate") != std::string::npos) continue;
    REQUIRE_MESSAGE(parsed.ok(), json);
    REQUIRE(*parse_trusted_json(out) == *parse_trusted_json(through_tree(json)));
  }
  CHECK(accepted > 1000);
}
