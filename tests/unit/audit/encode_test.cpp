#include "audit/encode.h"

#include <doctest/doctest.h>

#include "base/mask.h"
#include "unit/audit/fakes.h"

using namespace vmcp;
using namespace vmcp::audit;

namespace {

Json as_json(const std::string& body) {
  auto parsed = parse_json("{" + body + "}", {1u << 20, 64, 100'000, true});
  REQUIRE_MESSAGE(parsed.ok(), body);
  return std::move(*parsed);
}

const WallTime kTime{std::chrono::milliseconds(1'770'113'472'345)};

}  // namespace

TEST_CASE("encode: an outcome has the Python server's fields and ours") {
  Record r = test::record_of(Event::outcome, "0123456789abcdef0123456789abcdef", R"({"vm_id":"vm-7"})");
  r.trace_id = "trace";
  r.plugin_members = R"("plugin":"org.vmcp.vm","plugin_version":"0.1.0","plugin_generation":1)";
  r.targets = {"vm:vm-7", "vm:vm-8"};
  r.step = "execute";
  r.rule = "role ops allow 'power_*'";
  r.task = "task-12";
  r.duration_ms = 42;
  const Json j = as_json(encode_body(r, kTime, 8192));
  CHECK(j == Json{{"ts", iso8601(kTime)},
                  {"event", "outcome"},
                  {"request_id", "0123456789abcdef0123456789abcdef"},
                  {"tool", "power_on_vm"},
                  {"ok", true},
                  {"duration_ms", 42},
                  {"args", {{"vm_id", "vm-7"}}},
                  {"error", nullptr},
                  {"host", "vc.example"},
                  {"role", "ops"},
                  {"identity", "alice"},
                  {"method", "tools/call"},
                  {"step", "execute"},
                  {"rule", "role ops allow 'power_*'"},
                  {"peer", "192.0.2.1"},
                  {"plugin", "org.vmcp.vm"},
                  {"plugin_version", "0.1.0"},
                  {"plugin_generation", 1},
                  {"targets", {"vm:vm-7", "vm:vm-8"}},
                  {"task", "task-12"},
                  {"trace_id", "trace"}});
}

TEST_CASE("encode: an intent does not claim success or failure, and an empty record is still valid") {
  const Json intent = as_json(encode_body(test::record_of(Event::intent, "r"), kTime, 8192));
  CHECK(intent["event"] == "intent");
  CHECK(intent["ok"].is_null());
  CHECK_FALSE(intent.contains("duration_ms"));
  const Json empty = as_json(encode_body({}, kTime, 8192));
  CHECK(empty["event"] == "refused");
  CHECK(empty["ok"] == false);
  CHECK(empty["tool"].is_null());
  CHECK(empty["args"] == Json::object());
  CHECK_FALSE(empty.contains("identity"));
  CHECK_FALSE(empty.contains("request_id"));
}

TEST_CASE("encode: no field lets a secret, a line break or unbounded text through") {
  const std::string hostile =
      "Bearer canary-canary\n{\"seq\":1}\" password=canary https://u:canary@h \x01\xff" +
      std::string(50'000, 'x');
  Record r;
  for (auto field : {&Record::request_id, &Record::trace_id, &Record::identity, &Record::role,
                     &Record::method, &Record::tool, &Record::host, &Record::peer, &Record::step,
                     &Record::rule, &Record::task, &Record::error, &Record::code})
    r.*field = hostile;
  const std::string args = R"({"token":"canary","note":"Bearer canary-canary","vm":"password: canary"})";
  r.args_json = args;
  r.targets.assign(1000, hostile);
  const std::string body = encode_body(r, kTime, 8192);
  CHECK(body.find("canary") == std::string::npos);
  CHECK(body.find('\n') == std::string::npos);
  CHECK(body.size() < kMaxLineBytes / 2);
  const Json j = as_json(body);
  CHECK(j["targets"].size() == 201);
  CHECK(j["targets"].back() == "and 800 more");
}

TEST_CASE("encode: the longest record fits into a line, whatever the settings say") {
  const std::string worst(60'000, '\x01');  // six bytes of JSON each
  Record r;
  for (auto field : {&Record::request_id, &Record::trace_id, &Record::identity, &Record::role,
                     &Record::method, &Record::tool, &Record::host, &Record::peer, &Record::step,
                     &Record::rule, &Record::task, &Record::error, &Record::code})
    r.*field = worst;
  r.targets.assign(300, worst);
  r.plugin_members = worst;  // left out whole
  std::string args = "[";
  for (int i = 0; i < 400; ++i) args += (i ? ",\"" : "\"") + std::string(1000, 'a') + "\"";
  args += "]";
  r.args_json = args;
  CHECK(encode_body(r, kTime, 100u << 20).size() < kMaxLineBytes - 200);
}

TEST_CASE("encode: with_time changes the time and nothing else") {
  const Record r = test::record_of(Event::refused, "r1", R"({"a":1})");
  const WallTime later = kTime + std::chrono::hours(30);
  CHECK(with_time(encode_body(r, kTime, 8192), later) == encode_body(r, later, 8192));
}

TEST_CASE("encode: notes are JSON and state a predecessor when there is one") {
  const Json plain = as_json(encode_note("resumed \"x\"", "", kTime));
  CHECK(plain["event"] == "journal");
  CHECK(plain["note"] == "resumed \"x\"");
  CHECK_FALSE(plain.contains("previous"));
  CHECK(as_json(encode_note("n", std::string(64, 'a'), kTime))["previous"] == std::string(64, 'a'));
}
