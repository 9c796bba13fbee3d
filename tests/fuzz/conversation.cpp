#include "fuzz/conversation.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>

#include "fuzz/target.h"
#include "http/response_head.h"

namespace vmcp::fuzz {
namespace {

constexpr std::size_t kMemory = 64 * 1024;

// Small, so that a short input can go over them.
http::FrameLimits limits() {
  http::FrameLimits l;
  l.max_head_bytes = 2'048;
  l.max_target_bytes = 256;
  l.max_fields = 24;
  l.max_body_bytes = 4'096;
  return l;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

void check_json_rpc(const Json& message, std::string_view text) {
  require(message.is_object() && message.value("jsonrpc", "") == "2.0", "no JSON-RPC message: ", text);
  const bool request = message.contains("method");
  require(request || message.contains("result") != message.contains("error"),
          "neither result nor error, or both: ", text);
  if (const auto id = message.find("id"); id != message.end())
    require(id->is_string() || id->is_number_integer(), "an id that is none of JSON-RPC's: ", text);
}

std::string verdict(std::string_view bytes, const std::string& cuts) {
  http::Framer framer(limits());
  std::string block;
  std::size_t used = 0, at = 0, cut = 0;
  auto step = http::Framer::Step::more_head;
  while (at < bytes.size() &&
         (step == http::Framer::Step::more_head || step == http::Framer::Step::more_body)) {
    std::size_t n = bytes.size() - at;
    if (!cuts.empty())
      n = std::min<std::size_t>(n, static_cast<unsigned char>(cuts[cut++ % cuts.size()]) % 64 + 1u);
    block.resize(used);
    block += bytes.substr(at, n);
    at += n;
    used = block.size();
    step = framer.feed(block.data(), used);
  }
  std::string out = std::to_string(static_cast<int>(step)) + ' ';
  if (step == http::Framer::Step::refused) return out + std::to_string(framer.refusal().status);
  if (step != http::Framer::Step::whole) return out;
  http::Request request;
  framer.describe(block.data(), request);
  for (const std::string_view part : {request.method, request.path, request.query, request.body})
    out.append(part) += '\n';
  for (const http::Header& header : request.headers) out.append(header.name).append(header.value) += '\n';
  return out + (framer.keep_alive() ? "stays" : "closes");
}

}  // namespace

Conversation::~Conversation() {
  for (const auto& exchange : streaming_) exchange->leave();
}

std::size_t Conversation::next_piece() {
  if (cuts_.empty()) return std::numeric_limits<std::size_t>::max();
  return static_cast<unsigned char>(cuts_[cut_++ % cuts_.size()]) % 64 + 1u;
}

std::string Conversation::completed(std::string_view part) {
  std::string head(part), body;
  if (part.find('\r') == std::string_view::npos) {
    if (const std::size_t end = part.find("\n\n"); end != std::string_view::npos) {
      head = part.substr(0, end + 2);
      body = part.substr(end + 2);
    }
    head = replaced(std::move(head), "\n", "\r\n");
  } else if (const std::size_t end = part.find("\r\n\r\n"); end != std::string_view::npos) {
    head = part.substr(0, end + 4);
    body = part.substr(end + 4);
  }
  for (const char* name : {"@SESSION@", "@STATE@", "@TASK@", "@ASKED@", "@CURSOR@", "@EVENT@"}) {
    head = replaced(std::move(head), name, known_[name]);
    body = replaced(std::move(body), name, known_[name]);
  }
  return replaced(std::move(head), "@LENGTH@", std::to_string(body.size())) + body;
}

void Conversation::send(std::string_view part) {
  read_streams();
  const std::string bytes = completed(part);
  same_however_cut(bytes);
  serve(bytes);
}

void Conversation::same_however_cut(const std::string& bytes) {
  if (!cuts_.empty())
    require(verdict(bytes, {}) == verdict(bytes, cuts_),
            "the framer's verdict depends on where the bytes are cut");
}

// As a connection does: pieces as they come, one request after the other.
void Conversation::serve(const std::string& bytes) {
  using Step = http::Framer::Step;
  std::size_t at = 0;
  std::shared_ptr<KeptExchange> before;
  std::string_view rest;
  while (at < bytes.size() || !rest.empty()) {
    const auto exchange = std::make_shared<KeptExchange>(limits(), kMemory);
    http::Incoming& in = exchange->incoming;
    Step step = Step::more_head;
    if (!rest.empty()) {
      if (!in.start_with(rest)) return;
      step = in.received(0);
    }
    while (step == Step::more_head || step == Step::more_body) {
      if (at == bytes.size() || !in.grow()) return;
      const std::size_t n = std::min({next_piece(), in.room(), bytes.size() - at});
      std::memcpy(in.tail(), bytes.data() + at, n);
      at += n;
      step = in.received(n);
    }
    if (step == Step::refused) {
      const int status = in.framer().refusal().status;
      require(status >= 400 && status < 600, "a refusal with another status");
      return;
    }
    ++requests_;
    rest = in.finish();
    in.request().peer = "192.0.2.7";
    world_.handle(exchange);
    judge(*exchange);
    if (exchange->stream()) streaming_.push_back(exchange);
    if (!in.framer().keep_alive()) return;
    before = exchange;  // `rest` points into it
  }
}

void Conversation::judge(const KeptExchange& exchange) {
  static const std::set<int> kStatuses = {200, 202, 204, 400, 401, 403, 404, 405, 406, 409, 415, 429, 503};
  std::string head;
  if (const auto stream = exchange.stream()) {
    require(
        http::write_response_head(head, stream->head(), {.length = http::ResponseFraming::Length::chunked}),
        "a stream's head that cannot be sent");
    return read_streams();
  }
  const auto answer = exchange.answer();
  require(answer.has_value(), "no answer, and nobody who could give one");
  require(kStatuses.contains(answer->status), "status ", std::to_string(answer->status), ": ", answer->body);
  require(http::write_response_head(head, *answer, {}), "a head that cannot be sent");
  for (const auto& [name, value] : answer->headers)
    if (name == "Mcp-Session-Id") known_["@SESSION@"] = value;
  if (answer->content_type.empty()) return require(answer->body.empty(), "a body without a type");
  auto json = parse_trusted_json(answer->body);
  require(json.ok(), "no JSON: ", answer->body);
  if (exchange.request().path != "/mcp") return;
  for (const Json& message : json->is_array() ? *json : Json::array({*json})) {
    check_json_rpc(message, answer->body);
    learn(message);
  }
}

void Conversation::read_streams() {
  for (const auto& exchange : streaming_) {
    const std::string text = exchange->stream()->text();
    for (std::size_t from = 0; from < text.size();) {
      const std::size_t end = text.find('\n', from);
      require(end != std::string::npos, "an event that stops in a line");
      const std::string_view line(text.data() + from, end - from);
      from = end + 1;
      if (line.starts_with("id: ")) {
        known_["@EVENT@"] = line.substr(4);
      } else if (line.starts_with("data: ") && line.size() > 6) {
        const auto json = parse_trusted_json(line.substr(6));
        require(json.ok(), "an event that is no JSON: ", line);
        check_json_rpc(*json, line);
        learn(*json);
      } else {
        require(line.empty() || line == "data: " || line.starts_with("retry: ") || line == ":",
                "a line that is none of an event's: ", line);
      }
    }
  }
}

void Conversation::learn(const Json& message) {
  const auto keep = [&](const Json& object, const char* member, const char* name) {
    if (const auto it = object.find(member); it != object.end() && it->is_string())
      known_[name] = it->get<std::string>();
  };
  if (message.contains("method")) keep(message, "id", "@ASKED@");
  const auto result = message.find("result");
  if (result == message.end() || !result->is_object()) return;
  keep(*result, "requestState", "@STATE@");
  keep(*result, "taskId", "@TASK@");
  keep(*result, "nextCursor", "@CURSOR@");
}

}  // namespace vmcp::fuzz
