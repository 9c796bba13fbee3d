#include "unit/runner/works.h"

#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <future>
#include <iostream>
#include <locale>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

namespace vmcp::runner::test {
namespace {

using namespace std::chrono_literals;

std::string threads() {
  constexpr int kThreads = 16;
  std::atomic<int> ran{0};
  std::mutex mutex;
  std::condition_variable changed;
  bool go = false;
  std::vector<std::thread> all;
  for (int i = 0; i < kThreads; ++i)
    all.emplace_back([&] {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return go; });
      lock.unlock();
      // Each with an arena of its own, as malloc does it.
      std::vector<std::string> mine;
      for (int n = 0; n < 1000; ++n) mine.push_back(std::string(1000, 'x'));
      ran += static_cast<int>(mine.size());
    });
  {
    const std::lock_guard lock(mutex);
    go = true;
  }
  changed.notify_all();
  for (auto& thread : all) thread.join();
  return ran == kThreads * 1000 ? "" : "only " + std::to_string(ran) + " of 16000";
}

std::string exceptions() {
  try {
    std::async(std::launch::async, []() -> int { throw std::runtime_error("of a thread"); }).get();
  } catch (const std::exception& e) {
    return std::string(e.what()) == "of a thread" ? "" : e.what();
  }
  return "nothing was caught";
}

std::string json() {
  nlohmann::json value;
  for (int i = 0; i < 1000; ++i) value["n" + std::to_string(i)] = {i, "text", 1.5};
  return nlohmann::json::parse(value.dump()) == value ? "" : "it changed";
}

std::string memory() {
  std::vector<char> much(std::size_t{100} << 20, 'x');
  for (std::size_t i = 0; i < much.size(); i += 4096) much[i] = 'y';
  return much[much.size() / 4096 * 4096 - 4096] == 'y' ? "" : "it is not there";
}

// The allocator gives up where the limit is, rather than the kernel.
std::string bad_alloc() {
  try {
    std::vector<std::unique_ptr<char[]>> all;
    for (int i = 0; i < 64; ++i) all.push_back(std::make_unique<char[]>(std::size_t{64} << 20));
  } catch (const std::bad_alloc&) {
    return "";
  }
  return "4 GiB were given";
}

std::string sleeping() {
  const auto start = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(20ms);
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, 20ms);
  return std::chrono::steady_clock::now() - start >= 40ms ? "" : "it did not sleep";
}

std::string clocks() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm local{};
  return now > 1'600'000'000 && ::localtime_r(&now, &local) != nullptr && local.tm_year > 100 ? ""
                                                                                              : "no time";
}

std::string locales() {
  std::ostringstream out;
  out.imbue(std::locale("C.UTF-8"));
  out << 1234.5;
  std::locale::global(std::locale::classic());
  return out.str() == "1234.5" ? "" : out.str();
}

std::string randomness() {
  char bytes[32] = {};
  if (::getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return "getrandom";
  std::random_device device("/dev/urandom");
  std::FILE* const file = std::fopen("/dev/urandom", "r");
  if (file == nullptr) return "/dev/urandom";
  std::fclose(file);
  return device() != device() || device() != device() ? "" : "it is not random";
}

std::string output() {
  std::cout << "standard output goes nowhere" << std::endl;
  return std::cout.good() && std::printf("neither does this\n") > 0 && std::fflush(stdout) == 0 ? ""
                                                                                                : "it failed";
}

std::string counts_processors() {
  return std::thread::hardware_concurrency() > 0 ? "" : "none";
}

std::string names_thread() {
  std::thread named([] { ::pthread_setname_np(::pthread_self(), "of a plugin"); });
  named.join();
  return ::pthread_setname_np(::pthread_self(), "main") == 0 ? "" : "refused";
}

std::string limits() {
  const std::map<decltype(RLIMIT_AS), rlim_t> most = {
      {RLIMIT_CORE, 0}, {RLIMIT_FSIZE, 0}, {RLIMIT_NOFILE, 128}, {RLIMIT_NPROC, 4096}, {RLIMIT_MEMLOCK, 0}};
  for (const auto& [resource, value] : most) {
    rlimit now{};
    if (::getrlimit(resource, &now) != 0) return "getrlimit";
    if (now.rlim_cur > value || now.rlim_max > value) return "limit " + std::to_string(resource);
  }
  return "";
}

std::string abort_now() {
  std::abort();
}

std::string foreign_call() {
#if defined(__x86_64__)
  // getpid() in the manner of 32-bit programs.
  long number = 20;
  asm volatile("int $0x80" : "+a"(number)::"memory");
  return "it was answered";
#else
  return "this machine has no other manner";
#endif
}

}  // namespace

std::string works(const std::string& what) {
  static const std::map<std::string, std::function<std::string()>> all = {
      {"threads", threads},
      {"exceptions", exceptions},
      {"json", json},
      {"memory", memory},
      {"bad_alloc", bad_alloc},
      {"sleeping", sleeping},
      {"clocks", clocks},
      {"locales", locales},
      {"randomness", randomness},
      {"output", output},
      {"processors", counts_processors},
      {"thread_names", names_thread},
      {"limits", limits},
      {"abort", abort_now},
      {"foreign_call", foreign_call},
  };
  const auto found = all.find(what);
  if (found == all.end()) return "there is no such check";
  try {
    return found->second();
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace vmcp::runner::test
