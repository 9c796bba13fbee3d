// A call is judged by one policy from its first step to its last, however often another one is put in its
// place.
#include <atomic>
#include <thread>

#include "rig.h"

using namespace rig;

namespace {

// Both open the tool at step 6; at step 8 each lets through what the other refuses, and says so under its own
// name. A call that took its steps from both would be refused by the wrong one, or by none.
policy::PolicyPtr policy_that_allows(const char* text) {
  policy::Rule rule;
  rule.name = std::string("only-") + text;
  rule.effect = policy::Effect::allow;
  rule.tools = {"echo"};
  rule.arguments = {{.pointer = "/text", .one_of = {text}, .required = true}};
  auto made = policy::Policy::make({{"read", {}}}, false, text, {rule});
  REQUIRE(made.ok());
  return std::make_shared<const policy::Policy>(std::move(*made));
}

}  // namespace

TEST_CASE("policy: of 10,000 calls over 200 reloads each is answered as one of the policies says") {
  Rig r;
  r.policy.publish(policy_that_allows("a"));
  constexpr int kThreads = 4, kCalls = 2'500, kReloads = 200;
  std::atomic<int> torn{0}, allowed{0}, refused{0}, done{0};
  const auto call = [&](int thread, int i) {
    const pipeline::Ingress ingress{"127.0.0.1", {}, 0, {}};
    auto context = r.pipeline->open(ingress);
    context->method = "tools/call";
    // So many callers that none is throttled.
    context->principal = std::make_shared<const Principal>(
        Principal{"caller-" + std::to_string(thread) + "-" + std::to_string(i / 100), "read"});
    const std::string text = i % 2 == 0 ? "a" : "b", other = i % 2 == 0 ? "b" : "a";
    r.pipeline->call_tool(
        context, {"echo", Json{{"text", text}}, ""}, std::make_shared<FakeExchange>(),
        [&](pipeline::ToolAnswer&& answer) {
          if (!answer.is_error) {
            ++allowed;
          } else if (answer.rule == "default deny" &&
                     answer.texts.at(0).find("rule 'only-" + other + "'") != std::string::npos) {
            ++refused;
          } else {
            ++torn;
          }
        });
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < kCalls; ++i, ++done) call(t, i);
    });
  // Spread over all the calls, so that each reload meets some.
  for (int n = 1; n <= kReloads; ++n) {
    while (done < n * (kThreads * kCalls) / (kReloads + 1)) std::this_thread::yield();
    r.policy.publish(policy_that_allows(n % 2 == 0 ? "a" : "b"));
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(torn == 0);
  CHECK(allowed + refused == kThreads * kCalls);
  CHECK(allowed > 1'000);
  CHECK(refused > 1'000);
}

namespace {

// Puts another policy in place while a call is at step 7, where it asks for leave to block: the steps before
// it have judged, step 8 has not.
class ReloadsAtStep7 final : public Exchange {
 public:
  explicit ReloadsAtStep7(std::function<void()> reload) : reload_(std::move(reload)) {}
  CancelFlag disconnected() const override { return flag_; }
  void answer_by(SteadyTime, std::function<void()>) override {}
  bool enter_blocking() override { return reload_(), true; }
  void leave_blocking() override {}

 private:
  CancelFlag flag_;
  std::function<void()> reload_;
};

policy::PolicyPtr made_of(const char* version, std::vector<policy::Rule> rules) {
  auto made = policy::Policy::make({{"read", {}}}, false, version, std::move(rules));
  REQUIRE(made.ok());
  return std::make_shared<const policy::Policy>(std::move(*made));
}

policy::Rule opens_the_tool(bool only_with_vm) {
  policy::Rule rule;
  rule.name = only_with_vm ? "only-with-vm" : "always";
  rule.effect = policy::Effect::allow;
  rule.tools = {"change_many"};
  if (only_with_vm) rule.arguments = {{.pointer = "/vm_id", .one_of = {"vm-7"}, .required = true}};
  return rule;
}

enum class Came { through, refused_by_tool_rule, refused_by_argument_rule, otherwise };

Came call_without_objects(Rig& r, const std::string& caller, std::function<void()> at_step_7) {
  const pipeline::Ingress ingress{"127.0.0.1", {}, 0, {}};
  auto context = r.pipeline->open(ingress);
  context->method = "tools/call";
  context->principal = std::make_shared<const Principal>(Principal{caller, "read"});
  Came came = Came::otherwise;
  r.pipeline->call_tool(context, {"change_many", Json::object(), ""},
                        std::make_shared<ReloadsAtStep7>(std::move(at_step_7)),
                        [&](pipeline::ToolAnswer&& answer) {
                          if (!answer.is_error) {
                            came = Came::through;
                          } else if (answer.rule != "default deny") {
                            came = Came::otherwise;
                          } else {
                            came = answer.texts.at(0).find("rule 'only-with-vm'") != std::string::npos
                                       ? Came::refused_by_argument_rule
                                       : Came::refused_by_tool_rule;
                          }
                        });
  return came;
}

}  // namespace

// A refuses at step 6 and has nothing to say at step 8; B opens the tool at step 6 and refuses the arguments
// at step 8. Each alone refuses, step 6 of B with step 8 of A lets through: whatever comes through was judged
// by both. (Steps judge a call each on its own, so two policies that both allow it cannot be mixed into a
// refusal; the other pair below is of one that allows and one that refuses.)
TEST_CASE(
    "policy: of 10,000 calls, 200 of which meet a reload between steps 6 and 8, none comes through torn") {
  Rig r;
  r.plan.run["change_many"] = [](const vmcp_host* host, vmcp_call* call, std::string_view) {
    return call_table(host)->set_json(call, str(R"({"ok":true})"));
  };
  const policy::PolicyPtr a = made_of("A", {}), b = made_of("B", {opens_the_tool(true)});
  r.policy.publish(b);
  constexpr int kThreads = 4, kCalls = 2'500, kEvery = 50;
  std::atomic<int> came[4] = {}, met{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < kCalls; ++i) {
        const bool reload = i % kEvery == 0;
        // Another thread may have put A there: a call that is to meet a reload begins under B.
        if (reload) r.policy.publish(b);
        bool reached = false;
        do {
          const Came how =
              call_without_objects(r, "caller-" + std::to_string(t) + "-" + std::to_string(i / 100), [&] {
                if (!reload) return;
                r.policy.publish(a);
                reached = true;
              });
          ++came[static_cast<int>(how)];
          if (reload) r.policy.publish(b);
        } while (reload && !reached);
        met += reached;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(came[static_cast<int>(Came::through)] == 0);
  CHECK(came[static_cast<int>(Came::otherwise)] == 0);
  CHECK(came[static_cast<int>(Came::refused_by_tool_rule)] +
            came[static_cast<int>(Came::refused_by_argument_rule)] >=
        kThreads * kCalls);
  CHECK(came[static_cast<int>(Came::refused_by_argument_rule)] > 1'000);
  CHECK(met == kThreads * kCalls / kEvery);
}

TEST_CASE("policy: a call that began under one that allows it runs, whatever holds from step 7 on") {
  Rig r;
  r.plan.run["change_many"] = [](const vmcp_host* host, vmcp_call* call, std::string_view) {
    return call_table(host)->set_json(call, str(R"({"ok":true})"));
  };
  const policy::PolicyPtr allows = made_of("C", {opens_the_tool(false)});
  const policy::PolicyPtr refuses = made_of("B", {opens_the_tool(true)});
  for (int i = 0; i < 200; ++i) {
    r.policy.publish(allows);
    const std::string caller = "caller-" + std::to_string(i / 100);
    CHECK(call_without_objects(r, caller, [&] { r.policy.publish(refuses); }) == Came::through);
    CHECK(call_without_objects(r, caller, [&] { r.policy.publish(allows); }) ==
          Came::refused_by_argument_rule);
  }
}
