// What the journal costs beside the same without us, on the disk of the folder that is named: durable intents
// of 1, 8 and 32 callers beside a bare group commit of as many bytes and a bare fdatasync for each; `audit
// verify` beside SHA-256 over the same bytes. "name value" a line: records a second, bytes a second, and the
// median of the ratios of rounds that lie side by side.
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "audit/audit.h"
#include "audit/verify.h"

namespace {

using namespace vmcp;
using Steady = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kRound{300};
constexpr int kRounds = 5;
constexpr int kVerified = 100'000;  // records, of about 600 bytes

audit::Record intent() {
  audit::Record record;
  record.event = audit::Event::intent;
  record.request_id = "8af2f083804851d099de76438c480a64";
  record.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  record.identity = "nightly-rightsizing";
  record.role = "ops";
  record.method = "tools/call";
  record.tool = "set_vm_cpu";
  record.host = "vcenter.example";
  record.peer = "192.0.2.7";
  record.args_json = R"({"vm_id":"vm-1030","cpu_count":4,"reason":"INC-4711"})";
  record.targets = {"vm:vm-1030"};
  record.step = "intent";
  record.policy = "a9b1c2d3e4f5";
  record.ok = true;
  return record;
}

void must(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(what);
}

// Everybody's lines in one write and one fdatasync, as many as came meanwhile: the least that a group commit
// can be.
class BareGroup {
 public:
  explicit BareGroup(const std::string& file)
      : fd_(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)),
        writer_([this] { write(); }) {}
  ~BareGroup() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    came_.notify_one();
    writer_.join();
    ::close(fd_);
  }
  void durable(const std::string& line) {
    std::unique_lock lock(mutex_);
    waiting_ += line;
    const std::uint64_t mine = collecting_;
    came_.notify_one();
    written_.wait(lock, [&] { return on_disk_ > mine; });
  }

 private:
  void write() {
    std::unique_lock lock(mutex_);
    while (true) {
      came_.wait(lock, [&] { return done_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      std::string batch;
      batch.swap(waiting_);
      ++collecting_;
      lock.unlock();
      must(::write(fd_, batch.data(), batch.size()) == static_cast<ssize_t>(batch.size()), "write");
      must(::fdatasync(fd_) == 0, "fdatasync");
      lock.lock();
      on_disk_ = collecting_;
      written_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable came_, written_;
  std::string waiting_;
  std::uint64_t collecting_ = 0, on_disk_ = 0;  // batches
  bool done_ = false;
  const int fd_;
  std::thread writer_;  // last: it uses all the others
};

// A second's worth, of so many callers at once.
template <class Do>
double per_second(int callers, const Do& once) {
  std::atomic<std::uint64_t> made{0};
  std::atomic<bool> over{false};
  const auto from = Steady::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < callers; ++i)
    threads.emplace_back([&] {
      while (!over) {
        once();
        ++made;
      }
    });
  std::this_thread::sleep_for(kRound);
  over = true;
  for (std::thread& thread : threads) thread.join();
  return static_cast<double>(made) / std::chrono::duration<double>(Steady::now() - from).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::unique_ptr<audit::Audit> open_audit(const std::string& folder, const Clock& clock, Log& log) {
  audit::Settings settings;
  settings.journal_file = folder + "/journal.jsonl";
  settings.view_path = folder + "/audit.jsonl";
  settings.chain_key = Secret(std::string(32, 'k'));
  auto made = audit::Audit::open(std::move(settings), clock, log);
  must(made.ok(), "the audit could not be opened");
  return std::move(*made);
}

void intents(const std::string& folder, const std::string& line) {
  const SystemClock clock;
  SilentLog log;
  const auto audit = open_audit(folder, clock, log);
  BareGroup group(folder + "/group");
  const int bare = ::open((folder + "/bare").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const audit::Record record = intent();
  for (const int callers : {1, 8, 32}) {
    std::vector<double> ours, grouped, synced, to_group, to_sync;
    for (int round = 0; round < kRounds; ++round) {
      ours.push_back(per_second(callers, [&] { must(audit->durable(record).ok(), "not recorded"); }));
      grouped.push_back(per_second(callers, [&] { group.durable(line); }));
      synced.push_back(per_second(1, [&] {
        must(::write(bare, line.data(), line.size()) == static_cast<ssize_t>(line.size()), "write");
        must(::fdatasync(bare) == 0, "fdatasync");
      }));
      to_group.push_back(ours.back() / grouped.back());
      to_sync.push_back(ours.back() / synced.back());
    }
    std::printf("intents_%d %.0f\nbare_group_%d %.0f\nbare_fdatasync_%d %.0f\n", callers, median(ours),
                callers, median(grouped), callers, median(synced));
    std::printf("ratio_group_%d %.3f\nratio_fdatasync_%d %.3f\n", callers, median(to_group), callers,
                median(to_sync));
  }
  ::close(bare);
}

std::uint64_t hash_file(const std::string& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  must(fd >= 0, "the journal could not be opened");
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  must(EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1, "SHA-256");
  std::vector<char> block(1u << 20);
  std::uint64_t bytes = 0;
  while (true) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got <= 0) break;
    must(EVP_DigestUpdate(context.get(), block.data(), static_cast<std::size_t>(got)) == 1, "SHA-256");
    bytes += static_cast<std::uint64_t>(got);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  must(EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1, "SHA-256");
  ::close(fd);
  return bytes;
}

void verify(const std::string& folder) {
  const SystemClock clock;
  SilentLog log;
  {
    const auto audit = open_audit(folder, clock, log);
    for (int i = 0; i < kVerified; ++i) audit->buffered(intent());
    must(audit->flush(milliseconds(60'000)), "the journal was not written");
  }
  const std::string file = folder + "/journal.jsonl";
  audit::ArchiveToVerify what{file, {}, Secret(std::string(32, 'k')), "", {}, {}};
  std::vector<double> ratios, ours;
  const auto seconds = [](const auto& action) {
    const auto from = Steady::now();
    action();
    return std::chrono::duration<double>(Steady::now() - from).count();
  };
  std::uint64_t bytes = 0;
  for (int round = 0; round < kRounds; ++round) {
    const double bare = seconds([&] { bytes = hash_file(file); });
    const double verified = seconds([&] {
      const auto report = audit::verify_archive(what);
      must(report.ok() && report->records >= kVerified, "the journal was not verified");
    });
    ours.push_back(static_cast<double>(bytes) / verified);
    ratios.push_back(bare / verified);
  }
  std::printf("verify_bytes %.0f\nratio_verify %.3f\n", median(ours), median(ratios));
}

}  // namespace

int main(int count, char** words) try {
  must(count == 2, "usage: bench_audit FOLDER (empty, on the disk that is measured)");
  const std::string folder = words[1];
  for (const char* part : {"/intents", "/verify"}) std::filesystem::create_directories(folder + part);
  intents(folder + "/intents", std::string(640, 'x') + "\n");
  verify(folder + "/verify");
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_audit: %s\n", error.what());
  return 1;
}
