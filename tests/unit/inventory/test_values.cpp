#include <doctest/doctest.h>

#include "inventory/values.h"

using namespace vmcp;
using namespace vmcp::inventory;

namespace {

Json unboxed(const char* text) {
  Json value = Json::parse(text);
  unbox(value);
  return value;
}

}  // namespace

TEST_CASE("boxes come off primitives, enumerations and arrays, at any depth") {
  CHECK(unboxed(R"({"_typeName":"string","_value":"x"})") == "x");
  CHECK(unboxed(R"({"_typeName":"int","_value":7})") == 7);
  CHECK(unboxed(R"({"_value":"poweredOn","_typeName":"VirtualMachinePowerState"})") == "poweredOn");
  CHECK(unboxed(R"({"_typeName":"ArrayOfString","_value":["a","b"]})") == Json({"a", "b"}));
  CHECK(
      unboxed(
          R"({"_typeName":"ArrayOfOptionValue","_value":[{"_typeName":"OptionValue","key":"k","value":{"_typeName":"int","_value":1}}]})") ==
      Json::parse(R"([{"_typeName":"OptionValue","key":"k","value":1}])"));
  CHECK(unboxed(R"({"_typeName":"ArrayOfAnyType","_value":[{"_typeName":"long","_value":5}]})") == Json({5}));
  CHECK(unboxed("null") == nullptr);
  CHECK(unboxed(R"("plain")") == "plain");
}

TEST_CASE("a reference keeps type and value only, boxed or not") {
  const Json expected = {{"type", "HostSystem"}, {"value", "host-1"}};
  const char* flat = R"({"_typeName":"ManagedObjectReference","type":"HostSystem","value":"host-1"})";
  CHECK(unboxed(flat) == expected);
  CHECK(unboxed((std::string(R"({"_typeName":"ManagedObjectReference","_value":)") + flat + "}").c_str()) ==
        expected);
  CHECK(reference_value(Json::parse(flat)) == "host-1");
  CHECK(reference_value(Json{{"_typeName", "ManagedObjectReference"}, {"_value", expected}}) == "host-1");
  CHECK(reference_value(Json("host-1")) == "");
  CHECK(reference_value(Json::parse(R"({"value":7})")) == "");
}

TEST_CASE("data objects keep their type name") {
  CHECK(unboxed(R"({"_typeName":"VirtualMachineQuickStats","overallCpuUsage":7})") ==
        Json::parse(R"({"_typeName":"VirtualMachineQuickStats","overallCpuUsage":7})"));
}

TEST_CASE("the reason of a missing property names fault and privilege") {
  auto reason = [](const char* text) { return missing_reason(Json::parse(text)); };
  CHECK(
      reason(
          R"({"path":"config","fault":{"_typeName":"LocalizedMethodFault","fault":{"_typeName":"NoPermission","privilegeId":"System.Read"}}})") ==
      "NoPermission System.Read");
  CHECK(
      reason(
          R"({"path":"config","fault":{"_typeName":"LocalizedMethodFault","fault":{"_typeName":"NotAuthenticated"}}})") ==
      "NotAuthenticated");
  CHECK(reason(R"({"path":"config","fault":{"_typeName":"SystemError"}})") == "SystemError");
  CHECK(reason(R"({"path":"config"})") == "unknown reason");
  CHECK(reason(R"({"path":"config","fault":{"fault":{}}})") == "unknown reason");
}

TEST_CASE("power states are said as the Automation API says them") {
  CHECK(power_word("poweredOn") == "POWERED_ON");
  CHECK(power_word("poweredOff") == "POWERED_OFF");
  CHECK(power_word("suspended") == "SUSPENDED");
  CHECK(power_word("standBy") == "STANDBY");
  CHECK(power_word("unknown") == "unknown");
}
