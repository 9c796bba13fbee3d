#include "mcp/subscriptions.h"

#include <iterator>

#include "mcp/notifications.h"

namespace vmcp::mcp {
namespace {

constexpr std::size_t kMaxNames = 256;
constexpr std::size_t kMaxNameBytes = 2'048;
constexpr const char* kSubscriptionId = "io.modelcontextprotocol/subscriptionId";

// Every message of a listener's stream names the request that opened it.
std::string params_for(const std::string& id_json, const Json& params) {
  Json out = params.is_object() ? params : Json::object();
  out["_meta"][kSubscriptionId] = Json::parse(id_json);
  return dump_json(out);
}

bool read_names(const Json& list, std::set<std::string, std::less<>>& out) {
  if (!list.is_array() || list.size() > kMaxNames) return false;
  for (const Json& name : list) {
    if (!name.is_string() || name.get_ref<const std::string&>().empty() ||
        name.get_ref<const std::string&>().size() > kMaxNameBytes)
      return false;
    out.insert(name.get<std::string>());
  }
  return true;
}

}  // namespace

std::string Interest::read(const Json& notifications, bool may_have_tasks, Interest& out) {
  if (!notifications.is_object()) return "\"notifications\" must be an object";
  for (const auto& [key, value] : notifications.items()) {
    bool* const flag = key == "toolsListChanged"       ? &out.tools
                       : key == "promptsListChanged"   ? &out.prompts
                       : key == "resourcesListChanged" ? &out.resources
                                                       : nullptr;
    if (flag != nullptr) {
      if (!value.is_boolean()) return "\"" + key + "\" must be true or false";
      *flag = value.get<bool>();
    } else if (key == "resourceSubscriptions") {
      if (!read_names(value, out.uris)) return "\"resourceSubscriptions\" must be a list of at most 256 URIs";
    } else if (key == "taskIds" && may_have_tasks) {
      if (!read_names(value, out.task_ids)) return "\"taskIds\" must be a list of at most 256 ids";
    }
  }
  return {};
}

std::string Interest::json() const {
  Json out = Json::object();
  if (tools) out["toolsListChanged"] = true;
  if (prompts) out["promptsListChanged"] = true;
  if (resources) out["resourcesListChanged"] = true;
  if (!uris.empty()) out["resourceSubscriptions"] = uris;
  if (!task_ids.empty()) out["taskIds"] = task_ids;
  return dump_json(out);
}

void Subscriptions::tell_updated(MessageStream& stream, const std::string& id_json, const std::string& uri) {
  stream.send(notification("notifications/resources/updated", params_for(id_json, Json{{"uri", uri}})), {});
}

bool Subscriptions::add(const Interest& interest, const std::string& id_json, MessageStreamPtr stream,
                        std::vector<std::shared_ptr<void>> watches, std::function<bool()> may_hear) {
  auto listener = std::make_shared<const Listener>(
      Listener{interest, id_json, stream, std::move(watches), std::move(may_hear)});
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(table_->mutex);
    if (table_->ended || table_->listeners.size() >= max_) return false;
    // The acknowledgement is the first message, so it goes out before anyone can publish to this listener.
    const Json honoured{{"notifications", Json::parse(interest.json())}};
    stream->send(notification("notifications/subscriptions/acknowledged", params_for(id_json, honoured)), {});
    number = table_->next++;
    table_->listeners.emplace(number, std::move(listener));
  }
  stream->on_gone([weak = std::weak_ptr<Table>(table_), number] {
    if (const auto table = weak.lock()) {
      std::shared_ptr<const Listener> gone;  // its watches are let go without the lock
      const std::lock_guard lock(table->mutex);
      const auto it = table->listeners.find(number);
      if (it == table->listeners.end()) return;
      gone = std::move(it->second);
      table->listeners.erase(it);
    }
  });
  return true;
}

void Subscriptions::publish(const std::function<bool(const Interest&)>& matches, std::string_view method,
                            const Json& params) {
  std::vector<std::shared_ptr<const Listener>> told, barred;
  {
    const std::lock_guard lock(table_->mutex);
    for (auto it = table_->listeners.begin(); it != table_->listeners.end();) {
      const std::shared_ptr<const Listener> listener = it->second;
      const bool may = !listener->may_hear || listener->may_hear();
      if (!may) barred.push_back(listener);
      if (may && matches(listener->interest)) told.push_back(listener);
      it = may ? std::next(it) : table_->listeners.erase(it);
    }
  }
  for (const auto& listener : barred) finish(*listener, "The caller is locked by the operator");
  for (const auto& listener : told)
    listener->stream->send(notification(method, params_for(listener->id_json, params)), {});
}

void Subscriptions::end() {
  std::map<std::uint64_t, std::shared_ptr<const Listener>> all;
  {
    const std::lock_guard lock(table_->mutex);
    table_->ended = true;
    all.swap(table_->listeners);
  }
  for (const auto& [number, listener] : all) finish(*listener, "The server is stopping");
}

void Subscriptions::finish(const Listener& listener, std::string_view why) {
  const std::string meta = params_for(listener.id_json, Json::object());
  listener.stream->send(R"({"jsonrpc":"2.0","id":)" + listener.id_json +
                            R"(,"result":{"resultType":"complete",)" + meta.substr(1) + "}",
                        {});
  std::string params = R"({"requestId":)" + listener.id_json + R"(,"reason":)";
  append_json_string(params, why);
  listener.stream->send(notification("notifications/cancelled", params + "}"), {});
  listener.stream->finish();
}

std::size_t Subscriptions::size() const {
  const std::lock_guard lock(table_->mutex);
  return table_->listeners.size();
}

}  // namespace vmcp::mcp
