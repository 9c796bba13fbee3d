#include "vcenter/release.h"

#include <doctest/doctest.h>

#include "fake_vcenter.h"

using namespace vmcp;
using namespace vmcp::vcenter;
using vmcp::test::versions_xml;

TEST_CASE("the highest release that both sides know is taken") {
  CHECK(*release_from_versions(versions_xml("8.0.3.0", {"8.0.2.0", "8.0.1.0"})) == "8.0.3.0");
  CHECK(*release_from_versions(versions_xml("8.0.2.0", {"8.0.1.0", "8.0.0.2"})) == "8.0.2.0");
  CHECK(*release_from_versions(versions_xml("8.0.1.0", {"8.0.0.2"})) == "8.0.1.0");
  CHECK(*release_from_versions(versions_xml("9.1.0.0", {"9.0.0.0", "8.0.3.1", "8.0.3.0", "8.0.2.0"})) ==
        "8.0.3.0");
  // Only newer ones listed: a server accepts what is older.
  CHECK(*release_from_versions(versions_xml("8.0.2.5", {})) == "8.0.2.0");
  CHECK(*release_from_versions(versions_xml("10.0.0.0", {})) == "8.0.3.0");
}

TEST_CASE("a vCenter before 8.0 U1 is told apart with the release it needs") {
  for (const char* version : {"8.0.0.2", "8.0.0.0", "7.0.3.2", "6.5"}) {
    CAPTURE(version);
    const auto got = release_from_versions(versions_xml(version, {"6.0"}));
    REQUIRE_FALSE(got.ok());
    CHECK(got.error().code == Code::unavailable);
    CHECK(got.error().text.find("VI/JSON needs vCenter 8.0 U1") != std::string::npos);
    CHECK(got.error().text.find(version) != std::string::npos);
  }
}

TEST_CASE("a document that is not vCenter's is refused, entities are never expanded") {
  const std::string bomb =
      "<?xml version=\"1.0\"?><!DOCTYPE n [<!ENTITY a \"8.0.2.0\"><!ENTITY b \"&a;&a;\">]>"
      "<namespaces><namespace><name>urn:vim25</name><version>&a;</version></namespace></namespaces>";
  const std::string external =
      "<?xml version=\"1.0\"?><!DOCTYPE n [<!ENTITY a SYSTEM \"file:///etc/hostname\">]>"
      "<namespaces><namespace><name>urn:vim25</name><version>&a;</version></namespace></namespaces>";
  const std::string other =
      "<namespaces><namespace><name>urn:else</name><version>8.0.2.0</version></namespace></namespaces>";
  const std::string deep = [] {
    std::string text;
    for (int i = 0; i < 4000; ++i) text += "<namespace>";
    return text;
  }();
  for (const std::string& xml :
       {bomb, external, other, deep, std::string(), std::string("<html>"), std::string("{\"error\":1}"),
        std::string(100'000, ' '), versions_xml("not.a.version", {})}) {
    const auto got = release_from_versions(xml);
    REQUIRE_FALSE(got.ok());
    CHECK(got.error().code == Code::unavailable);
    CHECK(got.error().text.find("VCENTER_HOST") != std::string::npos);
  }
}

TEST_CASE("hello answers only with a release that was offered") {
  CHECK(release_from_hello(R"({"api_release":"8.0.2.0"})") == "8.0.2.0");
  CHECK(release_from_hello(R"({"api_release":""})").empty());
  CHECK(release_from_hello(R"({"api_release":"9.9.9.9"})").empty());
  CHECK(release_from_hello(R"({"api_release":"8.0.2.0/../x"})").empty());
  CHECK(release_from_hello("[]").empty());
  CHECK(release_from_hello("").empty());
  CHECK(hello_body() == R"({"api_releases":["8.0.3.0","8.0.2.0","8.0.1.0"]})");
}

TEST_CASE("the service content is read into About") {
  const auto about = read_service_content(vmcp::test::kContent, "8.0.2.0");
  REQUIRE(about.ok());
  CHECK(about->version == "8.0.2");
  CHECK(about->build == "4711");
  CHECK(about->api_version == "8.0.2.0");
  CHECK(about->root_folder == "group-d1");
  CHECK(about->property_collector == "pc-7");
  CHECK(about->view_manager == "vm-mgr");
  CHECK(about->session_manager == "sm-9");
  CHECK(about->performance_manager == "perf-3");
  CHECK(about->task_manager == "tasks-2");
  CHECK(about->vim_release == "8.0.2.0");
  CHECK_FALSE(read_service_content("{}", "8.0.2.0").ok());
  CHECK_FALSE(read_service_content("nonsense", "8.0.2.0").ok());
}
