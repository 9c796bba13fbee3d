#include "config/rules.h"

#include <algorithm>
#include <string_view>

#include "config/checks.h"
#include "config/fields.h"

namespace vmcp::config {
namespace {

constexpr std::size_t kMaxRules = 10'000;
constexpr std::string_view kDays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

struct NamedEffect {
  std::string_view name;
  RuleEffect effect;
};
constexpr NamedEffect kEffects[] = {{"allow", RuleEffect::allow},     {"deny", RuleEffect::deny},
                                    {"unasked", RuleEffect::unasked}, {"confirm", RuleEffect::confirm},
                                    {"elicit", RuleEffect::elicit},   {"approve", RuleEffect::approve}};

int day_of(std::string_view text) {
  const auto it = std::find(std::begin(kDays), std::end(kDays), text);
  return it == std::end(kDays) ? -1 : static_cast<int>(it - std::begin(kDays));
}

// "mon", or "mon-fri", also over the end of the week.
bool read_days(const std::string& text, std::bitset<7>& out) {
  const auto dash = text.find('-');
  const int first = day_of(std::string_view(text).substr(0, dash));
  const int last = dash == std::string::npos ? first : day_of(std::string_view(text).substr(dash + 1));
  if (first < 0 || last < 0) return false;
  for (int day = first;; day = (day + 1) % 7) {
    out.set(static_cast<std::size_t>(day));
    if (day == last) return true;
  }
}

// "08:30"; "24:00" is the end of the day.
bool read_minute(const std::string& text, int& out) {
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) return false;
  const int hour = (text[0] - '0') * 10 + (text[1] - '0'), minute = (text[3] - '0') * 10 + (text[4] - '0');
  out = hour * 60 + minute;
  return minute < 60 && out <= 24 * 60;
}

class RuleReader {
 public:
  RuleReader(const Node& node, std::string title, Problems& problems)
      : node_(node), title_(std::move(title)), problems_(problems) {}

  void read(Rule& out) {
    Fields fields(node_, title_, problems_);
    out.origin = node_.where.text();
    if (!fields.text("name", out.name))
      wrong(node_, "has no name", "add name = \"resize-small\": decisions and the audit name the rule by it");
    if (!out.name.empty()) title_ += " " + in_quotes(out.name);
    read_effect(fields, out);
    fields.texts("roles", out.roles);
    fields.texts("identities", out.identities);
    fields.texts("tools", out.tools);
    for (const auto& tool : out.tools)
      if (!is_tool_pattern(tool))
        wrong(node_, "names " + in_quotes(tool) + ", which is not a tool's name or pattern",
              "use letters, digits, _ - . / and the wildcards * and ?");
    if (const Node* arguments = fields.table("arguments")) read_arguments(*arguments, out.arguments);
    if (const Node* targets = fields.table("targets")) read_targets(*targets, out);
    if (const Node* when = fields.table("when")) read_window(*when, out.window.emplace());
    fields.refuse_others();
  }

 private:
  void wrong(const Node& at, const std::string& what, std::string fix) {
    add(problems_, at.where, title_ + " " + what, std::move(fix));
  }

  void read_effect(Fields& fields, Rule& out) {
    std::string text;
    if (!fields.text("effect", text))
      return wrong(node_, "has no effect",
                   "write effect = \"allow\", or deny, unasked, confirm, elicit, approve");
    const auto it = std::find_if(std::begin(kEffects), std::end(kEffects),
                                 [&](const NamedEffect& e) { return e.name == text; });
    if (it == std::end(kEffects))
      return wrong(node_, "has the effect " + in_quotes(text) + ", which does not exist",
                   "the effects are allow, deny, unasked, confirm, elicit, approve");
    out.effect = it->effect;
  }

  void read_arguments(const Node& table, std::vector<RuleArgument>& out) {
    std::vector<const Field*> in_order;
    for (const Field& field : table.fields) in_order.push_back(&field);
    std::sort(in_order.begin(), in_order.end(),
              [](const Field* a, const Field* b) { return a->key < b->key; });
    for (const Field* field : in_order) {
      RuleArgument said;
      said.pointer = field->key.starts_with('/') ? field->key : "/" + field->key;
      if (field->value.kind != Node::Kind::table) {
        wrong(field->value, "says of the argument " + in_quotes(field->key) + " no table",
              "write " + field->key.substr(0, 64) + " = { max = 8 }");
        continue;
      }
      Fields fields(field->value, title_ + ", argument " + in_quotes(field->key), problems_);
      fields.number("min", said.min);
      fields.number("max", said.max);
      fields.text("pattern", said.pattern);
      fields.boolean("required", said.required);
      fields.boolean("forbidden", said.forbidden);
      if (const Node* values = fields.take("one_of")) {
        Json list;
        if (values->kind != Node::Kind::array || !json_of(*values, list) || list.empty())
          wrong(*values, "has a one_of that is no list of values", "write one_of = [\"small\", 2]");
        else
          said.one_of.assign(list.begin(), list.end());
      }
      fields.refuse_others();
      out.push_back(std::move(said));
    }
  }

  void read_targets(const Node& table, Rule& out) {
    Fields fields(table, title_ + ", targets", problems_);
    fields.texts("kinds", out.kinds);
    fields.texts("vcenters", out.vcenters);
    fields.texts("datacenters", out.datacenters);
    fields.texts("clusters", out.clusters);
    fields.texts("folders", out.folders);
    fields.texts("tags", out.tags);
    fields.texts("names", out.names);
    fields.texts("power_states", out.power_states);
    fields.refuse_others();
  }

  void read_window(const Node& table, RuleWindow& out) {
    Fields fields(table, title_ + ", when", problems_);
    std::vector<std::string> days;
    if (!fields.texts("days", days)) out.days.set();
    for (const auto& text : days)
      if (!read_days(text, out.days))
        wrong(table, "names the days " + in_quotes(text), "write \"mon\", \"tue\" … or \"mon-fri\"");
    const auto minute = [&](const char* name, int& at) {
      if (std::string text; fields.text(name, text) && !read_minute(text, at))
        wrong(table, std::string("has the time ") + in_quotes(text) + " in " + name, "write it as \"08:30\"");
    };
    minute("from", out.from_min);
    minute("to", out.to_min);
    fields.text("zone", out.zone);
    fields.refuse_others();
  }

  const Node& node_;
  std::string title_;
  Problems& problems_;
};

}  // namespace

void read_rules(const Node& node, std::vector<Rule>& out, Problems& problems) {
  if (node.kind != Node::Kind::array)
    return add(problems, node.where, "policy.rule: is not a list of rules", "write [[policy.rule]]");
  if (node.items.size() > kMaxRules)
    return add(problems, node.where, "policy.rule: more than 10000 rules",
               "join rules: each may name many tools");
  int number = 0;
  for (const Node& item : node.items) {
    const std::string title = "policy.rule: entry " + std::to_string(++number);
    if (item.kind != Node::Kind::table)
      add(problems, item.where, title + " is not a table", "write [[policy.rule]]");
    else
      RuleReader(item, title, problems).read(out.emplace_back());
  }
}

}  // namespace vmcp::config
