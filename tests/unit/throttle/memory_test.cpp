// What the tables may cost: counted at the allocator of this program.
#include <doctest/doctest.h>

#include <malloc.h>
#include <atomic>
#include <cstdlib>
#include <new>
#include <string>

#include "base/crypto.h"
#include "throttle/limiter.h"
#include "throttle/local_buckets.h"
#include "throttle/repetition.h"
#include "unit/throttle/manual_clock.h"

using namespace vmcp;
using namespace std::chrono_literals;
using test::ManualClock;
using throttle::Kind;
using throttle::Limiter;
using throttle::Settings;

namespace {

std::atomic<std::int64_t> bytes_held{0};
std::atomic<std::int64_t> allocations{0};

}  // namespace

// The usable size is what the block really takes, so that give and take always match.
void* operator new(std::size_t size) {
  void* const block = std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) throw std::bad_alloc();
  bytes_held += static_cast<std::int64_t>(::malloc_usable_size(block));
  ++allocations;
  return block;
}
void operator delete(void* block) noexcept {
  if (block != nullptr) bytes_held -= static_cast<std::int64_t>(::malloc_usable_size(block));
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  operator delete(block);
}

namespace {

// Of the names that callers choose or are given: a random address, token, identity.
std::string name(const char* what, int i) {
  return what + std::to_string(i * 2654435761u) + "-0123456789abcdef";
}

}  // namespace

TEST_CASE("memory: a million addresses and identities stay within the bound, in keys and in bytes") {
  ManualClock clock;
  throttle::MaxKeys bounds;
  bounds.fill(1000);
  bounds[static_cast<std::size_t>(Kind::address)] = 8000;
  bounds[static_cast<std::size_t>(Kind::identity)] = 4000;
  const std::int64_t before = bytes_held;
  {
    throttle::LocalBuckets store(bounds, clock);
    int passed = 0;
    for (int i = 0; i < 1'000'000; ++i) {
      const std::string address = name("address-", i), identity = name("identity-", i);
      const throttle::Take takes[] = {{Kind::address, address, {1, 3}, 1},
                                      {Kind::identity, identity, {1, 3}, 1}};
      passed += store.take(takes).allowed;
      if (i % 50'000 == 0) clock.advance(1ms);
    }
    CHECK(passed >= 4000);
    CHECK(store.size(Kind::address) <= 8000);
    CHECK(store.size(Kind::identity) <= 4000);
    // A bucket, its key on the heap, and its place in the table.
    CHECK(bytes_held - before <= 12'000 * 320);
    CHECK(bytes_held - before >= 4'000 * 100);
  }
  CHECK(bytes_held <= before + 1024);
}

TEST_CASE("memory: long keys are cut, so that a bucket has a size") {
  ManualClock clock;
  throttle::MaxKeys bounds;
  bounds.fill(64);
  const std::string tail(100'000, 'x');
  const std::int64_t before = bytes_held;
  throttle::LocalBuckets store(bounds, clock);
  for (int i = 0; i < 1000; ++i) {
    const std::string key = std::to_string(i) + tail;
    const throttle::Take one{Kind::address, key, {1, 3}, 1};
    (void)store.take({&one, 1});
  }
  CHECK(bytes_held - before <= 64 * 640 + 16'384);
}

TEST_CASE("memory: a million different calls leave the watch over repetition as large as it was") {
  ManualClock clock;
  throttle::Repetition repetition(3, 60s, clock);
  const std::int64_t before = bytes_held;
  for (int i = 0; i < 1'000'000; ++i) {
    const auto seen = repetition.look("alice", "list_vms", std::to_string(i));
    if (seen.wait.count() != 0) FAIL("a call that was never made before was taken for a repetition");
  }
  CHECK(bytes_held - before <= 1024);
}

TEST_CASE("memory: an ordinary call allocates nothing") {
  ManualClock clock;
  Settings settings;
  settings.identity = settings.role = settings.tool = {1e6, 1e6};
  settings.tools["other"] = {1, 1};
  settings.tool_costs["other"] = 3;
  Limiter limiter(settings, clock);
  const std::string identity = name("identity-", 1), tool = name("a_tool_of_some_plugin_", 1);
  REQUIRE(limiter.take(identity, "operators-of-the-night", tool, 1));
  REQUIRE(limiter.take_address("192.0.2.7"));
  const std::int64_t before = allocations;
  for (int i = 0; i < 1000; ++i) {
    if (!limiter.take(identity, "operators-of-the-night", tool, 1)) FAIL("refused");
    clock.advance(1s);
    if (!limiter.take_address("192.0.2.7")) FAIL("refused");
  }
  CHECK(allocations == before);
}
