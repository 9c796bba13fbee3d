#include "plugin_host/seen_versions.h"

#include "trust_rig.h"

using namespace vmcp;
using namespace vmcp::plugin_host;
using namespace vmcp::plugin_host::test;

namespace {

int order(const char* a, const char* b) {
  int out = 99;
  return compare_versions(a, b, out) ? out : 99;
}

}  // namespace

TEST_CASE("versions: ordered as semantic versioning orders them, both ways round") {
  const char* const kAscending[] = {"0.0.1",
                                    "0.0.2",
                                    "0.1.0",
                                    "1.0.0-alpha",
                                    "1.0.0-alpha.1",
                                    "1.0.0-alpha.beta",
                                    "1.0.0-beta",
                                    "1.0.0-beta.2",
                                    "1.0.0-beta.11",
                                    "1.0.0-rc.1",
                                    "1.0.0",
                                    "1.0.1",
                                    "1.2.0",
                                    "1.10.0",
                                    "2.0.0",
                                    "10.0.0",
                                    "123456789012345678.0.0"};
  for (std::size_t i = 0; i < std::size(kAscending); ++i)
    for (std::size_t j = 0; j < std::size(kAscending); ++j) {
      CAPTURE(kAscending[i]);
      CAPTURE(kAscending[j]);
      CHECK(order(kAscending[i], kAscending[j]) == (i < j ? -1 : i > j ? 1 : 0));
    }
  CHECK(order("1.0.0+a", "1.0.0+b") == 0);
}

TEST_CASE("versions: what is no version has no order") {
  for (const char* text : {"", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.x", "01.2.3", "1..3", "1.2.3-",
                           "1.2.3-a..b", "1.2.3-ä", "-1.2.3", "1.2.3 "}) {
    CAPTURE(text);
    CHECK(order(text, "1.0.0") == 99);
    CHECK(order("1.0.0", text) == 99);
  }
}

TEST_CASE("seen versions: the highest is kept, on disk too") {
  const TestFolder folder;
  const std::string file = folder / "plugin-versions.json";
  auto seen = SeenVersions::open(file);
  REQUIRE(seen.ok());
  CHECK(seen->highest("org.example.a").empty());
  CHECK(seen->remember("org.example.a", "1.2.0", false).ok());
  CHECK(seen->remember("org.example.a", "1.10.0", false).ok());
  CHECK(seen->remember("org.example.a", "1.9.0", false).ok());
  CHECK(seen->remember("org.example.b", "not-a-version", false).ok());
  auto again = SeenVersions::open(file);
  REQUIRE(again.ok());
  CHECK(again->highest("org.example.a") == "1.10.0");
  CHECK(again->highest("org.example.b").empty());
  CHECK(again->remember("org.example.a", "1.9.0", true).ok());
  CHECK(SeenVersions::open(file)->highest("org.example.a") == "1.9.0");
}

TEST_CASE("seen versions: a list that cannot be believed is an error and is not overwritten") {
  const TestFolder folder;
  for (const char* text : {"", "{", "[]", R"({"a":1})", R"({"a":"none"})"}) {
    CAPTURE(text);
    refused_saying(SeenVersions::open(folder.file("v.json", text)), "downgrade");
    CHECK(bytes_of(folder / "v.json") == text);
  }
  refused_saying(SeenVersions::open(folder.file("v.json", "{}", 0666)), "chmod");
  auto nowhere = SeenVersions::open(folder / "no/such/v.json");
  REQUIRE(nowhere.ok());
  refused_saying(nowhere->remember("org.example.a", "1.0.0", false), "STATE_DIR");
  CHECK(nowhere->highest("org.example.a").empty());
}
