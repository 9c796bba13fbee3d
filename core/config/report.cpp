#include "config/report.h"

#include <charconv>

#include "base/json.h"
#include "base/mask.h"

namespace vmcp::config {
namespace {

std::string number_text(double value) {
  char out[32];
  return std::string(out, std::to_chars(out, out + sizeof out, value, std::chars_format::fixed).ptr);
}

std::string text_list(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ", ";
    append_json_string(out, item);
  }
  return out + "]";
}

class Inline {
 public:
  Inline& text(const char* name, const std::string& value) {
    append_json_string(next(name), value);
    return *this;
  }
  Inline& raw(const char* name, const std::string& value) {
    next(name) += value;
    return *this;
  }
  std::string done() const { return "{" + out_ + "}"; }

 private:
  std::string& next(const char* name) {
    if (!out_.empty()) out_ += ", ";
    out_ += std::string(name) + " = ";
    return out_;
  }
  std::string out_;
};

std::string token_text(const Token& token) {
  Inline out;
  if (!token.name.empty()) out.text("name", token.name);
  out.text("role", token.role);
  // A hash lets one try tokens offline: it is masked like the token.
  out.text(token.hash.empty() ? "token" : "hash", std::string(Secret::kMask));
  if (!token.certificate.empty()) out.text("certificate", token.certificate);
  if (token.not_before) out.text("not_before", iso8601(*token.not_before));
  if (token.expires) out.text("expires", iso8601(*token.expires));
  return out.done();
}

std::string certificate_text(const Certificate& certificate) {
  Inline out;
  out.text("name", certificate.name).text("role", certificate.role);
  if (!certificate.subject.empty()) out.text("subject", certificate.subject);
  if (!certificate.san.empty()) out.text("san", certificate.san);
  if (!certificate.sha256.empty()) out.text("sha256", certificate.sha256);
  return out.done();
}

std::string role_text(const Role& role) {
  Inline out;
  out.raw("allow", text_list(role.allow));
  if (!role.deny.empty()) out.raw("deny", text_list(role.deny));
  if (!role.inherits.empty()) out.raw("inherits", text_list(role.inherits));
  return out.done();
}

// Short: what it decides stands in its file, whose line is told.
std::string rule_text(const Rule& rule) {
  static constexpr const char* kEffects[] = {"allow", "deny", "unasked", "confirm", "elicit", "approve"};
  Inline out;
  out.text("name", rule.name).text("effect", kEffects[static_cast<std::size_t>(rule.effect)]);
  out.raw("tools", text_list(rule.tools)).text("at", rule.origin);
  return out.done();
}

std::string plugin_text(const Plugin& plugin) {
  Inline out;
  out.text("id", plugin.id).raw("enabled", plugin.enabled ? "true" : "false");
  if (plugin.required) out.raw("required", "true");
  out.text("isolation", plugin.isolation == Isolation::inprocess ? "inprocess" : "process");
  if (!plugin.prefix.empty()) out.text("prefix", plugin.prefix);
  if (!plugin.tools.empty()) out.raw("tools", text_list(plugin.tools));
  if (!plugin.sha256.empty()) out.text("sha256", plugin.sha256);
  if (plugin.allow_downgrade) out.raw("allow_downgrade", "true");
  if (!plugin.config.empty()) {
    std::string masked;
    append_masked_json(masked, plugin.config);
    out.text("config", masked);
  }
  return out.done();
}

std::string limit_text(const LimitRule& rule) {
  Inline out;
  if (rule.rps) out.raw("rps", number_text(*rule.rps));
  if (rule.burst) out.raw("burst", number_text(*rule.burst));
  if (rule.cost) out.raw("cost", number_text(*rule.cost));
  return out.done();
}

template <class Items, class Text>
std::string tables(const Items& items, Text text) {
  std::string out = "[";
  for (const auto& item : items) out += (out.size() > 1 ? ", " : "") + text(item);
  return out + "]";
}

std::string escaped_cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string range_cell(const Row& row) {
  switch (row.type) {
    case Type::boolean:
      return "true, false";
    case Type::choice: {
      std::string out;
      for (const char c : row.choices) out += c == '|' ? std::string(", ") : std::string(1, c);
      return out;
    }
    case Type::integer:
    case Type::number:
    case Type::seconds:
      return number_text(row.least) + " – " + number_text(row.most) + (row.type == Type::seconds ? " s" : "");
    case Type::list:
      return "list";
    case Type::tree:
      return "tables";
    case Type::text:
      break;
  }
  return "text";
}

}  // namespace

std::string problems_text(const Problems& problems) {
  std::string out;
  for (const auto& problem : problems) {
    if (problem.where.layer != Layer::fallback) out += problem.where.text() + ": ";
    out += problem.what + "\n";
    if (!problem.fix.empty()) out += "    fix: " + problem.fix + "\n";
  }
  return out;
}

std::string toml_text(const Row& row, const Value& value) {
  switch (row.type) {
    case Type::boolean:
      return value.on ? "true" : "false";
    case Type::integer:
      return std::to_string(value.integer);
    case Type::number:
    case Type::seconds:
      return number_text(value.number);
    case Type::list:
      return text_list(value.list);
    case Type::text:
    case Type::choice:
    case Type::tree:
      break;
  }
  std::string out;
  append_json_string(out, value.text);
  return out;
}

std::string tree_text(const Row& row, const Settings& settings) {
  if (row.key == "auth.token")
    return settings.auth.tokens.empty() ? "" : tables(settings.auth.tokens, token_text);
  if (row.key == "policy.rule")
    return settings.policy.rules.empty() ? "" : tables(settings.policy.rules, rule_text);
  if (row.key == "auth.certificate")
    return settings.auth.certificates.empty() ? "" : tables(settings.auth.certificates, certificate_text);
  if (row.key == "plugin") return tables(settings.plugins.list, plugin_text);
  Inline out;
  if (row.key == "auth.claim_roles") {
    for (const auto& [value, role] : settings.auth.claim_roles) {
      std::string quoted;
      append_json_string(quoted, value);
      out.text(quoted.c_str(), role);
    }
    return settings.auth.claim_roles.empty() ? "" : out.done();
  }
  if (row.key.starts_with("limits.")) {
    const Limits& limits = settings.limits;
    const auto& rules = row.key == "limits.identity" ? limits.identities
                        : row.key == "limits.role"   ? limits.roles
                        : row.key == "limits.tool"   ? limits.tools
                                                     : limits.vcenters;
    for (const auto& [name, rule] : rules) out.raw(("\"" + name + "\"").c_str(), limit_text(rule));
    return rules.empty() ? "" : out.done();
  }
  for (const auto& [name, role] : settings.auth.roles) out.raw(("\"" + name + "\"").c_str(), role_text(role));
  return settings.auth.roles.empty() ? "" : out.done();
}

std::string effective_text(const Loaded& loaded) {
  std::string out = "# Effective configuration. Each value says where it came from.\n";
  for (const auto& file : loaded.files) out += "# read: " + file + "\n";
  for (const auto& line : loaded.effective) {
    if (line.value.empty()) {
      out += "# " + std::string(line.row->key) + " is not set\n";
      continue;
    }
    out += std::string(line.row->key) + " = " + line.value + "  # " + line.origin.text() + "\n";
  }
  for (const auto& warning : loaded.warnings) out += "# warning: " + warning + "\n";
  return out;
}

std::string reference_markdown() {
  std::string out =
      "# Settings\n\n"
      "Made from the table in `core/config/rows.cpp` by `vsphere-mcp-pro check-config --reference`; do not "
      "edit.\n\n"
      "A setting is taken from the first place that has it: flag, environment, `.env` file, TOML files, "
      "default.\n"
      "Every setting also has the variable `VMCP__SECTION__KEY` (`server.port` is `VMCP__SERVER__PORT`); an "
      "empty\n"
      "variable counts as not set. Lists are comma-separated in variables, tables are JSON. Where \"file\" "
      "is\n"
      "marked, `KEY_file` and `VARIABLE_FILE` name a file that holds the value. A changed setting takes "
      "effect at\n"
      "the next start.\n";
  std::string section;
  for (const Row& row : table()) {
    const std::string now(row.key.substr(0, row.key.find('.')));
    if (now != section && now != "plugin") {
      section = now;
      out +=
          "\n## " + section + "\n\n| Key | Variable | Default | Values | Meaning |\n|---|---|---|---|---|\n";
    }
    const std::string variable = row.variable.empty() ? long_variable(row.key) : std::string(row.variable);
    out += "| `" + std::string(row.key) + "` | `" + variable + "` | " +
           (row.fallback.empty() ? std::string("–") : "`" + std::string(row.fallback) + "`") + " | " +
           range_cell(row) + (row.secret ? ", secret, file" : "") + " | " + escaped_cell(row.help) +
           (row.takes == Takes::reload ? " (reload)" : "") + " |\n";
  }
  return out;
}

}  // namespace vmcp::config
