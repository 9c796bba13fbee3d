#include "plugin_check/offer_calls.h"

#include <algorithm>
#include <chrono>

#include "plugin_host/content_rules.h"

namespace vmcp::plugin_check {
namespace {

constexpr int kPromptCalls = 3;

struct Expression {
  char kind = 0;  // "+", "/", "?" …; 0: plain
  std::vector<std::string> names;
};

Expression read_expression(std::string inner) {
  Expression out;
  if (!inner.empty() && std::string_view("+#./;?&").find(inner.front()) != std::string_view::npos) {
    out.kind = inner.front();
    inner.erase(0, 1);
  }
  for (std::size_t begin = 0; begin <= inner.size();) {
    const std::size_t end = std::min(inner.find(',', begin), inner.size());
    std::string name = inner.substr(begin, end - begin);
    name.erase(std::min(name.find_first_of(":*"), name.size()));
    if (!name.empty()) out.names.push_back(std::move(name));
    begin = end + 1;
  }
  return out;
}

// Calls `text` and `expression` in the template's order.
void walk(const std::string& uri_template, const std::function<void(std::string_view)>& text,
          const std::function<void(const Expression&)>& expression) {
  std::size_t at = 0;
  while (at < uri_template.size()) {
    const std::size_t open = std::min(uri_template.find('{', at), uri_template.size());
    text(std::string_view(uri_template).substr(at, open - at));
    const std::size_t close = uri_template.find('}', open);
    if (close == std::string::npos) return;
    expression(read_expression(uri_template.substr(open + 1, close - open - 1)));
    at = close + 1;
  }
}

vmcp_str span_of(const std::string& text) {
  return {text.data(), text.size()};
}

}  // namespace

std::string expand_template(const std::string& uri_template,
                            const std::function<std::string(const std::string&)>& value_of) {
  std::string out;
  const auto expression = [&](const Expression& e) {
    const bool named = e.kind == '?' || e.kind == '&' || e.kind == ';';
    const char between = e.kind == '?' || e.kind == '&'                  ? '&'
                         : e.kind == 0 || e.kind == '+' || e.kind == '#' ? ','
                                                                         : e.kind;
    bool first = true;
    for (const std::string& name : e.names) {
      if (!first)
        out += between;
      else if (e.kind != 0 && e.kind != '+')
        out += e.kind;
      first = false;
      if (named) out += name + "=";
      out += value_of(name);
    }
  };
  walk(
      uri_template, [&](std::string_view text) { out += text; }, expression);
  return out;
}

std::vector<std::string> variables_of(const std::string& uri_template) {
  std::vector<std::string> out;
  walk(
      uri_template, [](std::string_view) {},
      [&](const Expression& e) { out.insert(out.end(), e.names.begin(), e.names.end()); });
  return out;
}

OfferCalls::OfferCalls(Subject& subject, const plugin_host::Plugin& declared, std::uint64_t seed,
                       SiteOnDemand answering, Reporter& report)
    : subject_(subject),
      declared_(declared),
      answering_(std::move(answering)),
      report_(report),
      random_(seed, "offers"),
      refusing_(seed),
      calls_(report, random_) {}

std::size_t OfferCalls::run() {
  std::size_t made = against(refusing_);
  if (Site* const answering = calls_.asked() ? answering_() : nullptr; answering != nullptr)
    made += against(*answering);
  if (!declared_.resources().empty()) made += stress(reading(declared_.resources().front().uri, refusing_));
  calls_.judge_handles("resources, prompts and completion");
  return made;
}

std::size_t OfferCalls::against(Site& site) {
  std::size_t made = 0;
  for (const auto& resource : declared_.resources())
    made += read(resource.uri, resource.mime_type, true, site);
  for (const auto& one : declared_.templates())
    made += read(expand_template(one.uri_template,
                                 [&](const std::string& variable) { return value_for(variable, site); }),
                 {}, false, site);
  if (declared_.has_resources()) made += read_unknown(site);
  for (std::size_t i = 0; i < declared_.prompts().size(); ++i) made += make_prompt(i, site);
  if (declared_.has_completion()) made += complete_all(site);
  return made;
}

Callable OfferCalls::base(std::string name, std::string arguments, plugin_host::Produces produces,
                          Site& site) {
  Callable out;
  out.name = std::move(name);
  out.arguments = std::move(arguments);
  out.site = &site;
  out.prepare = [this, produces, &site] {
    plugin_host::Invocation made;
    made.connection = &site.connection();
    made.inventory = &site.inventory();
    made.visible = [](const inventory::Object&) { return true; };
    made.declared = &declared_.manifest();
    made.produces = produces;
    made.limits.deadline = std::chrono::steady_clock::now() + site.deadline();
    made.client_can = {"sampling", "sampling.tools", "elicitation.form", "elicitation.url", "roots"};
    return std::optional(std::move(made));
  };
  return out;
}

Callable OfferCalls::reading(const std::string& uri, Site& site) {
  Callable out = base("resource " + uri, uri, plugin_host::Produces::resource, site);
  out.run = [this, uri](vmcp_call* call) {
    return subject_.resources().read(subject_.plugin(), call, span_of(uri));
  };
  out.judge = [](const WatchedRound&) {};
  return out;
}

// What is listed must be there. What a vCenter was asked for may be missing with good reason.
std::size_t OfferCalls::read(const std::string& uri, const std::string& mime_type, bool listed, Site& site) {
  Callable what = reading(uri, site);
  what.judge = [this, mime_type](const WatchedRound& round) { judge_contents(round.invocation, mime_type); };
  if (listed)
    what.judge_refusal = [this](const WatchedRound& round) {
      if (round.invocation.upstream_calls == 0)
        report_.found("listed-not-readable", "reading it gave status " + std::to_string(round.status));
    };
  calls_.call(what);
  return 1;
}

void OfferCalls::judge_contents(const plugin_host::Invocation& invocation, const std::string& mime_type) {
  if (invocation.blocks.empty())
    return report_.found("answer-missing", "it returned VMCP_OK without contents");
  for (const std::string& block : invocation.blocks) {
    const auto contents = parse_trusted_json(block);
    if (!contents || !contents->is_object()) continue;  // add_content() lets no such pass
    const std::string uri = contents->value("uri", ""), type = contents->value("mimeType", "");
    if (!declared_.owns(uri))
      report_.found("answer-not-as-declared", "it answered contents of '" + uri + "', which is not its own");
    else if (invocation.blocks.size() == 1 && !mime_type.empty() && !type.empty() && type != mime_type)
      report_.found("answer-not-as-declared", "it is declared as " + mime_type + " and answered as " + type);
  }
}

std::size_t OfferCalls::read_unknown(Site& site) {
  const std::string uri =
      declared_.id() + "://vmcp-check/" + std::to_string(random_.below(1'000'000)) + "/none";
  for (const auto& one : declared_.templates()) {
    const std::string before = one.uri_template.substr(0, one.uri_template.find('{'));
    if (uri.starts_with(before)) return 0;  // that template may well mean it
  }
  Callable what = reading(uri, site);
  what.name = "resource that is not there";
  const auto found = [this](const WatchedRound& round) {
    if (round.invocation.upstream_calls == 0 || round.status >= 0)
      report_.found("unknown-uri-answered", "a URI that nothing declares gave status " +
                                                std::to_string(round.status) + ", not VMCP_E_NOT_FOUND");
  };
  what.judge = found;
  what.judge_refusal = [found](const WatchedRound& round) {
    if (round.status != VMCP_E_NOT_FOUND) found(round);
  };
  calls_.call(what);
  return 1;
}

std::string OfferCalls::value_for(const std::string& variable, Site& site) {
  for (const auto& [kind, ids] : site.objects())
    if (!ids.empty() && (variable == kind || variable == kind + "_id" || variable == kind + "Id"))
      return ids[random_.below(ids.size())];
  static constexpr const char* kValues[] = {"1", "a", "vm-1", "2026-01-31"};
  return kValues[random_.below(std::size(kValues))];
}

Json OfferCalls::prompt_arguments(const plugin_host::PromptDeclaration& prompt, Site& site) {
  Json out = Json::object();
  const auto arguments = parse_trusted_json(prompt.arguments.empty() ? "[]" : prompt.arguments);
  if (!arguments || !arguments->is_array()) return out;
  static const Json kText = {{"type", "string"}, {"maxLength", 200}};
  for (const Json& argument : *arguments) {
    const std::string name = argument.value("name", "");
    if (!argument.value("required", false) && random_.one_in(2)) continue;
    out[name] = random_.one_in(2) ? Json(value_for(name, site)) : generate(kText, kText, random_);
  }
  return out;
}

std::size_t OfferCalls::make_prompt(std::size_t index, Site& site) {
  const auto& prompt = declared_.prompts()[index];
  for (int i = 0; i < kPromptCalls; ++i) {
    const std::string arguments = dump_json(prompt_arguments(prompt, site));
    Callable what = base("prompt " + prompt.name, arguments, plugin_host::Produces::prompt, site);
    what.run = [this, index, arguments](vmcp_call* call) {
      return subject_.prompts().get(subject_.plugin(), static_cast<std::uint32_t>(index), call,
                                    span_of(arguments));
    };
    what.judge = [this](const WatchedRound& round) {
      if (round.invocation.blocks.empty())
        report_.found("answer-missing", "it returned VMCP_OK without a message");
    };
    calls_.call(what);
    if (i == 0 && &site == &refusing_) stress(what);
  }
  return kPromptCalls;
}

std::size_t OfferCalls::complete_all(Site& site) {
  std::size_t made = 0;
  for (const auto& prompt : declared_.prompts()) {
    const auto arguments = parse_trusted_json(prompt.arguments.empty() ? "[]" : prompt.arguments);
    if (!arguments || !arguments->is_array()) continue;
    for (const Json& argument : *arguments)
      made += complete({{"type", "ref/prompt"}, {"name", prompt.name}}, argument.value("name", ""), site);
  }
  for (const auto& one : declared_.templates())
    for (const std::string& variable : variables_of(one.uri_template))
      made += complete({{"type", "ref/resource"}, {"uri", one.uri_template}}, variable, site);
  return made;
}

std::size_t OfferCalls::complete(const Json& reference, const std::string& argument, Site& site) {
  const std::string about = dump_json(reference);
  const std::string values[] = {"", "a", std::string(300, 'z'), "\xc3\xa4\"\\"};
  for (const std::string& value : values) {
    const std::string told = dump_json({{"ref", reference}, {"argument", argument}, {"value", value}});
    Callable what = base("completion of " + argument, told, plugin_host::Produces::completion, site);
    what.run = [this, about, argument, value](vmcp_call* call) -> vmcp_status {
      const std::string context = "{}";
      const vmcp_status status = subject_.completion().complete(
          subject_.plugin(), call, span_of(about), span_of(argument), span_of(value), span_of(context));
      if (status != VMCP_SUSPENDED) return status;
      report_.found("completion-invalid", "it was suspended, which the host refuses");
      return VMCP_E_UNSUPPORTED;
    };
    what.judge = [this](const WatchedRound& round) {
      if (!plugin_host::is_completion(round.invocation.structured))
        report_.found("completion-invalid", "it answered " + round.invocation.structured.substr(0, 200));
    };
    calls_.call(what);
  }
  return std::size(values);
}

// As tools are: cancelled, and many at once.
std::size_t OfferCalls::stress(const Callable& what) {
  const std::size_t used = calls_.call(what);
  calls_.cancelled(what);
  return 2 + calls_.cancelled_everywhere(what, used) + calls_.at_once({what, what, what});
}

}  // namespace vmcp::plugin_check
