#include <doctest/doctest.h>

#include "site.h"

using namespace vmcp::config;
using namespace vmcp::config::test;

namespace {

// "vm snapshot(list_*) -inventory …" in load order.
std::string plugins(const Site& site) {
  const auto result = site.load();
  if (!result.ok()) return problems_text(result.problems);
  std::string out;
  for (const auto& plugin : result.loaded->settings.plugins.list) {
    out += (out.empty() ? "" : " ") + std::string(plugin.enabled ? "" : "-");
    out += plugin.id.starts_with("org.vmcp.") ? plugin.id.substr(9) : plugin.id;
    std::string tools;
    for (const auto& tool : plugin.tools) tools += (tools.empty() ? "" : "|") + tool;
    if (!tools.empty()) out += "(" + tools + ")";
  }
  return out;
}

std::string selected(const std::string& value) {
  Site site;
  site.needed().env("PLUGINS", value);
  return plugins(site);
}

std::string from_toml(const std::string& text) {
  Site site;
  site.needed().toml(text);
  return plugins(site);
}

}  // namespace

TEST_CASE("plugins: ours are on when nothing is said, in the host process") {
  Site site;
  site.needed();
  CHECK(plugins(site) == "vm snapshot inventory resource");
  const auto result = site.load();
  REQUIRE(result.ok());
  for (const auto& plugin : result.loaded->settings.plugins.list)
    CHECK(plugin.isolation == Isolation::inprocess);
}

TEST_CASE("plugins: PLUGINS names exactly those, or takes some away") {
  CHECK(selected("snapshot,vm") == "snapshot vm -inventory -resource");
  CHECK(selected("-resource") == "vm snapshot inventory -resource");
  CHECK(selected("vm,snapshot,-resource") == "vm snapshot -inventory -resource");
  CHECK(selected(" vm , ,org.vmcp.snapshot") == "vm snapshot -inventory -resource");
  CHECK(selected("vm:list_vms|get_vm_details") ==
        "vm(list_vms|get_vm_details) -snapshot -inventory -resource");
  CHECK(selected("vm,org.example.tools") == "vm org.example.tools -snapshot -inventory -resource");
  CHECK(selected("") == "vm snapshot inventory resource");
}

TEST_CASE("plugins: a malformed PLUGINS is refused") {
  CHECK(has(selected("vm,vm"), "names org.vmcp.vm twice"));
  CHECK(has(selected("vm,-vm"), "names org.vmcp.vm twice"));
  CHECK(has(selected("-vm:list_vms"), "name the tools that stay"));
  CHECK(has(selected("vm:"), "is not a tool's name or pattern"));
  CHECK(has(selected("vm:a||b"), "is not a tool's name or pattern"));
  CHECK(has(selected("v m"), "names no plugin"));
  CHECK(has(selected("-"), "names no plugin"));
  CHECK(has(selected("../evil"), "names no plugin"));
}

TEST_CASE("plugins: [[plugin]] changes ours and adds others") {
  CHECK(from_toml("[[plugin]]\nid = \"vm\"\nenabled = false\n") == "snapshot inventory resource -vm");
  CHECK(from_toml(
            "[[plugin]]\nid = \"org.example.b\"\n[[plugin]]\nid = \"org.example.a\"\ntools = [\"x_*\"]\n") ==
        "vm snapshot inventory resource org.example.b org.example.a(x_*)");
  Site site;
  site.needed().toml(
      "[[plugin]]\nid = \"org.example.b\"\nrequired = true\nprefix = \"acme_\"\n[plugin.config]\nsite = "
      "\"Berlin\"\n"
      "n = [1, 2.5, true]\n[plugin.config.deep]\nx = 1\n[[plugin]]\nid = \"resource\"\nisolation = "
      "\"child\"\n");
  REQUIRE(site.problems() == "loaded");
  const auto list = site.load().loaded->settings.plugins.list;
  REQUIRE(list.size() == 5);
  CHECK(list[3].id == "org.example.b");
  CHECK(list[3].required);
  CHECK(list[3].prefix == "acme_");
  CHECK(list[3].isolation == Isolation::process);
  CHECK(list[3].config == vmcp::Json::parse(R"({"site":"Berlin","n":[1,2.5,true],"deep":{"x":1}})"));
  CHECK(list[4].isolation == Isolation::process);
}

TEST_CASE("plugins: PLUGINS decides which are on, [[plugin]] how they are") {
  Site site;
  site.needed().toml(
      "[[plugin]]\nid = \"org.example.b\"\nprefix = \"b_\"\n[[plugin]]\nid = \"vm\"\nenabled = false\n");
  site.env("PLUGINS", "vm,org.example.b");
  CHECK(plugins(site) == "vm org.example.b -snapshot -inventory -resource");
  CHECK(site.load().loaded->settings.plugins.list[1].prefix == "b_");
}

TEST_CASE("plugins: files add up, and the whole list can be a variable") {
  Site site;
  site.needed().toml("[[plugin]]\nid = \"org.example.a\"\n");
  site.write("conf.d/b.toml", "[[plugin]]\nid = \"org.example.b\"\n");
  CHECK(plugins(site) == "vm snapshot inventory resource org.example.a org.example.b");
  site.write("conf.d/c.toml", "[[plugin]]\nid = \"org.example.a\"\n");
  CHECK(has(plugins(site), "conf.d/c.toml:1:1: plugin: org.example.a has two [[plugin]] entries"));
  site.env("VMCP__PLUGIN", "[{\"id\":\"org.example.c\",\"config\":{\"k\":1}}]");
  CHECK(plugins(site) == "vm snapshot inventory resource org.example.c");
}

TEST_CASE("plugins: malformed entries are refused with the plugin's name") {
  CHECK(has(from_toml("[[plugin]]\nenabled = true\n"), "a [[plugin]] has no id"));
  CHECK(has(from_toml("[[plugin]]\nid = \"a/b.c\"\n"), "is not a plugin's id"));
  CHECK(has(from_toml("[[plugin]]\nid = \"vm\"\nisolation = \"thread\"\n"), "write inprocess or child"));
  CHECK(has(from_toml("[[plugin]]\nid = \"vm\"\nenabled = \"yes\"\n"), "enabled takes true or false"));
  CHECK(has(from_toml("[[plugin]]\nid = \"vm\"\ntools = []\n"), "tools is an empty list"));
  CHECK(has(from_toml("[[plugin]]\nid = \"vm\"\ntools = \"list_vms\"\n"), "tools takes a list of texts"));
  CHECK(has(from_toml("[[plugin]]\nid = \"vm\"\nprefix = \"a b\"\n"), "cannot open a tool's name"));
  CHECK(has(from_toml("[[plugin]]\nid = \"vm\"\nconfig = 7\n"), "config is not a table"));
  CHECK(has(from_toml("[[plugin]]\nid = \"vm\"\n[plugin.config]\nd = 2024-01-01\n"), "write dates as texts"));
  CHECK(has(from_toml("[[plugin]]\nid = \"vm\"\n[plugin.config]\nn = 99999999999999999999\n"),
            "outside 64 bits"));
  CHECK(has(from_toml("[[plugin]]\nid = \"vm\"\nrequire = true\n"), "did you mean required?"));
  CHECK(has(from_toml("[plugin]\nid = \"vm\"\n"), "write [[plugin]] with double brackets"));
  CHECK(
      has(from_toml("[[plugins]]\nid = \"vm\"\n"), "unknown key \"plugins\"\n    fix: did you mean plugin"));
}
