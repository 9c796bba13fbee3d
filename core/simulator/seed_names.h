// Words of the seeded inventory. Index arguments wrap, so any hash may be passed.
#pragma once

#include <cstdint>
#include <string>

#include "simulator/model.h"

namespace vmcp::simulator {

struct HostModel {
  const char* vendor;
  const char* model;
  const char* cpu;
  int mhz;
  int packages;
  int cores;
  int memory_gb;
};

const char* seed_application(std::uint64_t index);
const char* seed_role(std::uint64_t index);
const char* seed_site(std::uint64_t index);  // datacenter names
const char* seed_cluster(std::uint64_t index);
const char* seed_snapshot_name(std::uint64_t index);
const char* seed_snapshot_note(std::uint64_t index);
const HostModel& seed_host_model(std::uint64_t index);
const GuestOs& seed_guest(std::uint64_t index);
std::string seed_uuid(std::uint64_t a, std::uint64_t b);
std::string seed_mac(std::uint64_t x);

}  // namespace vmcp::simulator
