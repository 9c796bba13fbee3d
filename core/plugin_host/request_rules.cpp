// The rules on what a plugin may ask of a vCenter. Everything that is not plainly allowed is refused.
#include "plugin_host/host_api.h"
#include "plugin_host/manifest.h"
#include "vcenter/operations.h"

namespace vmcp::plugin_host {
namespace {

Error forbidden(std::string_view request, std::string_view why) {
  std::string text = "The plugin asked for ";
  text.append(request.substr(0, 200));
  text += ", which the host refuses: ";
  text += why;
  return make_error(Code::denied, std::move(text));
}

// The object is one that this call was authorised to act on, a part of it, or of this call's own making.
bool is_authorised(const Invocation& invocation, std::string_view moref) {
  if (moref.empty()) return false;
  for (const Target& target : invocation.targets)
    if (!target.filter && target.object.id == moref) return true;
  return invocation.created.find(moref) != invocation.created.end();
}

bool is_known(const Invocation& invocation, std::string_view moref) {
  for (const Target& target : invocation.targets)
    if (target.object.id == moref || (!moref.empty() && target.object.within == moref)) return true;
  return invocation.created.find(moref) != invocation.created.end();
}

bool has_escape(std::string_view text) {
  return text.find('%') != std::string_view::npos;
}

}  // namespace

Result<bool> may_request(const Invocation& invocation, std::string_view method, std::string_view path) {
  const std::string request = std::string(method) + " " + std::string(path);
  const vcenter::Operation* op = vcenter::find_automation(method, path);
  if (op == nullptr) return forbidden(request, "no such operation is in vCenter's official documents");
  if (op->effect == vcenter::Effect::session)
    return forbidden(request, "sessions, tickets and tokens are the host's alone");
  if (invocation.declared != nullptr && !invocation.declared->allows_request(method, path))
    return forbidden(request, "its manifest does not declare this operation");
  const auto object = vcenter::path_object(*op, path);
  // MoRefs need no escapes; an escaped one could read differently here and there.
  if (op->effect == vcenter::Effect::change) {
    if (invocation.allowed != Allowed::change)
      return forbidden(request, "this call may only read (a read tool, a preview or dry_run)");
    if (has_escape(object.value) || !is_authorised(invocation, object.value))
      return forbidden(request, "it changes an object that this call was not authorised for");
    return true;
  }
  if (invocation.limited_view &&
      (op->list || has_escape(object.value) || !is_known(invocation, object.value)))
    return forbidden(request, "this caller sees only some objects; read through vmcp.inventory");
  return false;
}

Result<bool> may_call_vim(const Invocation& invocation, std::string_view type, std::string_view moref,
                          std::string_view member, bool property) {
  const std::string request = std::string(type) + "." + std::string(member) + " of " + std::string(moref);
  const std::string_view first = member.substr(0, member.find('.'));
  const vcenter::Operation* op =
      property ? vcenter::find_vim_property(type, first) : vcenter::find_vim_method(type, member);
  if (op == nullptr) return forbidden(request, "no such member is in vim25's official documents");
  if (op->effect == vcenter::Effect::session)
    return forbidden(request, "sessions, tickets and credentials are the host's alone");
  if (invocation.declared != nullptr && !invocation.declared->allows_vim(type, member))
    return forbidden(request, "its manifest does not declare this operation");
  if (op->effect == vcenter::Effect::change) {
    if (invocation.allowed != Allowed::change)
      return forbidden(request, "this call may only read (a read tool, a preview or dry_run)");
    if (!is_authorised(invocation, moref))
      return forbidden(request, "it changes an object that this call was not authorised for");
    return true;
  }
  if (invocation.limited_view && type != "Task" && !is_known(invocation, moref))
    return forbidden(request, "this caller sees only some objects; read through vmcp.inventory");
  return false;
}

}  // namespace vmcp::plugin_host
