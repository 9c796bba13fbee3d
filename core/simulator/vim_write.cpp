#include "simulator/vim_write.h"

namespace vmcp::simulator {

bool put(std::string& out, std::string_view text) {
  append_json_string(out, text);
  return true;
}

bool put(std::string& out, bool value) {
  out += value ? "true" : "false";
  return true;
}

bool put(std::string& out, std::int64_t value) {
  append_json_int(out, value);
  return true;
}

bool put_moref(std::string& out, std::string_view type, std::string_view id) {
  out += R"({"_typeName":"ManagedObjectReference","type":")";
  out += type;
  out += R"(","value":)";
  append_json_string(out, id);
  out += '}';
  return true;
}

bool put_moref(std::string& out, const Entity& entity) {
  return put_moref(out, type_name(entity.kind), entity.id);
}

}  // namespace vmcp::simulator
