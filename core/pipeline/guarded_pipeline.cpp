#include "pipeline/guarded_pipeline.h"

#include "base/crypto.h"
#include "base/mask.h"
#include "pipeline/parking.h"
#include "pipeline/steps.h"

namespace vmcp::pipeline {
namespace {

// trace-id of a W3C traceparent "00-<32 hex>-<16 hex>-<2 hex>"; empty when it is not one.
std::string trace_id_of(std::string_view traceparent) {
  if (traceparent.size() < 55 || traceparent[2] != '-' || traceparent[35] != '-') return {};
  const std::string_view id = traceparent.substr(3, 32);
  bool zero = true;
  for (const char c : id) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return {};
    zero = zero && c == '0';
  }
  return zero ? std::string() : std::string(id);
}

// Whoever leaves call_tool gives the worker's leave to block back, whatever happened.
class BlockingEnd {
 public:
  explicit BlockingEnd(Walk& walk) : walk_(walk) {}
  BlockingEnd(const BlockingEnd&) = delete;
  BlockingEnd& operator=(const BlockingEnd&) = delete;
  ~BlockingEnd() {
    if (walk_.blocking) walk_.exchange->leave_blocking();
  }

 private:
  Walk& walk_;
};

// A call that a lock stopped fails in many ways, of which none is the reason.
Error why_it_ended(const Walk& walk, const Error& error) {
  std::optional<Error> locked = walk.lock.hit();
  if (!locked) return error;
  if (!walk.task.empty())
    locked->text += " vCenter had taken its task " + walk.task +
                    " already, which is not undone: read the state before you go on.";
  else if (walk.invocation.sent_change)
    locked->text += " What it had changed by then stays so: read the state before you go on.";
  return std::move(*locked);
}

// An error inside a rule is a refusal, and has its line in the audit like every other.
template <class Run>
Result<void> guarded(Run run, Services& services, Walk& walk) {
  try {
    return run(services, walk);
  } catch (const std::exception& e) {
    return make_error(Code::internal, "Internal error. The operator finds it in the log by the request id.",
                      e.what());
  }
}

}  // namespace

GuardedPipeline::GuardedPipeline(Services services) : services_(services) {
  for (const std::string& name : services_.fleet.names()) {
    tools::Resource resource;
    resource.uri = "vsphere://" + name + "/";
    resource.listed = dump_json(Json{{"uri", resource.uri},
                                     {"name", name},
                                     {"title", "vCenter " + name},
                                     {"mimeType", "application/json"}});
    vcenters_.push_back(std::move(resource));
  }
}

void GuardedPipeline::trace(Context& context, std::string_view traceparent) {
  std::string id = trace_id_of(traceparent);
  if (id.empty()) return;
  context.trace_id = std::move(id);
  context.traceparent.assign(traceparent.substr(0, 55));
}

ContextPtr GuardedPipeline::again(const Context& context) {
  auto next = std::make_shared<Context>(context);
  next->started = services_.clock.now();
  return next;
}

ContextPtr GuardedPipeline::open(const Ingress& ingress) {
  auto context = std::make_shared<Context>();
  context->request_id = random_id();
  trace(*context, ingress.traceparent);
  context->peer.assign(ingress.peer);
  context->started = services_.clock.now();
  return context;
}

Result<void> GuardedPipeline::admit(Context& context, const Ingress& ingress) {
  if (auto r = services_.limiter.take_address(ingress.peer); !r) {
    refused(context, "address", r.error());
    return r;
  }
  auto principal = services_.callers.now()->authenticate(ingress.authorization, ingress.authorization_count,
                                                         ingress.certificate);
  if (!principal) {
    refused(context, "authenticate", principal.error());
    return principal.error();
  }
  context.principal = std::move(*principal);
  auto locked = services_.locks.caller(*context.principal);
  if (!locked) refused(context, "authenticate", locked.error());
  return locked;
}

void GuardedPipeline::fill(audit::Record& record, const Context& context) const {
  record.request_id = context.request_id;
  record.trace_id = context.trace_id;
  record.peer = context.peer;
  record.method = context.method;
  if (context.principal) {
    record.identity = context.principal->identity;
    record.role = context.principal->role;
  }
  record.duration_ms =
      std::chrono::duration_cast<milliseconds>(services_.clock.now() - context.started).count();
}

void GuardedPipeline::refused(const Context& context, std::string_view step, const Error& error) {
  refused(context, step, error, {});
}

void GuardedPipeline::refused(const Context& context, std::string_view step, const Error& error,
                              std::string_view subject) {
  audit::Record record;
  fill(record, context);
  record.tool = subject;
  const std::string text = mask_text(error.text);
  record.event = audit::Event::refused;
  record.step = step;
  record.rule = error.rule;
  record.error = text;
  record.code = code_name(error.code);
  services_.audit.buffered(record);
}

void GuardedPipeline::record(const Context& context, std::string_view subject, bool ok) {
  audit::Record record;
  fill(record, context);
  record.event = audit::Event::outcome;
  record.tool = subject;
  record.ok = ok;
  services_.audit.buffered(record);
}

bool GuardedPipeline::may_read(const Context& context, std::string_view uri) {
  const std::string name = policy_name(Feature::resource, uri);
  Error error = make_error(Code::not_found, "Resource not found.");
  if (services_.catalog.now()->features.reader_of(uri) != nullptr) {
    const policy::Decision verdict =
        services_.policy.now()->may_call(*context.principal, {name, false}, services_.clock.wall());
    const auto unlocked = services_.locks.tool(name);
    if (verdict.allowed && unlocked) return true;
    if (verdict.allowed) {
      error = unlocked.error();
    } else {
      error = make_error(Code::denied, verdict.reason);
      error.rule = verdict.rule;
    }
  }
  refused(context, "authorise", error, uri);
  return false;
}

bool GuardedPipeline::may_hear(const Principal& caller) const {
  return services_.locks.caller(caller).ok();
}

Result<std::shared_ptr<void>> GuardedPipeline::watch(const Context& context, const std::string& uri,
                                                     std::function<void()> changed) {
  const tools::ToolPtr reader = services_.catalog.now()->features.reader_of(uri);
  if (!reader || reader->plugin != nullptr) return std::shared_ptr<void>();
  return services_.objects.watch(uri, context.principal, std::move(changed));
}

Result<void> GuardedPipeline::throttle_method(Context& context) {
  const auto r = services_.limiter.take(context.principal->identity, context.principal->role, {}, 1.0);
  if (r) return {};
  refused(context, "throttle", r.error());
  return r.error();
}

Result<ToolPage> GuardedPipeline::list_tools(const Context& context, std::string_view cursor,
                                             std::size_t page_size) {
  const tools::CatalogPtr catalog = services_.catalog.now();
  const auto& all = catalog->registry.all();
  std::size_t at = 0;
  if (!cursor.empty()) {  // the name of the last tool of the page before
    std::string name;
    if (!base64_decode(cursor, name))
      return make_error(Code::malformed, "Invalid cursor: start again without one.");
    while (at < all.size() && all[at]->name != name) ++at;
    if (at == all.size()) return make_error(Code::malformed, "Invalid cursor: start again without one.");
    ++at;
  }
  ToolPage page;
  const policy::PolicyPtr policy = services_.policy.now();
  const WallTime now = services_.clock.wall();
  for (; at < all.size(); ++at) {
    if (!policy->may_call(*context.principal, {all[at]->name, all[at]->changes()}, now).allowed) continue;
    if (!services_.locks.tool(all[at]->name)) continue;
    if (page.tools.size() == page_size) {
      page.next_cursor = base64_encode(page.tools.back()->name);
      break;
    }
    page.tools.push_back(all[at]);
  }
  return page;
}

Result<Page> GuardedPipeline::list(const Context& context, List what, std::string_view cursor,
                                   std::size_t page_size) {
  struct Entry {
    const std::string& name;
    const std::string& listed;
  };
  std::vector<Entry> all;
  const tools::CatalogPtr catalog = services_.catalog.now();
  const tools::Features& features = catalog->features;
  if (what == List::prompts) {
    for (const tools::Prompt& prompt : features.prompts()) all.push_back({prompt.name, prompt.listed});
  } else {
    // Behind the plugins' own, which somebody chose to list.
    if (what == List::templates)
      for (const tools::Resource& r : features.templates()) all.push_back({r.uri, r.listed});
    if (what == List::resources) {
      for (const tools::Resource& r : features.resources()) all.push_back({r.uri, r.listed});
      for (const tools::Resource& r : vcenters_) all.push_back({r.uri, r.listed});
    }
  }
  std::size_t at = 0;
  if (!cursor.empty()) {
    std::string name;
    const bool ours = base64_decode(cursor, name);
    while (ours && at < all.size() && all[at].name != name) ++at;
    if (!ours || at == all.size())
      return make_error(Code::malformed, "Invalid cursor: start again without one.");
    ++at;
  }
  const Feature feature = what == List::prompts ? Feature::prompt : Feature::resource;
  const policy::PolicyPtr policy = services_.policy.now();
  const WallTime now = services_.clock.wall();
  Page page;
  page.owner = catalog;
  const std::string* last = nullptr;
  for (; at < all.size(); ++at) {
    if (!policy->may_call(*context.principal, {policy_name(feature, all[at].name), false}, now).allowed)
      continue;
    if (!services_.locks.tool(policy_name(feature, all[at].name))) continue;
    if (page.items.size() == page_size) {
      page.next_cursor = base64_encode(*last);
      break;
    }
    page.items.push_back(all[at].listed);
    last = &all[at].name;
  }
  return page;
}

tools::ToolPtr GuardedPipeline::find_tool(const Context& context, std::string_view name) {
  tools::ToolPtr tool = services_.catalog.now()->registry.find(name);
  if (!tool) return nullptr;
  const policy::Decision decision = services_.policy.now()->may_call(
      *context.principal, {tool->name, tool->changes()}, services_.clock.wall());
  return decision.allowed && services_.locks.tool(tool->name) ? tool : nullptr;
}

bool GuardedPipeline::follow(const std::string& parked,
                             std::function<void(const std::string& task_info)> ended) {
  const auto at = parked_at(parked);
  if (!at) return false;
  const auto connection = services_.fleet.find(at->vcenter);
  return connection && services_.watcher.follow(**connection, at->task, std::move(ended));
}

std::string GuardedPipeline::save(const Context& context) {
  return dump_json(Json{{"request_id", context.request_id},
                        {"traceparent", context.traceparent},
                        {"peer", context.peer},
                        {"method", context.method},
                        {"identity", context.principal->identity},
                        {"role", context.principal->role}});
}

ContextPtr GuardedPipeline::load(const std::string& saved) {
  const auto json = parse_trusted_json(saved, 64u << 10);
  if (!json || !json->is_object()) return nullptr;
  const auto text = [&](const char* key) { return json->value(key, std::string()); };
  auto context = std::make_shared<Context>();
  context->request_id = text("request_id");
  trace(*context, text("traceparent"));
  context->peer = text("peer");
  context->method = text("method");
  context->started = services_.clock.now();
  context->principal = services_.callers.now()->find(text("identity"), text("role"));
  // A role that does not exist: for the audit's sake there is still a name.
  if (!context->principal) context->principal = std::make_shared<Principal>(Principal{text("identity"), ""});
  return context;
}

void GuardedPipeline::call_tool(ContextPtr context, ToolCall call, std::shared_ptr<Exchange> exchange,
                                Done done) {
  auto walk = std::make_shared<Walk>();
  walk->deadline =
      context->started + (call.as_task ? services_.settings.task_deadline : services_.settings.tool_deadline);
  walk->context = std::move(context);
  walk->args_text = call.arguments.empty() ? std::string() : dump_json(call.arguments);
  walk->call = std::move(call);
  walk->exchange = std::move(exchange);
  walk->done = std::move(done);
  walk->catalog = services_.catalog.now();
  walk->policy = services_.policy.now();
  walk->lock.enter(services_.locks, walk->context->principal,
                   policy_name(walk->call.feature, walk->call.name), walk->context->cancel);
  const BlockingEnd end(*walk);
  walk->exchange->answer_by(walk->deadline, [this, weak = std::weak_ptr<Walk>(walk)] {
    if (const auto overdue = weak.lock()) overrun(services_, *overdue);
  });
  const bool goes_on = !walk->call.parked.empty();
  for (const Step& step : steps()) {
    const auto run = goes_on ? step.again : step.run;
    if (run == nullptr) continue;
    if (auto r = guarded(run, services_, *walk); !r) {
      refuse(services_, *walk, step.name, why_it_ended(*walk, r.error()));
      return;
    }
    if (!walk->answer.requests.empty()) {  // the client is asked first: the host at step 9, the plugin at 12
      finish(services_, *walk);
      return;
    }
  }
}

}  // namespace vmcp::pipeline
