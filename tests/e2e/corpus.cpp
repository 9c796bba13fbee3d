#include "e2e/corpus.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "support/command_output.h"

namespace vmcp::testing {
namespace {

std::string header_in(const std::string& head, const std::string& name) {
  const std::size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const std::size_t from = at + name.size() + 4;
  return head.substr(from, head.find('\r', from) - from);
}

std::string text_of(const Json& line, const char* key) {
  const auto at = line.find(key);
  return at != line.end() && at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace

std::string call_body(const std::string& tool, const std::string& arguments, const std::string& more) {
  return R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":")" + tool + R"(","arguments":)" +
         arguments + more + "}}";
}

Sent modern_sent(const std::string& method, Json params, const std::string& token) {
  Json& meta = params["_meta"];
  meta["io.modelcontextprotocol/protocolVersion"] = "2026-07-28";
  if (!meta.contains("io.modelcontextprotocol/clientCapabilities"))
    meta["io.modelcontextprotocol/clientCapabilities"] = Json::object();
  Sent sent;
  sent.token = token;
  sent.more = {{"MCP-Protocol-Version", "2026-07-28"}, {"Mcp-Method", method}};
  for (const char* member : {"name", "uri", "taskId"})
    if (params.contains(member)) sent.more.emplace_back("Mcp-Name", params[member].get<std::string>());
  sent.body = dump_json({{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", std::move(params)}});
  return sent;
}

Sent modern_tool(const std::string& tool, const Json& arguments, const std::string& token) {
  return modern_sent("tools/call", {{"name", tool}, {"arguments", arguments}}, token);
}

Sent with_header(Sent sent, const std::string& name, const std::string* value) {
  std::erase_if(sent.more, [&](const auto& field) { return field.first == name; });
  if (value != nullptr) sent.more.emplace_back(name, *value);
  return sent;
}

bool Heard::refused() const {
  if (!message.is_object()) return false;
  if (message.contains("error")) return true;
  return message.contains("result") && message["result"].is_object() &&
         message["result"].value("isError", false);
}

bool Heard::works() const {
  return status == 200 && message.is_object() && message.contains("result") && !refused() &&
         message["result"].value("resultType", "complete") == "complete";
}

std::string Corpus::next_address() {
  ++sent_;
  return "127.1." + std::to_string(sent_ / 250) + "." + std::to_string(1 + sent_ % 250);
}

Heard Corpus::send(const Sent& sent) {
  Heard heard;
  heard.peer = next_address();
  std::string bytes = sent.method + " " + sent.target +
                      " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server_.port()) + "\r\n";
  Fields fields = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  if (!sent.token.empty()) fields.emplace_back("Authorization", "Bearer " + sent.token);
  std::erase_if(fields, [&](const auto& field) {
    return std::any_of(sent.more.begin(), sent.more.end(), [&](const auto& own) {
      return own.first == field.first && own.first != "Authorization";
    });
  });
  fields.insert(fields.end(), sent.more.begin(), sent.more.end());
  fields.emplace_back("Content-Length", std::to_string(sent.body.size()));
  for (const auto& [name, value] : fields) bytes.append(name).append(": ").append(value).append("\r\n");
  RawClient client(server_.port(), 0, heard.peer.c_str());
  REQUIRE(client.send(bytes + "\r\n" + sent.body));
  const auto answer = client.answer(milliseconds(30'000));
  REQUIRE_MESSAGE(answer, sent.body);
  heard.status = answer->status;
  heard.head = answer->head;
  heard.body = answer->body;
  heard.request_id = header_in(answer->head, "X-Request-Id");
  if (auto json = parse_trusted_json(answer->body)) heard.message = std::move(*json);
  return heard;
}

void Corpus::attempt(const Attempt& attempt) {
  this->attempt(attempt.name, attempt.says, attempt.step, send(attempt.sent));
}

void Corpus::attempt(const std::string& name, const std::string& says, const std::string& step,
                     const Heard& heard, std::size_t part) {
  const bool for_its_reason = heard.refused() && heard.body.find(says) != std::string::npos;
  CHECK_MESSAGE(for_its_reason, name, ": ", heard.status, " ", heard.body);
  CHECK_MESSAGE(!heard.request_id.empty(), name, ": ", heard.head);
  attempts_.push_back(
      {name, step, heard.peer, heard.request_id + (part == 0 ? std::string() : "-" + std::to_string(part))});
}

Json Corpus::vm(const std::string& id_or_name) const {
  return testing::send(server_.simulator_port(), "GET", "/simulator/state/vm/" + id_or_name, {}, "").json();
}

void Corpus::change_vm(const std::string& id, const Json& to) const {
  const Answer answer =
      testing::send(server_.simulator_port(), "POST", "/simulator/state/vm/" + id, {}, dump_json(to));
  REQUIRE_MESSAGE(answer.status == 200, answer.body);
}

void Corpus::add_fault(const Json& rule) const {
  const Answer answer =
      testing::send(server_.simulator_port(), "POST", "/simulator/fault", {}, dump_json(rule));
  REQUIRE_MESSAGE(answer.status == 200, answer.body);
}

int Corpus::changing() const {
  return testing::send(server_.simulator_port(), "GET", "/simulator/requests", {}, "")
      .json()
      .value("changing", -1);
}

void Corpus::forget_requests() const {
  REQUIRE(testing::send(server_.simulator_port(), "POST", "/simulator/requests/reset", {}, "").status == 200);
}

void Corpus::check_journal() const {
  const std::string state = server_.folder() + "/state";
  std::map<std::string, std::vector<Json>> lines;  // by request id
  const auto read = [&] {
    lines.clear();
    for (const auto& entry : std::filesystem::directory_iterator(state)) {  // with closed segments
      if (!entry.path().filename().string().starts_with("journal") || entry.path().extension() != ".jsonl")
        continue;
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);)
        if (auto json = parse_trusted_json(line.substr(line.find(' ') + 1)))
          lines[text_of(*json, "request_id")].push_back(std::move(*json));
    }
  };
  const auto is_there = [&](const Tried& tried) {
    const auto& own = lines[tried.request_id];
    return std::any_of(own.begin(), own.end(), [&](const Json& line) {
      const std::string event = text_of(line, "event");
      const bool ended_there = event == "refused" ? text_of(line, "step") == tried.step
                                                  : event == "outcome" && tried.step == "execute";
      return ended_there && !line.value("ok", true) && text_of(line, "peer") == tried.peer;
    });
  };
  wait_until([&] { return read(), std::all_of(attempts_.begin(), attempts_.end(), is_there); }, 3'000);
  for (const Tried& tried : attempts_) {
    std::string found;
    for (const Json& line : lines[tried.request_id]) found += "\n" + dump_json(line);
    CHECK_MESSAGE(is_there(tried), tried.name, " has no line of the step ", tried.step, ", but", found);
  }
  const auto [code, said] = output_of(std::string(VMCP_PROGRAM) + " audit verify --state-dir " + state);
  CHECK_MESSAGE(code == 0, said);
}

}  // namespace vmcp::testing
