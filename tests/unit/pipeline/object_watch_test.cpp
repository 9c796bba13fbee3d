#include "pipeline/object_watch.h"

#include "pipeline/inventory_resource.h"
#include "rig.h"

using namespace rig;
using namespace std::chrono_literals;

namespace {

struct Watching : Rig {
  PrincipalPtr reader = std::make_shared<const Principal>(Principal{"reader", "read"});

  pipeline::ObjectWatch::Handle watch(const std::string& uri, std::atomic<int>& told) {
    auto handle = objects.watch(uri, reader, [&told] { ++told; });
    REQUIRE_MESSAGE(handle.ok(), (handle.ok() ? "" : handle.error().text));
    return *handle;
  }
  // Until the watch has looked again `times` times, beginning after now.
  void looked(int times = 2) {
    const int from = inventory.reads;
    until([&] { return inventory.reads >= from + times; });
  }
  template <class F>
  static void until(F&& done) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!done()) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::yield();
    }
  }
};

}  // namespace

TEST_CASE("object watch: the first look tells nobody, a change tells everybody once") {
  Watching r;
  r.inventory.become(R"({"power":"on"})");
  std::atomic<int> first{0}, second{0};
  const auto a = r.watch("vsphere://vc.example/vm/alpha", first);
  const auto b = r.watch("vsphere://vc.example/vm/alpha", second);
  r.looked(3);
  CHECK(first == 0);
  r.inventory.become(R"({"power":"off"})");
  r.until([&] { return first == 1 && second == 1; });
  r.looked(3);
  CHECK(first == 1);
  CHECK(second == 1);
}

TEST_CASE(
    "object watch: an object that goes and one that comes are changes, a vCenter that is away is none") {
  Watching r;
  std::atomic<int> told{0};
  const auto handle = r.watch("vsphere://vc.example/vm/alpha", told);
  r.looked();
  r.inventory.become("{}", make_error(Code::unavailable, "down"));
  r.looked(3);
  CHECK(told == 0);
  r.inventory.become("{}", make_error(Code::not_found, "gone"));
  r.until([&] { return told == 1; });
  r.looked(3);
  CHECK(told == 1);
  r.inventory.become("{}");
  r.until([&] { return told == 2; });
}

TEST_CASE("object watch: a handle that is let go ends it, also after the watch itself has ended") {
  std::atomic<int> told{0};
  pipeline::ObjectWatch::Handle late;
  {
    Watching r;
    auto handle = r.watch("vsphere://vc.example/vm/alpha", told);
    r.looked();
    handle.reset();
    const int reads = r.inventory.reads;
    r.inventory.become(R"({"a":1})");
    late = r.watch("vsphere://vc.example/vm/beta", told);
    r.until([&] { return r.inventory.reads > reads + 2; });
    r.objects.stop();
    CHECK_FALSE(r.objects.watch("vsphere://vc.example/vm/alpha", r.reader, [] {}).ok());
  }
  late.reset();
  CHECK(told == 0);
}

TEST_CASE("object watch: objects are bounded, and only URIs of objects are watched") {
  Watching r;
  std::atomic<int> told{0};
  std::vector<pipeline::ObjectWatch::Handle> held;
  for (const char* name : {"a", "b", "c"})
    held.push_back(r.watch(std::string("vsphere://vc.example/vm/") + name, told));
  const auto refused = r.objects.watch("vsphere://vc.example/vm/d", r.reader, [] {});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Code::unavailable);
  // One more who wants the same costs nothing.
  held.push_back(r.watch("vsphere://vc.example/vm/a", told));
  held.erase(held.begin() + 1);
  held.push_back(r.watch("vsphere://vc.example/vm/d", told));
  CHECK_FALSE(r.objects.watch("file:///etc/passwd", r.reader, [] {}).ok());
}

TEST_CASE("object watch: who may not see an object hears nothing of it") {
  Watching r;
  std::atomic<int> told{0};
  auto stranger = std::make_shared<const Principal>(Principal{"x", "no such role"});
  auto handle = r.objects.watch("vsphere://vc.example/vm/alpha", stranger, [&] { ++told; });
  REQUIRE(handle.ok());
  std::atomic<int> seen{0};
  const auto other = r.watch("vsphere://vc.example/vm/alpha", seen);
  r.looked();
  r.inventory.become(R"({"power":"off"})");
  r.until([&] { return seen == 1; });
  r.looked(3);
  CHECK(told == 0);
}

TEST_CASE("object watch: usage figures are no change") {
  Watching r;
  pipeline::InventoryUri uri{"vc.example", "vm", "alpha"};
  const inventory::Visible all = [](const inventory::Object&) { return true; };
  REQUIRE(pipeline::inventory_state(r.inventory, r.connection, uri, all, {}).ok());
  CHECK_FALSE(r.inventory.asked.empty());
  for (const std::string& property : r.inventory.asked)
    CHECK(property.find("quickStats") == std::string::npos);
}
