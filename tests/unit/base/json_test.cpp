#include "base/json.h"

#include <doctest/doctest.h>

using namespace vmcp;

TEST_CASE("parse_json: reads what is valid") {
  auto r = parse_json(R"({"a":[1,-2,3.5,true,null,"x\u0041"],"b":{}})");
  REQUIRE(r.ok());
  CHECK((*r)["a"][5] == "xA");
  CHECK((*r)["a"][1] == -2);
  CHECK(parse_json("18446744073709551615").ok());
}

TEST_CASE("parse_json: refuses what one reader could see otherwise than another") {
  for (const char* text :
       {R"({"a":1,"a":2})", R"({"a":1,"\u0061":2})", R"({"name":1,"Name":2})", R"({"a":1} x)", R"({"a":1}{})",
        "", "{", "[1,]", "{'a':1}", "NaN", "Infinity", "01", "[1e999]", "18446744073709551616",
        "-9223372036854775809", "\"\xff\"", "\"\xed\xa0\x80\"", "\"\x01\"", "// c\n1"}) {
    CAPTURE(text);
    auto r = parse_json(text);
    CHECK_FALSE(r.ok());
    if (!r.ok()) CHECK(r.error().code == Code::malformed);
  }
}

TEST_CASE("parse_json: finds case variants among many keys, at every depth, without comparing all pairs") {
  const auto object = [](int keys, const std::string& last) {
    std::string text = "{";
    for (int i = 0; i < keys; ++i) text += "\"key" + std::to_string(i) + "\":0,";
    return text + last + "}";
  };
  for (const int keys : {14, 15, 16, 17, 18, 40}) {
    CAPTURE(keys);
    CHECK(parse_json(object(keys, R"("other":0)")).ok());
    CHECK_FALSE(parse_json(object(keys, R"("KEY3":0)")).ok());
    CHECK_FALSE(parse_json(object(keys, R"("new":0,"NEW":0)")).ok());
    CHECK_FALSE(parse_json(object(keys, R"("inner":{"a":1,"A":2})")).ok());
    // Each object has its own keys: an inner or an earlier one with the same names is no variant.
    CHECK(parse_json(object(keys, "\"inner\":" + object(keys, R"("KEYS":0)"))).ok());
    CHECK(parse_json("[" + object(keys, R"("Z":0)") + "," + object(keys, R"("z":0)") + "]").ok());
  }
  // Quadratic work would take minutes here.
  CHECK(parse_json(object(70'000, R"("z":0)")).ok());
}

TEST_CASE("parse_json: keeps its bounds") {
  JsonLimits limits;
  limits.max_depth = 3;
  CHECK(parse_json("[[[1]]]", limits).ok());
  CHECK_FALSE(parse_json("[[[[1]]]]", limits).ok());
  CHECK_FALSE(parse_json(std::string(200'000, '['), JsonLimits{}).ok());
  limits = {};
  limits.max_values = 4;
  CHECK(parse_json("[1,2,3]", limits).ok());
  CHECK_FALSE(parse_json("[1,2,3,4]", limits).ok());
  limits = {};
  limits.max_bytes = 5;
  CHECK(parse_json("[1,2]", limits).ok());
  CHECK_FALSE(parse_json("[1,2] ", limits).ok());
}

TEST_CASE("parse_json: case variants may stand in trusted text") {
  CHECK(parse_trusted_json(R"({"name":1,"Name":2})").ok());
  CHECK_FALSE(parse_trusted_json(R"({"name":1,"name":2})").ok());
}

TEST_CASE("append_json_string: what it writes parses back, bad bytes become U+FFFD") {
  std::string all;
  for (int c = 1; c < 128; ++c) all += static_cast<char>(c);
  all += "Grüße €😀";
  std::string out;
  append_json_string(out, all);
  auto back = parse_json(out);
  REQUIRE(back.ok());
  CHECK(*back == all);
  out.clear();
  append_json_string(out, "a\xC3\xED\xA0\x80z\xF5");
  back = parse_json(out);
  REQUIRE(back.ok());
  CHECK(*back == "a\uFFFD\uFFFD\uFFFD\uFFFDz\uFFFD");
}

TEST_CASE("append_json_key: puts commas only between members") {
  std::string out = "{";
  append_json_key(out, "a");
  append_json_int(out, -5);
  append_json_key(out, "b");
  append_json_int(out, 9'000'000'000);
  out += '}';
  CHECK(out == R"({"a":-5,"b":9000000000})");
}

TEST_CASE("dump_json: never throws on bad bytes") {
  CHECK(dump_json(Json("\xff")) == "\"\uFFFD\"");
}
