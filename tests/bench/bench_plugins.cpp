// What the border to a plugin costs, in this process and in one of its own, beside what the same costs bare:
// "name value" a line. Arguments: the folder with the plugins of this benchmark, that of the fixtures, and
// the runner.
#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "plugin_host/child/carrier.h"
#include "plugin_host/library.h"
#include "plugin_host/plugin.h"
#include "tools/plugin_set.h"

namespace {

using namespace vmcp;
using namespace vmcp::plugin_host;
namespace fs = std::filesystem;
using Steady = std::chrono::steady_clock;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "bench_plugins: %s\n", why.c_str());
  std::exit(1);
}

template <class T>
T must(Result<T> r) {
  if (!r) give_up(r.error().text);
  return std::move(*r);
}

void tell(const char* name, double value) {
  std::printf("%s %.4g\n", name, value);
}

double us_since(Steady::time_point from) {
  return std::chrono::duration<double, std::micro>(Steady::now() - from).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Time per call of the quietest of some rounds, in microseconds: for what is shorter than a look at the
// clock.
double quickest_us(int calls, const std::function<void()>& call) {
  double best = 1e9;
  for (int round = 0; round < 7; ++round) {
    const auto from = Steady::now();
    for (int i = 0; i < calls; ++i) call();
    best = std::min(best, us_since(from) / calls);
  }
  return best;
}

std::string bytes_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) give_up(path + " cannot be read; build the target bench");
  return {std::istreambuf_iterator<char>(in), {}};
}

SilentLog no_log;

std::shared_ptr<Plugin> open_here(const std::string& stem) {
  auto library = must(seal_library(stem + ".so", Place::workshop));
  auto plugin = must(Plugin::open(must(map_library(library)),
                                  must(parse_manifest(bytes_of_file(stem + ".vmcp.json"))), no_log));
  if (auto r = plugin->start("{}"); !r) give_up(r.error().text);
  return plugin;
}

// A plugin in a process of its own, which has the affinity that this thread has now.
struct Apart {
  SealedLibrary library;
  child::Settings settings;
  std::string manifest;
  std::shared_ptr<Plugin> plugin;

  Apart(const std::string& stem, const std::string& runner)
      : library(must(seal_library(stem + ".so", Place::workshop))),
        manifest(bytes_of_file(stem + ".vmcp.json")) {
    settings.process.runner = runner;
    settings.process.library_fd = library.fd();
    settings.process.plugin_id = "bench";
    settings.process.sandbox = child::Sandbox::best_effort;
  }
  void open() {
    auto opened = must(child::open_in_child(settings, manifest, must(parse_manifest(manifest)), no_log, {}));
    plugin = std::make_shared<Plugin>(std::move(opened));
    if (auto r = plugin->start("{}"); !r) give_up(r.error().text);
  }
};

// One invocation for all calls of a measurement: what a call has of its own is the pipeline's cost, with or
// without a plugin.
struct Caller {
  const Plugin& plugin;
  const std::string arguments;
  Invocation invocation = {};

  void call() {
    invocation.texts.clear();
    invocation.text_bytes = 0;
    invocation.structured.clear();
    invocation.limits.deadline = Steady::now() + std::chrono::seconds(60);
    if (plugin.run(0, invocation, arguments) != VMCP_OK)
      give_up(invocation.failure ? invocation.failure->text : "a call failed");
  }
};

// --- In this process

vmcp_status nothing(const vmcp_plugin*, std::uint32_t, vmcp_call*, vmcp_str) {
  return VMCP_OK;
}

void border(const std::string& plugins) {
  const auto many = open_here(plugins + "/bench_many");
  const std::string arguments = "{}";
  Invocation invocation;
  decltype(&nothing) volatile pointer = nothing;
  vmcp_call call{&invocation};
  int failed = 0;
  tell("direct_call_ns",
       1e3 * quickest_us(2'000'000, [&] {
         failed += pointer(nullptr, 0, &call, {arguments.data(), arguments.size()}) != VMCP_OK;
       }));
  tell("border_ns",
       1e3 * quickest_us(1'000'000, [&] { failed += many->run(0, invocation, arguments) != VMCP_OK; }));
  if (failed != 0) give_up("a call that does nothing failed");

  const auto typed = open_here(plugins + "/bench_typed");
  Caller caller{*typed,
                R"({"vm_name":"web-01","days":30,"deep":true,"order":"size","note":"for the audit"})"};
  tell("typed_us", quickest_us(50'000, [&] { caller.call(); }));
  if (caller.invocation.texts != std::vector<std::string>{"web-01"})
    give_up("the typed call answered wrongly");
}

// --- A round trip of one kilobyte to another process

constexpr std::size_t kMessage_bytes = 1024;

// Sends back what it gets, in a process without anything else.
class BareEcho {
 public:
  BareEcho() {
    int both[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) != 0) give_up("no socket pair");
    fd_ = both[0];
    pid_ = ::fork();
    if (pid_ == 0) {  // system calls alone from here on: other threads may have held any lock
      ::close(both[0]);
      char bytes[kMessage_bytes];
      while (whole(both[1], bytes, ::recv))
        if (!whole(both[1], bytes, ::send)) break;
      ::_exit(0);
    }
    ::close(both[1]);
  }
  ~BareEcho() {
    ::close(fd_);
    ::waitpid(pid_, nullptr, 0);
  }
  BareEcho(const BareEcho&) = delete;
  BareEcho& operator=(const BareEcho&) = delete;

  void call() {
    if (!whole(fd_, bytes_, ::send) || !whole(fd_, bytes_, ::recv)) give_up("the bare echo has gone");
  }

 private:
  template <class Move>
  static bool whole(int fd, char* bytes, Move move) {
    for (std::size_t done = 0; done < kMessage_bytes;) {
      const ssize_t n = move(fd, bytes + done, kMessage_bytes - done, MSG_NOSIGNAL);
      if (n <= 0) return false;
      done += static_cast<std::size_t>(n);
    }
    return true;
  }

  int fd_ = -1;
  pid_t pid_ = -1;
  char bytes_[kMessage_bytes] = {};
};

// p50 of each, in turns and of the quietest turn, so that all meet the same machine.
std::vector<double> p50s_us(int calls, milliseconds pause, const std::vector<std::function<void()>>& all) {
  std::vector<double> best(all.size(), 1e9);
  for (int round = 0; round < 5; ++round)
    for (std::size_t which = 0; which < all.size(); ++which) {
      std::vector<double> took;
      for (int i = 0; i < calls; ++i) {
        if (pause.count() > 0) std::this_thread::sleep_for(pause);
        const auto from = Steady::now();
        all[which]();
        took.push_back(us_since(from));
      }
      best[which] = std::min(best[which], median(std::move(took)));
    }
  return best;
}

void round_trips(const char* when, milliseconds pause, const std::string& fixtures,
                 const std::string& runner) {
  BareEcho bare;
  Apart apart(fixtures + "/fixture_echo", runner);
  apart.open();
  const auto here = open_here(fixtures + "/fixture_echo");
  const std::string frame = R"({"message":""})";
  const std::string arguments = R"({"message":")" + std::string(kMessage_bytes - frame.size(), 'x') + R"("})";
  Caller of_child{*apart.plugin, arguments}, of_here{*here, arguments};
  const auto p50 = p50s_us(pause.count() > 0 ? 150 : 2'000, pause,
                           {[&] { bare.call(); }, [&] { of_here.call(); }, [&] { of_child.call(); }});
  if (of_child.invocation.structured != arguments) give_up("the child echoed wrongly");
  const std::string name = when;
  tell(("socket_us_" + name).c_str(), p50[0]);
  tell(("inprocess_us_" + name).c_str(), p50[1]);
  tell(("child_us_" + name).c_str(), p50[2]);
  tell(("child_adds_us_" + name).c_str(), p50[2] - p50[1]);
}

// Keeps every core awake without taking it from anybody: the scheduler runs such a thread when nothing else
// wants the core, and takes it away at once when something does.
class Spinners {
 public:
  Spinners() {
    cpu_set_t allowed;
    ::sched_getaffinity(0, sizeof allowed, &allowed);
    for (int core = 0; core < CPU_SETSIZE; ++core)
      if (CPU_ISSET(core, &allowed))
        threads_.emplace_back([this, core] {
          cpu_set_t one;
          CPU_ZERO(&one);
          CPU_SET(core, &one);
          ::sched_setaffinity(0, sizeof one, &one);
          const sched_param none{};
          ::sched_setscheduler(0, SCHED_IDLE, &none);
          while (!over_) {
          }
        });
  }
  ~Spinners() {
    over_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Spinners(const Spinners&) = delete;
  Spinners& operator=(const Spinners&) = delete;

 private:
  std::atomic<bool> over_{false};
  std::vector<std::thread> threads_;
};

void to_children(const std::string& fixtures, const std::string& runner) {
  cpu_set_t before, one;
  ::sched_getaffinity(0, sizeof before, &before);
  CPU_ZERO(&one);
  CPU_SET(::sched_getcpu(), &one);
  ::sched_setaffinity(0, sizeof one, &one);
  round_trips("pinned", milliseconds(0), fixtures, runner);
  ::sched_setaffinity(0, sizeof before, &before);
  {
    const Spinners spinners;
    round_trips("busy", milliseconds(0), fixtures, runner);
  }
  // A server that has had nothing to do for a while: the core that the plugin's process gets was asleep.
  round_trips("idle", milliseconds(1), fixtures, runner);
}

// --- From nothing to a plugin that takes calls

// Median of the quietest ten in a row.
double quiet_median(const std::vector<double>& values) {
  double best = 1e9;
  for (auto from = values.begin(); values.end() - from >= 10; from += 10)
    best = std::min(best, median({from, from + 10}));
  return best;
}

void starts(const std::string& plugins, const std::string& runner) {
  const std::string stem = plugins + "/bench_typed";
  Apart apart(stem, runner);
  std::vector<double> ready, ready_off, bare, mapped;
  for (int i = 0; i < 50; ++i) {
    for (const auto sandbox : {child::Sandbox::best_effort, child::Sandbox::off}) {
      apart.settings.process.sandbox = sandbox;
      const auto from = Steady::now();
      const auto process = must(child::Process::start(apart.settings.process, apart.manifest, "{}", {}));
      (sandbox == child::Sandbox::off ? ready_off : ready).push_back(us_since(from) / 1e3);
      if (i == 0 && sandbox != child::Sandbox::off)
        std::fprintf(stderr, "sandbox: %s\n", process->sandbox_report().c_str());
    }
    auto from = Steady::now();
    pid_t pid = -1;
    char* const arguments[] = {const_cast<char*>("/bin/true"), nullptr};
    char* const environment[] = {nullptr};
    int status = 1;
    if (::posix_spawn(&pid, arguments[0], nullptr, nullptr, arguments, environment) != 0 ||
        ::waitpid(pid, &status, 0) != pid || status != 0)
      give_up("/bin/true does not run");
    bare.push_back(us_since(from) / 1e3);
    from = Steady::now();
    void* const handle = ::dlopen((stem + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) give_up(::dlerror());
    mapped.push_back(us_since(from) / 1e3);
    ::dlclose(handle);
  }
  tell("runner_ready_ms", quiet_median(ready));
  tell("runner_ready_median_of_50_ms", median(ready));
  tell("runner_ready_without_sandbox_ms", quiet_median(ready_off));
  tell("bin_true_ms", quiet_median(bare));
  tell("dlopen_ms", quiet_median(mapped));
}

// --- Fifty plugins with a thousand tools

constexpr int kPlugins = 50;
constexpr std::size_t kTools = 1'000;

struct PluginFolder {
  std::string path;
  explicit PluginFolder(const std::string& model) {
    std::string pattern = (fs::temp_directory_path() / "vmcp-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) give_up("no folder in " + pattern);
    path = pattern;
    for (const char* ending : {".so", ".vmcp.json"}) {
      const std::string bytes = bytes_of_file(model + ending);
      for (int i = 0; i < kPlugins; ++i)
        std::ofstream(file(i) + ending, std::ios::binary) << renamed(bytes, digits(i));
    }
  }
  ~PluginFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  PluginFolder(const PluginFolder&) = delete;
  PluginFolder& operator=(const PluginFolder&) = delete;

  std::string file(int i) const { return path + "/many" + digits(i); }

 private:
  static std::string digits(int i) {
    return {static_cast<char>('0' + i / 10), static_cast<char>('0' + i % 10)};
  }
  static std::string renamed(std::string bytes, const std::string& to) {
    const std::string mark = "bench00";
    for (std::size_t at = 0; (at = bytes.find(mark, at)) != std::string::npos; at += mark.size())
      bytes.replace(at + mark.size() - to.size(), to.size(), to);
    return bytes;
  }
};

double load_ms(const PluginFolder& folder, const std::string& runner, bool in_process) {
  LoadSettings settings;
  settings.directories = {folder.path};
  settings.trust.mode = TrustSettings::Mode::dev;
  settings.apart.process.runner = runner;
  settings.apart.process.sandbox = child::Sandbox::best_effort;
  for (int i = 0; i < kPlugins; ++i) {
    Choice& choice = settings.choices.emplace_back();
    choice.id = fs::path(folder.file(i)).filename();
    choice.in_process = in_process;
    choice.required = true;
  }
  tools::CurrentCatalog catalog;
  tools::PluginSwitches switches;
  tools::PluginSet set(catalog, switches, false, no_log, {});
  const auto from = Steady::now();
  if (auto r = set.load(settings); !r) give_up(r.error().text);
  const double out = us_since(from) / 1e3;
  if (catalog.now()->registry.all().size() != kTools) give_up("not every tool is offered");
  return out;
}

void loading(const std::string& plugins, const std::string& runner) {
  const PluginFolder folder(plugins + "/bench_many");
  const auto from = Steady::now();
  std::vector<void*> handles;
  for (int i = 0; i < kPlugins; ++i) {
    handles.push_back(::dlopen((folder.file(i) + ".so").c_str(), RTLD_NOW | RTLD_LOCAL));
    if (handles.back() == nullptr) give_up(::dlerror());
  }
  tell("dlopen_50_ms", us_since(from) / 1e3);
  for (void* handle : handles) ::dlclose(handle);
  tell("load_50_inprocess_ms", load_ms(folder, runner, true));
  tell("load_50_child_ms", load_ms(folder, runner, false));
}

}  // namespace

int main(int count, char** texts) {
  if (count != 4) {
    std::fputs("bench_plugins PLUGINS FIXTURES RUNNER\n", stderr);
    return 2;
  }
  const std::string plugins = texts[1], fixtures = texts[2], runner = texts[3];
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;  // fifty processes with sixteen lanes each
  ::setrlimit(RLIMIT_NOFILE, &files);
  border(plugins);
  to_children(fixtures, runner);
  starts(plugins, runner);
  loading(plugins, runner);
  return 0;
}
