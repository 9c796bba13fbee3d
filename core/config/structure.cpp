#include "config/structure.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "base/bearer.h"
#include "base/crypto.h"
#include "config/checks.h"
#include "config/dotenv.h"
#include "config/fields.h"
#include "config/files.h"
#include "config/table.h"

namespace vmcp::config {
namespace {

constexpr std::size_t kMaxEntries = 10'000;
constexpr std::size_t kShortToken = 16;
constexpr std::chrono::hours kSoon{14 * 24};

bool is_hash(std::string_view text) {
  return text.starts_with("sha256:") && text.size() == 7 + 64 &&
         text.find_first_not_of("0123456789abcdef", 7) == std::string_view::npos;
}

std::string hash_of(const Token& token) {
  return token.hash.empty() ? "sha256:" + to_hex(sha256(token.token.reveal())) : token.hash;
}

class TokenReader {
 public:
  TokenReader(bool demo, std::vector<Token>& out, Problems& problems, std::vector<std::string>& warnings)
      : demo_(demo), out_(out), problems_(problems), warnings_(warnings) {
    for (const Token& token : demo_tokens()) demo_hashes_.insert(hash_of(token));
    for (const Token& token : out) seen(token);
  }

  // {"token":"role"}: the keys are the secrets, so that entries can be named by their number only.
  void read_object(const Node& node) {
    int number = 0;
    for (const auto& [key, role] : node.fields) {
      const std::string title = "entry " + std::to_string(++number);
      Token token;
      if (role.kind != Node::Kind::text) {
        add(problems_, role.where, "auth.token: the role of " + title + " is not a text",
            "write {\"token\":\"role\"}");
        continue;
      }
      token.role = role.text;
      if (key.starts_with("sha256:"))
        token.hash = key;
      else
        token.token = Secret(key);
      accept(std::move(token), title, role.where);
    }
  }

  void read_list(const Node& node) {
    int number = 0;
    for (const auto& item : node.items) {
      const std::string title = "entry " + std::to_string(++number);
      if (item.kind == Node::Kind::table)
        read_entry(item, title);
      else
        add(problems_, item.where, "auth.token: " + title + " is not a table", "write [[auth.token]]");
    }
  }

 private:
  void read_entry(const Node& item, const std::string& title) {
    Fields fields(item, "auth.token, " + title, problems_);
    Token token;
    std::string text, file;
    const bool has_role = fields.text("role", token.role);
    fields.text("name", token.name);
    const int sources =
        fields.text("hash", token.hash) + fields.text("file", file) + fields.text("token", text);
    fields.text("certificate", token.certificate);
    const bool begins = fields.moment("not_before", token.not_before);
    const bool ends = fields.moment("expires", token.expires);
    fields.refuse_others();
    if (!begins || !ends) return;
    if (!has_role) {
      add(problems_, item.where, "auth.token: " + title + " has no role", "add role = \"read\"");
      return;
    }
    if (sources != 1) {
      add(problems_, item.where, "auth.token: " + title + " needs exactly one of hash, file and token",
          "make a token and its hash with: vsphere-mcp-pro hash-token");
      return;
    }
    if (!file.empty() && !read_token_file(file, title, item.where, text)) return;
    token.token = Secret(std::move(text));
    if (!token.name.empty() && !is_role_name(token.name)) {
      add(problems_, item.where,
          "auth.token: the name of " + title + " has other characters than letters, digits, _ - .",
          "write a plain name");
      return;
    }
    accept(std::move(token), title, item.where);
  }

  bool read_token_file(const std::string& path, const std::string& title, const Origin& at,
                       std::string& text) {
    std::string why, fix;
    if (!read_config_file(path, 65536, text, why, fix)) {
      add(problems_, at, "auth.token: the file of " + title + ", " + in_quotes(path) + ", " + why, fix);
      return false;
    }
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return true;
  }

  void accept(Token token, const std::string& title, const Origin& at) {
    const std::string& text = token.token.reveal();
    const auto bad = [&](std::string what, std::string fix) {
      add(problems_, at, "auth.token: " + title + " " + std::move(what), std::move(fix));
    };
    if (!is_role_name(token.role)) return bad("has a role that is no name", "use letters, digits, _ - and .");
    if (!token.hash.empty() && !is_hash(token.hash))
      return bad("has a malformed hash",
                 "write sha256: and 64 lower-case hex digits, as hash-token prints them");
    if (token.hash.empty()) {
      if (text.empty()) return bad("has an empty token", "write a token, or remove the entry");
      if (text == "CHANGE_ME")
        return bad("is still the placeholder CHANGE_ME", "fill in a long random token");
      if (!is_bearer_token(text))
        return bad(
            "cannot travel in a header",
            "use letters, digits and - . _ ~ + / only (= at the end), at most 16000; openssl rand -hex 32 "
            "makes one");
      if (text.size() < kShortToken)
        warnings_.push_back("auth.token: " + title + " is shorter than " + std::to_string(kShortToken) +
                            " characters and could be guessed; make one with: openssl rand -hex 32");
    }
    if (!demo_ && demo_hashes_.contains(hash_of(token)))
      return bad("is one of the demo's tokens, which everyone knows", "use a token of your own");
    if (token.not_before && token.expires && *token.not_before >= *token.expires)
      return bad("expires before it begins", "let expires be later than not_before");
    if (!seen(token))
      return bad(
          "repeats an earlier token, or its name in another role",
          "give each caller a token and a name of its own; two tokens of one name and role are for rotation");
    warn_of_end(token, title);
    if (out_.size() >= kMaxEntries) return bad("is one too many: at most 10000 tokens", "remove unused ones");
    out_.push_back(std::move(token));
  }

  // False when the token was there before, or its name in another role.
  bool seen(const Token& token) {
    const bool fresh = hashes_.insert(hash_of(token)).second;
    return fresh &&
           (token.name.empty() || roles_.emplace(token.name, token.role).first->second == token.role);
  }

  void warn_of_end(const Token& token, const std::string& title) {
    if (!token.expires) return;
    const auto left = *token.expires - std::chrono::system_clock::now();
    const std::string name = token.name.empty() ? title : title + " (" + token.name + ")";
    if (left <= WallTime::duration::zero())
      warnings_.push_back("auth.token: " + name + " has expired at " + iso8601(*token.expires) +
                          "; remove it");
    else if (left < kSoon)
      warnings_.push_back("auth.token: " + name + " expires at " + iso8601(*token.expires) +
                          "; add its successor under the same name now, so that there is no gap");
  }

  const bool demo_;
  std::vector<Token>& out_;
  Problems& problems_;
  std::vector<std::string>& warnings_;
  std::set<std::string> demo_hashes_, hashes_;
  std::map<std::string, std::string> roles_;  // of each name
};

void check_patterns(const std::vector<std::string>& patterns, const std::string& title, const Origin& at,
                    Problems& problems) {
  for (const auto& pattern : patterns)
    if (!is_tool_pattern(pattern))
      add(problems, at, title + ": " + in_quotes(pattern) + " is not a tool's name or pattern",
          "use letters, digits, _ - . / and the wildcards * and ?");
}

std::string full_id(std::string_view name) {
  return name.find('.') == std::string_view::npos ? "org.vmcp." + std::string(name) : std::string(name);
}

bool is_first_party(std::string_view id) {
  return std::any_of(std::begin(kFirstParty), std::end(kFirstParty),
                     [&](const char* n) { return full_id(n) == id; });
}

Plugin make_plugin(std::string id) {
  Plugin plugin;
  plugin.isolation = is_first_party(id) ? Isolation::inprocess : Isolation::process;
  plugin.id = std::move(id);
  return plugin;
}

void read_plugin(const Node& item, std::vector<Plugin>& out, Problems& problems) {
  std::string id;
  Fields fields(item, "plugin", problems);
  if (!fields.text("id", id)) {
    add(problems, item.where, "plugin: a [[plugin]] has no id", "add id = \"org.example.tools\"");
    return;
  }
  id = full_id(id);
  if (!is_plugin_id(id))
    add(problems, item.where, "plugin: " + in_quotes(id) + " is not a plugin's id",
        "write it as its manifest does: org.example.tools");
  if (std::any_of(out.begin(), out.end(), [&](const Plugin& p) { return p.id == id; }))
    add(problems, item.where, "plugin: " + id + " has two [[plugin]] entries", "keep one");
  Plugin plugin = make_plugin(id);
  fields.boolean("enabled", plugin.enabled);
  fields.boolean("required", plugin.required);
  if (std::string isolation; fields.text("isolation", isolation)) {
    if (isolation == "inprocess")
      plugin.isolation = Isolation::inprocess;
    else if (isolation == "process")
      plugin.isolation = Isolation::process;
    else
      add(problems, item.where, "plugin " + id + ": isolation " + in_quotes(isolation) + " does not exist",
          "write inprocess or process");
  }
  if (fields.text("prefix", plugin.prefix) && (!is_role_name(plugin.prefix) || plugin.prefix.size() > 32))
    add(problems, item.where,
        "plugin " + id + ": the prefix " + in_quotes(plugin.prefix) + " cannot open a tool's name",
        "use at most 32 letters, digits, _ - and .");
  if (fields.texts("tools", plugin.tools)) {
    if (plugin.tools.empty())
      add(problems, item.where, "plugin " + id + ": tools is an empty list",
          "name tools, or write enabled = false");
    check_patterns(plugin.tools, "plugin " + id, item.where, problems);
  }
  if (fields.text("sha256", plugin.sha256)) {
    if (!is_sha256(plugin.sha256))
      add(problems, item.field("sha256")->where,
          "plugin " + id + ": sha256 has " + std::to_string(plugin.sha256.size()) +
              " characters or others than hex digits",
          "write the 64 hex digits that `plugin list` or sha256sum prints of its library");
    plugin.sha256 = lower_case(std::move(plugin.sha256));
  }
  fields.boolean("allow_downgrade", plugin.allow_downgrade);
  if (const Node* config = fields.take("config")) {
    if (config->kind != Node::Kind::table)
      add(problems, config->where, "plugin " + id + ": config is not a table", "write [plugin.config]");
    else if (!json_of(*config, plugin.config))
      add(problems, config->where,
          "plugin " + id + ": config holds a date, a null or an integer outside 64 bits",
          "write dates as texts");
  }
  fields.refuse_others();
  out.push_back(std::move(plugin));
}

// One element of PLUGINS: "vm", "-resource", "vm:list_vms|get_*".
struct Selection {
  std::string id;
  bool minus = false;
  std::vector<std::string> tools;
};

bool read_selection(const std::string& text, const Origin& at, Selection& out, Problems& problems) {
  std::string_view rest = text;
  if (rest.starts_with('-')) {
    out.minus = true;
    rest.remove_prefix(1);
  }
  const auto colon = rest.find(':');
  out.id = full_id(rest.substr(0, colon));
  const std::size_t before = problems.size();
  const std::string form = "write names such as vm,snapshot or -resource or vm:list_vms|get_*";
  if (!is_plugin_id(out.id))
    add(problems, at, "plugins.select: " + in_quotes(text) + " names no plugin", form);
  if (colon != std::string_view::npos) {
    for (std::string_view tools = rest.substr(colon + 1);;) {
      const auto bar = tools.find('|');
      out.tools.emplace_back(tools.substr(0, bar));
      if (bar == std::string_view::npos) break;
      tools.remove_prefix(bar + 1);
    }
    check_patterns(out.tools, "plugins.select", at, problems);
    if (out.minus)
      add(problems, at, "plugins.select: " + in_quotes(text) + " takes single tools away",
          "name the tools that stay: vm:list_vms|get_*");
  }
  return problems.size() == before;
}

}  // namespace

bool json_of(const Node& node, Json& out) {
  switch (node.kind) {
    case Node::Kind::boolean:
      out = node.boolean;
      return true;
    case Node::Kind::integer:
      out = node.integer;
      return true;
    case Node::Kind::number:
      out = node.number;
      return true;
    case Node::Kind::text:
      out = node.text;
      return true;
    case Node::Kind::array:
      out = Json::array();
      for (const auto& item : node.items)
        if (Json value; json_of(item, value))
          out.push_back(std::move(value));
        else
          return false;
      return true;
    case Node::Kind::table:
      out = Json::object();
      for (const auto& [key, item] : node.fields)
        if (Json value; json_of(item, value))
          out[key] = std::move(value);
        else
          return false;
      return true;
    case Node::Kind::other:
      break;
  }
  return false;
}

std::vector<Token> demo_tokens() {
  std::vector<Token> out;
  for (const std::string role : kDefaultRoles) {
    Token token;
    token.name = "demo-" + role;
    token.token = Secret(token.name);
    token.role = role;
    out.push_back(std::move(token));
  }
  return out;
}

void read_tokens(const Node& node, bool json, bool demo, std::vector<Token>& out, Problems& problems,
                 std::vector<std::string>& warnings) {
  TokenReader reader(demo, out, problems, warnings);
  if (node.kind == Node::Kind::array)
    reader.read_list(node);
  else if (node.kind == Node::Kind::table && json)
    reader.read_object(node);
  else
    add(problems, node.where,
        "auth.token: is neither a list of entries nor, in a variable, {\"token\":\"role\"}",
        "write [[auth.token]] entries in a file, {\"token\":\"role\"} in a variable");
}

void read_certificates(const Node& node, std::vector<Certificate>& out, Problems& problems) {
  if (node.kind != Node::Kind::array) {
    add(problems, node.where, "auth.certificate: is not a list of entries",
        "write [[auth.certificate]] entries");
    return;
  }
  for (const Node& item : node.items) {
    const std::string title = "auth.certificate, entry " + std::to_string(out.size() + 1);
    if (item.kind != Node::Kind::table) {
      add(problems, item.where, title + " is not a table", "write [[auth.certificate]]");
      continue;
    }
    Fields fields(item, title, problems);
    Certificate made;
    const bool has_name = fields.text("name", made.name), has_role = fields.text("role", made.role);
    const int which = fields.text("subject", made.subject) + fields.text("san", made.san) +
                      fields.text("sha256", made.sha256);
    fields.refuse_others();
    std::string digest = lower_case(made.sha256);
    std::erase(digest, ':');
    if (!has_name || !has_role || !is_role_name(made.name) || !is_role_name(made.role))
      add(problems, item.where, title + " needs a name and a role of letters, digits, _ - and .",
          "add name = \"agent-7\" and role = \"read\"");
    else if (which != 1)
      add(problems, item.where, title + " needs exactly one of subject, san and sha256",
          "write what `openssl x509 -noout -subject -nameopt RFC2253 -ext subjectAltName -fingerprint "
          "-sha256` prints");
    else if (!made.sha256.empty() && !is_sha256(digest))
      add(problems, item.where, title + ": sha256 is not 64 hex digits",
          "write what `openssl x509 -noout -fingerprint -sha256` prints");
    else if (out.size() >= kMaxEntries)
      add(problems, item.where, title + " is one too many: at most 10000 certificates", "remove unused ones");
    else
      out.push_back(std::move(made));
  }
}

void read_claim_roles(const Node& node, std::map<std::string, std::string>& out, Problems& problems) {
  const std::string fix = "write \"vm-admins\" = \"admin\" under [auth.claim_roles]";
  if (node.kind != Node::Kind::table)
    add(problems, node.where, "auth.claim_roles: is not a table of values and roles", fix);
  for (const auto& [value, role] : node.fields) {
    if (role.kind != Node::Kind::text || !is_role_name(role.text) || value.empty())
      add(problems, role.where, "auth.claim_roles: " + in_quotes(value.substr(0, 64)) + " is given no role",
          fix);
    else if (out.size() >= kMaxEntries || !out.emplace(value, role.text).second)
      add(problems, role.where,
          "auth.claim_roles: " + in_quotes(value.substr(0, 64)) + " is there twice, or one too many",
          "keep one of them");
  }
}

void read_roles(const Node& node, std::map<std::string, Role>& out, Problems& problems) {
  if (node.kind != Node::Kind::table) {
    add(problems, node.where, "auth.role: is not a table of roles",
        "write [auth.role.NAME] in a file, {\"role\":[\"tool\"]} in a variable");
    return;
  }
  for (const auto& [name, value] : node.fields) {
    const std::string title = "auth.role." + name.substr(0, 64);
    Role role;
    Fields fields(value, title, problems);
    if (!is_role_name(name)) {
      add(problems, value.where, "auth.role: " + in_quotes(name) + " is not a role's name",
          "use letters, digits, _ - and .");
      continue;
    }
    if (value.kind == Node::Kind::array) {
      fields.read_texts(value, "the role", role.allow);
    } else if (value.kind == Node::Kind::table) {
      fields.texts("allow", role.allow);
      fields.texts("deny", role.deny);
      fields.texts("inherits", role.inherits);
      fields.refuse_others();
    } else {
      add(problems, value.where, title + " is neither a list of tools nor a table",
          "write allow = [\"tool\"]");
    }
    check_patterns(role.allow, title, value.where, problems);
    check_patterns(role.deny, title, value.where, problems);
    if (!out.emplace(name, std::move(role)).second)
      add(problems, value.where, title + " is defined twice", "keep one definition");
  }
}

void read_limit_rules(const Node& node, const char* kind, bool with_cost,
                      std::map<std::string, LimitRule>& out, Problems& problems) {
  const std::string row = std::string("limits.") + kind;
  if (node.kind != Node::Kind::table) {
    add(problems, node.where, row + ": is not a table of names",
        "write [" + row + ".NAME] in a file, {\"NAME\":{\"rps\":1}} in a variable");
    return;
  }
  for (const auto& [name, value] : node.fields) {
    const std::string title = row + "." + name.substr(0, 64);
    if (name.empty() || name.size() > 256 || name.find_first_of("*? \t\r\n") != std::string::npos) {
      add(problems, value.where, row + ": " + in_quotes(name) + " is no name",
          "write one name, without wildcards");
      continue;
    }
    if (value.kind != Node::Kind::table) {
      add(problems, value.where, title + " is not a table",
          "write rps = 1 and burst = 2 below [" + title + "]");
      continue;
    }
    Fields fields(value, title, problems);
    LimitRule rule;
    fields.number("rps", 0, 1e6, rule.rps);
    fields.number("burst", 1, 1e6, rule.burst);
    if (with_cost) fields.number("cost", 0, 1e6, rule.cost);
    fields.refuse_others();
    out.emplace(name, rule);
  }
}

std::vector<Plugin> read_plugins(const Node* blocks, const std::vector<std::string>* select,
                                 const Origin& select_at, Problems& problems) {
  std::vector<Plugin> listed;
  if (blocks != nullptr) {
    if (blocks->kind != Node::Kind::array)
      add(problems, blocks->where, "plugin: is not a list", "write [[plugin]] with double brackets");
    for (const auto& item : blocks->items) {
      if (item.kind == Node::Kind::table)
        read_plugin(item, listed, problems);
      else
        add(problems, item.where, "plugin: an entry is not a table", "write [[plugin]] entries");
    }
  }
  const auto entry = [&](const std::string& id) -> Plugin& {
    const auto it = std::find_if(listed.begin(), listed.end(), [&](const Plugin& p) { return p.id == id; });
    return it != listed.end() ? *it : listed.emplace_back(make_plugin(id));
  };
  // Ours that no block mentions come first: at a collision of names the later plugin is the one refused.
  std::size_t front = 0;
  for (const char* name : kFirstParty) {
    const bool mentioned =
        std::any_of(listed.begin(), listed.end(), [&](const Plugin& p) { return p.id == full_id(name); });
    if (!mentioned)
      listed.insert(listed.begin() + static_cast<std::ptrdiff_t>(front++), make_plugin(full_id(name)));
  }

  std::vector<Selection> selections;
  std::set<std::string> named;
  bool any_plus = false;
  for (const auto& text : select != nullptr ? *select : std::vector<std::string>{}) {
    Selection selection;
    if (!read_selection(text, select_at, selection, problems)) continue;
    if (!named.insert(selection.id).second)
      add(problems, select_at, "plugins.select: names " + selection.id + " twice", "name each plugin once");
    any_plus = any_plus || !selection.minus;
    selections.push_back(std::move(selection));
  }
  if (any_plus)
    for (Plugin& plugin : listed) plugin.enabled = false;
  std::vector<std::string> order;
  for (Selection& selection : selections) {
    Plugin& plugin = entry(selection.id);
    plugin.enabled = !selection.minus;
    if (!selection.tools.empty()) plugin.tools = std::move(selection.tools);
    if (!selection.minus) order.push_back(selection.id);
  }
  const auto rank = [&](const Plugin& p) {
    return std::find(order.begin(), order.end(), p.id) - order.begin();
  };
  std::stable_sort(listed.begin(), listed.end(),
                   [&](const Plugin& a, const Plugin& b) { return rank(a) < rank(b); });
  return listed;
}

}  // namespace vmcp::config
