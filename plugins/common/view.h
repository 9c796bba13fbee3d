// A page that hosts of MCP Apps show beside a tool's answer.
#pragma once

#include <string>
#include <utility>
#include "common/json.h"

namespace vmcp::plugins {

constexpr const char* kViewType = "text/html;profile=mcp-app";

// It loads nothing and talks to nobody but the host that embeds it.
inline json view_meta() {
  const json none = json::array();
  return {{"ui",
           {{"csp",
             {{"connectDomains", none},
              {"resourceDomains", none},
              {"frameDomains", none},
              {"baseUriDomains", none}}},
            {"prefersBorder", true}}}};
}

// Completes the declaration of a view. Hosts look for the policy in the contents, lists show it before.
inline resource_builder& declare_view(resource_builder& resource, std::string page) {
  return resource.mime(kViewType)
      .meta(view_meta().dump())
      .annotations(R"({"audience":["user"]})")
      .read([page = std::move(page)](call& c, const uri& asked) {
        return c.content(json{{"uri", std::string(asked.text())},
                              {"mimeType", kViewType},
                              {"text", page},
                              {"_meta", view_meta()}});
      });
}

}  // namespace vmcp::plugins
