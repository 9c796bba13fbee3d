#include "tasks/watcher.h"

#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <thread>

#include "base/json.h"
#include "vcenter/errors.h"

namespace vmcp::tasks {
namespace {

// A record that owns its text.
struct Owned {
  std::string request_id, trace_id, identity, role, method, tool, host, peer, plugin_members, args_json, task;
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
        plugin_members(r.plugin_members),
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
    r.plugin_members = plugin_members;
    r.args_json = args_json;
    r.task = task;
    r.targets.assign(targets.begin(), targets.end());
    r.step = "task";
    return r;
  }
};

struct Followed {
  vcenter::Connection* connection;
  std::string task;
  SteadyTime started;
  std::optional<Owned> owned;  // an OUTCOME is owed …
  Watcher::Ended ended;        // … or somebody waits
  SteadyTime next_look{};
  milliseconds pause{};
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
  bool fresh = false;  // something was added that may be due before the rest
  std::thread thread;

  void write(const Followed& f, bool ok, const std::string& error, std::string_view code) {
    if (!f.owned) return;
    audit::Record record = f.owned->record();
    record.ok = ok;
    record.error = error;
    record.code = code;
    record.duration_ms = std::chrono::duration_cast<milliseconds>(clock.now() - f.started).count();
    audit.buffered(record);
  }

  // Nothing more can be learned of the task.
  void lost(const Followed& f, const std::string& why) {
    if (f.ended)
      f.ended({});
    else
      write(f, false, why + "; reconcile by reading the object", "unknown");
  }

  // True when the task needs no more looking at.
  bool look(const Followed& f) {
    const CallLimits limits{std::chrono::steady_clock::now() + std::chrono::seconds(10), cancel};
    const vcenter::Reply reply = f.connection->vim({"Task", f.task, "info", true, {}}, limits);
    if (!reply.ok()) {
      if (reply.error->code != Code::not_found) return false;
      lost(f, "the task is no longer known to vCenter");
      return true;
    }
    const auto info = parse_trusted_json(reply.body, 1u << 20);
    if (!info || !info->is_object()) return false;
    const auto state = info->find("state");
    if (state == info->end() || (*state != "success" && *state != "error")) return false;
    if (f.ended) {
      f.ended(reply.body);
    } else if (*state == "success") {
      write(f, true, {}, {});
    } else {
      const auto fault = info->find("error");
      const Error why = vcenter::vim_fault_error(fault == info->end() ? Json() : *fault);
      write(f, false, why.text, code_name(why.code));
    }
    return true;
  }

  void run() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      const SteadyTime now = std::chrono::steady_clock::now();
      SteadyTime next = now + std::chrono::hours(1);
      for (auto it = followed.begin(); it != followed.end() && !stopping;) {
        Followed& f = *it;  // only this thread erases
        if (f.next_look > now) {
          next = std::min(next, f.next_look);
          ++it;
          continue;
        }
        lock.unlock();
        const bool old = clock.now() - f.started > settings.give_up;
        if (old) lost(f, "the task was still running when it was given up on");
        const bool done = old || look(f);
        lock.lock();
        f.pause = std::min(2 * f.pause, settings.interval);
        f.next_look = std::chrono::steady_clock::now() + f.pause;
        next = std::min(next, f.next_look);
        it = done ? followed.erase(it) : std::next(it);
      }
      wake.wait_until(lock, next, [&] { return stopping || fresh; });
      fresh = false;
    }
  }

  bool add(Followed f, milliseconds first_pause) {
    f.pause = std::min(first_pause, settings.interval);
    f.next_look = std::chrono::steady_clock::now() + f.pause;
    const std::lock_guard lock(mutex);
    if (followed.size() >= settings.max_tasks) return false;
    followed.push_back(std::move(f));
    fresh = true;
    wake.notify_all();
    return true;
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
  Followed f{&connection, task, started, Owned(record), {}, {}, {}};
  f.owned->task = task;
  const Followed refused = f;
  if (!impl_->add(std::move(f), impl_->settings.interval))
    impl_->write(refused, false, "too many tasks are being followed; reconcile by reading the object",
                 "unknown");
}

bool Watcher::follow(vcenter::Connection& connection, const std::string& task, Ended ended) {
  // Somebody waits, and many tasks are short: looked at soon, then ever more rarely.
  return impl_->add({&connection, task, impl_->clock.now(), std::nullopt, std::move(ended), {}, {}},
                    milliseconds(50));
}

std::size_t Watcher::following() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->followed.size();
}

}  // namespace vmcp::tasks
