// The server's end of a lane against a child that lies: the other end of the socket is this test.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <thread>

#include "plugin_host/child/lane.h"
#include "plugin_host/child/round_messages.h"
#include "support/rounds.h"

using namespace vmcp;
using namespace vmcp::plugin_host;
using namespace vmcp::plugin_host::child;

namespace {

// What an honest child would send for this call.
std::string result_of(vmcp_status status, const Invocation& produced) {
  std::string out;
  write_result(Writer(out), status, produced);
  return out;
}

Invocation asking() {
  Invocation out;
  out.limits.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  out.client_can = {"roots"};
  return out;
}

bool taken(const std::string& message, Invocation& into) {
  vmcp_status status = VMCP_E_FAULT;
  return take_result(Reader(message), into, status);
}

std::string message(Message kind, std::string_view fields) {
  std::string out;
  Writer(out).number(static_cast<std::uint32_t>(fields.size()));
  out += static_cast<char>(kind);
  out += fields;
  return out;
}

// One round on a lane whose child sends these bytes, whatever it was asked, and then goes away.
Ended round_with(const std::string& bytes, bool stays = false) {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  std::atomic<bool> cancel{false}, over{false};
  std::thread child([&, fd = ends[1]] {
    char heard[4096];
    (void)!::recv(fd, heard, sizeof heard, 0);
    (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    while (stays && !over) std::this_thread::yield();
    ::close(fd);
  });
  Lane lane(ends[0], &cancel);
  Invocation invocation = asking();
  if (stays) invocation.limits.deadline = std::chrono::steady_clock::now();
  vmcp_status status = VMCP_OK;
  const Ended how = lane.run({Round::Kind::tool, 0, "{}"}, invocation, status);
  over = true;
  child.join();
  return how;
}

}  // namespace

TEST_CASE("child messages: a result arrives whole, and cut anywhere it is refused") {
  Invocation produced = asking();
  produced.texts = {"one", "two"};
  produced.blocks = {R"({"type":"text","text":"three"})"};
  produced.structured = R"({"n":1})";
  produced.next_state = "state";
  produced.requests = {{"where", R"({"method":"roots/list","params":{}})"}};
  const std::string whole = result_of(VMCP_SUSPENDED, produced);
  Invocation into = asking();
  REQUIRE(taken(whole, into));
  CHECK(into.texts == produced.texts);
  CHECK(into.structured == produced.structured);
  CHECK(into.next_state == "state");
  CHECK(into.requests.count("where") == 1);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    CAPTURE(cut);
    Invocation part = asking();
    CHECK_FALSE(taken(whole.substr(0, cut), part));
  }
  Invocation longer = asking();
  CHECK_FALSE(taken(whole + "x", longer));
}

TEST_CASE("child messages: what the call's own functions would have refused is refused again") {
  const auto refused = [](vmcp_status status, const std::function<void(Invocation&)>& produce) {
    Invocation produced = asking();
    produce(produced);
    Invocation into = asking();
    into.output.max_text_bytes = 100;
    return !taken(result_of(status, produced), into);
  };
  CHECK_FALSE(refused(VMCP_OK, [](Invocation& i) { i.texts = {std::string(100, 'x')}; }));
  CHECK(refused(VMCP_OK, [](Invocation& i) { i.texts = {std::string(101, 'x')}; }));
  CHECK(refused(VMCP_OK, [](Invocation& i) { i.blocks = {"no JSON"}; }));
  CHECK(refused(VMCP_OK, [](Invocation& i) { i.next_state = std::string(VMCP_STATE_MAX_BYTES + 1, 's'); }));
  CHECK(refused(VMCP_SUSPENDED, [](Invocation& i) { i.requests = {{"task", "{}"}}; }));
  CHECK(refused(VMCP_SUSPENDED, [](Invocation& i) { i.awaited_task = "task-1"; }));  // without a vCenter
  CHECK(refused(static_cast<vmcp_status>(2), [](Invocation&) {}));
}

TEST_CASE("child messages: no bytes of a child make the server fall") {
  std::mt19937 random(7);
  Invocation produced = asking();
  produced.texts = {"text"};
  produced.requests = {{"where", R"({"method":"roots/list","params":{}})"}};
  const std::string good = result_of(VMCP_OK, produced);
  int refused = 0;
  const int all = testing::rounds(20'000);
  for (int i = 0; i < all; ++i) {
    std::string bytes = good;
    for (unsigned n = random() % 4; n-- > 0;) bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes.resize(random() % 8 == 0 ? random() % bytes.size() : bytes.size());
    Invocation into = asking();
    refused += taken(bytes, into) ? 0 : 1;
  }
  CHECK(refused > all / 10);
  CHECK(refused < all);
}

TEST_CASE("child messages: a lane calls lies nonsense, silence a hang, and an end an end") {
  const std::string nothing_produced = result_of(VMCP_OK, asking());
  CHECK(round_with(message(Message::result, nothing_produced)) == Ended::answered);
  CHECK(round_with(message(Message::result, "short")) == Ended::nonsense);
  CHECK(round_with(message(Message::start, "")) == Ended::nonsense);  // a word of the server's
  CHECK(round_with(message(static_cast<Message>(200), "")) == Ended::nonsense);
  CHECK(round_with(message(Message::vcenter, "no fields")) == Ended::nonsense);
  CHECK(round_with(std::string("\xff\xff\xff\xff\x10", 5)) == Ended::nonsense);  // 4 GiB are announced
  CHECK(round_with("") == Ended::died);
  CHECK(round_with(message(Message::result, nothing_produced).substr(0, 7)) == Ended::died);
  CHECK(round_with("", true) == Ended::hung);
}

TEST_CASE(
    "child messages: of two that came together the second is known to be there, and of a part nothing is") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  Channel channel(ends[0], 1000);
  const std::string whole = message(Message::log, "one"), three = whole + whole + whole.substr(0, 6);
  CHECK_FALSE(channel.holds_message());
  REQUIRE(::send(ends[1], three.data(), three.size(), 0) == static_cast<ssize_t>(three.size()));
  CHECK(channel.receive() == Channel::State::done);
  CHECK(channel.holds_message());
  CHECK(channel.receive() == Channel::State::done);
  CHECK_FALSE(channel.holds_message());
  ::close(ends[1]);
  CHECK(channel.receive() == Channel::State::gone);
}
