// vsphere-mcp-runner: the process in which one plugin runs apart from the server. Started by the server, with
// everything that it needs as inherited descriptors; it opens nothing that is not a system library.
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "plugin_host/child/channel.h"
#include "plugin_host/in_process.h"
#include "plugin_host/manifest.h"
#include "runner/lanes.h"
#include "runner/sandbox.h"
#include "runner/upstream.h"

namespace vmcp::runner {
namespace {

using plugin_host::child::Channel;
using plugin_host::child::kMostFromHost_bytes;
using plugin_host::child::Message;
using plugin_host::child::Reader;

constexpr std::size_t kPage_bytes = 4096;

struct Arguments {
  int control = -1, library = -1, page = -1;
  std::vector<int> lanes;
  std::string sandbox = "required";
  std::uint64_t memory_bytes = 0;
};

template <class T>
bool read_number(std::string_view text, T& out) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

bool read_numbers(std::string_view list, std::vector<int>& out) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (!read_number(list.substr(0, comma), out.emplace_back())) return false;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return !out.empty();
}

bool read_arguments(int count, char** texts, Arguments& out) {
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = texts[i], value = texts[i + 1];
    if (name == "--sandbox")
      out.sandbox = value;
    else if (name == "--lanes"     ? !read_numbers(value, out.lanes)
             : name == "--control" ? !read_number(value, out.control)
             : name == "--library" ? !read_number(value, out.library)
             : name == "--page"    ? !read_number(value, out.page)
             : name == "--memory"  ? !read_number(value, out.memory_bytes)
                                   : true)
      return false;
  }
  return count % 2 == 1 && out.control > 2 && out.library > 2 && out.page > 2 && !out.lanes.empty();
}

// The control channel, which every thread of the plugin may write to.
class Control final : public Log {
 public:
  explicit Control(int fd) : channel_(fd, kMostFromHost_bytes) {}

  Channel& channel() { return channel_; }

  // The server puts the plugin's id before it, masks it and limits the rate once more.
  void write(LogLevel level, std::string_view, std::initializer_list<Field> fields) override {
    for (const auto& [name, value] : fields)
      if (name == "message") say(Message::log, static_cast<std::int32_t>(level), value);
  }
  void changed(const plugin_host::Change& change) {
    say(Message::change, static_cast<std::uint8_t>(change.kind), change.uri);
  }
  void ready(std::string_view report) {
    const std::lock_guard lock(mutex_);
    channel_.begin(Message::ready).text(report);
    channel_.send();
  }
  [[noreturn]] void failed(std::string_view why) {
    {
      const std::lock_guard lock(mutex_);
      channel_.begin(Message::failed).text(why);
      channel_.send();
    }
    ::_exit(1);
  }

 private:
  template <class Number>
  void say(Message kind, Number number, std::string_view text) {
    const std::lock_guard lock(mutex_);
    channel_.begin(kind).number(number).text(text);
    channel_.send();
  }

  std::mutex mutex_;  // of sending; only the main thread receives
  Channel channel_;
};

// For the operator's log: what is not simply there.
std::string summary(const SandboxReport& report) {
  std::string out = report.complete() ? "complete" : "INCOMPLETE";
  out += ", Landlock ABI " + std::to_string(report.landlock_abi);
  for (const SandboxPart& part : report.parts) {
    if (part.state == SandboxPart::State::waived) out += "; without " + part.name;
    if (part.state == SandboxPart::State::missing) out += "; MISSING " + part.name + " (" + part.detail + ")";
  }
  return out;
}

// Before any byte of the plugin is mapped.
std::string raise_sandbox(const Arguments& arguments, Control& control) {
  if (arguments.sandbox == "off") return "off: the configuration says so";
  SandboxWish wish;
  wish.keep_descriptors = arguments.lanes;
  wish.keep_descriptors.insert(wish.keep_descriptors.end(), {STDOUT_FILENO, STDERR_FILENO, arguments.control,
                                                             arguments.library, arguments.page});
  wish.memory_bytes = arguments.memory_bytes;
  const auto report = raise_before_load(wish);
  if (!report) control.failed("its sandbox cannot be raised: " + report.error().text);
  if (!report->complete() && arguments.sandbox == "required")
    control.failed(
        "this machine cannot give it the whole sandbox; with plugins.sandbox = \"best_effort\" it "
        "runs in what there is:\n" +
        report->to_text());
  return summary(*report);
}

plugin_host::EntryFunction map(int library, Control& control) {
  const std::string path = "/proc/self/fd/" + std::to_string(library);
  void* const handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) control.failed(std::string("it cannot be loaded: ") + ::dlerror());
  void* const entry = ::dlsym(handle, VMCP_ENTRY_SYMBOL);
  if (entry == nullptr)
    control.failed("it does not export " VMCP_ENTRY_SYMBOL "; build it with vmcp_add_plugin");
  return reinterpret_cast<plugin_host::EntryFunction>(entry);
}

int run(const Arguments& arguments) {
  Control control(arguments.control);
  Channel& channel = control.channel();
  if (channel.receive() != Channel::State::done || channel.kind() != Message::start) return 1;
  Reader fields = channel.fields();
  const std::string manifest_text(fields.text()), config_json(fields.text());
  void* const page = ::mmap(nullptr, kPage_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, arguments.page, 0);
  if (page == MAP_FAILED || !fields.done()) return 1;

  std::string report = raise_sandbox(arguments, control);
  const plugin_host::EntryFunction entry = map(arguments.library, control);
  if (arguments.sandbox != "off")
    if (auto r = raise_after_load(); !r) {
      if (arguments.sandbox == "required") control.failed("its sandbox cannot be closed: " + r.error().text);
      report += "; MISSING the filter after loading (" + r.error().text + ")";
    }

  const auto manifest = plugin_host::parse_manifest(manifest_text);
  if (!manifest) control.failed(manifest.error().text);
  auto opened = plugin_host::open_in_process(
      entry, *manifest, control, [&control](const plugin_host::Change& change) { control.changed(change); },
      upstream_table);
  if (!opened) control.failed(opened.error().text);
  if (auto r = opened->carrier->start(config_json); !r) control.failed(r.error().text);
  serve_lanes(arguments.lanes, static_cast<std::atomic<bool>*>(page), *opened->carrier);
  control.ready(report);

  // A stop in order: no round runs. The end of the channel is the end of the server.
  if (channel.receive() == Channel::State::done && channel.kind() == Message::stop) opened->carrier.reset();
  ::_exit(0);
}

}  // namespace
}  // namespace vmcp::runner

#if defined(__SANITIZE_THREAD__)
// There is no environment to say it in: the sanitizer would sleep a second at each of the many ends.
extern "C" const char* __tsan_default_options() {
  return "atexit_sleep_ms=0";
}
#endif

int main(int count, char** texts) {
  vmcp::runner::Arguments arguments;
  if (!vmcp::runner::read_arguments(count, texts, arguments)) {
    std::fputs(
        "vsphere-mcp-runner holds one plugin apart from the server. vsphere-mcp-pro starts it for every "
        "plugin\n"
        "with isolation = \"process\"; there is nothing to call by hand.\n"
        "Example: vsphere-mcp-pro plugin call --child build/hello.so hello name=Ada\n",
        stderr);
    return count == 2 && std::strcmp(texts[1], "--help") == 0 ? 0 : 2;
  }
  try {
    return vmcp::runner::run(arguments);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "vsphere-mcp-runner: %s\n", e.what());
    return 1;
  }
}
