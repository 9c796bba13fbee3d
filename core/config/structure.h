// The settings that are more than one value: tokens, roles, plugins.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "config/node.h"
#include "config/settings.h"

namespace vmcp::config {

inline constexpr const char* kFirstParty[] = {"vm", "snapshot", "inventory", "resource"};
inline constexpr const char* kDefaultRoles[] = {"read", "ops", "admin"};

// The three tokens of a demo, and nothing else: "demo-read" in the role read, and so on. Anyone may know
// them, so they are refused everywhere else.
std::vector<Token> demo_tokens();

// Both add to `out`; a problem for each entry that is not right. A token's text is in no problem.
// `json`: the node comes from JSON, where {"token":"role"} is allowed; in TOML it would be [auth.token], a
// slip.
void read_tokens(const Node& node, bool json, bool demo, std::vector<Token>& out, Problems& problems,
                 std::vector<std::string>& warnings);
void read_certificates(const Node& node, std::vector<Certificate>& out, Problems& problems);
// {"value":"role"}, in TOML and JSON.
void read_claim_roles(const Node& node, std::map<std::string, std::string>& out, Problems& problems);
void read_roles(const Node& node, std::map<std::string, Role>& out, Problems& problems);

// The entries of limits.KIND; `with_cost`: they may also hold `cost`.
void read_limit_rules(const Node& node, const char* kind, bool with_cost,
                      std::map<std::string, LimitRule>& out, Problems& problems);

// `select`: PLUGINS, null when not set; `blocks`: [[plugin]], null when none.
std::vector<Plugin> read_plugins(const Node* blocks, const std::vector<std::string>* select,
                                 const Origin& select_at, Problems& problems);

}  // namespace vmcp::config
