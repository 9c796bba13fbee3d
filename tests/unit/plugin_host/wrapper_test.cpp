// What authors write with the C++ wrapper, through the host's own tables.
#include <doctest/doctest.h>

#include <vmcp/json.hpp>

#include "plugin_host/plugin.h"

namespace {

using vmcp::plugin_host::Invocation;

struct Sample : vmcp::plugin {
  Sample() {
    schemes("sample");
    tool("asks")
        .describe("Asks.")
        .no_upstream()
        .needs_client("roots")
        .needs_client("sampling")
        .run([](vmcp::call& c, std::string_view) {
          if (const auto said = vmcp::form_answer(c, "name"))
            return c.text(said->action + " " + said->content.value("name", "?"));
          c.log(vmcp::level::warning, "I \"ask\"\n");
          c.image("AA==", "image/png");
          c.link("sample://x", "x");
          return c.ask_form("name", "Who \"are\" you?",
                            vmcp::json{{"type", "object"}, {"properties", vmcp::json::object()}}, "begun");
        });
    tool("broken")
        .describe("Makes a block that is none.")
        .no_upstream()
        .run([](vmcp::call& c, std::string_view) { return c.content(R"({"type":"image"})"); });
    resource("sample://fixed").name("fixed").mime("text/plain").text("always");
    resource_template("sample://vm/{id}/{+rest}.txt")
        .name("parts")
        .read([](vmcp::call& c, const vmcp::uri& u) {
          return c.contents(u.text(), "", u["id"] + "|" + u["rest"] + "|" + u["none"]);
        });
    prompt("greet")
        .describe("Greets.")
        .argument("who", "A \"name\"", true)
        .argument("how", "")
        .get([](vmcp::call& c, const vmcp::args& a) {
          c.user("Greet " + a.text("who"));
          return c.assistant("Hello");
        });
    completion([](vmcp::call& c, const vmcp::completing& what) {
      if (!is_about(what, "greet", "who")) return c.values({});
      return c.values(std::vector<std::string>(150, "\"x\""));
    });
  }
};

const vmcp_entry* sample_entry() {
  static constexpr vmcp_entry kSample{
      sizeof(vmcp_entry),   VMCP_ABI_MAJOR, VMCP_ABI_MINOR,
      "org.example.sample", "1.0.0",        &vmcp::plugin_entry<Sample>::open};
  return &kSample;
}

// The manifest is made of what the library declares: here it is the wrapper that is under test.
std::shared_ptr<vmcp::plugin_host::Plugin> sample(vmcp::Log& log) {
  vmcp::plugin_host::Manifest m;
  m.id = "org.example.sample";
  m.version = "1.0.0";
  m.interfaces = {VMCP_IFACE_CALL,   VMCP_IFACE_INVENTORY, VMCP_IFACE_LOG,
                  VMCP_IFACE_NOTIFY, VMCP_IFACE_VCENTER,   VMCP_IFACE_VIM};
  for (const char* name : {"asks", "broken"}) {
    vmcp::plugin_host::Declaration& d = m.tools.emplace_back();
    d.name = name;
    d.description = name == std::string_view("asks") ? "Asks." : "Makes a block that is none.";
    d.flags = VMCP_TOOL_NO_UPSTREAM;
    d.input_schema = R"({"type":"object","properties":{},"additionalProperties":false})";
  }
  m.tools[0].client_needs = "roots,sampling";
  m.offers.reads = m.offers.completion = true;
  m.offers.schemes = {"sample"};
  m.offers.resources = {{"sample://fixed", "fixed", "", "", "text/plain", "", ""}};
  m.offers.templates = {{"sample://vm/{id}/{+rest}.txt", "parts", "", "", "", "", ""}};
  m.offers.prompts = {{"greet", "", "Greets.",
                       R"([{"name":"who","description":"A \"name\"","required":true},{"name":"how"}])"}};
  auto opened = vmcp::plugin_host::Plugin::open(sample_entry, m, log);
  REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.error().text));
  REQUIRE((*opened)->start("{}").ok());
  return *opened;
}

}  // namespace

TEST_CASE("wrapper: a tool asks in one round and finds the answer in the next") {
  vmcp::SilentLog log;
  const auto plugin = sample(log);
  Invocation i;
  i.client_can = {"elicitation.form"};
  std::string logged;
  i.on_log = [&](std::string_view level, std::string_view, std::string_view data) {
    logged = std::string(level) + std::string(data);
  };
  CHECK(plugin->run(0, i, "{}") == VMCP_SUSPENDED);
  CHECK(logged == R"(warning"I \"ask\"\n")");
  CHECK(i.next_state == "begun");
  REQUIRE(i.blocks.size() == 2);
  CHECK(vmcp::json::parse(i.blocks[1])["name"] == "x");
  const auto request = vmcp::json::parse(i.requests.at("name"));
  CHECK(request["params"]["message"] == "Who \"are\" you?");

  Invocation next;
  next.round = 1;
  next.inputs["name"] = R"({"action":"accept","content":{"name":"Ada"}})";
  CHECK(plugin->run(0, next, "{}") == VMCP_OK);
  CHECK(next.texts == std::vector<std::string>{"accept Ada"});
  for (const char* odd : {"7", "null", R"({"content":{}})", R"({"action":1})", "not json"}) {
    CAPTURE(odd);
    Invocation again;
    again.client_can = {"elicitation.form"};
    again.inputs["name"] = odd;
    CHECK(plugin->run(0, again, "{}") == VMCP_SUSPENDED);
  }
  Invocation deaf;
  CHECK(plugin->run(0, deaf, "{}") == VMCP_E_UNSUPPORTED);
}

TEST_CASE("wrapper: a block that the host does not take fails the call as a defect, with the reason") {
  vmcp::SilentLog log;
  const auto plugin = sample(log);
  Invocation i;
  CHECK(plugin->run(1, i, "{}") == VMCP_E_FAULT);
  REQUIRE(i.failure.has_value());
  CHECK(i.failure->text.find("base64") != std::string::npos);
}

TEST_CASE("wrapper: resources are found by URI or template, prompts and completions answer") {
  vmcp::SilentLog log;
  const auto plugin = sample(log);
  const auto read = [&](const char* uri) {
    Invocation i;
    const vmcp_status status = plugin->read_resource(uri, i);
    return status < 0 ? std::to_string(status) : vmcp::json::parse(i.blocks.at(0))["text"].get<std::string>();
  };
  CHECK(read("sample://fixed") == "always");
  CHECK(read("sample://vm/a%20b%2Fc/d/e.txt") == "a b/c|d/e|");
  CHECK(read("sample://vm/a/b.txt.txt") == "a|b.txt|");
  const std::string not_found = std::to_string(VMCP_E_NOT_FOUND);
  for (const char* absent : {"sample://fixed/", "sample://vm//b.txt", "sample://vm/a/.txt",
                             "sample://vm/a/b.md", "sample://other", "sample://vm/a/b.txt?x"}) {
    CAPTURE(absent);
    CHECK(read(absent) == not_found);
  }

  Invocation prompt;
  CHECK(plugin->get_prompt(0, prompt, R"({"who":"Ada"})") == VMCP_OK);
  REQUIRE(prompt.blocks.size() == 2);
  CHECK(vmcp::json::parse(prompt.blocks[0])["content"]["text"] == "Greet Ada");
  CHECK(vmcp::json::parse(prompt.blocks[1])["role"] == "assistant");
  Invocation beyond;
  CHECK(plugin->get_prompt(1, beyond, "{}") == VMCP_E_NOT_FOUND);

  Invocation completion;
  CHECK(plugin->complete(completion, R"({"type":"ref/prompt","name":"greet"})", "who", "", "{}") == VMCP_OK);
  const auto values = vmcp::json::parse(completion.structured);
  CHECK(values["values"].size() == 100);
  CHECK(values["total"] == 150);
  CHECK(values["hasMore"] == true);
  Invocation other;
  CHECK(plugin->complete(other, R"({"type":"ref/prompt","name":"greet"})", "how", "", "{}") == VMCP_OK);
  CHECK(vmcp::json::parse(other.structured)["values"].empty());
}
