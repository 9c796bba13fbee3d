// What cases.mjs writes, as values of the engine.
#pragma once

#include <cstdio>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "policy/policy.h"

namespace vmcp::policy_model {

// A random policy and the objects that its calls act on.
struct Given {
  int index = 0;
  std::optional<policy::Policy> policy;
  std::string text;  // the line, for repeating
  std::vector<inventory::Object> objects;
  std::vector<std::optional<inventory::Facts>> facts;  // as objects; nothing: not read

  policy::Subject subject(std::size_t i) const { return {&objects[i], facts[i] ? &*facts[i] : nullptr}; }
};

// One call and what the model says of it.
struct Case {
  int index = 0;
  Principal principal;
  std::string tool, vcenter;
  bool changes = false, asks = false;
  Json arguments;
  std::vector<std::size_t> targets;
  WallTime now;

  bool allowed = false, listed = false;
  std::string consent;
  std::vector<bool> visible;
  std::vector<std::string> decisive;
};

// Both throw doctest's failure on a line that is none, or a policy that the engine refuses.
void read_policy(const Json& line, Given& out);
Case read_case(const Json& line);

// The output of a command, line by line; its end says how it ended.
class Lines {
 public:
  explicit Lines(const std::string& command);
  ~Lines();
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  bool next(std::string& line);
  int end();  // exit status; -1 when it was killed

 private:
  std::FILE* pipe_;
  char* buffer_ = nullptr;
  std::size_t capacity_ = 0;
};

}  // namespace vmcp::policy_model
