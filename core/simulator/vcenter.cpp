#include "simulator/vcenter.h"

#include <algorithm>

#include "simulator/admin.h"
#include "simulator/automation.h"
#include "simulator/inventory_seed.h"
#include "simulator/vim.h"
#include "simulator/vim_service.h"

namespace vmcp::simulator {
namespace {

constexpr std::size_t kMostVmsSeeded = 20'000;
constexpr milliseconds kLongestNap{1000};  // between two looks at the virtual clock

std::vector<User> users_of(const Settings& settings) {
  std::vector<User> out;
  User main;
  main.name = settings.user;
  main.password = settings.password;
  main.privileges = {"*"};
  main.appliance_admin = true;
  out.push_back(std::move(main));
  for (const Account& account : settings.accounts) {
    out.push_back(
        {account.user, account.password, account.privileges, account.scope, account.appliance_admin});
  }
  return out;
}

bool starts_with(const std::string& text, std::string_view prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

Reply xml_reply(std::string body) {
  Reply reply;
  reply.headers.emplace_back("Content-Type", "text/xml");
  reply.body = std::move(body);
  return reply;
}

Error bad_setting(std::string text) {
  return make_error(Code::invalid_argument, std::move(text));
}

}  // namespace

VCenter::VCenter(Settings settings, const Clock& clock)
    : settings_(std::move(settings)), clock_(clock), world_(settings_, clock_, users_of(settings_)) {}

Result<void> VCenter::prepare() {
  if (settings_.vms > kMostVmsSeeded)
    return bad_setting("the simulator holds at most 20,000 VMs; ask for fewer");
  if (settings_.page_size == 0) return bad_setting("the simulator's page size must be at least 1");
  if (auto opened = recorder_.open(settings_.record_file); !opened) return opened;
  world_.now = world_.started = clock_.now();
  world_.model.add<Entity>("ServiceInstance", "ServiceInstance", Kind::service);
  seed_inventory(world_.model, {settings_.vms, settings_.seed, world_.now});
  seed_tags(world_.tagging, world_.model, settings_.seed);
  for (const std::string& text : settings_.faults) {
    const Result<Json> json = parse_trusted_json(text);
    if (!json) return bad_setting("fault rule: " + json.error().text);
    if (auto added = add_fault(world_, *json); !added) return added;
  }
  return {};
}

void VCenter::stop() {
  const std::lock_guard<std::mutex> lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

// What time did since the last request happens now: tasks end, dead sessions take their views along.
void VCenter::begin_request() {
  world_.now = clock_.now();
  world_.tasks.settle(world_.now);
  for (const std::string& key : world_.sessions.take_ended()) {
    std::erase_if(world_.views, [&](const auto& item) { return item.second->session_key == key; });
    std::erase_if(world_.cursors, [&](const auto& item) { return item.second.session_key == key; });
  }
}

Reply VCenter::handle(const Request& request) {
  Lock lock(mutex_);
  begin_request();
  if (is_admin_path(request)) {
    Reply reply = handle_admin(world_, clock_, request);
    changed_.notify_all();
    return reply;
  }
  Reply reply = serve(lock, request);
  lock.unlock();
  if (reply.status != 0) recorder_.write(request, reply);
  return reply;
}

Reply VCenter::serve(Lock& lock, const Request& request) {
  const std::uint64_t number = world_.traffic.arrive(request, world_.now);
  const std::optional<FaultRule> rule = world_.faults.take(request);
  if (rule) wait_real(lock, rule->delay);
  Served served;
  if (rule && rule->cut_before) {
    served.reply.status = 0;
    served.reply.cut = true;
  } else {
    served = rule && rule->status != 0 ? injected(request, *rule) : dispatch(lock, request);
  }
  if (rule) wait_real(lock, rule->hang);
  if (rule && rule->cut_after) served.reply.cut = true;
  world_.traffic.finish(number, served.operation, served.user, served.reply.cut ? 0 : served.reply.status);
  return served.reply;
}

VCenter::Served VCenter::dispatch(Lock& lock, const Request& request) {
  Served out;
  if (starts_with(request.path, "/api/") || starts_with(request.path, "/rest/")) {
    AutomationResult result = handle_automation(world_, request);
    out = {std::move(result.reply), std::move(result.operation), std::move(result.user)};
    if (!result.pending_task.empty()) {
      out.reply = wait_for_task(lock, result.pending_task, result.dialect == Dialect::rest);
    }
  } else if (starts_with(request.path, "/sdk/vim25/")) {
    VimResult result = handle_vim(world_, request);
    out = {std::move(result.reply), std::move(result.operation), std::move(result.user)};
  } else if (request.path == "/sdk/vimServiceVersions.xml" && request.method == "GET") {
    out = {xml_reply(service_versions_xml(world_)), "GET vimServiceVersions.xml", {}};
  } else {
    out.reply.status = 404;
  }
  return out;
}

VCenter::Served VCenter::injected(const Request& request, const FaultRule& rule) const {
  Served out;
  if (starts_with(request.path, "/sdk/")) {
    out.reply.status = rule.status;
    if (rule.status == 500) {
      const Failure failure = {
          "SystemError", "A general system error occurred.", {{"reason", "ordered by a fault rule"}}};
      out.reply.body = dump_json(fault_body(failure));
      out.reply.headers.emplace_back("Content-Type", "application/json");
    }
  } else {
    out.reply = error_reply(rule.status, starts_with(request.path, "/rest/") ? Dialect::rest : Dialect::api);
  }
  if (rule.body) {
    out.reply.headers = {{"Content-Type", "application/json"}};
    out.reply.body = *rule.body;
  }
  out.reply.headers.insert(out.reply.headers.end(), rule.headers.begin(), rule.headers.end());
  out.reply.injected = true;
  out.operation = "injected";
  return out;
}

Reply VCenter::wait_for_task(Lock& lock, const std::string& id, bool rest) {
  const Dialect dialect = rest ? Dialect::rest : Dialect::api;
  while (!stopping_) {
    begin_request();
    const Task* task = world_.model.find_as<Task>(id);
    if (task == nullptr || task->settled)
      return task == nullptr ? to_reply({}, dialect) : reply_after_task(*task, dialect);
    const milliseconds left(std::max<Millis>(1, task->end - world_.now));
    changed_.wait_for(lock, std::min(left, kLongestNap));
  }
  return error_reply(503, dialect);
}

void VCenter::wait_real(Lock& lock, milliseconds time) {
  if (time.count() == 0) return;
  changed_.wait_for(lock, time, [this] { return stopping_; });
  begin_request();
}

}  // namespace vmcp::simulator
