// plugin dev: builds, checks and serves a plugin whenever its sources change, against a simulated vCenter
// that goes on meanwhile. What does not build, or has findings, never replaces what is served.
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>

#include "app/check_surroundings.h"
#include "app/child_process.h"
#include "app/commands.h"
#include "app/start.h"
#include "plugin_check/check.h"
#include "simulator/simulator.h"

namespace vmcp::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 10'000;
constexpr milliseconds kGrace{10'000};
constexpr long kLook_ns = 200'000'000;

// Everything below a folder but what a build makes of it, as one number that changes with any of it.
struct State {
  std::uint64_t number = 0;
  std::size_t files = 0;  // at most kMostFiles are looked at
};
State state_of(const fs::path& folder, const fs::path& build) {
  State out;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, error), end;
  for (; !error && it != end && out.files < kMostFiles; it.increment(error), ++out.files) {
    const fs::path& path = it->path();
    if (path == build || path.filename().string().front() == '.') {
      if (it->is_directory(error)) it.disable_recursion_pending();
      continue;
    }
    std::error_code gone;  // between the listing and the look
    const auto written = it->last_write_time(gone).time_since_epoch().count();
    if (!gone && it->is_regular_file(gone))
      out.number += fs::hash_value(path) ^ (static_cast<std::uint64_t>(written) * 0x9E3779B97F4A7C15u);
  }
  return out;
}

// The one library with a manifest beside it.
Result<fs::path> library_in(const fs::path& build) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::recursive_directory_iterator it(build, error), end; !error && it != end; it.increment(error)) {
    fs::path manifest = it->path();
    if (manifest.extension() == ".so" && fs::exists(manifest.replace_extension(".vmcp.json")))
      found.push_back(it->path());
  }
  if (found.size() == 1) return found.front();
  return make_error(Code::invalid_argument,
                    std::to_string(found.size()) + " plugins lie in " + build.string() +
                        ", one is expected: make it with vmcp_add_plugin, and name its folder");
}

// A copy for each generation: the build may write over its own files while they are served.
Result<fs::path> stage(const fs::path& library, const std::string& id, const fs::path& folder) {
  std::error_code error;
  const fs::path plugins = folder / "plugins";
  fs::remove_all(folder, error);
  fs::create_directories(plugins, error);
  if (!error) fs::copy(default_plugin_dir(), plugins, fs::copy_options::recursive, error);
  fs::path from = library;
  for (const char* ending : {".so", ".vmcp.json"}) {
    from.replace_extension(ending);
    if (!error) fs::copy_file(from, plugins / from.filename(), fs::copy_options::overwrite_existing, error);
  }
  const fs::path config = folder / "dev.toml";
  std::ofstream out(config);
  out << "[plugins]\ndir = " << Json(plugins.string()).dump()
      << "\ntrust = \"dev\"\n[[plugin]]\nid = " << Json(id).dump()
      << "\nisolation = \"inprocess\"\nrequired = true\n";
  out.close();
  if (error || !out)
    return make_error(Code::unavailable, "cannot write " + folder.string() + ": " + error.message());
  return config;
}

class Workshop {
 public:
  Workshop(const PluginDevOptions& options, fs::path scratch, std::uint16_t simulator_port)
      : options_(options),
        folder_(fs::absolute(options.dir).lexically_normal()),
        build_(folder_ / "build"),
        scratch_(std::move(scratch)),
        simulator_("127.0.0.1:" + std::to_string(simulator_port)) {}

  // Until a signal: once at the beginning, and after each change.
  void work() {
    State known = state_of(folder_, build_);
    if (known.files >= kMostFiles)
      std::fprintf(stderr, "dev: %s holds more than %zu files; changes of the others are not noticed\n",
                   folder_.c_str(), kMostFiles);
    take_up();
    while (!told_to_end()) {
      const State now = state_of(folder_, build_);
      if (now.number == known.number) {
        notice_end();
        continue;
      }
      known = now;
      std::fputs("\ndev: changed\n", stderr);
      take_up();
    }
    if (server_) server_->stop(kGrace);
  }

 private:
  // Waits a moment for SIGINT or SIGTERM, which are blocked.
  bool told_to_end() {
    sigset_t ends;
    ::sigemptyset(&ends);
    for (const int signal : {SIGINT, SIGTERM}) ::sigaddset(&ends, signal);
    const timespec pause{0, kLook_ns};
    ended_ = ended_ || ::sigtimedwait(&ends, nullptr, &pause) >= 0;
    return ended_;
  }

  // A build may take as long as it wants, but not longer than this command.
  bool run(const std::vector<std::string>& arguments) {
    auto child = ChildProcess::start(arguments);
    if (!child) {
      std::fprintf(stderr, "%s\n", child.error().text.c_str());
      return false;
    }
    while (child->runs())
      if (told_to_end()) child->stop(kGrace);
    return child->wait() == 0;
  }

  void take_up() {
    const char* const kept = server_ ? "; the version before is still served" : "; nothing is served yet";
    const bool fine = built();
    if (ended_) return;
    if (!fine) return void(std::fprintf(stderr, "dev: it does not build%s\n", kept));
    const auto library = library_in(build_);
    if (!library) return void(std::fprintf(stderr, "dev: %s%s\n", library.error().text.c_str(), kept));
    vmcp::plugin_check::CheckOptions check;
    check.file = library->string();
    add_surroundings(check);
    const auto report = vmcp::plugin_check::check_plugin(check);
    if (!report) return void(std::fprintf(stderr, "dev: %s%s\n", report.error().text.c_str(), kept));
    std::fputs(vmcp::plugin_check::report_text(*report).c_str(), stderr);
    if (!report->findings.empty()) return void(std::fprintf(stderr, "dev: mend the findings%s\n", kept));
    serve(*library, report->id);
  }

  bool built() {
    std::error_code error;
    if (!fs::exists(build_ / "CMakeCache.txt", error) &&
        !run({"cmake", "-S", folder_.string(), "-B", build_.string()}))
      return false;
    return run({"cmake", "--build", build_.string()});
  }

  void serve(const fs::path& library, const std::string& id) {
    const auto config = stage(library, id, scratch_ / std::to_string(++generation_ % 2));
    if (!config) return void(std::fprintf(stderr, "dev: %s\n", config.error().text.c_str()));
    if (server_) server_->stop(kGrace);
    auto server =
        ChildProcess::start({"/proc/self/exe", "serve", "--demo", "--simulator", simulator_, "--listen",
                             options_.listen, "--config", config->string(), "--log-level", "warning"});
    if (!server) return void(std::fprintf(stderr, "dev: %s\n", server.error().text.c_str()));
    server_.emplace(std::move(*server));
  }

  // A plugin that takes the server down costs the author no restart of this command.
  void notice_end() {
    if (!server_ || server_->runs()) return;
    std::fprintf(stderr, "dev: the server ended with %d; it is started again after the next change\n",
                 server_->wait());
    server_.reset();
  }

  const PluginDevOptions& options_;
  const fs::path folder_, build_, scratch_;
  const std::string simulator_;
  std::optional<ChildProcess> server_;
  unsigned generation_ = 0;
  bool ended_ = false;
};

}  // namespace

int plugin_dev(const PluginDevOptions& options) {
  std::error_code error;
  if (!fs::exists(fs::path(options.dir) / "CMakeLists.txt", error)) {
    std::fprintf(stderr, "%s has no CMakeLists.txt; begin with: vsphere-mcp-pro plugin new hello\n",
                 options.dir.c_str());
    return 2;
  }
  block_signals();
  std::string scratch = (fs::temp_directory_path(error) / "vmcp-dev-XXXXXX").string();
  if (::mkdtemp(scratch.data()) == nullptr) {
    std::fprintf(stderr, "cannot make a folder like %s\n", scratch.c_str());
    return 1;
  }
  StderrLog log(LogLevel::warning);
  simulator::Settings vcenter;
  vcenter.port = 0;
  vcenter.vms = options.vms;
  simulator::Simulator simulator(vcenter, log);
  int code = 0;
  if (const auto started = simulator.start(); !started) {
    std::fprintf(stderr, "Cannot start: %s\n", started.error().text.c_str());
    code = 1;
  } else {
    Workshop(options, scratch, simulator.port()).work();
    simulator.stop();
  }
  fs::remove_all(scratch, error);
  return code;
}

}  // namespace vmcp::app
