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
      "\"process\"\n");
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
  CHECK(has(from_toml("[[plugin]]\nid = \"vm\"\nisolation = \"thread\"\n"), "write inprocess or process"));
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

TEST_CASE("plugins: a pin is 64 hex digits in any case, kept in lower case") {
  const std::string lower = std::string(60, 'a') + "0f9d", upper = std::string(60, 'A') + "0F9D";
  for (const std::string& pin : {lower, upper}) {
    Site site;
    site.needed().toml("[[plugin]]\nid = \"org.example.b\"\nsha256 = \"" + pin +
                       "\"\nallow_downgrade = true\n");
    REQUIRE(site.problems() == "loaded");
    const auto loaded = site.load().loaded;
    CHECK(loaded->settings.plugins.list.back().sha256 == lower);
    CHECK(loaded->settings.plugins.list.back().allow_downgrade);
    CHECK(has(effective_text(*loaded), "sha256 = \"" + lower + "\", allow_downgrade = true"));
  }
  for (const std::string& pin :
       {lower.substr(1), lower + "0", std::string(63, 'a') + "g", std::string("sha256:") + lower}) {
    CAPTURE(pin);
    const std::string problem = from_toml("\n[[plugin]]\nid = \"org.example.b\"\nsha256 = \"" + pin + "\"\n");
    CHECK_MESSAGE(has(problem, "site.toml:4:"), problem);
    CHECK(has(problem, "plugin org.example.b: sha256 has " + std::to_string(pin.size()) + " characters"));
    CHECK(has(problem, "sha256sum"));
  }
  CHECK(has(from_toml("[[plugin]]\nid = \"vm\"\nsha256 = \"\"\n"), "sha256 takes a text"));
  CHECK(has(from_toml("[[plugin]]\nid = \"vm\"\nallow_downgrade = \"yes\"\n"),
            "allow_downgrade takes true or false"));
}

TEST_CASE("plugins: trust is signed unless said otherwise, and dev only on loopback, with a warning") {
  Site plain;
  plain.needed();
  CHECK(plain.load().loaded->settings.plugins.trust == PluginTrust::signatures);
  for (const auto& [value, mode] :
       {std::pair{"pinned", PluginTrust::pinned}, {"signed", PluginTrust::signatures}}) {
    Site site;
    site.needed().env("PLUGIN_TRUST", value);
    REQUIRE(site.problems() == "loaded");
    CHECK(site.load().loaded->settings.plugins.trust == mode);
    CHECK(site.load().loaded->warnings.empty());
  }
  Site open;
  open.needed().toml("[plugins]\ntrust = \"dev\"\n");
  CHECK(has(open.problems(), "site.toml:2:"));
  CHECK(has(open.problems(), "plugins.trust is dev and the server listens on 0.0.0.0"));
  open.env("SERVER_HOST", "127.0.0.1");
  REQUIRE(open.problems() == "loaded");
  const auto loaded = open.load().loaded;
  CHECK(loaded->settings.plugins.trust == PluginTrust::dev);
  REQUIRE(loaded->warnings.size() == 1);
  CHECK(has(loaded->warnings[0], "plugins.trust is dev: ANY plugin"));
  Site wrong;
  wrong.needed().env("PLUGIN_TRUST", "everybody");
  CHECK(has(wrong.problems(), "pinned"));
}

TEST_CASE("plugins: what is revoked is named whole") {
  const std::string lower(64, 'b'), upper(64, 'B');
  Site site;
  site.needed().env("PLUGIN_REVOKED", "key:" + upper + ",SHA256:" + lower).env("PLUGIN_KEYS", "/etc/keys");
  REQUIRE(site.problems() == "loaded");
  const auto plugins = site.load().loaded->settings.plugins;
  CHECK(plugins.revoked == std::vector<std::string>{"key:" + lower, "sha256:" + lower});
  CHECK(plugins.keys == "/etc/keys");
  for (const std::string& entry : {lower, "key:" + lower.substr(1), "name:" + lower, "key:" + lower + "0"}) {
    CAPTURE(entry);
    Site bad;
    bad.needed().env("PLUGIN_REVOKED", entry);
    CHECK(has(bad.problems(), "revokes nothing"));
  }
}
