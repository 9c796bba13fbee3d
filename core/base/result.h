// Result<T>: the only way a function of the host reports an expected failure.
// Exceptions mean bugs, exhaustion or third parties; adapters turn them into an Error where they enter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace vmcp {

// Chosen by what the caller should do next, not by what went wrong inside.
enum class Code {
  unauthenticated,   // get a credential
  malformed,         // fix the client: not a valid request of the protocol
  unknown_tool,      // fix the client: no such tool (or it may not be seen)
  invalid_argument,  // change the arguments
  not_found,         // change the arguments: no such (visible) object
  conflict,          // the object's state forbids it: change the state first
  denied,            // stop; policy says no
  needs_confirm,     // ask the person, then repeat with consent
  throttled,         // wait retry_after_ms, then repeat
  unavailable,       // wait, then repeat; something upstream is not there
  timeout,           // the deadline passed; read the state before repeating
  cancelled,         // the caller went away
  client_lacks,      // use another client: it cannot be asked what the call needs (`rule` names it)
  internal,          // tell the operator
};

const char* code_name(Code code);

// How a limit stood when it refused. limit 0: no limit did.
struct Quota {
  std::int64_t limit = 0;      // what it holds at most
  std::int64_t remaining = 0;  // what it holds now, rounded down; too little for this call
  std::int64_t reset_ms = 0;   // until it holds all again
};

struct Error {
  Code code = Code::internal;
  std::string text;    // public: says what happened and the fix; never a secret, never an upstream body
  std::string detail;  // for the operator's log only
  std::string rule;    // the policy rule or limit that decided, if one did
  std::int64_t retry_after_ms = 0;  // 0 = no hint
  std::string scope;                // of denied: what a wider credential would have to grant; may be empty
  Quota quota = {};                 // of throttled, where there is one
};

inline Error make_error(Code code, std::string text, std::string detail = {}) {
  return Error{code, std::move(text), std::move(detail), {}, 0, {}, {}};
}

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T v) : v_(std::in_place_index<0>, std::move(v)) {}
  Result(Error e) : v_(std::in_place_index<1>, std::move(e)) {}

  bool ok() const { return v_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return std::get<0>(v_); }
  const T& value() const& { return std::get<0>(v_); }
  T&& value() && { return std::get<0>(std::move(v_)); }
  T& operator*() { return std::get<0>(v_); }
  const T& operator*() const { return std::get<0>(v_); }
  T* operator->() { return &std::get<0>(v_); }
  const T* operator->() const { return &std::get<0>(v_); }
  Error& error() { return std::get<1>(v_); }
  const Error& error() const { return std::get<1>(v_); }

 private:
  std::variant<T, Error> v_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error e) : e_(std::move(e)) {}
  bool ok() const { return !e_; }
  explicit operator bool() const { return ok(); }
  Error& error() { return *e_; }
  const Error& error() const { return *e_; }

 private:
  std::optional<Error> e_;
};

}  // namespace vmcp
