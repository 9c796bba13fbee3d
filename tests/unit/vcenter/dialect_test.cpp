#include "vcenter/dialect.h"

#include <doctest/doctest.h>

#include "base/json.h"

using namespace vmcp;
using vcenter::AutomationRequest;
using vcenter::from_rest;
using vcenter::to_rest;

TEST_CASE("requests become /rest requests") {
  struct Row {
    const char *method, *path, *body, *rest_method, *rest_target, *rest_body;
  };
  for (const Row& row : {
           Row{"GET", "/api/vcenter/vm", "", "GET", "/rest/vcenter/vm", ""},
           Row{"GET", "/api/vcenter/vm?names=a&names=b&power_states=POWERED_ON", "", "GET",
               "/rest/vcenter/vm?filter.names=a&filter.names=b&filter.power_states=POWERED_ON", ""},
           Row{"GET", "/api/vcenter/vm/vm-1", "", "GET", "/rest/vcenter/vm/vm-1", ""},
           Row{"DELETE", "/api/vcenter/vm/vm-1", "", "DELETE", "/rest/vcenter/vm/vm-1", ""},
           Row{"GET", "/api/vcenter/vm/vm-1/power", "", "GET", "/rest/vcenter/vm/vm-1/power", ""},
           Row{"POST", "/api/vcenter/vm/vm-1/power?action=start", "", "POST",
               "/rest/vcenter/vm/vm-1/power/start", ""},
           Row{"POST", "/api/vcenter/vm/vm-1/power?action=suspend", "", "POST",
               "/rest/vcenter/vm/vm-1/power/suspend", ""},
           Row{"POST", "/api/vcenter/vm/vm-1/guest/power?action=shutdown", "", "POST",
               "/rest/vcenter/vm/vm-1/guest/power?action=shutdown", ""},
           Row{"PATCH", "/api/vcenter/vm/vm-1/hardware/cpu", R"({"count":4})", "PATCH",
               "/rest/vcenter/vm/vm-1/hardware/cpu", R"({"spec":{"count":4}})"},
           Row{"PUT", "/api/vcenter/vm/vm-1/hardware/boot/device", R"({"devices":[]})", "PUT",
               "/rest/vcenter/vm/vm-1/hardware/boot/device", R"({"devices":[]})"},
           Row{"POST", "/api/vcenter/vm/vm-1/hardware?action=upgrade", R"({"version":"VMX_20"})", "POST",
               "/rest/vcenter/vm/vm-1/hardware/action/upgrade", R"({"version":"VMX_20"})"},
           Row{"POST", "/api/vcenter/vm/vm-1/hardware/ethernet/4000?action=connect", "", "POST",
               "/rest/vcenter/vm/vm-1/hardware/ethernet/4000/connect", ""},
           Row{"POST", "/api/vcenter/vm?action=clone&vmw-task=true",
               R"({"disks_to_update":{"2000":{}},"name":"n"})", "POST",
               "/rest/vcenter/vm?action=clone&vmw-task=true",
               R"({"spec":{"disks_to_update":[{"key":"2000","value":{}}],"name":"n"}})"},
           Row{"DELETE", "/api/vcenter/datacenter/dc-1?force=true", "", "DELETE",
               "/rest/vcenter/datacenter/dc-1?force=true", ""},
           Row{"GET", "/api/session", "", "POST", "/rest/com/vmware/cis/session?~action=get", ""},
           Row{"GET", "/api/cis/tasks/t1?exclude_result=true", "", "GET",
               "/rest/cis/tasks/t1?spec.exclude_result=true", ""},
           Row{"GET", "/api/cis/tagging/category", "", "GET", "/rest/com/vmware/cis/tagging/category", ""},
           Row{"GET", "/api/cis/tagging/tag/urn%3At%3A1", "", "GET",
               "/rest/com/vmware/cis/tagging/tag/id:urn%3At%3A1", ""},
           Row{"POST", "/api/cis/tagging/category", R"({"name":"env"})", "POST",
               "/rest/com/vmware/cis/tagging/category", R"({"create_spec":{"name":"env"}})"},
           Row{"POST", "/api/cis/tagging/tag?action=list-tags-for-category", R"({"category_id":"urn:c/1"})",
               "POST", "/rest/com/vmware/cis/tagging/tag/id:urn%3Ac%2F1?~action=list-tags-for-category", ""},
           Row{"POST", "/api/cis/tagging/tag-association/t1?action=attach", R"({"object_id":{}})", "POST",
               "/rest/com/vmware/cis/tagging/tag-association/id:t1?~action=attach", R"({"object_id":{}})"},
           Row{"POST", "/api/cis/tagging/tag-association?action=list-attached-objects-on-tags",
               R"({"tag_ids":[]})", "POST",
               "/rest/com/vmware/cis/tagging/tag-association?~action=list-attached-objects-on-tags",
               R"({"tag_ids":[]})"},
       }) {
    CAPTURE(row.path);
    const auto got = to_rest({row.method, row.path, row.body});
    REQUIRE(got.ok());
    CHECK(got->method == row.rest_method);
    CHECK(got->target == row.rest_target);
    CHECK(got->body == row.rest_body);
  }
}

TEST_CASE("an operation without a /rest twin is refused with the setting that helps") {
  for (const auto& [method, path] : {std::pair{"POST", "/api/vcenter/vm/vm-1/guest/processes?action=list"},
                                     {"GET", "/api/vcenter/vm/vm-1/guest/operations"},
                                     {"GET", "/api/vcenter/host/host-1"},
                                     {"POST", "/api/vcenter/vm/vm-1/power?action=explode"},
                                     {"PATCH", "/api/vcenter/vm/vm-1"},
                                     {"GET", "/api/vcenter/vm//power"},
                                     {"GET", "/api/vcenter/vm/"},
                                     {"GET", "/api/vcenter/namespaces/instances"}}) {
    CAPTURE(path);
    const auto got = to_rest({method, path, ""});
    REQUIRE_FALSE(got.ok());
    CHECK(got.error().text.find("VSPHERE_API_MODE=api") != std::string::npos);
  }
  const auto bad = to_rest({"POST", "/api/vcenter/vm?action=clone", "{broken"});
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().code == Code::invalid_argument);
}

TEST_CASE("an id that /rest wants in the path must be in the body") {
  for (const char* body : {"", "{}", R"({"category_id":""})", R"({"category_id":7})", "[]", "{broken"}) {
    CAPTURE(body);
    const auto got = to_rest({"POST", "/api/cis/tagging/tag?action=list-tags-for-category", body});
    REQUIRE_FALSE(got.ok());
    CHECK(got.error().code == Code::invalid_argument);
  }
}

TEST_CASE("answers come back in the /api shape") {
  const AutomationRequest vm{"GET", "/api/vcenter/vm/vm-1", {}};
  const auto got =
      from_rest(vm, 200,
                R"({"value":{"name":"n","disks":[{"key":"2000","value":{"label":"d"}}],"nics":[],)"
                R"("boot_devices":[],"cdroms":[{"key":"16000","value":{}}]}})");
  REQUIRE(got.ok());
  const auto json = parse_json(*got);
  REQUIRE(json.ok());
  CHECK((*json)["disks"]["2000"]["label"] == "d");
  CHECK((*json)["nics"] == Json::object());
  CHECK((*json)["cdroms"]["16000"] == Json::object());
  CHECK((*json)["boot_devices"] == Json::array());

  CHECK(*from_rest({"GET", "/api/vcenter/vm", {}}, 200, R"({"value":[{"vm":"vm-1"}]})") ==
        R"([{"vm":"vm-1"}])");
  CHECK(*from_rest({"GET", "/api/vcenter/vm/vm-1/guest/local-filesystem", {}}, 200,
                   R"({"value":[{"key":"/","value":{"capacity":5}}]})") == R"({"/":{"capacity":5}})");
  CHECK(
      *from_rest(
          {"GET", "/api/vcenter/vm/vm-1/guest/identity", {}}, 200,
          R"({"value":{"full_name":{"id":"i","default_message":"m","params":[{"key":"a","value":{"s":"x"}}]}}})") ==
      R"({"full_name":{"default_message":"m","id":"i","params":{"a":{"s":"x"}}}})");
  CHECK(*from_rest({"GET", "/api/appliance/health/system", {}}, 200, R"({"value":"green"})") == R"("green")");
  CHECK(*from_rest({"DELETE", "/api/vcenter/vm/vm-1", {}}, 200, "") == "");
}

TEST_CASE("error bodies are unwrapped, and old ones get their error_type from the outer name") {
  const AutomationRequest vm{"GET", "/api/vcenter/vm/vm-9", {}};
  CHECK(
      *from_rest(
          vm, 404,
          R"({"type":"com.vmware.vapi.std.errors.not_found","value":{"error_type":"NOT_FOUND","messages":[]}})") ==
      R"({"error_type":"NOT_FOUND","messages":[]})");
  CHECK(*from_rest(vm, 404, R"({"type":"com.vmware.vapi.std.errors.not_found","value":{"messages":[]}})") ==
        R"({"error_type":"NOT_FOUND","messages":[]})");
  CHECK(*from_rest(vm, 502, "<html>bad gateway</html>") == "<html>bad gateway</html>");
  CHECK_FALSE(from_rest(vm, 200, "<html>login</html>").ok());
  CHECK_FALSE(from_rest(vm, 200, R"({"name":"not wrapped"})").ok());
}
