#include "plugin_host/offers.h"

#include <doctest/doctest.h>

#include <memory>

#include "plugin_host/manifest.h"

using namespace vmcp;
using namespace vmcp::plugin_host;

namespace {

constexpr const char* kOwner = "org.example.a";

uint32_t none(const vmcp_plugin*) {
  return 0;
}
const vmcp_resource* no_resource(const vmcp_plugin*, uint32_t) {
  return nullptr;
}
const vmcp_resource_template* no_template(const vmcp_plugin*, uint32_t) {
  return nullptr;
}
const vmcp_prompt* no_prompt(const vmcp_plugin*, uint32_t) {
  return nullptr;
}

vmcp_resources_1 good_resources() {
  return {sizeof(vmcp_resources_1),
          0,
          none,
          no_resource,
          none,
          no_template,
          nullptr,
          [](const vmcp_plugin*, vmcp_call*, vmcp_str) { return static_cast<vmcp_status>(VMCP_OK); }};
}
vmcp_prompts_1 good_prompts() {
  return {sizeof(vmcp_prompts_1), 0, none, no_prompt, [](const vmcp_plugin*, uint32_t, vmcp_call*, vmcp_str) {
            return static_cast<vmcp_status>(VMCP_OK);
          }};
}

vmcp_resource good_resource() {
  vmcp_resource r{};
  r.size = sizeof r;
  r.uri = "org.example.a://one";
  r.name = "one";
  return r;
}
vmcp_resource_template good_template() {
  vmcp_resource_template t{};
  t.size = sizeof t;
  t.uri_template = "org.example.a://{id}";
  t.name = "some";
  return t;
}
vmcp_prompt good_prompt() {
  vmcp_prompt p{};
  p.size = sizeof p;
  p.name = "begin";
  p.description = "How to begin.";
  p.arguments = R"([{"name":"a","description":"d","required":true},{"name":"b"}])";
  return p;
}

template <class R>
void not_taken(const R& result, const char* word) {
  REQUIRE_FALSE(result.ok());
  CHECK_MESSAGE(result.error().text.find(word) != std::string::npos, result.error().text);
}

Offers some_offers() {
  Offers o;
  o.reads = true;
  o.completion = true;
  o.schemes = {"acme"};
  o.resources = {*check_resource(std::make_unique<vmcp_resource>(good_resource()).get())};
  o.templates = {*check_template(std::make_unique<vmcp_resource_template>(good_template()).get())};
  o.prompts = {*check_prompt(std::make_unique<vmcp_prompt>(good_prompt()).get())};
  return o;
}

}  // namespace

TEST_CASE("offers: absent tables are fine, half ones are refused, one spoiled pointer per case") {
  CHECK((check_resources(nullptr)->read == nullptr));
  CHECK((check_prompts(nullptr)->get == nullptr));
  CHECK((check_completion(nullptr)->complete == nullptr));

  vmcp_resources_1 r = good_resources();
  CHECK(check_resources(&r).ok());
  r.size = offsetof(vmcp_resources_1, read);
  not_taken(check_resources(&r), "size");
  r = good_resources();
  r.count = nullptr;
  not_taken(check_resources(&r), "null");
  r = good_resources();
  r.at = nullptr;
  not_taken(check_resources(&r), "null");
  r = good_resources();
  r.read = nullptr;
  not_taken(check_resources(&r), "null");
  r = good_resources();
  r.template_at = nullptr;
  not_taken(check_resources(&r), "template_at");
  r.template_count = nullptr;
  CHECK(check_resources(&r).ok());

  vmcp_prompts_1 p = good_prompts();
  CHECK(check_prompts(&p).ok());
  p.size = 16;
  not_taken(check_prompts(&p), "size");
  p = good_prompts();
  p.count = nullptr;
  not_taken(check_prompts(&p), "null");
  p = good_prompts();
  p.at = nullptr;
  not_taken(check_prompts(&p), "null");
  p = good_prompts();
  p.get = nullptr;
  not_taken(check_prompts(&p), "null");

  vmcp_completion_1 c{sizeof(vmcp_completion_1), 0, nullptr};
  not_taken(check_completion(&c), "complete");
  c.complete = [](const vmcp_plugin*, vmcp_call*, vmcp_str, vmcp_str, vmcp_str, vmcp_str) {
    return static_cast<vmcp_status>(VMCP_OK);
  };
  CHECK(check_completion(&c).ok());
  c.size = 12;
  not_taken(check_completion(&c), "complete");
}

TEST_CASE("offers: a resource's declaration, one spoiled member per case") {
  vmcp_resource r = good_resource();
  CHECK(check_resource(&r)->name == "one");
  not_taken(check_resource(nullptr), "null");
  r.size = 16;
  not_taken(check_resource(&r), "small");
  const std::string endless(3000, 'x');
  for (const char* uri :
       {static_cast<const char*>(nullptr), "", "org.example.a://with blank", "a://\n", endless.c_str()}) {
    r = good_resource();
    r.uri = uri;
    not_taken(check_resource(&r), "URI");
  }
  r = good_resource();
  r.name = nullptr;
  not_taken(check_resource(&r), "name");
  r = good_resource();
  r.title = endless.c_str();
  not_taken(check_resource(&r), "title");
  r = good_resource();
  r.mime_type = endless.c_str();
  not_taken(check_resource(&r), "MIME");
  r = good_resource();
  r.annotations = "[]";
  not_taken(check_resource(&r), "annotations");
  r = good_resource();
  r.meta = "{";
  not_taken(check_resource(&r), "meta");

  // An author with an older SDK has a shorter structure: what it lacks is absent, whatever lies behind it.
  r = good_resource();
  r.meta = reinterpret_cast<const char*>(0x100000001);
  for (const uint32_t half : {0u, 4u}) {
    r.size = offsetof(vmcp_resource, meta) + half;
    CHECK(check_resource(&r)->meta.empty());
  }
}

TEST_CASE("offers: a template's and a prompt's declaration, one spoiled member per case") {
  vmcp_resource_template t = good_template();
  CHECK(check_template(&t)->uri_template == "org.example.a://{id}");
  not_taken(check_template(nullptr), "null");
  t.size = 16;
  not_taken(check_template(&t), "small");
  t = good_template();
  t.uri_template = "";
  not_taken(check_template(&t), "URI template");
  t = good_template();
  t.name = "";
  not_taken(check_template(&t), "name");

  vmcp_prompt p = good_prompt();
  CHECK(check_prompt(&p)->name == "begin");
  not_taken(check_prompt(nullptr), "null");
  p.size = 24;
  not_taken(check_prompt(&p), "small");
  for (const char* name : {static_cast<const char*>(nullptr), "", "two words"}) {
    p = good_prompt();
    p.name = name;
    not_taken(check_prompt(&p), "name");
  }
  p = good_prompt();
  p.description = "";
  not_taken(check_prompt(&p), "description");
  for (const char* arguments :
       {"{}", "[1]", "[{}]", R"([{"name":"a b"}])", R"([{"name":"a"},{"name":"a"}])",
        R"([{"name":"a","required":"yes"}])", R"([{"name":"a","description":1}])", "["}) {
    CAPTURE(arguments);
    p = good_prompt();
    p.arguments = arguments;
    not_taken(check_prompt(&p), "argument");
  }
}

TEST_CASE("offers: schemes are spelled as such, are not everybody's, and are few") {
  CHECK(check_schemes("")->empty());
  CHECK(*check_schemes("acme,acme-logs,c+1") == std::vector<std::string>{"acme", "acme-logs", "c+1"});
  for (const char* bad : {"Acme", "1acme", "ac.me", "ac_me", "acme,,b", "acme, b", "acme://", ","}) {
    CAPTURE(bad);
    not_taken(check_schemes(bad), "spelled");
  }
  for (const char* reserved : {"vsphere", "ui", "http", "https", "file", "data", "javascript"}) {
    CAPTURE(reserved);
    not_taken(check_schemes(reserved), "cannot belong");
  }
  not_taken(check_schemes("a,a"), "twice");
  not_taken(check_schemes("a,b,c,d,e,f,g,h,i"), "more than 8");
}

TEST_CASE("offers: a plugin owns what begins with its id, its ui path or its schemes, and nothing else") {
  const std::vector<std::string> schemes = {"acme"};
  for (const char* uri : {"org.example.a://x", "ui://org.example.a/view", "acme://", "acme://{id}"}) {
    CAPTURE(uri);
    CHECK(owns_uri(kOwner, schemes, uri));
  }
  for (const char* uri :
       {"", "x", "org.example.a:x", "org.example.ab://x", "org.example://x", "ui://org.example.ab/view",
        "ui://org.example.a", "ui://org.example.b/org.example.a/", "acmes://x", "vsphere://x", "https://x",
        "{acme}://x", "ACME://x"}) {
    CAPTURE(uri);
    CHECK_FALSE(owns_uri(kOwner, schemes, uri));
  }
}

TEST_CASE("offers: what does not fit together refuses the load") {
  CHECK(check_offers(kOwner, some_offers(), {}).ok());
  Offers o = some_offers();
  o.resources.push_back(o.resources[0]);
  not_taken(check_offers(kOwner, o, {}), "twice");
  o = some_offers();
  o.prompts.push_back(o.prompts[0]);
  not_taken(check_offers(kOwner, o, {}), "twice");
  o = some_offers();
  o.resources[0].uri = "vsphere://vc/vm/1";
  not_taken(check_offers(kOwner, o, {}), "is not this plugin's");
  o = some_offers();
  o.templates[0].uri_template = "{scheme}://x";
  not_taken(check_offers(kOwner, o, {}), "is not this plugin's");

  Declaration tool;
  tool.name = "shown";
  tool.view = "ui://org.example.a/view";
  CHECK(check_offers(kOwner, some_offers(), {tool}).ok());
  not_taken(check_offers(kOwner, Offers{}, {tool}), "vmcp.resources");
  tool.view = "acme://view";
  not_taken(check_offers(kOwner, some_offers(), {tool}), "ui://org.example.a/");
  tool.view = "ui://org.example.b/view";
  not_taken(check_offers(kOwner, some_offers(), {tool}), "ui://org.example.a/");
}

TEST_CASE("offers: the manifest says them, and each lie about them is found") {
  const auto manifest =
      parse_manifest(R"({"manifest":0,"id":"org.example.a","version":"1","abi":{"major":0,"minor":1},
    "tools":[],"reads_resources":true,"completion":true,"schemes":["acme"],
    "resources":[{"uri":"org.example.a://one","name":"one"}],
    "resource_templates":[{"uri_template":"org.example.a://{id}","name":"some"}],
    "prompts":[{"name":"begin","description":"How to begin.",
      "arguments":[{"required":true,"description":"d","name":"a"},{"name":"b"}]}]})");
  REQUIRE_MESSAGE(manifest.ok(), (manifest.ok() ? "" : manifest.error().text));
  CHECK(offers_difference(manifest->offers, some_offers()).empty());
  const auto lie = [&](auto change) {
    Offers o = some_offers();
    change(o);
    CHECK_FALSE(offers_difference(manifest->offers, o).empty());
  };
  lie([](Offers& o) { o.schemes.clear(); });
  lie([](Offers& o) { o.reads = false; });
  lie([](Offers& o) { o.completion = false; });
  lie([](Offers& o) { o.resources.clear(); });
  lie([](Offers& o) { o.resources[0].uri = "org.example.a://two"; });
  lie([](Offers& o) { o.resources[0].name = "two"; });
  lie([](Offers& o) { o.resources[0].title = "Two"; });
  lie([](Offers& o) { o.resources[0].description = "d"; });
  lie([](Offers& o) { o.resources[0].mime_type = "text/html"; });
  lie([](Offers& o) { o.resources[0].annotations = R"({"priority":1})"; });
  lie([](Offers& o) { o.resources[0].meta = R"({"ui":{}})"; });
  lie([](Offers& o) { o.templates.clear(); });
  lie([](Offers& o) { o.templates[0].uri_template = "org.example.a://{x}"; });
  lie([](Offers& o) { o.prompts.clear(); });
  lie([](Offers& o) { o.prompts[0].name = "end"; });
  lie([](Offers& o) { o.prompts[0].title = "T"; });
  lie([](Offers& o) { o.prompts[0].description = "d"; });
  lie([](Offers& o) { o.prompts[0].arguments = "[]"; });
}

TEST_CASE("offers: a manifest whose lists are no lists of objects is refused") {
  for (const char* member : {R"("resources":{})", R"("resources":[1])", R"("resource_templates":"x")",
                             R"("prompts":[null])", R"("schemes":[1])", R"("schemes":["http"])"}) {
    CAPTURE(member);
    CHECK_FALSE(
        parse_manifest(std::string(R"({"id":"a.b","version":"1","abi":{},"tools":[],)") + member + "}").ok());
  }
}

TEST_CASE("offers: a tool's task flags, client needs and view are checked and in the manifest") {
  vmcp_tool t{};
  t.size = sizeof t;
  t.name = "t";
  t.description = "d";
  t.input_schema = R"({"type":"object"})";
  t.client_needs = "sampling, elicitation.form";
  t.flags = VMCP_TOOL_TASK_REQUIRED | VMCP_TOOL_TASK_ASKS_FIRST;
  const auto d = check_tool(&t);
  REQUIRE(d.ok());
  CHECK(d->client_needs == "sampling,elicitation.form");
  t.flags = VMCP_TOOL_TASK_REQUIRED | VMCP_TOOL_TASK_OPTIONAL;
  not_taken(check_tool(&t), "optional and required");
  t.flags = VMCP_TOOL_TASK_ASKS_FIRST;
  not_taken(check_tool(&t), "VMCP_TOOL_TASK_OPTIONAL");
  t.flags = 0;
  t.client_needs = "telepathy";
  not_taken(check_tool(&t), "telepathy");
  // An older SDK's structure ends before these members.
  t.client_needs = reinterpret_cast<const char*>(1);
  t.size = offsetof(vmcp_tool, client_needs);
  CHECK(check_tool(&t)->client_needs.empty());

  const std::string begin = R"({"id":"a.b","version":"1","abi":{},"tools":[{"name":"t","effect":"read",)";
  const auto said = parse_manifest(
      begin +
      R"("task":"required","task_asks_first":true,"client_needs":["sampling"],"view":"ui://a.b/v"}]})");
  REQUIRE(said.ok());
  CHECK(said->tools[0].flags == (VMCP_TOOL_TASK_REQUIRED | VMCP_TOOL_TASK_ASKS_FIRST));
  CHECK(said->tools[0].client_needs == "sampling");
  CHECK(said->tools[0].view == "ui://a.b/v");
  CHECK_FALSE(parse_manifest(begin + R"("task":"sometimes"}]})").ok());
  const CheckedEntry entry{"a.b", "1", nullptr};
  for (const auto change :
       {+[](Declaration& x) { x.flags = VMCP_TOOL_TASK_REQUIRED; },
        +[](Declaration& x) { x.client_needs = "roots"; }, +[](Declaration& x) { x.view = "ui://a.b/w"; }}) {
    std::vector<Declaration> is = said->tools;
    is[0].cost = 1;
    CHECK(difference(*said, entry, is, said->offers, false).empty());
    change(is[0]);
    CHECK_FALSE(difference(*said, entry, is, said->offers, false).empty());
  }
}
