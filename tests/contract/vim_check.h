// Values against the facts of vim25 in the VI/JSON shape: types and inheritance, required and unknown
// properties, enumerations, references, and the boxes around values of unknown type.
#pragma once

#include <string>
#include <string_view>

#include "contract/deviation.h"

namespace vmcp::contract {

class VimCheck {
 public:
  // `vim` is the "vim" member of the facts and outlives the check.
  explicit VimCheck(const Json& vim)
      : data_(vim.at("data")), enums_(vim.at("enums")), managed_(vim.at("managed")) {}

  // `type` as in the facts: "string", "int[]?", "TaskInfo", "@HostSystem[]", "anyType".
  void check(std::string_view type, const Json& value, const std::string& where, Report& report) const;
  // A fault as the body of a failure: its fields inline, "faultstring" beside them.
  void check_fault(const Json& fault, const std::string& where, Report& report) const;
  // The parameters of a method: one object without "_typeName".
  void check_parameters(const Json& declared, const Json& given, const std::string& where,
                        Report& report) const;

  // The declaration of a member of a managed type, inherited ones included; null when unlisted. For a method:
  // [parameters, result, faults]; for a property: its type.
  const Json* method(const std::string& type, const std::string& name) const { return member(type, name, 2); }
  const Json* property(const std::string& type, const std::string& name) const {
    return member(type, name, 1);
  }
  bool is_managed(const std::string& type) const { return managed_.contains(type); }
  bool is_a(const std::string& type, const std::string& ancestor) const;  // data types and faults

 private:
  void check_one(std::string_view type, const Json& value, const std::string& where, Report& report) const;
  void check_primitive(std::string_view type, const Json& value, const std::string& where,
                       Report& report) const;
  void check_reference(std::string_view type, const Json& value, const std::string& where,
                       Report& report) const;
  void check_data(const std::string& type, const Json& value, const std::string& where, Report& report) const;
  void check_fields(const std::string& type, const Json& value, const std::string& where, Report& report,
                    bool fault_body) const;
  void check_any(const Json& value, const std::string& where, Report& report) const;
  // The values of ObjectContent have types that the property path decides.
  void check_object_content(const Json& content, const std::string& where, Report& report) const;
  std::string type_of_path(const std::string& managed, std::string_view path) const;
  void check_boxed_as(const std::string& declared, const Json& value, const std::string& where,
                      Report& report) const;
  std::string property_type(const std::string& data, const std::string& name) const;
  bool managed_is_a(std::string type, std::string_view ancestor) const;
  const Json* member(const std::string& type, const std::string& name, int slot) const;

  const Json& data_;
  const Json& enums_;
  const Json& managed_;
};

}  // namespace vmcp::contract
