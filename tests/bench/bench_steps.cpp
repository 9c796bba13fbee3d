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
  return 0;
}
