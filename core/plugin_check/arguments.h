// Arguments for a tool, made from its input schema.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace vmcp::plugin_check {

// The same seed gives the same values on every machine: no distribution of the standard library is used.
class Random {
 public:
  Random(std::uint64_t seed, std::string_view what);
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : engine_() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

// Kind ("vm") → ids of objects that there are.
using KnownObjects = std::map<std::string, std::vector<std::string>>;

// A value that the schema is likely to accept: what it asks for that is not looked at here (patterns, `not`,
// dependencies) is left to the caller's check. Edges are preferred: empty and long texts, bounds, all or none
// of the optional members. Names of objects ("x-vmcp-kind") are MoRefs: mostly of the known ones, where there
// are any of that kind. `root` resolves references.
Json generate(const Json& schema, const Json& root, Random& random, const KnownObjects& objects = {});

}  // namespace vmcp::plugin_check
