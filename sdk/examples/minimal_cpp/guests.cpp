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
          const auto found = c.inventory().list(vmcp::json{{"kind", "vm"}, {"properties", {guest}}});
          if (!found) return c.fail(found);
          const vmcp::json page = vmcp::parse(found);
          std::map<std::string, std::size_t> guests;
          for (const vmcp::json& vm : page.at("objects"))
            ++guests[vm.at("properties").value(guest, "unknown")];
          return c.json(vmcp::json{{"total", page.at("total")}, {"guests", guests}});
        });
  }
};

VMCP_PLUGIN(Guests, "org.example.guests", "1.0.0")
