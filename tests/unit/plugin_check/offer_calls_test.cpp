#include "plugin_check/offer_calls.h"

#include <doctest/doctest.h>

using namespace vmcp::plugin_check;

namespace {

std::string expanded(const std::string& uri_template) {
  return expand_template(uri_template, [](const std::string& name) { return "<" + name + ">"; });
}

}  // namespace

TEST_CASE("offers: a template becomes a URI") {
  CHECK(expanded("a://b") == "a://b");
  CHECK(expanded("a://{id}/data") == "a://<id>/data");
  CHECK(expanded("a://{x,y}") == "a://<x>,<y>");
  CHECK(expanded("a://b{/path*}") == "a://b/<path>");
  CHECK(expanded("a://{+path}/c{?x,y}{&z}") == "a://<path>/c?x=<x>&y=<y>&z=<z>");
  CHECK(expanded("a://{id:3}{#part}") == "a://<id>#<part>");
  CHECK(expanded("a://{") == "a://");
  CHECK(expanded("a://{}b") == "a://b");
}

TEST_CASE("offers: the variables of a template in their order") {
  CHECK(variables_of("a://{id}/{+path*}{?x,y:2}") == std::vector<std::string>{"id", "path", "x", "y"});
  CHECK(variables_of("a://b").empty());
}
