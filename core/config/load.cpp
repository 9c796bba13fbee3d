#include "config/load.h"

#include <algorithm>
#include <set>

#include "base/mask.h"
#include "config/checks.h"
#include "config/files.h"
#include "config/report.h"
#include "config/rules.h"
#include "config/sources.h"
#include "config/structure.h"

namespace vmcp::config {
namespace {

constexpr std::size_t kMaxSecretBytes = 1u << 20;

class Loader {
 public:
  explicit Loader(const Options& options) : options_(options) {}

  LoadResult run() {
    Loaded loaded;
    warnings_ = &loaded.warnings;
    sources_ = collect(options_, problems_, loaded.warnings);
    loaded.files = sources_.files;
    Settings& s = loaded.settings;
    s.demo = options_.demo;
    if (options_.demo) prepare_demo();
    for (const Row& row : table()) {
      if (row.type == Type::tree) continue;
      loaded.effective.push_back(read_scalar(row, s));
    }
    read_trees(s);
    check_vcenter(s);
    check_auth(s);
    check_numbers(s);
    check_limits(s);
    check_tls(s.server);
    check_plugins(s);
    add_trees(s, loaded.effective);
    if (problems_.empty()) return {std::move(loaded), {}};
    std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
      return std::tie(a.where.layer, a.where.name, a.where.line, a.where.column) <
             std::tie(b.where.layer, b.where.name, b.where.line, b.where.column);
    });
    return {std::nullopt, std::move(problems_)};
  }

 private:
  void problem(const Origin& at, std::string what, std::string fix) {
    problems_.push_back({at, std::move(what), std::move(fix)});
  }
  void warn(std::string text) { warnings_->push_back(std::move(text)); }

  const Row& row(std::string_view key) const {
    bool from_file = false;
    return *find_key(key, from_file);
  }
  const Found* found(std::string_view key) const {
    const auto it = sources_.found.find(&row(key));
    return it == sources_.found.end() ? nullptr : &it->second;
  }
  Origin origin_of(std::string_view key) const {
    const Found* f = found(key);
    return f != nullptr ? f->node.where : Origin{};
  }
  // A setting that was given but refused already has its problem.
  bool given_or_unclear(std::string_view key) const { return found(key) != nullptr || sources_.broken; }

  // A demo never touches a real vCenter and never accepts a real token; a site's settings for those may stand
  // in the environment all the same.
  void prepare_demo() {
    std::string ignored;
    for (auto it = sources_.found.begin(); it != sources_.found.end();) {
      const std::string_view key = it->first->key;
      // These name no vCenter and let nobody in.
      const bool harmless = key == "vcenter.watch_interval_s" || key == "auth.authorization_servers" ||
                            key == "auth.role" || key == "auth.keep_default_roles";
      const bool replaced =
          !harmless && (key.starts_with("vcenter.") || key.starts_with("auth.") || key == "server.host");
      if (replaced && it->second.node.where.layer != Layer::flag) {
        ignored += (ignored.empty() ? "" : ", ") + std::string(key);
        it = sources_.found.erase(it);
      } else {
        ++it;
      }
    }
    if (!ignored.empty()) warn("the demo has its own vCenter, tokens and address; ignored: " + ignored);
  }

  // Puts the content of KEY_file in place of its name.
  bool resolve_file(const Row& row, Found& f) {
    if (!f.from_file) return true;
    std::string text, why, fix;
    if (!read_config_file(f.node.text, kMaxSecretBytes, text, why, fix)) {
      problem(f.node.where, std::string(row.key) + "_file: the file " + in_quotes(f.node.text) + " " + why,
              fix);
      return false;
    }
    while (row.type != Type::tree && !text.empty() && (text.back() == '\n' || text.back() == '\r'))
      text.pop_back();
    const Origin at{Layer::file, f.node.text, 1, 1};
    f.node = Node{};
    f.node.text = std::move(text);
    f.node.where = at;
    f.from_file = false;
    return true;
  }

  Effective read_scalar(const Row& row, Settings& settings) {
    Effective line{&row, {}, {}};
    Node node;
    if (const auto it = sources_.found.find(&row); it != sources_.found.end()) {
      if (!resolve_file(row, it->second)) return line;
      node = it->second.node;
    } else if (options_.demo && row.key == "server.host") {
      node.text = "127.0.0.1";
    } else if (!row.fallback.empty()) {
      node.text = row.fallback;
    } else {
      return line;
    }
    line.origin = node.where;
    Value value;
    if (!value_from_node(row, node, value, problems_)) return line;
    if (row.set != nullptr) row.set(settings, value);
    if (row.key == "auth.enforce_off_is_intended") off_is_intended_ = value.on;
    if (row.key == "auth.keep_default_roles") keep_default_roles_ = value.on;
    if (row.key == "plugins.select") select_ = value.list;
    line.value = row.secret ? std::string("\"") + std::string(Secret::kMask) + "\"" : toml_text(row, value);
    return line;
  }

  // The tree of a row, or null. In a variable, and in a file that a setting names, it is JSON.
  const Node* tree(std::string_view key, bool* json = nullptr) {
    const auto it = sources_.found.find(&row(key));
    if (it == sources_.found.end() || !resolve_file(row(key), it->second)) return nullptr;
    Node& node = it->second.node;
    if (json != nullptr) *json = !node.typed;
    if (!node.typed) {
      Node parsed;
      if (!node_from_json(node.text, node.where, row(key).secret, parsed, problems_)) return nullptr;
      // Places inside the JSON are not known; the variable is.
      node = std::move(parsed);
    }
    return &node;
  }

  void read_trees(Settings& s) {
    bool json = false;
    if (const Node* tokens = tree("auth.token", &json))
      read_tokens(*tokens, json, options_.demo, s.auth.tokens, problems_, *warnings_);
    if (const Node* certificates = tree("auth.certificate"))
      read_certificates(*certificates, s.auth.certificates, problems_);
    if (const Node* claims = tree("auth.claim_roles"))
      read_claim_roles(*claims, s.auth.claim_roles, problems_);
    if (const Node* roles = tree("auth.role")) read_roles(*roles, s.auth.roles, problems_);
    const auto limits = [&](const char* kind, std::map<std::string, LimitRule>& out) {
      if (const Node* node = tree(std::string("limits.") + kind))
        read_limit_rules(*node, kind, kind == std::string_view("tool"), out, problems_);
    };
    limits("identity", s.limits.identities);
    limits("role", s.limits.roles);
    limits("tool", s.limits.tools);
    limits("vcenter", s.limits.vcenters);
    // The demo's tokens are in these roles; so that a policy can be tried on it, they may be defined anew.
    s.auth.default_roles = s.auth.roles.empty() || keep_default_roles_ || options_.demo;
    if (const Node* rules = tree("policy.rule")) read_rules(*rules, s.policy.rules, problems_);
    if (options_.demo) s.auth.tokens = demo_tokens();
    const Node* blocks = tree("plugin");
    s.plugins.list =
        read_plugins(blocks, select_ ? &*select_ : nullptr, origin_of("plugins.select"), problems_);
  }

  void add_trees(const Settings& s, std::vector<Effective>& effective) const {
    for (const Row& row : table()) {
      if (row.type != Type::tree) continue;
      const auto at =
          std::find_if(effective.begin(), effective.end(), [&](const Effective& e) { return e.row > &row; });
      effective.insert(at, Effective{&row, tree_text(row, s), origin_of(row.key)});
    }
  }

  void check_vcenter(Settings& s) {
    auto& hosts = s.vcenter.allowed_hosts;
    std::set<std::string> seen{s.vcenter.host};
    std::erase_if(hosts, [&](const std::string& host) { return !seen.insert(host).second; });
    if (options_.demo) return;
    if (s.vcenter.insecure) {
      warn(
          "INSECURE is true: the vCenter's certificate is NOT verified, and whoever sits between can read "
          "the password");
      if (!s.vcenter.ca_bundle.empty()) warn("VCENTER_CA_BUNDLE has no effect while INSECURE is true");
    }
    if (!options_.require_vcenter) return;
    const auto need = [&](const char* key, bool empty, const char* what) {
      if (empty && !given_or_unclear(key))
        problem({}, std::string(key) + " is not set: " + what,
                "set " + std::string(row(key).variable) + " in the environment or .env file, or " + key +
                    " in the configuration file (or try: serve --demo)");
    };
    need("vcenter.host", s.vcenter.host.empty(), "the server does not know its vCenter");
    need("vcenter.user", s.vcenter.user.empty(), "the vCenter needs a user");
    need("vcenter.password", s.vcenter.password.empty(), "the vCenter needs a password");
  }

  void check_auth(Settings& s) {
    const auto& auth = s.auth;
    if (options_.demo) {
      if (!is_loopback(s.server.host))
        problem(origin_of("server.host"),
                "server.host: a demo serves loopback only, not " + in_quotes(s.server.host),
                "use 127.0.0.1; its tokens are known to everyone");
      return;
    }
    const std::set<std::string> roles = known_roles(auth);
    int number = 0;
    for (const Token& token : auth.tokens) {
      ++number;
      if (!roles.contains(token.role))
        unknown_role("auth.token", "auth.token: entry " + std::to_string(number), token.role, roles);
    }
    number = 0;
    bool bound = false;
    for (const Token& token : auth.tokens) bound = bound || !token.certificate.empty();
    for (const Certificate& certificate : auth.certificates) {
      ++number;
      if (!roles.contains(certificate.role))
        unknown_role("auth.certificate", "auth.certificate: entry " + std::to_string(number),
                     certificate.role, roles);
    }
    if ((bound || !auth.certificates.empty()) && s.server.tls_client_ca.empty() &&
        !given_or_unclear("server.tls_client_ca"))
      problem(
          origin_of(auth.certificates.empty() ? "auth.token" : "auth.certificate"),
          "client certificates are named, and server.tls_client_ca is not set: no client is asked for one",
          "name the file with the authorities that issue your clients' certificates");
    for (const auto& [value, role] : auth.claim_roles)
      if (!roles.contains(role))
        unknown_role("auth.claim_roles", "auth.claim_roles: " + in_quotes(value), role, roles);
    for (const auto& [name, role] : auth.roles)
      for (const auto& parent : role.inherits)
        if (!roles.contains(parent))
          unknown_role("auth.role", "auth.role." + name + ": inherits", parent, roles);

    for (const Rule& rule : s.policy.rules)
      for (const auto& name : rule.roles)
        if (!roles.contains(name))
          unknown_role("policy.rule", "policy.rule " + in_quotes(rule.name), name, roles);

    if (auth.enforce) {
      const bool nobody =
          auth.tokens.empty() && auth.certificates.empty() && auth.authorization_servers.empty();
      if (options_.require_token && nobody && !given_or_unclear("auth.token"))
        problem({}, "no token is configured, so nobody could call",
                "make one with hash-token and set TOKENS_TO_ROLES={\"sha256:…\":\"read\"} or [[auth.token]]");
      else if (options_.require_token && nobody && problems_.empty())
        problem(origin_of("auth.token"), "auth.token: holds no token, so nobody could call",
                "make one with hash-token and put it in");
      return;
    }
    if (!roles.contains(auth.anonymous_role))
      unknown_role("auth.anonymous_role", "auth.anonymous_role", auth.anonymous_role, roles);
    if (!is_loopback(s.server.host) && !off_is_intended_)
      problem(origin_of("auth.enforce"),
              "auth.enforce is false and the server listens on " + s.server.host +
                  ": everyone who reaches it could operate the vCenter",
              "remove AUTH_ENFORCE=false, or set SERVER_HOST=127.0.0.1, or set "
              "AUTH_ENFORCE_OFF_IS_INTENDED=true as well");
    else
      warn("AUTH_ENFORCE is false: everyone who reaches " + s.server.host + " acts in the role " +
           auth.anonymous_role);
  }

  static std::set<std::string> known_roles(const Auth& auth) {
    std::set<std::string> out;
    for (const auto& [name, role] : auth.roles) out.insert(name);
    if (auth.default_roles) out.insert(std::begin(kDefaultRoles), std::end(kDefaultRoles));
    return out;
  }

  void unknown_role(const char* key, const std::string& title, const std::string& name,
                    const std::set<std::string>& roles) {
    std::string all;
    for (const auto& role : roles) all += (all.empty() ? "" : ", ") + role;
    problem(origin_of(key), title + " names the role " + in_quotes(name) + ", which does not exist",
            "the roles are " + all + "; define it in auth.role, or use one of them");
  }

  void check_numbers(const Settings& s) {
    if (s.limits.vcenter_parallel * 2 > s.server.max_workers)
      problem(origin_of(found("limits.vcenter_parallel") ? "limits.vcenter_parallel" : "server.max_workers"),
              "limits.vcenter_parallel is " + std::to_string(s.limits.vcenter_parallel) +
                  ", more than half of server.max_workers (" + std::to_string(s.server.max_workers) +
                  "): one slow vCenter could hold every worker",
              "lower the first or raise the second");
    if (s.server.workers > s.server.max_workers)
      problem(origin_of(found("server.workers") ? "server.workers" : "server.max_workers"),
              "server.workers is more than server.max_workers", "lower the first or raise the second");
  }

  // A rule that limits nothing, or nobody, is a slip.
  void check_limits(const Settings& s) {
    const auto unused = [&](const char* kind, const std::map<std::string, LimitRule>& rules, double rps) {
      for (const auto& [name, rule] : rules)
        if (rule.burst && !rule.rps && rps == 0)
          problem(
              origin_of(std::string("limits.") + kind),
              "limits." + std::string(kind) + "." + name + " has a burst and no rps, so nothing is limited",
              "add rps");
    };
    unused("role", s.limits.roles, s.limits.role_rps);
    unused("tool", s.limits.tools, s.limits.tool_rps);
    unused("vcenter", s.limits.vcenters, s.limits.vcenter_rps);
    if (s.limits.shadow && s.limits.enabled)
      warn("limits.shadow is true: no rate limit but that of addresses refuses anything");
    if (options_.demo) return;  // has its own roles and vCenter
    const std::set<std::string> roles = known_roles(s.auth);
    for (const auto& [name, rule] : s.limits.roles)
      if (!roles.contains(name)) unknown_role("limits.role", "limits.role." + name, name, roles);
    std::vector<std::string> hosts = s.vcenter.allowed_hosts;
    if (!s.vcenter.host.empty()) hosts.insert(hosts.begin(), s.vcenter.host);
    for (const auto& [name, rule] : s.limits.vcenters)
      if (!hosts.empty() && std::find(hosts.begin(), hosts.end(), name) == hosts.end()) {
        const std::string near = nearest_of(name, hosts, 3);
        problem(origin_of("limits.vcenter"),
                "limits.vcenter names " + in_quotes(name) + ", which is not configured",
                near.empty() ? "write it as in vcenter.host or vcenter.allowed_hosts"
                             : "did you mean " + near + "?");
      }
  }

  void check_plugins(const Settings& s) {
    if (s.plugins.trust != PluginTrust::dev) return;
    if (!is_loopback(s.server.host))
      problem(origin_of("plugins.trust"),
              "plugins.trust is dev and the server listens on " + s.server.host +
                  ": code that nobody vouches for would serve others",
              "pin plugins by sha256 in their [[plugin]] entries or have them signed, and remove "
              "plugins.trust; or listen on 127.0.0.1");
    else
      warn(
          "plugins.trust is dev: ANY plugin that an entry names is loaded, pinned or signed or not. For a "
          "workbench only.");
  }

  void check_tls(const Server& server) {
    if (!server.tls_certificate.empty() && server.tls_key.empty() && !given_or_unclear("server.tls_key"))
      problem(origin_of("server.tls_certificate"), "server.tls_certificate is set without server.tls_key",
              "name the file with the certificate's key too");
    if (server.tls_certificate.empty() && !given_or_unclear("server.tls_certificate"))
      for (const char* key : {"server.tls_key", "server.tls_client_ca"})
        if (found(key))
          problem(origin_of(key), std::string(key) + " is set without server.tls_certificate: plain HTTP",
                  "name the file with the server's certificate, or remove " + std::string(key));
  }

  const Options& options_;
  Problems problems_;
  std::vector<std::string>* warnings_ = nullptr;
  Sources sources_;
  bool off_is_intended_ = false, keep_default_roles_ = false;
  std::optional<std::vector<std::string>> select_;
};

}  // namespace

LoadResult load(const Options& options) {
  return Loader(options).run();
}

Result<std::vector<Flag>> listen_flags(const std::string& listen) {
  const auto colon = listen.rfind(':');
  std::string host = colon == std::string::npos ? "" : listen.substr(0, colon);
  const std::string port = colon == std::string::npos ? listen : listen.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string::npos)
    host.clear(), host.push_back('?');
  const bool digits = !port.empty() && port.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || host == "?")
    return make_error(
        Code::invalid_argument,
        "ADDRESS:PORT is needed, such as 127.0.0.1:8000 or [::1]:8000, not " + in_quotes(listen));
  std::vector<Flag> flags;
  if (!host.empty()) flags.push_back({"server.host", host, "--listen"});
  flags.push_back({"server.port", port, "--listen"});
  return flags;
}

}  // namespace vmcp::config
