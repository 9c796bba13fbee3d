#include "unit/plugins/support.h"

using namespace vmcp::test;

namespace {

struct View {
  const char* plugin;
  const char* tool;
  const char* uri;
};
const View kViews[] = {
    {"resource", "get_resource_utilization_summary", "ui://org.vmcp.resource/utilization"},
    {"snapshot", "list_vm_snapshots", "ui://org.vmcp.snapshot/tree"},
};

const Json kNoDomains{{"connectDomains", Json::array()},
                      {"resourceDomains", Json::array()},
                      {"frameDomains", Json::array()},
                      {"baseUriDomains", Json::array()}};

}  // namespace

TEST_CASE("views: the tool names a page that its plugin lists, and no other tool does") {
  for (const View& view : kViews) {
    CAPTURE(view.uri);
    const FakeHost host(plugin_file(view.plugin));
    for (const std::string& tool : host.tool_names()) {
      const char* said = host.tool(tool).view;
      CHECK(std::string(said == nullptr ? "" : said) == (tool == view.tool ? view.uri : ""));
    }
    REQUIRE(host.resources().size() == 1);
    const vmcp_resource& listed = *host.resources().front();
    CHECK(listed.uri == std::string(view.uri));
    CHECK(listed.mime_type == std::string("text/html;profile=mcp-app"));
    CHECK(std::string(listed.description).size() > 40);
    CHECK(Json::parse(listed.meta).at("ui").at("csp") == kNoDomains);
  }
}

TEST_CASE("views: reading gives the whole page, with the policy in the contents as well") {
  for (const View& view : kViews) {
    CAPTURE(view.uri);
    FakeHost host(plugin_file(view.plugin));
    const Outcome outcome = host.read(view.uri);
    REQUIRE(outcome.status == VMCP_OK);
    REQUIRE(outcome.blocks.size() == 1);
    const Json& contents = outcome.blocks[0];
    CHECK(contents.at("uri") == view.uri);
    CHECK(contents.at("mimeType") == "text/html;profile=mcp-app");
    CHECK(contents.at("_meta").at("ui").at("csp") == kNoDomains);
    const std::string page = contents.at("text").get<std::string>();
    CHECK(page.rfind("<!DOCTYPE html>", 0) == 0);
    CHECK(mentions(page, "</html>"));
    CHECK(mentions(page, "default-src 'none'; script-src 'sha256-"));
    CHECK(mentions(page, "ui/notifications/tool-result"));
    for (const char* left_over :
         {"STYLE_HASH", "SCRIPT_HASH", "// host.js", "base.css", "unsafe-inline", "http:", "https:"})
      CHECK(!mentions(page, left_over));
    // A page is the same for everybody: it asks for nothing.
    CHECK(host.requests().empty());
    CHECK(host.read(std::string(view.uri) + "/other").status == VMCP_E_NOT_FOUND);
  }
}
