// A process that maps a plugin in the sandbox, as the runner does, and then does what it is told on
// descriptor 3: "call TOOL ARGUMENTS" and "works WHAT". It says "ready" and the report first.
//
//   sandboxed PLUGIN [--off] [--landlock N] [--memory BYTES]
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vmcp/testing.hpp>

#include "runner/sandbox.h"
#include "unit/runner/works.h"

using namespace vmcp::runner;

// Looking for leaks needs to trace its own process, which the sandbox forbids. malloc says no as without
// ASan.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0:allocator_may_return_null=1";
}

namespace {

constexpr int kChannel = 3;

void say(const std::string& words) {
  if (::send(kChannel, words.data(), words.size(), MSG_NOSIGNAL) < 0) std::_Exit(2);
}

// The bytes of the file, which nobody can change any more.
int sealed_copy(const char* path) {
  const int from = ::open(path, O_RDONLY | O_CLOEXEC);
  const int to = ::memfd_create("plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  char bytes[65536];
  ssize_t got = 0;
  while ((got = ::read(from, bytes, sizeof bytes)) > 0)
    if (::write(to, bytes, static_cast<std::size_t>(got)) != got) return -1;
  ::close(from);
  ::fcntl(to, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  return got < 0 ? -1 : to;
}

struct Arguments {
  const char* plugin = nullptr;
  bool off = false;
  SandboxWish wish;
};

Arguments parse(int count, char** values) {
  Arguments out;
  out.plugin = values[1];
  for (int i = 2; i < count; ++i) {
    const std::string name = values[i];
    if (name == "--off")
      out.off = true;
    else if (name == "--landlock" && i + 1 < count)
      out.wish.landlock_abi_at_most = std::atoi(values[++i]);
    else if (name == "--memory" && i + 1 < count)
      out.wish.memory_bytes = std::strtoull(values[++i], nullptr, 10);
  }
  return out;
}

std::string call(vmcp::testing::plugin& plugin, const std::string& tool, const std::string& arguments) {
  const vmcp::testing::answer answer = plugin.run(tool, arguments);
  if (answer.ok()) return answer.json.empty() ? answer.text() : answer.json;
  return "failed: " + answer.failure;
}

void serve(vmcp::testing::plugin& plugin) {
  char bytes[65536];
  for (;;) {
    const ssize_t got = ::recv(kChannel, bytes, sizeof bytes, 0);
    if (got <= 0) return;
    const std::string words(bytes, static_cast<std::size_t>(got));
    const auto space = words.find(' ');
    const std::string what = words.substr(0, space), rest = words.substr(space + 1);
    if (what == "works") {
      say(test::works(rest));
    } else {
      const auto second = rest.find(' ');
      say(call(plugin, rest.substr(0, second), rest.substr(second + 1)));
    }
  }
}

int fail(const std::string& words) {
  std::cerr << words << std::endl;
  say("failed: " + words);
  return 1;
}

}  // namespace

int main(int count, char** values) {
  if (count < 2) return 2;
  Arguments arguments = parse(count, values);
  const int file = sealed_copy(arguments.plugin);
  if (file < 0) return fail(std::string("cannot read ") + arguments.plugin);
  std::string report = "the sandbox is off\n";
  if (!arguments.off) {
    arguments.wish.keep_descriptors = {2, kChannel, file};
    auto raised = raise_before_load(arguments.wish);
    if (!raised) return fail(raised.error().text);
    report = raised->to_text() + (raised->complete() ? "complete\n" : "incomplete\n");
  }
  void* const library = ::dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return fail(::dlerror());
  if (!arguments.off)
    if (auto raised = raise_after_load(); !raised) report += "after the load: " + raised.error().text + "\n";
  const auto entry = reinterpret_cast<const vmcp_entry* (*)()>(
      reinterpret_cast<std::uintptr_t>(::dlsym(library, VMCP_ENTRY_SYMBOL)));
  if (entry == nullptr) return fail("no entry");
  vmcp::testing::host host;
  vmcp::testing::plugin plugin(host, entry());
  say("ready\n" + report);
  serve(plugin);
  std::_Exit(0);
}
