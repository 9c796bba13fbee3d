// The plugins that the tests look at: the fixtures and the first-party ones, as they were built.
#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace vmcp::plugin_check::test {

inline std::string fixture(const std::string& name) {
  return VMCP_FIXTURE_DIRECTORY "/fixture_" + name + ".so";
}

inline std::string first_party(const std::string& name) {
  return VMCP_PLUGIN_DIRECTORY "/" + name + ".so";
}

inline std::string bytes_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  REQUIRE_MESSAGE(in.is_open(), file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace vmcp::plugin_check::test
