// Whatever comes, it is answered once, with a status that the protocol knows and a body that parses.
#include <doctest/doctest.h>

#include <random>
#include <set>

#include "fakes.h"
#include "support/rounds.h"

using namespace vmcp;
using namespace vmcp::mcp;
using namespace vmcp::mcp::fakes;

namespace {

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

  std::string text(std::string s) {
    static constexpr char kBytes[] = "{}[]\":,\\0123456789.eE-+ntfu /abcIDmeth\x00\x01\xff\xc3\xa4\t ";
    static const std::string kAlphabet(kBytes, sizeof kBytes - 1);  // with the zero in its middle
    for (std::size_t i = below(4); i > 0 && !s.empty(); --i) {
      const std::size_t at = below(s.size());
      switch (below(5)) {
        case 0:
          s[at] = kAlphabet[below(kAlphabet.size())];
          break;
        case 1:
          s.erase(at, 1 + below(8));
          break;
        case 2:
          s.insert(at, 1, kAlphabet[below(kAlphabet.size())]);
          break;
        case 3:
          s.insert(at, s.substr(below(s.size()), below(20)));
          break;
        default:
          s.resize(at);
          break;
      }
    }
    return s;
  }

  Json value(const Json& v) {
    switch (below(9)) {
      case 0:
        return nullptr;
      case 1:
        return -1;
      case 2:
        return 1e300;
      case 3:
        return "";
      case 4:
        return Json::array({v});
      case 5:
        return Json{{"x", v}};
      case 6:
        return true;
      case 7:
        return std::string(300, 'z');
      default:
        return v;
    }
  }

  // Changes one member somewhere in the tree.
  void tree(Json& v) {
    if (!v.is_structured() || v.empty() || below(4) == 0) {
      v = value(v);
      return;
    }
    auto it = v.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(below(v.size())));
    if (v.is_object() && below(6) == 0)
      v.erase(it);
    else
      tree(*it);
  }

 private:
  std::mt19937 random_;
};

}  // namespace

TEST_CASE("mutations: 20,000 broken requests each get exactly one valid answer") {
  Mutator m(20260728);
  const std::set<int> statuses{200, 202, 400, 404, 405, 406, 415};
  Rig rig;
  rig.pipeline.tools = {
      make_tool("echo",
                R"({"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}})"),
      make_tool("second")};
  std::size_t accepted = 0, refused = 0;
  for (int round = 0; round < vmcp::testing::rounds(20'000); ++round) {
    Json body;
    Headers headers;
    switch (m.below(5)) {
      case 0:
        body = modern_body("tools/call", {{"name", "echo"}, {"arguments", {{"region", "eu"}}}});
        headers = modern_headers("tools/call", "echo");
        headers.emplace_back("Mcp-Param-Region", "eu");
        break;
      case 1:
        body = modern_body("tools/list", {{"cursor", "next"}});
        headers = modern_headers("tools/list");
        break;
      case 2:
        body = legacy_body("initialize", {{"protocolVersion", "2025-11-25"}});
        break;
      case 3:
        body = legacy_body("tools/call", {{"name", "echo"}, {"arguments", {{"a", 1}}}}, "x");
        headers = {{"MCP-Protocol-Version", "2025-06-18"}};
        break;
      default:
        body = Json::array({legacy_body("ping"), legacy_body("tools/call", {{"name", "second"}}, 2)});
        break;
    }
    if (m.below(2) == 0) m.tree(body);
    std::string text = body.dump(-1, ' ', m.below(2) == 0);
    if (m.below(3) == 0) text = m.text(std::move(text));
    if (!headers.empty() && m.below(4) == 0) {
      auto& [name, value] = headers[m.below(headers.size())];
      if (m.below(2) == 0)
        value = m.text(value);
      else
        name = m.text(name);
    }
    rig.pipeline.calls.clear();
    const Answer& answer = rig.send(text, headers);
    CAPTURE(text);
    CAPTURE(answer.body);
    REQUIRE(rig.inbound->answers.size() == 1);
    REQUIRE(statuses.contains(answer.status));
    if (answer.status == 202) {
      REQUIRE(answer.body.empty());
      continue;
    }
    auto parsed = parse_json(answer.body);
    REQUIRE(parsed.ok());
    for (const Json& one : parsed->is_array() ? *parsed : Json::array({*parsed})) {
      REQUIRE(one["jsonrpc"] == "2.0");
      REQUIRE(one.contains("result") != one.contains("error"));
      if (one.contains("id")) REQUIRE((one["id"].is_string() || one["id"].is_number_integer()));
      REQUIRE((answer.status == 200 || one.contains("error")));
      ++(one.contains("result") ? accepted : refused);
    }
  }
  CHECK(accepted > 1'000);
  CHECK(refused > 5'000);
}
