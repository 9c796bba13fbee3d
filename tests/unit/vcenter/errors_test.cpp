#include "vcenter/errors.h"

#include <doctest/doctest.h>

using namespace vmcp;
using namespace vmcp::vcenter;

namespace {

bool has_words(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

std::string automation_body(const std::string& type, const std::string& message) {
  return R"({"error_type":")" + type + R"(","messages":[{"id":"com.vmware.x","default_message":")" + message +
         R"(","args":[]}]})";
}

}  // namespace

TEST_CASE("the error type decides, not the status") {
  struct Row {
    const char* type;
    int status;
    Code code;
  };
  for (const Row& row :
       {Row{"NOT_FOUND", 404, Code::not_found}, Row{"INVALID_ARGUMENT", 400, Code::invalid_argument},
        Row{"ALREADY_IN_DESIRED_STATE", 400, Code::conflict},
        Row{"NOT_ALLOWED_IN_CURRENT_STATE", 500, Code::conflict}, Row{"RESOURCE_IN_USE", 400, Code::conflict},
        Row{"ALREADY_EXISTS", 400, Code::conflict}, Row{"RESOURCE_BUSY", 500, Code::unavailable},
        Row{"RESOURCE_BUSY", 400, Code::unavailable}, Row{"UNAUTHORIZED", 403, Code::denied},
        Row{"UNAUTHENTICATED", 401, Code::unavailable}, Row{"SERVICE_UNAVAILABLE", 503, Code::unavailable},
        Row{"TIMED_OUT", 500, Code::timeout}, Row{"CONCURRENT_CHANGE", 409, Code::conflict},
        Row{"UNSUPPORTED", 400, Code::conflict}, Row{"UNABLE_TO_ALLOCATE_RESOURCE", 500, Code::conflict}}) {
    CAPTURE(row.type);
    const Error error =
        automation_error(row.status, automation_body(row.type, "Words of vCenter."), "/api/vcenter/vm/vm-1");
    CHECK(error.code == row.code);
    CHECK(has_words(error.text, "Words of vCenter."));
    CHECK(has_words(error.text, row.type));
    CHECK(has_words(error.text, "fix: "));
  }
}

TEST_CASE("without a type the status is used") {
  CHECK(automation_error(404, "", "/api/x").code == Code::not_found);
  CHECK(automation_error(403, "<html>", "/api/x").code == Code::denied);
  CHECK(automation_error(502, "", "/api/x").code == Code::unavailable);
  CHECK(automation_error(504, "", "/api/x").code == Code::timeout);
  CHECK(automation_error(302, "", "/api/x").code == Code::unavailable);
  CHECK(automation_error(429, "", "/api/x").code == Code::unavailable);
  CHECK(has_words(automation_error(418, "", "/api/x").text, "HTTP 418"));
}

TEST_CASE("special conditions are told apart by message id and path") {
  const std::string unknown_path =
      R"({"error_type":"NOT_FOUND","messages":[{"id":"com.vmware.vapi.rest.httpNotFound","default_message":"Not found."}]})";
  CHECK(automation_error(404, unknown_path, "/api/new/thing").code == Code::unavailable);
  const std::string too_many =
      R"({"error_type":"UNABLE_TO_ALLOCATE_RESOURCE","messages":[{"id":"com.vmware.api.vcenter.vm.too_many_matches","default_message":"Too many."}]})";
  const Error narrowed = automation_error(500, too_many, "/api/vcenter/vm");
  CHECK(narrowed.code == Code::invalid_argument);
  CHECK(has_words(narrowed.text, "filters"));
  const Error tools = automation_error(503, automation_body("SERVICE_UNAVAILABLE", "Tools."),
                                       "/api/vcenter/vm/vm-1/guest/identity");
  CHECK(tools.code == Code::conflict);
  CHECK(has_words(tools.text, "VMware Tools is not running"));
}

TEST_CASE("vim25 faults keep their words, states, objects and privileges") {
  const Error power =
      vim_error(500, R"({"_typeName":"InvalidPowerState","faultstring":"The attempted operation cannot be)"
                     R"( performed.","existingState":"poweredOff","requestedState":"poweredOn"})");
  CHECK(power.code == Code::conflict);
  CHECK(has_words(power.text, "attempted operation"));
  CHECK(has_words(power.text, "InvalidPowerState, it is poweredOff"));

  const Error denied = vim_error(
      500,
      R"({"faultstring":"Permission to perform this operation was denied.","privilegeId":"VirtualMachine.State.CreateSnapshot",)"
      R"("missingPrivileges":[{"_typeName":"NoPermissionEntityPrivileges","privilegeIds":["VirtualMachine.State.CreateSnapshot","System.Read"]}],)"
      R"("object":{"_typeName":"ManagedObjectReference","type":"VirtualMachine","value":"vm-7"},"_typeName":"NoPermission"})");
  CHECK(denied.code == Code::denied);
  CHECK(has_words(denied.text, "missing privilege: VirtualMachine.State.CreateSnapshot, System.Read"));
  CHECK(has_words(denied.text, "vm-7"));

  CHECK(vim_error(500,
                  R"({"_typeName":"ManagedObjectNotFound","obj":{"type":"VirtualMachine","value":"vm-9"}})")
            .code == Code::not_found);
  CHECK(vim_error(500, R"({"_typeName":"TaskInProgress"})").code == Code::conflict);
  CHECK(vim_error(500, R"({"_typeName":"InsufficientCpuResourcesFault"})").code == Code::conflict);
  CHECK(vim_error(500, R"({"_typeName":"InvalidDatastore"})").code == Code::invalid_argument);
  CHECK(vim_error(500, R"({"_typeName":"VmConfigFault"})").code == Code::conflict);
  CHECK(vim_error(500, R"({"_typeName":"Timedout"})").code == Code::timeout);
  CHECK(vim_error(404, "").code == Code::not_found);
}

TEST_CASE("a refusal that names no privilege is told which ones the operation needs") {
  const std::string path = "/api/vcenter/vm/vm-1";
  const std::string two = "VirtualMachine.Inventory.Delete,Datastore.FileManagement";
  const Error silent = automation_error(403, automation_body("UNAUTHORIZED", "No permission."), path, two);
  CHECK(silent.code == Code::denied);
  CHECK(has_words(silent.text,
                  "; the operation needs: VirtualMachine.Inventory.Delete, Datastore.FileManagement; fix: "));
  const Error vim = vim_error(500, R"({"_typeName":"NoPermission"})", "VirtualMachine.State.CreateSnapshot");
  CHECK(has_words(vim.text, "; the operation needs: VirtualMachine.State.CreateSnapshot; fix: "));

  // vCenter's own words go before the table's.
  CHECK_FALSE(
      has_words(automation_error(
                    403, automation_body("UNAUTHORIZED", "Lacks VirtualMachine.Inventory.Delete."), path, two)
                    .text,
                "the operation needs"));
  CHECK_FALSE(has_words(
      vim_error(500, R"({"_typeName":"NoPermission","privilegeId":"System.Read"})", "System.View").text,
      "the operation needs"));
  // Not where something else is wrong, and not where the documents name none.
  CHECK_FALSE(has_words(automation_error(404, automation_body("NOT_FOUND", "x"), path, two).text, "needs"));
  CHECK_FALSE(has_words(automation_error(403, "", path, two).text, "the operation needs"));
  CHECK_FALSE(has_words(vim_error(500, R"({"_typeName":"RestrictedByAdministrator"})", "A.B").text, "needs"));
  CHECK_FALSE(has_words(automation_error(403, automation_body("UNAUTHORIZED", "x"), path).text, "needs"));
}

TEST_CASE("a task's error speaks, also without a localized message") {
  const auto with = parse_json(
      R"({"_typeName":"LocalizedMethodFault","localizedMessage":"The VM is busy.","fault":{"_typeName":"TaskInProgress"}})");
  REQUIRE(with.ok());
  CHECK(has_words(vim_fault_error(*with).text, "The VM is busy."));
  const auto without = parse_json(
      R"({"fault":{"_typeName":"GenericVmConfigFault","faultMessage":[{"key":"k","message":"Disk is locked."},{"message":"By host 3."}]}})");
  REQUIRE(without.ok());
  CHECK(has_words(vim_fault_error(*without).text, "Disk is locked. / By host 3."));
  CHECK(has_words(vim_fault_error(Json::object()).text, "without a reason"));
}

TEST_CASE("what vCenter says is cleaned and bounded before it is repeated") {
  const Error control = automation_error(400, automation_body("INVALID_ARGUMENT", "a\\nb\\u0007c"), "/api/x");
  CHECK(has_words(control.text, "a b c"));
  const Error huge =
      automation_error(400, automation_body("INVALID_ARGUMENT", std::string(100'000, 'x')), "/api/x");
  CHECK(huge.text.size() < 700);
  const Error utf8 = automation_error(400,
                                      automation_body("INVALID_ARGUMENT",
                                                      [] {
                                                        std::string text = "x";
                                                        for (int i = 0; i < 400; ++i) text += "ä";
                                                        return text;
                                                      }()),
                                      "/api/x");
  CHECK(parse_json("\"" + utf8.text + "\"").ok());
  const Error secret =
      automation_error(400, automation_body("INVALID_ARGUMENT", "bad password=hunter2 given"), "/api/x");
  CHECK_FALSE(has_words(secret.text, "hunter2"));
  const Error typed =
      automation_error(400, R"({"error_type":"<script>alert(1)</script>","messages":[]})", "/api/x");
  CHECK_FALSE(has_words(typed.text, "script"));
  const Error html = automation_error(502, "<html>internal-name.example</html>", "/api/x");
  CHECK_FALSE(has_words(html.text, "internal-name"));
  const Error many = automation_error(
      400,
      [] {
        std::string body = R"({"error_type":"ERROR","messages":[)";
        for (int i = 0; i < 50; ++i)
          body += (i ? "," : "") + (R"({"default_message":"line )" + std::to_string(i) + "\"}");
        return body + "]}";
      }(),
      "/api/x");
  CHECK(has_words(many.text, "line 3"));
  CHECK_FALSE(has_words(many.text, "line 4"));
}

TEST_CASE("a failure on the way says whether a change may have happened") {
  using Kind = TransportFailure::Kind;
  const Error sent = transport_error({Kind::broken, true, "reset", {}}, "vc", true);
  CHECK(has_words(sent.text, "may have happened: read the object's state before repeating"));
  CHECK_FALSE(has_words(sent.text, "fix: repeat"));
  const Error unsent = transport_error({Kind::connect, false, "refused", {}}, "vc", true);
  CHECK_FALSE(has_words(unsent.text, "may have happened"));
  const Error read = transport_error({Kind::timeout, true, "", {}}, "vc", false);
  CHECK(read.code == Code::timeout);
  CHECK_FALSE(has_words(read.text, "may have happened"));
  CHECK(transport_error({Kind::cancelled, true, "", {}}, "vc", true).code == Code::cancelled);
  CHECK(transport_error({Kind::resting, false, "", milliseconds{4000}}, "vc", false).retry_after_ms == 4000);
  CHECK(has_words(transport_error({Kind::tls, false, "self-signed certificate", {}}, "vc", false).text,
                  "VCENTER_CA_BUNDLE"));
}
