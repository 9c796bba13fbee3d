// A string that must not be printed: wipes itself, prints [secret], and has to be asked for its value.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace vmcp {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      value_ = std::move(other.value_);
      other.wipe();
    }
    return *this;
  }
  ~Secret() { wipe(); }

  // The one way to the bytes; grep for it to find every place that uses a secret.
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  static constexpr std::string_view kMask = "[secret]";

 private:
  void wipe() noexcept;
  std::string value_;
};

// Equal length and bytes, in time that does not depend on where they differ.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace vmcp
