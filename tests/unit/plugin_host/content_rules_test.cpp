#include "plugin_host/content_rules.h"

#include <doctest/doctest.h>

#include "vmcp/vmcp.h"

using namespace vmcp;
using namespace vmcp::plugin_host;

namespace {

bool fits(Produces produces, std::string_view json) {
  return check_block(produces, json, 1u << 20).ok();
}

}  // namespace

TEST_CASE("content: a tool's blocks of every type pass, and each spoiled member is refused") {
  for (const char* block :
       {R"({"type":"text","text":""})", R"({"type":"image","data":"iVBORw==","mimeType":"image/png"})",
        R"({"type":"audio","data":"UklGRg==","mimeType":"audio/wav","annotations":{"priority":1}})",
        R"({"type":"resource_link","uri":"a://b","name":"b"})",
        R"({"type":"resource","resource":{"uri":"a://b","text":"t"}})",
        R"({"type":"resource","resource":{"uri":"a://b","blob":"AA==","mimeType":"x/y"}})"}) {
    CAPTURE(block);
    CHECK(fits(Produces::tool, block));
  }
  for (const char* block : {"",
                            "{",
                            "[]",
                            "1",
                            R"({"type":"text"})",
                            R"({"text":"t"})",
                            R"({"type":"text","text":1})",
                            R"({"type":"video","data":"AA==","mimeType":"video/mp4"})",
                            R"({"type":"image","data":"AA=="})",
                            R"({"type":"image","data":"not base64!","mimeType":"image/png"})",
                            R"({"type":"image","data":"AA==","mimeType":""})",
                            R"({"type":"audio","mimeType":"audio/wav"})",
                            R"({"type":"resource_link","uri":"a://b"})",
                            R"({"type":"resource_link","name":"b"})",
                            R"({"type":"resource"})",
                            R"({"type":"resource","resource":{"text":"t"}})",
                            R"({"type":"resource","resource":{"uri":"a://b"}})",
                            R"({"type":"resource","resource":{"uri":"a://b","text":"t","blob":"AA=="}})",
                            R"({"type":"resource","resource":{"uri":"a://b","blob":"%%"}})",
                            R"({"type":"resource","resource":{"uri":"a://b","text":"t","mimeType":7}})",
                            R"({"uri":"a://b","text":"t"})"}) {
    CAPTURE(block);
    CHECK_FALSE(fits(Produces::tool, block));
  }
}

TEST_CASE("content: contents are for resources, messages for prompts, and nothing for completions") {
  constexpr const char* kContents = R"({"uri":"a://b","text":"t"})";
  constexpr const char* kMessage = R"({"role":"assistant","content":{"type":"text","text":"t"}})";
  CHECK(fits(Produces::resource, kContents));
  CHECK(fits(Produces::prompt, kMessage));
  CHECK_FALSE(fits(Produces::prompt, kContents));
  CHECK_FALSE(fits(Produces::resource, kMessage));
  CHECK_FALSE(fits(Produces::completion, kContents));
  CHECK_FALSE(fits(Produces::prompt, R"({"role":"system","content":{"type":"text","text":"t"}})"));
  CHECK_FALSE(fits(Produces::prompt, R"({"role":"user"})"));
  CHECK_FALSE(fits(Produces::prompt, R"({"role":"user","content":{"type":"image"}})"));
  CHECK_FALSE(check_block(Produces::resource, kContents, 10).ok());
}

TEST_CASE("content: line breaks between tokens go, those inside texts and the order of members stay") {
  const auto block =
      check_block(Produces::tool, "{\n \"type\" :\t\"text\",\r\n\"text\": \"a \\\"b\\\\\\n c\"\n}", 1000);
  REQUIRE(block.ok());
  CHECK(*block == R"({"type":"text","text":"a \"b\\\n c"})");
}

TEST_CASE("input requests: what each method needs of the client") {
  const auto needs = [](std::string_view json) {
    const auto request = check_input_request(json);
    REQUIRE_MESSAGE(request.ok(), (request.ok() ? "" : request.error().text));
    return request->needs;
  };
  using Names = std::vector<std::string>;
  constexpr const char* kForm =
      R"("requestedSchema":{"type":"object","properties":{"a":{"type":"string"}}}}})";
  CHECK(needs(std::string(R"({"method":"elicitation/create","params":{"message":"m",)") + kForm) ==
        Names{"elicitation.form"});
  CHECK(needs(std::string(R"({"method":"elicitation/create","params":{"mode":"form","message":"m",)") +
              kForm) == Names{"elicitation.form"});
  CHECK(
      needs(
          R"({"method":"elicitation/create","params":{"mode":"url","message":"m","url":"https://a.example"}})") ==
      Names{"elicitation.url"});
  constexpr const char* kMessages =
      R"("messages":[{"role":"user","content":{"type":"text","text":"q"}}],"maxTokens":9)";
  CHECK(needs(std::string(R"({"method":"sampling/createMessage","params":{)") + kMessages + "}}") ==
        Names{"sampling"});
  CHECK(needs(std::string(R"({"method":"sampling/createMessage","params":{"tools":[],)") + kMessages +
              "}}") == Names{"sampling", "sampling.tools"});
  CHECK(needs(R"({"method":"roots/list","params":{}})") == Names{"roots"});
}

TEST_CASE("input requests: what is none is refused with a reason") {
  for (const char* request :
       {"", "[]", R"({"method":"roots/list"})", R"({"params":{}})", R"({"method":"roots/list","params":[]})",
        R"({"method":"tools/call","params":{}})", R"({"method":"elicitation/create","params":{}})",
        R"({"method":"elicitation/create","params":{"message":"m"}})",
        R"({"method":"elicitation/create","params":{"message":"m","requestedSchema":{"type":"array"}}})",
        R"({"method":"elicitation/create","params":{"message":"m","requestedSchema":{"type":"object"}}})",
        R"({"method":"elicitation/create","params":{"mode":"url","message":"m"}})",
        R"({"method":"elicitation/create","params":{"mode":"telepathy","message":"m","url":"https://a"}})",
        R"({"method":"sampling/createMessage","params":{"messages":[],"maxTokens":9}})",
        R"({"method":"sampling/createMessage","params":{"messages":[{}]}})",
        R"({"method":"sampling/createMessage","params":{"messages":[{}],"maxTokens":-1}})"}) {
    CAPTURE(request);
    const auto r = check_input_request(request);
    REQUIRE_FALSE(r.ok());
    CHECK(r.error().text.find("input request") != std::string::npos);
  }
}

TEST_CASE("completions: at most a hundred texts, and nothing at all counts as none") {
  CHECK(is_completion(""));
  CHECK(is_completion(R"({"values":[]})"));
  CHECK(is_completion(R"({"values":["a"],"total":1,"hasMore":false})"));
  std::string values = "\"x\"";
  for (int i = 1; i < 100; ++i) values += ",\"x\"";
  CHECK(is_completion("{\"values\":[" + values + "]}"));
  CHECK_FALSE(is_completion("{\"values\":[" + values + ",\"x\"]}"));
  for (const char* bad : {"[]", "{}", R"({"values":[1]})", R"({"values":{}})", R"({"values":[],"total":-1})",
                          R"({"values":[],"hasMore":1})", "{"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_completion(bad));
  }
}
