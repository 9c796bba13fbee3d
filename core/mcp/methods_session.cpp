// What belongs to a client rather than to a call: handshake, log level, subscriptions, what a client tells
// us.
#include "mcp/client_side.h"
#include "mcp/dispatch.h"
#include "mcp/notifications.h"

namespace vmcp::mcp {

void Dispatcher::initialize(const Work& work) const {
  const Json* params = work.message.params;
  const std::string* asked = string_member(params, "protocolVersion");
  if (asked == nullptr)
    return refuse(work, Refusal::bad_params,
                  "Invalid params: initialize needs \"protocolVersion\", a string.");
  Version version = kLatestLegacy;
  legacy_version(*asked, version);
  const auto capabilities = params->find("capabilities");
  const SessionPtr session =
      desk_.sessions.open(work.carrier.context->principal->identity, version,
                          capabilities == params->end() ? client_can(Json::object(), version)
                                                        : client_can(*capabilities, version));
  work.reply(
      Reply{200, desk_.renderer.initialize(*work.message.id, version), {{"Mcp-Session-Id", session->id}}});
}

void Dispatcher::set_log_level(const Work& work) const {
  const std::string* level = string_member(work.message.params, "level");
  if (level == nullptr || log_level_of(*level) < 0)
    return refuse(
        work, Refusal::bad_params,
        "Invalid params: \"level\" must be one of debug, info, notice, warning, error, critical, alert, "
        "emergency.");
  if (work.carrier.session) work.carrier.session->set_log_level(log_level_of(*level));
  work.reply(Reply{200, desk_.renderer.empty_result(*work.message.id), {}});
}

void Dispatcher::listen(const Work& work) const {
  const Json* params = work.message.params;
  const auto wanted = params->find("notifications");
  const Json* meta = meta_of(params);
  const bool may_have_tasks = client_can((*meta)[kMetaCapabilities], work.version).contains("tasks");
  if (!may_have_tasks && wanted != params->end() && wanted->is_object() && wanted->contains("taskIds")) {
    Error error = make_error(Code::client_lacks,
                             "Declare the extension " + std::string(kTasksExtension) + " to hear of tasks.");
    error.rule = "tasks";
    return refuse(work, error);
  }
  Interest interest;
  std::string why = wanted == params->end() ? "\"notifications\" is missing"
                                            : Interest::read(*wanted, may_have_tasks, interest);
  if (why.empty() && meta->contains("progressToken")) why = "a listen request has no progress";
  if (!why.empty()) return refuse(work, Refusal::bad_params, "Invalid params: " + why + ".");
  // Another's task is one that does not exist.
  std::erase_if(interest.task_ids, [&](const std::string& task) {
    if (desk_.tasks.get(task, *work.carrier.context->principal)) return false;
    desk_.pipeline.refused(*work.carrier.context, "parse",
                           make_error(Code::not_found, "There is no such task of yours to hear of."));
    return true;
  });
  std::erase_if(interest.uris,
                [&](const std::string& uri) { return !desk_.pipeline.may_read(*work.carrier.context, uri); });
  if (!work.carrier.owned || !work.carrier.outlet || !work.carrier.outlet->can_stream())
    return refuse(
        work, Refusal::not_acceptable,
        "Not acceptable: subscriptions/listen is answered with a stream; send Accept: application/json, "
        "text/event-stream.");
  StreamHead head;
  head.headers.emplace_back("X-Request-Id", work.carrier.context->request_id);
  const MessageStreamPtr stream = work.carrier.owned->open_stream(std::move(head));
  if (!stream) return;  // the client is gone
  const std::string id = dump_json(*work.message.id);
  std::vector<std::shared_ptr<void>> watches;
  std::erase_if(interest.uris, [&](const std::string& uri) {
    const std::weak_ptr<MessageStream> listener = stream;
    auto watch = desk_.pipeline.watch(*work.carrier.context, uri, [listener, id, uri] {
      if (const auto open = listener.lock()) Subscriptions::tell_updated(*open, id, uri);
    });
    if (watch && *watch) watches.push_back(std::move(*watch));
    return !watch;  // too many are watched: not honoured, and the acknowledgement says so
  });
  auto may_hear = [&pipeline = desk_.pipeline, caller = work.carrier.context->principal] {
    return pipeline.may_hear(*caller);
  };
  if (desk_.subscriptions.add(interest, id, stream, std::move(watches), std::move(may_hear))) return;
  stream->send(
      desk_.renderer.error(work.message.id, fault_of(make_error(Code::unavailable,
                                                                "Too many open subscriptions on this server; "
                                                                "close one, or try again later."))),
      {});
  stream->finish();
}

void Dispatcher::subscribe(const Work& work, bool on) const {
  const std::string* uri = string_member(work.message.params, "uri");
  if (uri == nullptr || uri->empty() || uri->size() > 2048)
    return refuse(work, Refusal::bad_params, "Invalid params: \"uri\" must be the URI of a resource.");
  if (!work.carrier.session)
    return refuse(
        work, Refusal::bad_params,
        "Invalid params: a subscription belongs to a session; send the Mcp-Session-Id of initialize.");
  if (!on) {
    work.carrier.session->unsubscribe(*uri);
  } else if (!desk_.pipeline.may_read(*work.carrier.context, *uri)) {
    // Audited there already.
    return answer(work, fault_of(Refusal::bad_params, false,
                                 "Invalid params: there is no such resource that you may read."));
  } else {
    const std::weak_ptr<Session> session = work.carrier.session;
    auto watch = desk_.pipeline.watch(*work.carrier.context, *uri, [session, uri = *uri] {
      if (const auto open = session.lock())
        open->notify(notification("notifications/resources/updated", dump_json(Json{{"uri", uri}})));
    });
    if (!watch) return refuse(work, watch.error());
    if (!work.carrier.session->subscribe(*uri, std::move(*watch)))
      return refuse(work, make_error(Code::unavailable,
                                     "Too many subscriptions in this session; unsubscribe one first."));
  }
  work.reply(Reply{200, desk_.renderer.empty_result(*work.message.id), {}});
}

void Dispatcher::notified(const Message& message, const Carrier& carrier) const {
  if (!carrier.session || message.method != "notifications/cancelled" || message.params == nullptr) return;
  if (const auto id = message.params->find("requestId"); id != message.params->end())
    carrier.session->cancel(dump_json(*id));
}

// A posted response to a request of ours. False: nobody asked.
bool Dispatcher::answered(Json& value, const Carrier& carrier) const {
  const std::string* id = string_member(&value, "id");
  if (!carrier.session || id == nullptr) return false;
  ClientAnswer answer;
  if (const auto result = value.find("result"); result != value.end()) {
    answer.ok = true;
    answer.json = dump_json(*result);
  }
  return carrier.session->answer(*id, std::move(answer));
}

}  // namespace vmcp::mcp
