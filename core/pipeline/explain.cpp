#include "pipeline/explain.h"

#include "base/crypto.h"
#include "base/mask.h"
#include "pipeline/consent.h"
#include "pipeline/steps.h"

namespace vmcp::pipeline {
namespace {

// Nobody waits behind this one, and its thread is there to block.
class NobodysExchange final : public Exchange {
 public:
  CancelFlag disconnected() const override { return {}; }
  void answer_by(SteadyTime, std::function<void()>) override {}
  bool enter_blocking() override { return true; }
  void leave_blocking() override {}
};

class Explanation {
 public:
  Explanation(Services& services, const Question& question) : services_(services) {
    auto context = std::make_shared<Context>();
    context->request_id = random_id();
    context->method = "tools/call";
    context->started = services.clock.now();
    context->principal = std::make_shared<const Principal>(question.who);
    walk_.deadline = context->started + services.settings.tool_deadline;
    walk_.context = std::move(context);
    walk_.call.name = question.tool;
    walk_.call.arguments = question.arguments;
    walk_.args_text = question.arguments.empty() ? std::string() : dump_json(question.arguments);
    walk_.exchange = std::make_shared<NobodysExchange>();
    walk_.catalog = services.catalog.now();
    walk_.policy = services.policy.now();
    walk_.lock.enter(services.locks, walk_.context->principal, question.tool, walk_.context->cancel);
    out_ = {{"policy", walk_.policy->version()},
            {"caller", {{"identity", question.who.identity}, {"role", question.who.role}}},
            {"tool", question.tool},
            {"steps", Json::array()},
            {"rules", Json::array()}};
  }

  Json take() {
    out_["would"] = run() ? consents_ ? "need consent" : "run" : "be refused";
    return std::move(out_);
  }

 private:
  // The steps of the list that judge; those between them take or note something down.
  bool run() {
    const bool configured = services_.callers.now()->find(walk_.context->principal->identity,
                                                          walk_.context->principal->role) != nullptr;
    said("authenticate", services_.locks.caller(*walk_.context->principal),
         configured ? "" : "nobody of this name and role is configured; judged as if somebody were");
    if (!fine_) return false;
    said("throttle", {}, "not charged here");
    if (!said("authorise", authorise_tool(services_, walk_))) return false;
    if (!said("resolve", validate_and_resolve(services_, walk_))) return false;
    Json targets = Json::array();
    for (const plugin_host::Target& target : walk_.targets)
      targets.push_back({{"argument", target.pointer},
                         {"kind", target.object.kind},
                         {"id", target.object.id},
                         {"name", target.object.name},
                         {"path", target.object.path}});
    out_["targets"] = std::move(targets);
    rules();
    if (!said("authorise_targets", authorise_targets(services_, walk_))) return false;
    return consent();
  }

  // All that the rules say, also of what an earlier one has decided.
  void rules() {
    policy::Notes notes;
    const auto judged = judge_walk(services_, walk_, &notes);
    for (policy::Note& note : notes)
      out_["rules"].push_back({{"rule", std::move(note.rule)},
                               {"origin", std::move(note.origin)},
                               {"effect", std::move(note.effect)},
                               {"verdict", std::move(note.verdict)},
                               {"why", std::move(note.why)}});
    if (judged && judged->decision.allowed) allowed_by_ = judged->decision.rule;
  }

  bool consent() {
    std::string why = "nobody need agree";
    if (walk_.host.dry_run && walk_.tool->changes() && walk_.consent != policy::Consent::none) {
      why = "not for a preview";
    } else if (walk_.consent == policy::Consent::confirm) {
      why = walk_.host.confirm ? "confirm=true is given" : "it needs confirm=true";
      consents_ = !walk_.host.confirm;
    } else if (walk_.consent != policy::Consent::none) {
      why = state_of_approval(services_, walk_);
      if (walk_.consent == policy::Consent::elicit && why != "approved")
        why = "the person at the client is asked, where the client shows forms; otherwise " + why;
      consents_ = why != "approved";
    }
    out_["consent"] = {
        {"asks", policy::consent_name(walk_.consent)}, {"rule", walk_.consent_rule}, {"why", why}};
    out_["steps"].push_back({{"step", "confirm"}, {"verdict", consents_ ? "asks" : "passes"}, {"why", why}});
    return true;
  }

  bool said(const char* step, const Result<void>& result, std::string why = {}) {
    Json entry{{"step", step}, {"verdict", result ? "passes" : "refuses"}};
    fine_ = result.ok();
    if (!result) {
      why = mask_text(result.error().text);
      if (!result.error().rule.empty()) entry["rule"] = result.error().rule;
      if (!result.error().scope.empty()) entry["wider_role"] = result.error().scope;
    } else if (std::string_view(step) == "authorise") {
      entry["rule"] = walk_.policy
                          ->may_call(*walk_.context->principal, {walk_.call.name, walk_.tool->changes()},
                                     services_.clock.wall())
                          .rule;
    } else if (std::string_view(step) == "authorise_targets" && !allowed_by_.empty()) {
      entry["rule"] = allowed_by_;
    }
    if (!why.empty()) entry["why"] = std::move(why);
    out_["steps"].push_back(std::move(entry));
    return fine_;
  }

  Services& services_;
  Walk walk_;
  Json out_;
  std::string allowed_by_;
  bool fine_ = true, consents_ = false;
};

}  // namespace

Json explain(Services& services, const Question& question) {
  return Explanation(services, question).take();
}

}  // namespace vmcp::pipeline
