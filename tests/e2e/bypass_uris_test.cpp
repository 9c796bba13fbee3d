// Bypass corpus, resources and completion: one object has many URIs, and a vCenter many names; none of them
// reads or lists more than the plain one.
#include <doctest/doctest.h>

#include "e2e/corpus.h"
#include "e2e/site.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

Sent read_uri(const std::string& uri, const std::string& token = "demo-admin") {
  return modern_sent("resources/read", {{"uri", uri}}, token);
}

Sent complete(const Json& ref, const std::string& name, const std::string& value, const Json& context) {
  Json params{{"ref", ref}, {"argument", {{"name", name}, {"value", value}}}};
  if (!context.is_null()) params["context"] = {{"arguments", context}};
  return modern_sent("completion/complete", params);
}

const Json kPrompt = {{"type", "ref/prompt"}, {"name", "what_happened_to_vm"}};
const Json kVmTemplate = {{"type", "ref/resource"}, {"uri", "vsphere://{vcenter}/vm/{vm}"}};

}  // namespace

TEST_CASE("bypass: a rule about resources and objects holds for the object that a URI names") {
  const Site site({},
                  "[[policy.rule]]\nname = \"not-dns\"\neffect = \"deny\"\ntools = [\"resource/*\"]\n"
                  "targets = { names = [\"dns-*\"] }\n");
  Corpus corpus(site.options());
  const std::string root = "vsphere://" + corpus.vcenter() + "/";
  CHECK(corpus.send(read_uri(root)).works());
  CHECK(corpus.send(read_uri(root + "vm/vm-1007")).works());
  // The rule speaks of resources alone: the object is there to be seen.
  CHECK(corpus.send(modern_tool("get_vm_details", {{"vm_id", "vm-1012"}})).works());
  for (const char* uri :
       {"vm-1012", "dns-lb-01", "%64ns-lb-01", "%2Fnorth%2Fvm%2FProduction%2FWeb%2Fdns-lb-01"})
    corpus.attempt({uri, "not-dns", "authorise_targets", read_uri(root + "vm/" + uri)});
  corpus.check_journal();
}

TEST_CASE("bypass: an object that is hidden is so under each of its URIs") {
  const Site site({},
                  "[[policy.rule]]\nname = \"hidden\"\neffect = \"deny\"\ntools = [\"*\"]\n"
                  "targets = { names = [\"voice-*\"] }\n");
  Corpus corpus(site.options());
  const std::string host = corpus.vcenter(), root = "vsphere://" + host + "/";
  const std::string colon = "127.0.0.1%3A" + host.substr(host.find(':') + 1);
  for (const char* open : {"vm-1012", "dns-lb-01", "%2Fnorth%2Fvm%2FProduction%2FWeb%2Fdns-lb-01"})
    CHECK(corpus.send(read_uri(root + "vm/" + open)).works());
  // As a client makes it out of the template.
  CHECK(corpus.send(read_uri("vsphere://" + colon + "/vm/%76m-1012")).works());
  const char* const none = "There is no virtual machine";
  for (const char* hidden : {"vm-1007", "%76m-1007", "vm%2D1007", "voice-batch-01", "%76oice-batch-01",
                             "%2Fnorth%2Fvm%2FProduction%2FWeb%2Fvoice-batch-01",
                             "%2fnorth%2fvm%2fProduction%2fWeb%2fvoice-batch-01", "%2576m-1007",
                             "%252Fnorth%252Fvm", "vm-1007%20", "vm-1007%0A", "VM-1007", "vm-1007%2F",
                             "%2Fnorth%2Fvm%2FProduction%2F..%2FProduction%2FWeb%2Fvoice-batch-01",
                             "..%2Fvm%2Fvm-1007", "voice-batch-*", "vm-1007;", "vm-1007,vm-1012"})
    corpus.attempt({hidden, none, "resolve", read_uri(root + "vm/" + hidden)});
  const char* const no_uri = "Resource not found. Readable are";
  for (const std::string& uri :
       {root + "vm//north/vm/Production/Web/voice-batch-01", root + "vm/vm-1007?",
        root + "vm/vm-1007#vm-1012", root + "vm/vm-1012/../vm-1007", root + "../vm/vm-1007",
        root + "/vm/vm-1007", root + "VM/vm-1007", root + "%76m/vm-1007", root + "vm/vm-1007%00",
        root + "vm/vm-1007%", root + "vm/vm-1007%0", root + "vm/%zz", root + "datacenter/../vm/vm-1007",
        std::string("vsphere:///vm/vm-1007")})
    corpus.attempt({uri.c_str(), no_uri, "resolve", read_uri(uri)});
  for (const std::string& uri : {"VSPHERE://" + host + "/vm/vm-1007", "vsphere:/" + host + "/vm/vm-1007",
                                 "file://" + host + "/vm/vm-1007"})
    corpus.attempt({uri.c_str(), "Resource not found", "authorise", read_uri(uri)});
  for (const std::string& uri :
       {"vsphere://demo@" + host + "/vm/vm-1007", std::string("vsphere://elsewhere/vm/vm-1007"),
        std::string("vsphere://127.0.0.1/vm/vm-1007"), "vsphere://" + host + "%2F/vm/vm-1007"})
    corpus.attempt({uri.c_str(), "Resource not found", "resolve", read_uri(uri)});
  // A tool takes no URI for a name.
  corpus.attempt(
      {"a URI as a name", none, "resolve", modern_tool("power_off_vm", {{"vm_id", root + "vm/vm-1012"}})});
  CHECK(corpus.changing() == 0);
  corpus.check_journal();
}

TEST_CASE("bypass: URIs that a role may not read stay so however they are written") {
  // Of one vCenter, and of one kind of object.
  const Site site(
      {},
      "[auth.role.read]\nallow = [\"*\"]\ndeny = [\"resource/vsphere*127.0.0.1*\"]\n"
      "[auth.role.ops]\nallow = [\"*\"]\ndeny = [\"resource/*/vm/*\"]\n[auth.role.admin]\nallow = [\"*\"]\n");
  Corpus corpus(site.options());
  const std::string host = corpus.vcenter(), port = host.substr(host.find(':') + 1);
  const char* const denied = "may not call";
  const std::vector<std::string> same = {host, "127.0.0.1%3A" + port, "%31%32%37.0.0.1%3a" + port};
  const std::vector<std::string> others = {"%20",
                                           "%09",
                                           "%20" + host,
                                           host + "%20",
                                           "127.0.0.1:0" + port,
                                           "127.0.0.1.:" + port,
                                           "http:%2F%2F" + host,
                                           "[::ffff:127.0.0.1]:" + port};
  for (const std::string& name : same)
    corpus.attempt(
        {name.c_str(), denied, "authorise", read_uri("vsphere://" + name + "/vm/vm-1012", "demo-read")});
  for (const std::string& name : others) {
    const Heard heard = corpus.send(read_uri("vsphere://" + name + "/vm/vm-1012", "demo-read"));
    const bool by_pattern = name.find("127.0.0.1") != std::string::npos;
    corpus.attempt(name, by_pattern ? denied : "no vCenter of that name",
                   by_pattern ? "authorise" : "resolve", heard);
    corpus.attempt("nobody has " + name, "no vCenter of that name", "resolve",
                   corpus.send(read_uri("vsphere://" + name + "/vm/vm-1012", "demo-admin")));
  }
  for (const char* object :
       {"vm/vm-1012", "vm/%76m-1012", "vm/dns-lb-01", "vm/%2Fnorth%2Fvm%2FProduction%2FWeb%2Fdns-lb-01"})
    for (const std::string& name : same)
      corpus.attempt({object, denied, "authorise", read_uri("vsphere://" + name + "/" + object, "demo-ops")});
  // Whoever may not read one hears of it by no URI either.
  for (const std::string& name : same) {
    const std::string uri = "vsphere://" + name + "/vm/vm-1012";
    for (const char* token : {"demo-read", "demo-ops", "demo-admin"}) {
      RawClient client(corpus.server().port());
      client.send(modern_request(corpus.server().port(), token, "subscriptions/listen",
                                 {{"notifications", {{"resourceSubscriptions", {uri}}}}}));
      REQUIRE(client.head());
      const auto events = read_events(client, 1);
      REQUIRE(events.size() == 1);
      const bool honoured = dump_json(events[0].message).find(uri) != std::string::npos;
      CHECK_MESSAGE(honoured == (token == std::string("demo-admin")), token, " ", uri);
    }
  }
  CHECK(corpus.send(read_uri("vsphere://" + host + "/", "demo-ops")).works());
  CHECK(corpus.send(read_uri("vsphere://" + host + "/vm/vm-1012", "demo-admin")).works());
  corpus.check_journal();
}

TEST_CASE("bypass: completion lists nothing of another vCenter and nothing that is hidden") {
  const Site site({},
                  "[[policy.rule]]\nname = \"hidden\"\neffect = \"deny\"\ntools = [\"*\"]\n"
                  "targets = { names = [\"voice-*\"] }\n");
  Corpus corpus(site.options());
  const auto values = [&](const Sent& sent) {
    const Heard heard = corpus.send(sent);
    REQUIRE_MESSAGE(heard.works(), heard.body);
    return heard.message["result"]["completion"];
  };
  const std::string host = corpus.vcenter();
  for (const Json& ref : {kPrompt, kVmTemplate}) {
    CAPTURE(ref);
    const Json own = values(complete(ref, "vm", "dns-lb", {{"vcenter", host}}));
    CHECK(own["values"] == Json::array({"dns-lb-01"}));
    for (const char* typed :
         {"voice", "voice-batch-01", "vm-1007", "VOICE", "?oice-batch-01", "*oice", "[v]oice",
          "/north/vm/Production/Web/voice", "voice-batch-01\xe2\x80\x8b", "\\voice"}) {
      const Json hidden = values(complete(ref, "vm", typed, {{"vcenter", host}}));
      CHECK_MESSAGE(hidden["values"].empty(), typed, hidden.dump());
      CHECK(hidden.value("total", 0) == 0);
    }
    // The whole list, whose total counts what is seen.
    const Json all = values(complete(ref, "vm", "", {{"vcenter", host}}));
    CHECK(all.dump().find("voice") == std::string::npos);
    const bool by_plugin = ref == kPrompt;
    for (const char* elsewhere :
         {"elsewhere", "127.0.0.1", "127.0.0.1:1", "localhost", "http://127.0.0.1", "[::1]"}) {
      for (const char* key : {"vcenter", "hostname"})
        corpus.attempt({elsewhere, by_plugin ? "may not ask a vCenter" : "not in allowed set",
                        by_plugin ? "execute" : "resolve",
                        complete(ref, "vm", "dns-lb", {{key, elsewhere}})});
    }
    corpus.attempt({"a number for a vCenter", by_plugin ? "may not ask a vCenter" : "must be a text",
                    by_plugin ? "execute" : "resolve", complete(ref, "vm", "dns-lb", {{"vcenter", 5}})});
    // Objects of the context that are hidden tell nothing of what is near them.
    for (const char* key : {"host", "cluster", "datacenter", "folder"})
      CHECK(values(complete(ref, "vm", "voice", {{"vcenter", host}, {key, "north"}}))["values"].empty());
  }
  CHECK(corpus.changing() == 0);
  corpus.check_journal();
}

TEST_CASE("bypass: a rule about hostname holds by every name of the vCenter, and by none") {
  const Site site({},
                  "[[policy.rule]]\nname = \"not-there\"\neffect = \"deny\"\ntools = [\"restart_vm\"]\n"
                  "arguments = { hostname = { pattern = \"127\\\\.0\\\\.0\\\\.1:[1-9].*\" } }\n");
  Corpus corpus(site.options());
  const std::string host = corpus.vcenter(), port = host.substr(host.find(':') + 1);
  const auto restart_by = [&](const char* tool, const Json& hostname) {
    Json arguments{{"vm_id", "vm-1012"}};
    if (!hostname.is_null()) arguments["hostname"] = hostname;
    return modern_tool(tool, arguments);
  };
  for (const Json& name : {Json(host), Json(" " + host), Json(host + "\t"), Json("127.0.0.1.:" + port),
                           Json("127.0.0.1:0" + port), Json(""), Json(" "), Json()}) {
    corpus.attempt({"by a name of it", "denied here by rule 'not-there'", "authorise_targets",
                    restart_by("restart_vm", name)});
    CHECK(corpus.send(restart_by("get_vm_details", name)).works());
  }
  for (const char* name : {"127.0.0.1", "localhost", "http://127.0.0.1", "127.1", "0x7f.0.0.1", "[::1]"})
    corpus.attempt({name, "Hostname '", "resolve", restart_by("restart_vm", name)});
  CHECK(corpus.changing() == 0);
  corpus.check_journal();
}
