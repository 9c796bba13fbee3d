// vmcp/status.hpp: statuses and borrowed text of the C ABI, as C++ types.
#pragma once

#include <vmcp/abi.h>

#include <string>
#include <string_view>
#include <utility>

namespace vmcp {

// What a function of the ABI answers. The failures say what the caller should do next; see abi.h.
enum class status : vmcp_status {
  ok = VMCP_OK,
  suspended = VMCP_SUSPENDED,
  invalid = VMCP_E_INVALID,
  not_found = VMCP_E_NOT_FOUND,
  conflict = VMCP_E_CONFLICT,
  denied = VMCP_E_DENIED,
  unavailable = VMCP_E_UNAVAILABLE,
  timeout = VMCP_E_TIMEOUT,
  cancelled = VMCP_E_CANCELLED,
  unsupported = VMCP_E_UNSUPPORTED,
  limit = VMCP_E_LIMIT,
  fault = VMCP_E_FAULT,
};

constexpr vmcp_status to_abi(status s) noexcept {
  return static_cast<vmcp_status>(s);
}
constexpr bool failed(status s) noexcept {
  return to_abi(s) < 0;
}

// Borrowed in both directions: valid as long as the bytes behind it.
constexpr vmcp_str to_abi(std::string_view text) noexcept {
  return vmcp_str{text.data(), text.size()};
}
constexpr std::string_view view(vmcp_str text) noexcept {
  return text.ptr == nullptr ? std::string_view{} : std::string_view{text.ptr, text.len};
}

namespace detail {

// A sink that keeps what the host puts into it. Must outlive the call that it is passed to.
// Running out of memory inside the host's frames must not throw through them: it is remembered instead.
class collector {
 public:
  collector() = default;
  collector(const collector&) = delete;
  collector& operator=(const collector&) = delete;

  vmcp_sink sink() noexcept { return vmcp_sink{this, &collector::put}; }
  bool out_of_memory() const noexcept { return out_of_memory_; }
  std::string take() noexcept { return std::move(bytes_); }

 private:
  static void put(void* ctx, vmcp_str bytes) noexcept {
    auto* self = static_cast<collector*>(ctx);
    try {
      self->bytes_.assign(view(bytes));
    } catch (...) {
      self->out_of_memory_ = true;
    }
  }

  std::string bytes_;
  bool out_of_memory_ = false;
};

}  // namespace detail
}  // namespace vmcp
