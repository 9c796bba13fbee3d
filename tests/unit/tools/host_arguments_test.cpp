#include <doctest/doctest.h>

#include "tools/host_arguments.h"

using namespace vmcp;
using namespace vmcp::tools;

namespace {

using OrderedJson = nlohmann::ordered_json;

const OrderedJson kOwn = {{"type", "object"}, {"properties", {{"vm_id", {{"type", "string"}}}}}};

OrderedJson properties_for(Effect effect, bool needs_confirm = false) {
  Tool tool;
  tool.effect = effect;
  tool.needs_confirm = needs_confirm;
  const auto full = with_host_arguments(kOwn, tool);
  REQUIRE(full.ok());
  return (*full)["properties"];
}

}  // namespace

TEST_CASE("host arguments: a tool that reads has two of them, one that changes has five, after its own") {
  const auto names = [](Effect effect) {
    std::string out;
    const OrderedJson properties = properties_for(effect);
    for (const auto& property : properties.items()) out += property.key() + " ";
    return out;
  };
  CHECK(names(Effect::read) == "vm_id hostname verbose ");
  CHECK(names(Effect::change) == "vm_id hostname verbose confirm dry_run reason ");
  CHECK(names(Effect::destroy) == names(Effect::change));
}

TEST_CASE("host arguments: confirm says whether this very tool needs it") {
  const auto text = [](const OrderedJson& properties) {
    return properties["confirm"].value("description", "");
  };
  CHECK(text(properties_for(Effect::change, true)).find("Without it this tool refuses") != std::string::npos);
  CHECK(text(properties_for(Effect::destroy, false)).find("Not needed") != std::string::npos);
}

TEST_CASE("host arguments: a schema that declares one, or a token, is refused by name") {
  for (const std::string name : {"hostname", "verbose", "confirm", "dry_run", "reason", "token"}) {
    OrderedJson schema = kOwn;
    schema["properties"][name] = {{"type", "string"}};
    const auto full = with_host_arguments(schema, Tool());
    REQUIRE_FALSE(full.ok());
    CHECK(full.error().text.find("'" + name + "'") != std::string::npos);
  }
  OrderedJson odd = kOwn;
  odd["properties"] = 7;
  CHECK_FALSE(with_host_arguments(odd, Tool()).ok());
}

TEST_CASE("host arguments: they are taken out, and what is no true is no consent") {
  Json arguments = {{"vm_id", "vm-1"}, {"hostname", "v"}, {"verbose", true},
                    {"confirm", true}, {"dry_run", true}, {"reason", "patch day"}};
  const HostArguments taken = take_host_arguments(arguments, false);
  CHECK(arguments == Json{{"vm_id", "vm-1"}});
  CHECK(taken.hostname == "v");
  CHECK(taken.reason == "patch day");
  CHECK((taken.verbose && taken.confirm && taken.dry_run));

  Json odd = {{"confirm", "true"}, {"dry_run", 1}, {"hostname", 7}};
  const HostArguments refused = take_host_arguments(odd, true);
  CHECK_FALSE(refused.confirm);
  CHECK_FALSE(refused.dry_run);
  CHECK(refused.verbose);  // the configured default
  CHECK(refused.hostname.empty());
  CHECK(odd.empty());
}
