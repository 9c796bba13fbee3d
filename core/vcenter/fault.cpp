#include "vcenter/fault.h"

#include <algorithm>

#include "base/mask.h"

namespace vmcp::vcenter {
namespace {

constexpr std::size_t kMaxMessage = 300;
constexpr std::size_t kMaxMessages = 4;
constexpr std::size_t kMaxFaultBytes = 1u << 20;

// One line, no control characters, bounded, nothing that looks like a credential.
std::string clean(std::string_view text) {
  std::string out = mask_text(text.substr(0, 4 * kMaxMessage), 4 * kMaxMessage);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  if (out.size() > kMaxMessage) {
    std::size_t end = kMaxMessage;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;
    out.resize(end);
    out += "…";
  }
  return out;
}

// Type names are identifiers; anything else is not repeated.
std::string identifier(const Json& value) {
  if (!value.is_string()) return {};
  const std::string& text = value.get_ref<const std::string&>();
  const bool plain = text.size() <= 100 && std::all_of(text.begin(), text.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              c == '_' || c == '.' || c == '-';
                     });
  return plain ? text : std::string();
}

std::string identifier(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() ? std::string() : identifier(*it);
}

void add_message(Fault& fault, const Json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_string() || fault.messages.size() >= kMaxMessages) return;
  std::string text = clean(it->get_ref<const std::string&>());
  if (text.empty() || std::find(fault.messages.begin(), fault.messages.end(), text) != fault.messages.end())
    return;
  fault.messages.push_back(std::move(text));
}

void add_privileges(Fault& fault, const Json& value) {
  if (const std::string one = identifier(value, "privilegeId"); !one.empty()) fault.privileges.push_back(one);
  const auto missing = value.find("missingPrivileges");
  if (missing == value.end() || !missing->is_array()) return;
  for (const Json& entity : *missing) {
    const auto ids = entity.is_object() ? entity.find("privilegeIds") : entity.end();
    if (!entity.is_object() || ids == entity.end() || !ids->is_array()) continue;
    for (const Json& id : *ids) {
      const std::string text = fault.privileges.size() < 8 ? identifier(id) : std::string();
      if (!text.empty() &&
          std::find(fault.privileges.begin(), fault.privileges.end(), text) == fault.privileges.end()) {
        fault.privileges.push_back(text);
      }
    }
  }
}

}  // namespace

Fault read_automation_fault(std::string_view body) {
  Fault fault;
  if (body.size() > kMaxFaultBytes) return fault;
  const Result<Json> parsed = parse_trusted_json(body, kMaxFaultBytes);
  if (!parsed || !parsed->is_object()) return fault;
  fault.type = identifier(*parsed, "error_type");
  const auto messages = parsed->find("messages");
  if (messages == parsed->end() || !messages->is_array()) return fault;
  for (const Json& message : *messages) {
    if (!message.is_object()) continue;
    if (const std::string id = identifier(message, "id"); !id.empty()) fault.ids.push_back(id);
    add_message(fault, message, "default_message");
  }
  return fault;
}

Fault read_vim_fault(std::string_view body) {
  if (body.size() > kMaxFaultBytes) return {};
  const Result<Json> parsed = parse_trusted_json(body, kMaxFaultBytes);
  return parsed ? fault_from_json(*parsed) : Fault{};
}

Fault fault_from_json(const Json& value) {
  Fault fault;
  if (!value.is_object()) return fault;
  const Json* inner = &value;
  add_message(fault, value, "localizedMessage");
  if (const auto wrapped = value.find("fault"); wrapped != value.end() && wrapped->is_object())
    inner = &*wrapped;
  fault.type = identifier(*inner, "_typeName");
  add_message(fault, *inner, "faultstring");
  const auto stack = inner->find("faultMessage");
  if (stack != inner->end() && stack->is_array()) {
    for (const Json& message : *stack) {
      if (message.is_object()) add_message(fault, message, "message");
    }
  }
  add_privileges(fault, *inner);
  for (const char* key : {"obj", "object"}) {
    const auto object = inner->find(key);
    if (object != inner->end() && object->is_object() && fault.object.empty())
      fault.object = identifier(*object, "value");
  }
  fault.states = identifier(*inner, "existingState");
  return fault;
}

}  // namespace vmcp::vcenter
