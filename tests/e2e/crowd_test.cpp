// A hundred open streams at once, some of whose readers read nothing.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "e2e/site.h"
#include "e2e/wire.h"

using namespace vmcp;
using namespace vmcp::testing;

namespace {

constexpr std::size_t kQuick = 80, kSlow = 20;
constexpr std::size_t kTasks = 100, kEventsPerTask = 1;
// What the slow ones are told of is large, so that it overflows the sockets between too: they may take 4 MB.
// A question has at most 64 KiB.
constexpr std::size_t kTaskBytes = 60'000;
constexpr int kTinyBuffer = 4'096;
// All that was meant for the slow ones is 120 MB.
constexpr long kMostGrowthKb = 24 * 1024;

const Json kCan = {{"elicitation", {{"form", Json::object()}}},
                   {"extensions", {{"io.modelcontextprotocol/tasks", Json::object()}}}};

Json with_all(Json params) {
  params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = kCan;
  return params;
}

long resident_kb(int pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("VmRSS:")) return std::atol(line.c_str() + 6);
  return -1;
}

std::size_t descriptors(int pid) {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// Tasks that wait for an answer and then end with a long result.
std::vector<std::string> waiting_tasks(std::uint16_t port) {
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < kTasks; ++i) {
    const Json arguments{{"filename", std::string(kTaskBytes, 'f')}};
    const Json begun =
        modern(port, kAda, "tools/call", with_all({{"name", "confirm_delete"}, {"arguments", arguments}}))
            .json();
    REQUIRE(begun["result"].value("resultType", "") == "task");
    ids.push_back(begun["result"]["taskId"]);
    // By text: what is asked is long, and this waits for nothing else.
    REQUIRE(wait_until(
        [&] {
          return modern(port, kAda, "tasks/get", with_all({{"taskId", ids.back()}}))
                     .body.find(R"("status":"input_required")") != std::string::npos;
        },
        10'000));
  }
  return ids;
}

std::unique_ptr<RawClient> listener(std::uint16_t port, const Json& id, const Json& wish,
                                    int receive_buffer) {
  auto client = std::make_unique<RawClient>(port, receive_buffer);
  client->send(modern_request(port, kAda, "subscriptions/listen", with_all({{"notifications", wish}}), id));
  const auto head = client->head();
  REQUIRE((head && is_stream(*head)));
  const auto events = read_events(*client, 1);
  REQUIRE(events.size() == 1);
  CHECK(events[0].message["method"] == "notifications/subscriptions/acknowledged");
  return client;
}

// How long it took, in milliseconds.
long timed(RawClient& client, const std::string& request) {
  const auto began = std::chrono::steady_clock::now();
  client.send(request);
  const auto answer = client.answer();
  REQUIRE(answer);
  REQUIRE_MESSAGE(answer->status == 200, answer->body);
  return std::chrono::ceil<milliseconds>(std::chrono::steady_clock::now() - began).count();
}

std::string plain_call(std::uint16_t port, const char* tool) {
  return modern_call(port, kAda, {{"name", tool}, {"arguments", Json::object()}});
}

// What still comes, and whether the stream ended as a whole one does.
std::pair<std::string, bool> rest_of(RawClient& client) {
  std::string body;
  for (auto chunk = client.chunk(); chunk; chunk = client.chunk()) {
    if (chunk->empty()) return {body, true};
    body += *chunk;
  }
  return {body, false};
}

}  // namespace

TEST_CASE("crowd: of a hundred streams those that nobody reads are dropped, and nobody else notices") {
  const Site site({"everything"});
  ServerOptions options = site.options_without_vcenter();
  options.environment["VMCP__SERVER__MAX_STREAM_BUFFER_BYTES"] = "16384";
  const ServerProcess server(options);
  const std::uint16_t port = server.port();
  const std::vector<std::string> tasks = waiting_tasks(port);
  std::vector<std::unique_ptr<RawClient>> quick, slow;
  for (std::size_t i = 0; i < kQuick; ++i)
    quick.push_back(listener(port, i, {{"toolsListChanged", true}}, 0));
  for (std::size_t i = 0; i < kSlow; ++i)
    slow.push_back(listener(port, "slow", {{"taskIds", tasks}}, kTinyBuffer));
  RawClient trigger(port), other(port);
  timed(trigger, plain_call(port, "test_simple_text"));
  timed(other, plain_call(port, "test_simple_text"));
  const std::size_t descriptors_before = descriptors(server.pid());
  const long resident_before = resident_kb(server.pid());

  long slowest = 0;
  for (const std::string& task : tasks) {
    const Json yes{{"action", "accept"}, {"content", {{"confirm", true}}}};
    timed(trigger, modern_request(port, kAda, "tasks/update",
                                  with_all({{"taskId", task}, {"inputResponses", {{"confirm", yes}}}})));
    for (std::size_t i = 0; i < kEventsPerTask; ++i) {
      timed(trigger, plain_call(port, "test_trigger_tool_change"));
      slowest = std::max(slowest, timed(other, plain_call(port, "test_simple_text")));
    }
    for (std::size_t i = 0; i < kQuick; ++i) {
      CAPTURE(i);
      const auto events = read_events(*quick[i], kEventsPerTask);
      REQUIRE(events.size() == kEventsPerTask);
      for (const Event& event : events) {
        CHECK(event.message["method"] == "notifications/tools/list_changed");
        CHECK(event.message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == i);
      }
    }
  }
  MESSAGE("slowest call beside them: " << slowest << " ms");
  CHECK(slowest < 1'000);
  // Their connections are closed, not only forgotten, and what they did not read is held by nobody.
  CHECK(wait_until([&] { return descriptors(server.pid()) <= descriptors_before - kSlow; }, 10'000));
  const long grown = resident_kb(server.pid()) - resident_before;
  MESSAGE("resident memory grew by " << grown << " KB");
#ifndef __SANITIZE_ADDRESS__  // it keeps what was freed
  CHECK(grown < kMostGrowthKb);
#endif
  std::size_t most = 0;
  for (const auto& client : slow) {
    // What waited in the sockets still comes; then the stream breaks off, and says by that that it is not
    // whole.
    const auto [body, whole] = rest_of(*client);
    CHECK_FALSE(whole);
    CHECK(body.size() < kTasks * kTaskBytes);
    most = std::max(most, body.size());
  }
  MESSAGE("a slow reader got at most " << most << " bytes");
  // The others are still told.
  timed(trigger, plain_call(port, "test_trigger_tool_change"));
  for (const auto& client : quick) CHECK(read_events(*client, 1).size() == 1);
}
