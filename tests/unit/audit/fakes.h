// What the audit's tests share: a directory of their own, a clock, a log that remembers, a journal file that
// fails when told to.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "audit/audit.h"
#include "base/json.h"

namespace vmcp::test {

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vmcp-audit-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class ManualClock final : public Clock {
 public:
  SteadyTime now() const override { return SteadyTime(std::chrono::nanoseconds(ns_.load())); }
  WallTime wall() const override {
    return WallTime(std::chrono::microseconds(1'770'000'000'000'000 + ns_.load() / 1000));
  }
  void advance(std::chrono::nanoseconds d) { ns_ += d.count(); }

 private:
  std::atomic<std::int64_t> ns_{0};
};

class MemoryLog final : public Log {
 public:
  void write(LogLevel, std::string_view event, std::initializer_list<Field> fields) override {
    const std::scoped_lock lock(mutex_);
    text_ += event;
    for (const auto& [key, value] : fields) text_ += " " + std::string(key) + "=" + std::string(value);
    text_ += "\n";
  }
  std::string text() const {
    const std::scoped_lock lock(mutex_);
    return text_;
  }
  int count(std::string_view part) const {
    const std::string all = text();
    int n = 0;
    for (auto at = all.find(part); at != std::string::npos; at = all.find(part, at + 1)) ++n;
    return n;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

// What a FakeFile is told and what it holds; outlives the file.
struct FakeDisk {
  std::mutex mutex;
  std::condition_variable changed;
  std::string bytes;
  std::size_t synced = 0;  // bytes that a sync covered
  int syncs = 0;
  int appends = 0;
  bool fail_append = false, fail_sync = false, fail_check = false, hang_sync = false;
  bool hanging = false;
  bool released = false;  // the FakeFile is gone

  template <class F>
  auto with(F f) {
    const std::scoped_lock lock(mutex);
    changed.notify_all();
    return f();
  }
  void set(bool FakeDisk::*flag, bool value) {
    with([&] { this->*flag = value; });
  }
  std::string durable_bytes() {
    return with([&] { return bytes.substr(0, synced); });
  }
  void wait_until_hanging() {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return hanging; }));
  }
  void wait_until_released() {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return released; }));
  }
};

class FakeFile final : public audit::JournalFile {
 public:
  explicit FakeFile(std::shared_ptr<FakeDisk> disk) : disk_(std::move(disk)) {}
  ~FakeFile() override { disk_->set(&FakeDisk::released, true); }
  Result<void> append(std::string_view bytes) override {
    return disk_->with([&]() -> Result<void> {
      if (disk_->fail_append) return make_error(Code::unavailable, "fake: no space left");
      disk_->bytes += bytes;
      ++disk_->appends;
      return {};
    });
  }
  Result<void> sync() override {
    std::unique_lock lock(disk_->mutex);
    disk_->hanging = disk_->hang_sync;
    disk_->changed.notify_all();
    disk_->changed.wait(lock, [&] { return !disk_->hang_sync; });
    disk_->hanging = false;
    ++disk_->syncs;
    if (disk_->fail_sync) return make_error(Code::unavailable, "fake: input/output error");
    disk_->synced = disk_->bytes.size();
    return {};
  }
  Result<void> check() override {
    return disk_->with([&]() -> Result<void> {
      if (disk_->fail_check) return make_error(Code::unavailable, "fake: removed");
      return {};
    });
  }

 private:
  std::shared_ptr<FakeDisk> disk_;
};

inline Secret test_key() {
  return Secret(std::string(32, 'k'));
}

inline audit::Settings settings_in(const TempDir& dir) {
  audit::Settings settings;
  settings.journal_file = dir / "journal";
  settings.view_path = dir / "view";
  settings.chain_key = test_key();
  return settings;
}

inline audit::Record record_of(audit::Event event, std::string_view request_id, std::string_view args = {}) {
  audit::Record record;
  record.event = event;
  record.request_id = request_id;
  record.tool = "power_on_vm";
  record.identity = "alice";
  record.role = "ops";
  record.method = "tools/call";
  record.peer = "192.0.2.1";
  record.host = "vc.example";
  record.args_json = args;
  record.ok = event == audit::Event::outcome;
  if (event == audit::Event::refused) {
    record.step = "authorise";
    record.code = "denied";
    record.error = "not allowed";
  }
  return record;
}

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}
inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The JSON of each line, with or without a code in front.
inline std::vector<Json> parse_lines(const std::string& text) {
  std::vector<Json> out;
  for (const std::string& line : split_lines(text)) {
    auto parsed = parse_trusted_json(std::string_view(line).substr(line.find('{')));
    REQUIRE_MESSAGE(parsed.ok(), line);
    out.push_back(std::move(*parsed));
  }
  return out;
}

template <class Condition>
void eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::yield();
  }
}

// Before a fork whose child goes on with threads of its own: a thread that is about to end may hold a lock
// that the child would then wait for, and ThreadSanitizer ends such a child. It keeps one thread of its own.
inline void wait_until_alone() {
#ifdef __SANITIZE_THREAD__
  constexpr std::ptrdiff_t kOwn = 2;
#else
  constexpr std::ptrdiff_t kOwn = 1;
#endif
  eventually([] {
    using Entries = std::filesystem::directory_iterator;
    return std::distance(Entries("/proc/self/task"), Entries()) <= kOwn;
  });
}

}  // namespace vmcp::test
