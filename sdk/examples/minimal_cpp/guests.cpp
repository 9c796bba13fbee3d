// A plugin in C++, as small as it gets: one tool that counts virtual machines by their guest system.
#include <vmcp/json.hpp>

#include <cstddef>
#include <map>
#include <string>

struct Guests : vmcp::plugin {
  Guests() {
    tool("count_vms_by_guest")
        .title("Count virtual machines by guest system")
        .describe(
            "Counts the virtual machines that the caller may see by the guest system they are set up for.")
        .reads()
        .idempotent()
        .privileges("System.View,System.Read")
        .output(R"({"type":"object","properties":{"total":{"type":"integer"},
                    "guests":{"type":"object","additionalProperties":{"type":"integer"}}},
                    "required":["total","guests"]})")
        .run([](vmcp::call& c, const vmcp::args&) {
          const std::string guest = "summary.config.guestFullName";
          vmcp::json query{{"kind", "vm"}, {"properties", {guest}}}, page;
          std::map<std::string, std::size_t> guests;
          // Large inventories come in pages.
          do {
            const auto found = c.inventory().list(query);
            if (!found) return c.fail(found);
            page = vmcp::parse(found);
            for (const vmcp::json& vm : page.at("objects"))
              ++guests[vm.at("properties").value(guest, "unknown")];
            query["cursor"] = page.value("next", "");
          } while (page.contains("next"));
          return c.json(vmcp::json{{"total", page.at("total")}, {"guests", guests}});
        });
  }
};

VMCP_PLUGIN(Guests, "org.example.guests", "1.0.0")
