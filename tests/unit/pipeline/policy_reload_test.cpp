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
