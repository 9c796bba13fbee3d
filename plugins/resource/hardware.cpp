#include "resource/hardware.h"

#include <cmath>

#include "common/power_state.h"

namespace vmcp::plugins::resource {

namespace {

constexpr std::int64_t kMebibytesPerGibibyte = 1024;
constexpr std::int64_t kMemoryStepMib = 4;  // vSphere's own granularity

std::string text(std::int64_t number) {
  return std::to_string(number);
}

// 9.x documents spell "size_mib" where 8.0 sends "size_MiB": both are read, the 8.0 spelling is written.
std::int64_t integer_of(const json& body, const char* name, const char* newer_name) {
  for (const char* key : {name, newer_name}) {
    const json value = body.value(key, json());
    if (value.is_number_integer()) return value.get<std::int64_t>();
  }
  return 0;
}

bool misunderstood(Current& out, const char* what) {
  out.source.status = status::fault;
  out.source.error = std::string("vCenter's answer about the ") + what + " was not understood.";
  return false;
}

bool read_cpu(Current& out, const call& c, const std::string& vm) {
  out.source = c.vcenter().get(path("/api/vcenter/vm/{}/hardware/cpu", vm));
  if (!out.source) return false;
  const json body = parse(out.source);
  if (!body.is_object() || !body.contains("count")) return misunderstood(out, "CPUs");
  out.hardware.cpu_count = body.value("count", std::int64_t{0});
  out.hardware.cores_per_socket = body.value("cores_per_socket", std::int64_t{1});
  out.cpu_hot_add = body.value("hot_add_enabled", false);
  out.cpu_hot_remove = body.value("hot_remove_enabled", false);
  return true;
}

bool read_memory(Current& out, const call& c, const std::string& vm) {
  out.source = c.vcenter().get(path("/api/vcenter/vm/{}/hardware/memory", vm));
  if (!out.source) return false;
  const json body = parse(out.source);
  if (!body.is_object()) return misunderstood(out, "memory");
  out.hardware.memory_mib = integer_of(body, "size_MiB", "size_mib");
  if (out.hardware.memory_mib == 0) return misunderstood(out, "memory");
  out.memory_hot_add = body.value("hot_add_enabled", false);
  out.memory_increment_mib = integer_of(body, "hot_add_increment_size_MiB", "hot_add_increment_size_mib");
  out.memory_limit_mib = integer_of(body, "hot_add_limit_MiB", "hot_add_limit_mib");
  return true;
}

std::string state_words(const Current& current) {
  return current.power_state == kSuspended ? "suspended" : "running";
}

constexpr const char* kPowerOffFirst = " Power it off first (power_off_vm), then change it.";

std::string cpu_refusal(const Current& current, const Hardware& after) {
  const Hardware& now = current.hardware;
  if (current.power_state == kPoweredOff) return {};
  if (after.cores_per_socket != now.cores_per_socket)
    return "cores_per_socket cannot be changed while the virtual machine is " + state_words(current) + "." +
           kPowerOffFirst;
  if (after.cpu_count > now.cpu_count && !current.cpu_hot_add)
    return "The virtual machine is " + state_words(current) +
           " and has no CPU hot-add: its CPUs can only be changed while it is powered off." + kPowerOffFirst;
  if (after.cpu_count < now.cpu_count && !current.cpu_hot_remove)
    return "The virtual machine is " + state_words(current) + " and its CPUs cannot be taken away (from " +
           text(now.cpu_count) + " to " + text(after.cpu_count) + ") because it has no CPU hot-remove." +
           kPowerOffFirst;
  return {};
}

std::string memory_refusal(const Current& current, const Hardware& after) {
  const std::int64_t now = current.hardware.memory_mib, wanted = after.memory_mib;
  if (current.power_state == kPoweredOff || wanted == now) return {};
  const std::string state = "The virtual machine is " + state_words(current);
  if (wanted < now)
    return state + ", and memory can never be taken away then (from " + text(now) + " to " + text(wanted) +
           " MiB)." + kPowerOffFirst;
  if (!current.memory_hot_add)
    return state + " and has no memory hot-add: its memory can only be changed while it is powered off." +
           kPowerOffFirst;
  const std::int64_t step = current.memory_increment_mib;
  if (step > 0 && wanted % step != 0)
    return state + ": its memory grows in steps of " + text(step) + " MiB, so " + text(wanted) +
           " MiB is not possible. Choose " + text(wanted / step * step) + " or " +
           text((wanted / step + 1) * step) + " MiB, or power it off first (power_off_vm).";
  if (current.memory_limit_mib > 0 && wanted > current.memory_limit_mib)
    return state + ": its memory can grow to " + text(current.memory_limit_mib) + " MiB at most, " +
           text(wanted) + " MiB is too much. Choose less, or power it off first (power_off_vm).";
  return {};
}

std::string multiple_refusal(const Hardware& after) {
  if (after.cpu_count % after.cores_per_socket == 0) return {};
  const std::int64_t lower = after.cpu_count / after.cores_per_socket * after.cores_per_socket;
  std::string choice = text(lower + after.cores_per_socket);
  if (lower > 0) choice = text(lower) + " or " + choice;
  return "cpu_count " + text(after.cpu_count) + " is not a multiple of cores_per_socket " +
         text(after.cores_per_socket) + ". Choose " + choice +
         " CPUs, or give a cores_per_socket that divides the count.";
}

}  // namespace

json Hardware::to_json() const {
  return {{"cpu_count", cpu_count}, {"cores_per_socket", cores_per_socket}, {"memory_mib", memory_mib}};
}

Current read_current(const call& c, const std::string& vm) {
  Current out;
  PowerState power = read_power_state(c, vm);
  out.source = std::move(power.source);
  out.power_state = std::move(power.value);
  if (out.source && read_cpu(out, c, vm)) read_memory(out, c, vm);
  return out;
}

Wanted read_wanted(const args& a) {
  Wanted out;
  if (a.has("cpu_count")) out.cpu_count = a.integer("cpu_count");
  if (a.has("cores_per_socket")) out.cores_per_socket = a.integer("cores_per_socket");
  if (a.has("memory_gb") && a.has("memory_mib")) {
    out.refusal = "memory_gb and memory_mib both say how much memory there shall be. Give one of them.";
    return out;
  }
  if (a.has("memory_mib")) out.memory_mib = a.integer("memory_mib");
  if (a.has("memory_gb")) {
    const double mebibytes = a.number("memory_gb") * kMebibytesPerGibibyte;
    if (mebibytes != std::floor(mebibytes)) {
      out.refusal = "memory_gb does not come to whole MiB. Give memory_mib instead, a multiple of 4.";
      return out;
    }
    out.memory_mib = static_cast<std::int64_t>(mebibytes);
  }
  if (!out.cpu_count && !out.cores_per_socket && !out.memory_mib) {
    out.refusal = "Nothing to change was named. Give cpu_count, cores_per_socket, memory_gb or memory_mib.";
  } else if (out.memory_mib && *out.memory_mib % kMemoryStepMib != 0) {
    const std::int64_t lower = *out.memory_mib / kMemoryStepMib * kMemoryStepMib;
    out.refusal = "Memory comes in steps of 4 MiB, so " + text(*out.memory_mib) +
                  " MiB is not possible. Choose " + text(lower) + " or " + text(lower + kMemoryStepMib) +
                  " MiB.";
  }
  return out;
}

Plan make_plan(const Current& current, const Wanted& wanted) {
  const Hardware& now = current.hardware;
  Plan out;
  out.after = {wanted.cpu_count.value_or(now.cpu_count),
               wanted.cores_per_socket.value_or(now.cores_per_socket),
               wanted.memory_mib.value_or(now.memory_mib)};
  if (out.after.cpu_count != now.cpu_count) out.cpu_patch["count"] = out.after.cpu_count;
  if (out.after.cores_per_socket != now.cores_per_socket)
    out.cpu_patch["cores_per_socket"] = out.after.cores_per_socket;
  if (out.after.memory_mib != now.memory_mib) out.memory_patch["size_MiB"] = out.after.memory_mib;

  if (!out.cpu_patch.empty()) out.refusal = multiple_refusal(out.after);
  if (!out.refusal.empty()) {
    out.refused_as = status::invalid;
    return out;
  }
  out.refusal = cpu_refusal(current, out.after);
  if (const std::string memory = memory_refusal(current, out.after); !memory.empty())
    out.refusal += (out.refusal.empty() ? "" : " ") + memory;
  if (!out.refusal.empty()) out.refused_as = status::conflict;
  return out;
}

}  // namespace vmcp::plugins::resource
