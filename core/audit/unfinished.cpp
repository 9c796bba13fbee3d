#include "audit/unfinished.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <unordered_map>

#include "audit/chain.h"
#include "audit/chain_check.h"
#include "audit/segment.h"
#include "base/json.h"

namespace vmcp::audit {
namespace {

// {"seq":N,"ts":"…","event":"…","request_id":"…": before anything that a caller can write.
constexpr std::size_t kHeadOfRecord = 320;
constexpr std::string_view kEvent = ",\"event\":\"", kRequest = ",\"request_id\":\"";

std::string_view value_behind(std::string_view json, std::string_view key) {
  const auto at = json.substr(0, kHeadOfRecord).find(key);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = json.substr(at + key.size());
  return rest.substr(0, rest.find('"'));
}

std::string string_at(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::string plugin_members_of(const Json& json) {
  std::string out;
  for (const char* key : {"plugin", "plugin_version", "plugin_sha256", "plugin_generation"}) {
    const auto it = json.find(key);
    if (it == json.end()) continue;
    if (!out.empty()) out += ',';
    append_json_string(out, key);
    out += ':';
    out += dump_json(*it);
  }
  return out;
}

struct Open {
  std::uint64_t seq = 0;
  std::string intent;
  std::string task;
};

class Search {
 public:
  explicit Search(std::size_t most) : most_(most) {}

  void line(std::string_view text) {
    const auto line = parse_line(text);
    if (!line) return;
    const std::string_view event = value_behind(line->json, kEvent);
    if (event == "journal" || event.empty()) return;
    const std::string request(value_behind(line->json, kRequest));
    if (request.empty()) return;
    if (event == "intent") {
      begin(request, *line);
    } else if (event == "accepted") {
      if (const auto it = open_.find(request); it != open_.end())
        if (const auto json = parse_trusted_json(line->json); json && json->is_object())
          it->second.task = string_at(*json, "task");
    } else if (event == "outcome" || line->json.find(",\"voids\":") != std::string_view::npos) {
      end(request);
    }
  }

  std::vector<Unfinished> take() {
    std::vector<Unfinished> out;
    for (const auto& [seq, request] : order_) {
      const Open& open = open_.at(request);
      const auto json = parse_trusted_json(open.intent);
      if (json && json->is_object()) out.push_back(unfinished(*json, open.task));
    }
    return out;
  }

 private:
  void begin(const std::string& request, const Line& line) {
    end(request);
    if (open_.size() >= most_) end(std::string(order_.begin()->second));
    open_.emplace(request, Open{line.seq, std::string(line.json), {}});
    order_.emplace(line.seq, request);
  }
  void end(const std::string& request) {
    const auto it = open_.find(request);
    if (it == open_.end()) return;
    order_.erase(it->second.seq);
    open_.erase(it);
  }

  static Unfinished unfinished(const Json& json, const std::string& task) {
    Unfinished out;
    out.request_id = string_at(json, "request_id");
    out.trace_id = string_at(json, "trace_id");
    out.identity = string_at(json, "identity");
    out.role = string_at(json, "role");
    out.method = string_at(json, "method");
    out.tool = string_at(json, "tool");
    out.host = string_at(json, "host");
    out.peer = string_at(json, "peer");
    out.plugin_members = plugin_members_of(json);
    if (const auto args = json.find("args"); args != json.end() && args->is_object())
      out.args_json = dump_json(*args);
    if (const auto targets = json.find("targets"); targets != json.end() && targets->is_array())
      for (const Json& target : *targets)
        if (target.is_string()) out.targets.push_back(target.get<std::string>());
    out.task = task;
    out.at = parse_iso8601(string_at(json, "ts"));
    return out;
  }

  const std::size_t most_;
  std::unordered_map<std::string, Open> open_;  // by request
  std::map<std::uint64_t, std::string> order_;  // by number
};

struct Part {
  std::string file;
  std::uint64_t from = 0;
};

// The files that hold the last `bytes`, oldest first, and where in the oldest to begin.
Result<std::vector<Part>> last_parts(const std::string& journal_file, std::uint64_t bytes) {
  const auto segments = list_segments(journal_file);
  if (!segments) return segments.error();
  std::vector<Part> out;
  const auto take = [&](const std::string& file) {
    struct stat st {};
    if (bytes == 0 || ::stat(file.c_str(), &st) != 0) return;
    const auto size = static_cast<std::uint64_t>(st.st_size);
    out.push_back({file, size > bytes ? size - bytes : 0});
    bytes -= std::min(bytes, size);
  };
  take(journal_file);
  for (auto it = segments->rbegin(); it != segments->rend(); ++it)
    if (it->has_file) take(it->file);
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace

Record Unfinished::unknown() const {
  Record record;
  record.event = Event::outcome;
  record.request_id = request_id;
  record.trace_id = trace_id;
  record.identity = identity;
  record.role = role;
  record.method = method;
  record.tool = tool;
  record.host = host;
  record.peer = peer;
  record.plugin_members = plugin_members;
  record.args_json = args_json;
  record.targets.assign(targets.begin(), targets.end());
  record.task = task;
  record.step = "restart";
  record.code = "unknown";
  record.error =
      "the server ended before the outcome was known: the change may have been made or not; reconcile by "
      "reading the object, do not repeat it unread";
  return record;
}

Result<std::vector<Unfinished>> find_unfinished(const std::string& journal_file, LookBack look_back) {
  const auto parts = last_parts(journal_file, look_back.bytes);
  if (!parts) return parts.error();
  Search search(std::max<std::size_t>(look_back.most_open, 1));
  for (const Part& part : *parts) {
    const int fd = ::open(part.file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || ::lseek(fd, static_cast<off_t>(part.from), SEEK_SET) < 0) {
      const int why = errno;
      if (fd >= 0) ::close(fd);
      return make_error(Code::unavailable, "cannot read '" + part.file + "': " + std::strerror(why));
    }
    // What the beginning cuts through is no record, and is passed over.
    const auto ok = each_line(
        fd, part.file, [&](std::string_view text) { search.line(text); }, [](std::size_t) {}, {});
    ::close(fd);
    if (!ok) return ok.error();
  }
  return search.take();
}

}  // namespace vmcp::audit
