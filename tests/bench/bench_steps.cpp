// Nanoseconds per pipeline step of one tools/call without upstream work, over the real services: "name ns" a
// line.
#include <chrono>
#include <cstdio>

#include "bench/world.h"
#include "pipeline/steps.h"

namespace {

using namespace vmcp;
using Steady = std::chrono::steady_clock;
constexpr int kCalls = 100'000;

class NoExchange final : public Exchange {
 public:
  CancelFlag disconnected() const override { return {}; }
  void answer_by(SteadyTime, std::function<void()>) override {}
  bool enter_blocking() override { return true; }
  void leave_blocking() override {}
};

// Steps 6, 8 and 9 of one call in one role, over a thousand rules that all speak of its tool: the last
// allows.
double ns_over_a_thousand_rules() {
  std::vector<policy::Rule> rules(1'000);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    rules[i].name = "rule-" + std::to_string(i);
    rules[i].effect = i % 3 == 0 ? policy::Effect::deny : policy::Effect::allow;
    rules[i].tools = {i % 2 == 0 ? "resize" : "re*"};
    rules[i].targets.folders = {"/north/vm/team-" + std::to_string(i)};
    rules[i].arguments = {{.pointer = "/cpu_count", .max = 8}};
  }
  rules.back().effect = policy::Effect::allow;
  auto made = policy::Policy::make({{"ops", {}}}, false, "1", std::move(rules));
  if (!made) return -1;
  inventory::Object vm{"vm", "VirtualMachine", "vc", "vm-1", "web", "/north/vm/team-999/web", ""};
  const policy::Subject target{&vm, nullptr};
  const Principal caller{"ci", "ops"};
  const Json arguments{{"cpu_count", 4}};
  const WallTime now = SystemClock().wall();
  constexpr int kJudged = 5'000;
  int allowed = 0;
  const auto from = Steady::now();
  for (int i = 0; i < kJudged; ++i) {
    allowed += made->may_call(caller, {"resize", true}, now).allowed;
    allowed +=
        made->judge({caller, {"resize", true}, true, "vc", arguments, {&target, 1}, now}).decision.allowed;
  }
  const double ns = std::chrono::duration<double, std::nano>(Steady::now() - from).count() / kJudged;
  return allowed == 2 * kJudged ? ns : -1;
}

}  // namespace

int main() {
  bench::World world;
  pipeline::Services& services = world.services();
  pipeline::Pipeline& pipeline = world.pipeline();
  const auto list = pipeline::steps();
  std::vector<double> total_ns(list.size());
  const std::string token = std::string("Bearer ") + bench::kToken;
  const pipeline::Ingress ingress{"127.0.0.1", token, 1, {}};
  for (int i = 0; i < kCalls; ++i) {
    auto from = Steady::now();
    const auto mark = [&](std::size_t step) {
      const auto now = Steady::now();
      total_ns[step] += std::chrono::duration<double, std::nano>(now - from).count();
      from = now;
    };
    auto context = pipeline.open(ingress);
    mark(1);
    if (!pipeline.admit(*context, ingress)) return 1;
    mark(3);  // address and authenticate together
    pipeline::Walk walk;
    walk.context = context;
    walk.catalog = services.catalog.now();
    walk.policy = services.policy.now();
    walk.lock.enter(services.locks, context->principal, "echo", context->cancel);
    walk.deadline = context->started + milliseconds(60'000);
    walk.call = {"echo", {{"message", "the quick brown fox"}}, ""};
    walk.args_text = dump_json(walk.call.arguments);
    walk.exchange = std::make_shared<NoExchange>();
    walk.done = [](pipeline::ToolAnswer&&) {};
    from = Steady::now();
    for (std::size_t s = 5; s < list.size(); ++s) {
      if (auto r = list[s].run(services, walk); !r) {
        std::fprintf(stderr, "%s: %s\n", std::string(list[s].name).c_str(), r.error().text.c_str());
        return 1;
      }
      mark(s);
    }
  }
  for (std::size_t s = 0; s < list.size(); ++s)
    if (total_ns[s] > 0) std::printf("%s %.0f\n", std::string(list[s].name).c_str(), total_ns[s] / kCalls);
  const double rules_ns = ns_over_a_thousand_rules();
  if (rules_ns < 0) {
    std::fprintf(stderr, "a thousand rules did not allow what they say\n");
    return 1;
  }
  std::printf("thousand_rules %.0f\n", rules_ns);
  return 0;
}
