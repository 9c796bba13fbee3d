// explain: what would become of a call on a server that runs, step by step and rule by rule.
#include <cstdio>

#include "app/admin_client.h"
#include "app/call_arguments.h"

namespace vmcp::app {
namespace {

void print_steps(const Json& out) {
  const std::string name = out["caller"].value("identity", "");
  const std::string who = name.empty() ? "somebody" : name;
  std::printf("%s (role %s) calling %s would %s\n", who.c_str(), out["caller"].value("role", "").c_str(),
              out.value("tool", "").c_str(), out.value("would", "").c_str());
  for (const Json& step : out.value("steps", Json::array()))
    std::printf("  %-18s %-8s %s%s%s\n", step.value("step", "").c_str(), step.value("verdict", "").c_str(),
                step.value("rule", "").c_str(), step.contains("rule") && step.contains("why") ? ": " : "",
                step.value("why", "").c_str());
}

void print_rules(const Json& out) {
  for (const Json& target : out.value("targets", Json::array()))
    std::printf("  target %s is %s '%s' (%s) at %s\n", target.value("argument", "").c_str(),
                target.value("kind", "").c_str(), target.value("name", "").c_str(),
                target.value("id", "").c_str(), target.value("path", "").c_str());
  for (const Json& rule : out.value("rules", Json::array()))
    std::printf("  %-8s %-17s %s (%s)%s%s\n", rule.value("effect", "").c_str(),
                rule.value("verdict", "").c_str(), rule.value("rule", "").c_str(),
                rule.value("origin", "").c_str(), rule.value("why", "").empty() ? "" : ": ",
                rule.value("why", "").c_str());
  if (out.contains("of")) std::printf("  (%s)\n", out["of"].value("note", "").c_str());
}

}  // namespace

int explain(const ExplainOptions& options) {
  Json question{{"request", options.request}};
  if (options.request.empty()) {
    const auto arguments = parse_arguments(options.arguments);
    if (!arguments) {
      std::fprintf(stderr, "%s\n", arguments.error().text.c_str());
      return 2;
    }
    question = {{"tool", options.tool},
                {"role", options.role},
                {"identity", options.identity},
                {"arguments", *arguments}};
  }
  const auto answer = ask_or_print(options.server, {"POST", "/admin/v1/explain", dump_json(question)});
  if (!answer) return 1;
  if (options.json) {
    std::printf("%s\n", answer->dump(2).c_str());
  } else {
    print_steps(*answer);
    print_rules(*answer);
  }
  return 0;
}

}  // namespace vmcp::app
