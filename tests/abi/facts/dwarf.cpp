#include "dwarf.h"

#include <stdexcept>

namespace vmcp::abi_facts {
namespace {

constexpr const char* kPrefix = "vmcp_";

bool starts_with(const std::string& text, const char* prefix) {
  return text.rfind(prefix, 0) == 0;
}

// One entry of the debug information, with the attributes as readelf words them.
struct Entry {
  std::string tag;
  std::map<std::string, std::string> attributes;
  std::vector<std::uint64_t> children;

  bool has(const char* name) const { return attributes.count(name) != 0; }
};

using Entries = std::map<std::uint64_t, Entry>;

// readelf writes "(strp) (offset: 0x1c6): text", "(data1) 8", "(ref4) <0x38>, long int", and older ones the
// same without the form.
std::string plain_value(const std::string& value) {
  if (value.empty() || value[0] != '(') return value;
  if (const auto at = value.find("): "); at != std::string::npos) return value.substr(at + 3);
  const auto at = value.find(") ");
  return at == std::string::npos ? std::string() : value.substr(at + 2);
}

std::uint64_t reference(const std::string& value) {
  const auto at = value.find('<');
  if (at == std::string::npos) throw std::runtime_error("no reference in '" + value + "'");
  return std::stoull(value.substr(at + 1), nullptr, 16);
}

std::string trimmed(const std::string& text) {
  const auto from = text.find_first_not_of(" \t");
  if (from == std::string::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

// " <1><2d>: Abbrev Number: 2 (DW_TAG_base_type)": gives the depth, or -1 when the line is another.
int entry_line(const std::string& line, std::uint64_t& offset, std::string& tag) {
  const auto tag_at = line.find("(DW_TAG_");
  if (!starts_with(line, " <") || tag_at == std::string::npos) return -1;
  const auto second = line.find("><");
  if (second == std::string::npos) return -1;
  offset = std::stoull(line.substr(second + 2), nullptr, 16);
  tag = line.substr(tag_at + 8, line.find(')', tag_at) - tag_at - 8);
  return std::stoi(line.substr(2));
}

Entries read_entries(std::istream& dump) {
  Entries out;
  std::vector<std::uint64_t> path;  // the entries around the present one, it included
  std::string line, tag;
  std::uint64_t offset = 0;
  while (std::getline(dump, line)) {
    if (const int depth = entry_line(line, offset, tag); depth >= 0) {
      if (path.size() < static_cast<std::size_t>(depth)) throw std::runtime_error("a gap before: " + line);
      path.resize(static_cast<std::size_t>(depth));
      out[offset].tag = tag;
      if (!path.empty()) out[path.back()].children.push_back(offset);
      path.push_back(offset);
      continue;
    }
    const auto name_at = line.find("DW_AT_");
    const auto colon = name_at == std::string::npos ? name_at : line.find(": ", name_at);
    if (path.empty() || colon == std::string::npos) continue;
    const std::string name = trimmed(line.substr(name_at + 6, colon - name_at - 6));
    out[path.back()].attributes[name] = trimmed(line.substr(colon + 2));
  }
  return out;
}

class Reader {
 public:
  Reader(Entries entries, Facts& facts) : entries_(std::move(entries)), facts_(facts) {}

  void read() {
    for (const auto& [offset, entry] : entries_)
      if (entry.tag == "typedef" && starts_with(name_of(entry), kPrefix)) read_typedef(entry);
    for (const auto& [offset, entry] : entries_) {
      if (is_record(entry) && starts_with(record_name(offset), kPrefix))
        read_record(record_name(offset), entry);
      if (entry.tag == "enumeration_type") read_enumeration(entry);
      if (entry.tag == "variable" && starts_with(name_of(entry), "vmcp_prototype_"))
        facts_.prototypes[name_of(entry).substr(15)] = type_of(entry);
    }
  }

 private:
  static bool is_record(const Entry& entry) {
    return entry.tag == "structure_type" || entry.tag == "union_type";
  }

  const Entry& at(std::uint64_t offset) const {
    const auto it = entries_.find(offset);
    if (it == entries_.end()) throw std::runtime_error("a reference to an entry that is not there");
    return it->second;
  }

  static std::string name_of(const Entry& entry) {
    return entry.has("name") ? plain_value(entry.attributes.at("name")) : std::string();
  }

  static std::int64_t number_of(const Entry& entry, const char* attribute) {
    return std::stoll(plain_value(entry.attributes.at(attribute)), nullptr, 0);
  }

  // A structure without a name of its own has that of its typedef.
  std::string record_name(std::uint64_t offset) const {
    const auto it = typedef_names_.find(offset);
    const std::string own = name_of(at(offset));
    return own.empty() && it != typedef_names_.end() ? it->second : own;
  }

  void read_typedef(const Entry& entry) {
    if (!entry.has("type")) return;
    const std::uint64_t target = reference(entry.attributes.at("type"));
    if (is_record(at(target))) typedef_names_[target] = name_of(entry);
    facts_.typedefs[name_of(entry)] = spelled(target);
  }

  void read_record(const std::string& name, const Entry& entry) {
    Record& out = facts_.records[name];
    if (entry.has("declaration")) {
      out.opaque = out.members.empty();
      return;
    }
    out.opaque = false;
    out.size = static_cast<std::uint64_t>(number_of(entry, "byte_size"));
    for (const std::uint64_t child : entry.children) {
      const Entry& member = at(child);
      if (member.tag != "member") continue;
      std::string type = type_of(member);
      for (const char* bits : {"bit_size", "bit_offset", "data_bit_offset"})
        if (member.has(bits)) type += std::string(" ") + bits + "=" + std::to_string(number_of(member, bits));
      const auto offset = member.has("data_member_location") ? number_of(member, "data_member_location") : 0;
      out.members.push_back({name_of(member), type, static_cast<std::uint64_t>(offset)});
    }
  }

  void read_enumeration(const Entry& entry) {
    Enumeration out;
    out.type = entry.has("type") ? type_of(entry) : "int";
    for (const std::uint64_t child : entry.children)
      if (at(child).tag == "enumerator")
        out.values.emplace_back(name_of(at(child)), number_of(at(child), "const_value"));
    if (!out.values.empty() && starts_with(out.values.front().first, "VMCP_"))
      facts_.enumerations.push_back(std::move(out));
  }

  std::string type_of(const Entry& entry) const {
    return entry.has("type") ? spelled(reference(entry.attributes.at("type"))) : "void";
  }

  std::string spelled(std::uint64_t offset) const {
    const Entry& entry = at(offset);
    if (entry.tag == "base_type") {
      // "5	(signed)"
      const std::string encoding = plain_value(entry.attributes.at("encoding"));
      const auto from = encoding.find('('), to = encoding.find(')');
      return encoding.substr(from + 1, to - from - 1) + std::to_string(8 * number_of(entry, "byte_size"));
    }
    if (entry.tag == "pointer_type") return type_of(entry) + "*";
    if (entry.tag == "const_type") return type_of(entry) + " const";
    if (entry.tag == "volatile_type") return type_of(entry) + " volatile";
    if (entry.tag == "restrict_type") return type_of(entry) + " restrict";
    if (entry.tag == "typedef") return starts_with(name_of(entry), kPrefix) ? name_of(entry) : type_of(entry);
    if (is_record(entry)) return record_name(offset);
    if (entry.tag == "enumeration_type") return "enum " + name_of(entry) + ":" + type_of(entry);
    if (entry.tag == "subroutine_type") return function(entry);
    if (entry.tag == "array_type") return array(entry);
    throw std::runtime_error("a type that this program does not know: DW_TAG_" + entry.tag);
  }

  std::string function(const Entry& entry) const {
    std::string out = type_of(entry) + "(";
    const char* separator = "";
    for (const std::uint64_t child : entry.children) {
      const Entry& parameter = at(child);
      out += separator + (parameter.tag == "formal_parameter" ? type_of(parameter) : std::string("..."));
      separator = ", ";
    }
    return out + ")";
  }

  std::string array(const Entry& entry) const {
    std::string out = type_of(entry);
    for (const std::uint64_t child : entry.children) {
      const Entry& range = at(child);
      if (range.has("upper_bound"))
        out += "[" + std::to_string(number_of(range, "upper_bound") + 1) + "]";
      else if (range.has("count"))
        out += "[" + std::to_string(number_of(range, "count")) + "]";
      else
        out += "[]";
    }
    return out;
  }

  const Entries entries_;
  Facts& facts_;
  std::map<std::uint64_t, std::string> typedef_names_;
};

}  // namespace

void read_dwarf(std::istream& dump, Facts& into) {
  Reader(read_entries(dump), into).read();
  if (into.records.empty() || into.enumerations.empty() || into.prototypes.empty())
    throw std::runtime_error("the debug information describes no structure, enumeration or prototype");
}

void read_macros(std::istream& dump, Facts& into) {
  const std::string define = "#define ";
  for (std::string line; std::getline(dump, line);) {
    if (!starts_with(line, "#define VMCP_")) continue;
    const auto space = line.find(' ', define.size());
    if (space == std::string::npos) continue;  // an include guard
    const std::string value = trimmed(line.substr(space));
    if (!value.empty()) into.macros[line.substr(define.size(), space - define.size())] = value;
  }
  if (into.macros.count("VMCP_ABI_MINOR") == 0) throw std::runtime_error("VMCP_ABI_MINOR is not defined");
}

}  // namespace vmcp::abi_facts
