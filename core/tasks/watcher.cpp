#include "tasks/watcher.h"

#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

#include "base/json.h"
#include "vcenter/errors.h"

namespace vmcp::tasks {
namespace {

// A record that owns its text.
struct Owned {
  std::string request_id, trace_id, identity, role, method, tool, host, peer, plugin, args_json, task;
  std::vector<std::string> targets;

  explicit Owned(const audit::Record& r)
      : request_id(r.request_id),
        trace_id(r.trace_id),
        identity(r.identity),
        role(r.role),
        method(r.method),
        tool(r.tool),
        host(r.host),
        peer(r.peer),
        plugin(r.plugin),
        args_json(r.args_json),
        task(r.task),
        targets(r.targets.begin(), r.targets.end()) {}

  audit::Record record() const {
    audit::Record r;
    r.event = audit::Event::outcome;
    r.request_id = request_id;
    r.trace_id = trace_id;
    r.identity = identity;
    r.role = role;
    r.method = method;
    r.tool = tool;
    r.host = host;
    r.peer = peer;
    r.plugin = plugin;
    r.args_json = args_json;
    r.task = task;
    r.targets.assign(targets.begin(), targets.end());
    r.step = "task";
    return r;
  }
};

struct Followed {
  vcenter::Connection* connection;
  Owned owned;
  SteadyTime started;
};

}  // namespace

struct Watcher::Impl {
  Impl(Settings s, audit::Audit& a, const Clock& c, Log& l) : settings(s), audit(a), clock(c), log(l) {}

  Settings settings;
  audit::Audit& audit;
  const Clock& clock;
  Log& log;
  CancelFlag cancel;

  mutable std::mutex mutex;  // guards followed and stopping
  std::condition_variable wake;
  std::list<Followed> followed;
  bool stopping = false;
  std::thread thread;

  void write(const Followed& f, bool ok, const std::string& error, std::string_view code) {
    audit::Record record = f.owned.record();
    record.ok = ok;
    record.error = error;
    record.code = code;
    record.duration_ms = std::chrono::duration_cast<milliseconds>(clock.now() - f.started).count();
    audit.buffered(record);
  }

  // True when the task needs no more looking at.
  bool look(const Followed& f) {
    const CallLimits limits{std::chrono::steady_clock::now() + std::chrono::seconds(10), cancel};
    const vcenter::Reply reply = f.connection->vim({"Task", f.owned.task, "info", true, {}}, limits);
    if (!reply.ok()) {
      if (reply.error->code == Code::not_found) {
        write(f, false, "the task is no longer known to vCenter; reconcile by reading the object", "unknown");
        return true;
      }
      return false;
    }
    const auto info = parse_trusted_json(reply.body, 1u << 20);
    if (!info || !info->is_object()) return false;
    const auto state = info->find("state");
    if (state == info->end()) return false;
    if (*state == "success") {
      write(f, true, {}, {});
      return true;
    }
    if (*state != "error") return false;
    const auto fault = info->find("error");
    const Error why = vcenter::vim_fault_error(fault == info->end() ? Json() : *fault);
    write(f, false, why.text, code_name(why.code));
    return true;
  }

  void run() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      wake.wait_for(lock, settings.interval, [&] { return stopping; });
      for (auto it = followed.begin(); it != followed.end() && !stopping;) {
        const Followed& f = *it;  // only this thread erases
        lock.unlock();
        const bool old = clock.now() - f.started > settings.give_up;
        if (old)
          write(f, false, "the task was still running when it was given up on; reconcile by reading",
                "unknown");
        const bool done = old || look(f);
        lock.lock();
        it = done ? followed.erase(it) : std::next(it);
      }
    }
  }
};

Watcher::Watcher(Settings settings, audit::Audit& audit, const Clock& clock, Log& log)
    : impl_(std::make_unique<Impl>(settings, audit, clock, log)) {
  impl_->thread = std::thread([impl = impl_.get()] {
    try {
      impl->run();
    } catch (const std::exception& e) {
      impl->log.error("the task watcher stopped", {{"why", e.what()}});
    }
  });
}

Watcher::~Watcher() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->cancel.cancel();
  impl_->wake.notify_all();
  impl_->thread.join();
  for (const Followed& f : impl_->followed)
    impl_->write(f, false, "the server stopped while the task was running; reconcile by reading the object",
                 "unknown");
}

void Watcher::follow(vcenter::Connection& connection, const std::string& task, const audit::Record& record,
                     SteadyTime started) {
  Followed f{&connection, Owned(record), started};
  f.owned.task = task;
  const std::lock_guard lock(impl_->mutex);
  if (impl_->followed.size() >= impl_->settings.max_tasks) {
    impl_->write(f, false, "too many tasks are being followed; reconcile by reading the object", "unknown");
    return;
  }
  impl_->followed.push_back(std::move(f));
}

std::size_t Watcher::following() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->followed.size();
}

}  // namespace vmcp::tasks
