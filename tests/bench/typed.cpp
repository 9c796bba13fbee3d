// One tool with five typed arguments, as an author writes it with the C++ wrapper.
#include <vmcp/schema.hpp>

namespace {

struct OldSnapshots {
  enum class Order { age, size };
  std::string vm_name;
  std::int64_t days = 14;
  bool deep = false;
  Order order = Order::age;
  std::optional<std::string> note;

  static vmcp::fields<OldSnapshots> schema() {
    return vmcp::fields<OldSnapshots>()
        .required("vm_name", &OldSnapshots::vm_name, vmcp::about("Of which VM.").length(1, 80))
        .field("days", &OldSnapshots::days, vmcp::about("Older than this.").range(1, 365))
        .field("deep", &OldSnapshots::deep, vmcp::about("Also those below others."))
        .choice("order", &OldSnapshots::order, {{"age", Order::age}, {"size", Order::size}})
        .field("note", &OldSnapshots::note, vmcp::about("For the record.").length(0, 200));
  }
};

struct Typed : vmcp::plugin {
  Typed() {
    tool("bench_typed")
        .describe("Reads five typed arguments and answers one line.")
        .reads()
        .no_upstream()
        .run([](vmcp::call& c, const OldSnapshots& a) {
          return c.text(a.days == 30 && a.deep && a.order == OldSnapshots::Order::size && a.note ? a.vm_name
                                                                                                 : "wrong");
        });
  }
};

}  // namespace

VMCP_PLUGIN(Typed, "org.vmcp.bench.typed", "1.0.0")
