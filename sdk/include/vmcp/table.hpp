// vmcp/table.hpp: reading the host's tables by the size rule of abi.h.
#pragma once

#include <vmcp/vmcp.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace vmcp::detail {

// A copy of a foreign table in which every member that the maker did not fill is null. `table` may be null.
// The copied length is cut to whole pointers: half a function pointer must read as absent, not as an address.
template <class Table>
Table read_table(const void* table) noexcept {
  Table copy{};
  if (table == nullptr) return copy;
  std::uint32_t size = 0;
  std::memcpy(&size, table, sizeof size);
  std::size_t bytes = size < sizeof copy ? size : sizeof copy;
  bytes -= bytes % sizeof(void*);
  std::memcpy(&copy, table, bytes);
  copy.size = static_cast<std::uint32_t>(bytes);
  return copy;
}

// What the host offers, read once when the plugin is opened. Members of an absent table are all null.
struct host_services {
  const vmcp_host* host = nullptr;
  vmcp_call_1 call{};
  vmcp_log_1 log{};
  vmcp_inventory_1 inventory{};
  vmcp_vcenter_1 vcenter{};
  vmcp_vim_1 vim{};
  vmcp_notify_1 notify{};
};

}  // namespace vmcp::detail
