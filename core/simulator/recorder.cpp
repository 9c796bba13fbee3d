#include "simulator/recorder.h"

#include <cerrno>
#include <cstring>

#include "base/json.h"
#include "base/secret.h"

namespace vmcp::simulator {
namespace {

constexpr const char* kSessionHeader = "vmware-api-session-id";

const char* dialect_of(const std::string& path) {
  if (path.rfind("/api/", 0) == 0) return "api";
  if (path.rfind("/rest/", 0) == 0) return "rest";
  if (path.rfind("/sdk/", 0) == 0) return "vim";
  return "other";
}

// Parsed when it is JSON, the text when it is not, null when there is none.
Json body_json(const std::string& body) {
  if (body.empty()) return nullptr;
  Result<Json> parsed = parse_trusted_json(body);
  return parsed ? std::move(*parsed) : Json(body);
}

Json kept_headers(const Pairs& headers) {
  Json out = Json::object();
  for (const auto& [name, value] : headers) {
    for (const char* kept : {"Content-Type", "Accept", "Retry-After"}) {
      if (equals_ignoring_case(name, kept)) out[kept] = value;
    }
  }
  return out;
}

void mask_login(Json& body) {
  for (const char* name : {"userName", "password"}) {
    if (body.is_object() && body.contains(name)) body[name] = std::string(Secret::kMask);
  }
}

bool makes_session(const Request& request) {
  const bool path = request.path == "/api/session" || request.path == "/rest/com/vmware/cis/session";
  return request.method == "POST" && path && request.query.empty();
}

void mask_session(Json& reply) {
  Json& value = reply.is_object() && reply.contains("value") ? reply["value"] : reply;
  if (value.is_string()) value = std::string(Secret::kMask);
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); !what.empty() && at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), with);
    at += with.size();
  }
}

}  // namespace

std::string recorded_line(const Request& request, const Reply& reply) {
  Json asked = body_json(request.body);
  Json answered = body_json(reply.body);
  if (request.path.size() > 6 && request.path.compare(request.path.size() - 6, 6, "/Login") == 0)
    mask_login(asked);
  if (makes_session(request) && reply.status < 400) mask_session(answered);
  Json headers = kept_headers(request.headers);
  const std::string session(request.header(kSessionHeader));
  headers["session"] = !session.empty();
  std::string line = dump_json({{"method", request.method},
                                {"path", request.target()},
                                {"dialect", dialect_of(request.path)},
                                {"request_headers", std::move(headers)},
                                {"request_body", std::move(asked)},
                                {"status", reply.status},
                                {"reply_headers", kept_headers(reply.headers)},
                                {"reply_body", std::move(answered)},
                                {"injected", reply.injected}});
  // A session id that slipped in anywhere else (an id in a body, a path) goes as well.
  replace_all(line, session, Secret::kMask);
  for (const auto& [name, value] : reply.headers) {
    if (equals_ignoring_case(name, kSessionHeader)) replace_all(line, value, Secret::kMask);
  }
  return line;
}

Result<void> Recorder::open(const std::string& path) {
  if (path.empty()) return {};
  file_.reset(std::fopen(path.c_str(), "ae"));
  if (file_) return {};
  return make_error(Code::invalid_argument, "cannot open the record file '" + path +
                                                "': " + std::strerror(errno) + "; give a writable path");
}

void Recorder::write(const Request& request, const Reply& reply) {
  if (!file_) return;
  const std::string line = recorded_line(request, reply) + '\n';
  const std::lock_guard<std::mutex> lock(mutex_);
  std::fwrite(line.data(), 1, line.size(), file_.get());
  std::fflush(file_.get());
}

}  // namespace vmcp::simulator
