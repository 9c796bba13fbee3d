// The texts made from the table, and the files that a site starts from.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "site.h"

using namespace vmcp::config;
using namespace vmcp::config::test;

namespace {

std::string project_file(const std::string& name) {
  std::ifstream in(std::string(VMCP_SOURCE_DIR) + "/" + name, std::ios::binary);
  REQUIRE_MESSAGE(in.good(), name);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string filled_in(std::string text) {
  const std::string mark = "CHANGE_ME";
  int number = 0;
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at))
    text.replace(at, mark.size(), "a-real-secret-number-" + std::to_string(++number));
  return text;
}

}  // namespace

TEST_CASE("report: the effective configuration shows value and origin, and no secret") {
  Site site;
  site.needed().toml(
      "[vcenter]\nretries = 5\n[[plugin]]\nid = \"org.example.a\"\n[plugin.config]\napi_key = "
      "\"canary1\"\nplace = \"x\"\n"
      "[auth]\nkeep_default_roles = true\n[auth.role.night]\nallow = [\"list_*\"]\n");
  site.env("TOKENS_TO_ROLES",
           "{\"canary2-canary2-canary2\":\"night\",\"sha256:" + std::string(64, 'c') + "\":\"read\"}");
  site.env("VCENTER_PASSWORD", "canary3").flag("server.port", "8123");
  const auto result = site.load();
  REQUIRE(result.ok());
  const std::string text = effective_text(*result.loaded);
  CAPTURE(text);
  CHECK(has(text, "vcenter.retries = 5  # " + site.dir() + "/site.toml:2:11\n"));
  CHECK(has(text, "vcenter.host = \"vc.example\"  # " + site.dir() + "/site.env:1:14 VCENTER_HOST\n"));
  CHECK(has(text, "vcenter.password = \"[secret]\"  # environment VCENTER_PASSWORD\n"));
  CHECK(has(text, "server.port = 8123  # flag --server.port\n"));
  CHECK(has(text, "server.mcp_path = \"/mcp\"  # default\n"));
  CHECK(has(text, "# vcenter.ca_bundle is not set\n"));
  CHECK(has(text, "role = \"night\", token = \"[secret]\""));
  CHECK(has(text, "place"));
  CHECK_FALSE(has(text, "canary"));
  CHECK_FALSE(has(text, "ccccc"));
  for (const Row& row : table()) {
    CAPTURE(row.key);
    CHECK(has(text, std::string(row.key)));
  }
}

TEST_CASE("report: no problem quotes a secret, whatever is wrong with it") {
  Site site;
  site.env("VCENTER_PASSWORD", std::string("canary\0", 7) + std::string(70'000, 'x'));
  site.env("TOKENS_TO_ROLES", "{\"canary\":{\"canary\":1}}");
  site.toml(
      "[vcenter]\npassword = [\"canary\"]\nhost = 1\n[[auth.token]]\ntoken = \"canary canary\"\nrole = "
      "\"read\"\n");
  CHECK_FALSE(has(site.problems(), "canary"));
  Site demo;
  demo.toml("[[auth.token]]\nrole = \"read\"\ntoken = \"canary canary\"\n");
  CHECK(has(demo.problems(), "cannot travel in a header"));
  CHECK_FALSE(has(demo.problems(), "canary"));
}

TEST_CASE("report: the reference page is the table's") {
  CHECK_MESSAGE(
      project_file("packaging/settings.md") == reference_markdown(),
      "packaging/settings.md is stale: write it anew with vsphere-mcp-pro check-config --reference");
}

TEST_CASE("report: .env.example names every short variable, shows the defaults, and loads once filled in") {
  const std::string example = project_file(".env.example");
  for (const Row& row : table()) {
    if (row.variable.empty()) continue;
    CAPTURE(row.variable);
    const bool filled = row.key == "vcenter.host" || row.key == "vcenter.user" || row.secret;
    const std::string line =
        "\n" + std::string(row.variable) + "=" + (filled ? "" : std::string(row.fallback) + "\n");
    CHECK(has(example, line));
  }
  Site site;
  site.env_file(example);
  CHECK(has(site.problems(), "still the placeholder CHANGE_ME"));
  site.env_file(filled_in(example));
  CHECK(site.problems() == "loaded");
  CHECK(site.load().loaded.value().warnings.empty());
}

TEST_CASE(
    "report: .env.example means the same to Docker, which knows no comments after values and no quotes") {
  Site site;
  std::istringstream lines(filled_in(project_file(".env.example")));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    const auto equal = line.find('=');
    REQUIRE(equal != std::string::npos);
    site.env(line.substr(0, equal), line.substr(equal + 1));
  }
  CHECK(site.problems() == "loaded");
}

TEST_CASE("report: the example files load once filled in") {
  int files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(VMCP_SOURCE_DIR) + "/packaging/examples")) {
    if (entry.path().extension() != ".toml") continue;
    ++files;
    CAPTURE(entry.path().string());
    Site site;
    site.toml(filled_in(project_file("packaging/examples/" + entry.path().filename().string())));
    CHECK(site.problems() == "loaded");
  }
  CHECK(files >= 2);
}
