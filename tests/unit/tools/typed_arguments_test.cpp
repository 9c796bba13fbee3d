// vmcp/schema.hpp: what an author writes as a struct, as the host enforces it and as the tool receives it.
#include <doctest/doctest.h>

#include <limits>
#include <vmcp/schema.hpp>
#include <vmcp/testing.hpp>

#include "tools/schema.h"

namespace {

struct Disk {
  std::string datastore;
  std::int32_t size_GiB = 10;
  static vmcp::fields<Disk> schema() {
    return vmcp::fields<Disk>()
        .required("datastore", &Disk::datastore, vmcp::about("Where.").kind("datastore"))
        .field("size_GiB", &Disk::size_GiB, vmcp::about("How much.").range(1, 2048));
  }
};

struct Everything {
  enum class Order { age, size };
  std::string vm_id;
  std::int64_t days = 14;
  double ratio = 0.5;
  bool deep = false;
  std::uint64_t bytes = 0;
  std::optional<std::string> note;
  std::vector<std::string> clusters;
  Order order = Order::size;
  std::vector<Disk> disks;
  vmcp::json anything;

  static vmcp::fields<Everything> schema() {
    return vmcp::fields<Everything>()
        .required("vm_id", &Everything::vm_id, vmcp::about("Which VM.").kind("vm"))
        .field("days", &Everything::days, vmcp::about("Older than this.").range(1, 365))
        .field("ratio", &Everything::ratio, vmcp::rule().at_least(0).at_most(1.0))
        .field("deep", &Everything::deep)
        .field("bytes", &Everything::bytes)
        .field("note", &Everything::note, vmcp::about("For the record.").length(1, 20).pattern("^[a-z ]+$"))
        .field("clusters", &Everything::clusters,
               vmcp::about("Only in these.").items(1, 3).kind("cluster").filters())
        .choice("order", &Everything::order, {{"age", Order::age}, {"size", Order::size}},
                vmcp::about("What comes first."))
        .field("disks", &Everything::disks, vmcp::rule().items(0, 2))
        .field("anything", &Everything::anything);
  }
};

struct Typed : vmcp::plugin {
  Typed() {
    tool("typed").describe("Says what it got.").run([](vmcp::call& c, const Everything& a) {
      return c.json(vmcp::to_json_value(a));
    });
    tool("own_words")
        .describe("Has a schema of its own.")
        .input(R"({"type":"object","properties":{"vm_id":{"type":"string"}}})")
        .run([](vmcp::call& c, const Everything& a) { return c.text(a.vm_id); });
  }
};

const vmcp_entry* typed_entry() {
  static constexpr vmcp_entry kTyped{sizeof(vmcp_entry),  VMCP_ABI_MAJOR, VMCP_ABI_MINOR,
                                     "org.example.typed", "1.0.0",        &vmcp::plugin_entry<Typed>::open};
  return &kTyped;
}

std::string against_schema(std::string_view arguments) {
  const auto schema = vmcp::tools::Schema::compile(vmcp::schema_of<Everything>(), "typed");
  REQUIRE_MESSAGE(schema.ok(), (schema ? "" : schema.error().text));
  const auto checked = (*schema)->check(*vmcp::parse_trusted_json(arguments));
  return checked ? "" : checked.error().text;
}

}  // namespace

TEST_CASE("typed arguments: the struct's schema is one that the host enforces, with marks and defaults") {
  const vmcp::json schema = vmcp::json::parse(vmcp::schema_of<Everything>());
  CHECK(schema["type"] == "object");
  CHECK(schema["additionalProperties"] == false);
  CHECK(schema["required"] == vmcp::json{"vm_id"});
  const vmcp::json& p = schema["properties"];
  CHECK(p["vm_id"] == vmcp::json{{"type", "string"}, {"description", "Which VM."}, {"x-vmcp-kind", "vm"}});
  CHECK(p["days"].dump() ==
        R"({"type":"integer","description":"Older than this.","minimum":1,"maximum":365,"default":14})");
  CHECK(p["bytes"].dump() == R"({"type":"integer","minimum":0,"default":0})");
  CHECK_FALSE(p["note"].contains("default"));
  CHECK(p["order"]["enum"] == vmcp::json{"age", "size"});
  CHECK(p["order"]["default"] == "size");
  CHECK(p["clusters"]["items"].dump() ==
        R"({"type":"string","x-vmcp-kind":"cluster","x-vmcp-use":"filter"})");
  CHECK(p["clusters"]["description"] == "Only in these.");
  CHECK(p["clusters"]["maxItems"] == 3);
  CHECK(p["disks"]["items"]["properties"]["size_GiB"]["maximum"] == 2048);
  CHECK(p["anything"].dump() == "{}");
  CHECK(against_schema(R"({"vm_id":"vm-1"})") == "");
  for (const char* bad :
       {"{}", R"({"vm_id":"vm-1","days":0})", R"({"vm_id":"vm-1","days":366})",
        R"({"vm_id":"vm-1","ratio":1.1})", R"({"vm_id":"vm-1","note":""})", R"({"vm_id":"vm-1","note":"NO"})",
        R"({"vm_id":"vm-1","clusters":[]})", R"({"vm_id":"vm-1","order":"name"})",
        R"({"vm_id":"vm-1","disks":[{"size_GiB":1}]})",
        R"({"vm_id":"vm-1","disks":[{"datastore":"d","size_GiB":4096}]})", R"({"vm_id":"vm-1","other":1})",
        R"({"vm_id":"vm-1","bytes":-1})"}) {
    CAPTURE(bad);
    CHECK(against_schema(bad) != "");
  }
}

TEST_CASE("typed arguments: the tool receives what was said, and the defaults for the rest") {
  vmcp::testing::host host;
  vmcp::testing::plugin plugin(host, typed_entry());
  const auto least = plugin.run("typed", R"({"vm_id":"vm-1"})");
  REQUIRE(least.ok());
  CHECK(least.json == R"({"vm_id":"vm-1","days":14,"ratio":0.5,"deep":false,"bytes":0,"clusters":[],)"
                      R"("order":"size","disks":[]})");
  const std::string all = R"({"vm_id":"vm-1","days":365,"ratio":0.25,"deep":true,"bytes":9007199254740992,)"
                          R"("note":"so be it","clusters":["c1","c2"],"order":"age",)"
                          R"("disks":[{"datastore":"d1","size_GiB":2048}],"anything":[1,{"a":null}]})";
  CHECK(against_schema(all) == "");
  const auto most = plugin.run("typed", all);
  REQUIRE(most.ok());
  CHECK(most.json == all);
  // What the host would have refused is a fault of the call, not of the process.
  CHECK(plugin.run("typed", R"({"vm_id":3})").status == vmcp::status::fault);
  CHECK(plugin.run("typed", R"({"vm_id":"vm-1","order":"name"})").status == vmcp::status::fault);
  CHECK(plugin.run("own_words", R"({"vm_id":"vm-9"})").ok());
}

namespace {

struct Narrow {
  std::int8_t small = 0;
  std::uint16_t port = 443;
  static vmcp::fields<Narrow> schema() {
    return vmcp::fields<Narrow>().field("small", &Narrow::small).field("port", &Narrow::port);
  }
};

struct Twice {
  bool same = false;
  static vmcp::fields<Twice> schema() {
    return vmcp::fields<Twice>().field("same", &Twice::same).field("same", &Twice::same);
  }
};

struct NoArray {
  bool one = false;
  static vmcp::fields<NoArray> schema() {
    return vmcp::fields<NoArray>().field("one", &NoArray::one, vmcp::rule().items(1, 2));
  }
};

struct NoChoice {
  enum class Kind { a, b } kind = Kind::b;
  static vmcp::fields<NoChoice> schema() {
    return vmcp::fields<NoChoice>().choice("kind", &NoChoice::kind, {{"a", Kind::a}});
  }
};

}  // namespace

TEST_CASE("typed arguments: a number that the member cannot hold is refused by the schema") {
  const vmcp::json schema = vmcp::json::parse(vmcp::schema_of<Narrow>());
  CHECK(schema["properties"]["small"]["minimum"] == -128);
  CHECK(schema["properties"]["small"]["maximum"] == 127);
  CHECK(schema["properties"]["port"]["minimum"] == 0);
  CHECK(schema["properties"]["port"]["maximum"] == 65535);
  CHECK_FALSE(schema.contains("required"));
}

TEST_CASE(
    "typed arguments: a struct that cannot be said is refused when the plugin opens, by its field's name") {
  CHECK_THROWS_WITH(vmcp::schema_of<Twice>(), "same is declared twice");
  CHECK_THROWS_WITH(vmcp::schema_of<NoArray>(), "items() is said of a member that is no std::vector");
  CHECK_THROWS_WITH(vmcp::schema_of<NoChoice>(), "kind: its default is none of its choices");
}
