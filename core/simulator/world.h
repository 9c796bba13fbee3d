// Everything that a request may look at or change. One mutex (VCenter's) guards all of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "simulator/faults.h"
#include "simulator/model.h"
#include "simulator/sessions.h"
#include "simulator/simulator.h"
#include "simulator/tagging.h"
#include "simulator/tasks.h"
#include "simulator/traffic.h"
#include "simulator/virtual_clock.h"

namespace vmcp::simulator {

// A view that a VI/JSON session made; read anew at each use, so it follows the inventory.
struct ContainerView : Entity {
  static constexpr Kind kKind = Kind::view;
  ContainerView(std::string i, std::string n) : Entity(kKind, std::move(i), std::move(n)) {}
  std::string session_key;
  std::string container_id;
  std::vector<std::string> types;
  bool recursive = true;
};

// What is left of a RetrievePropertiesEx that did not fit one page.
struct Cursor {
  std::string session_key;
  std::vector<std::pair<std::string, std::size_t>> objects;  // id, index of its filter in `specs`
  std::size_t next = 0;
  std::size_t page = 0;
  Json specs;  // the PropertyFilterSpec array, checked before
};

// Tokens are counted up: shorter is older, so the first of the map is the oldest.
struct ByNumber {
  bool operator()(const std::string& a, const std::string& b) const {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  }
};

struct World {
  World(const Settings& s, const VirtualClock& c, std::vector<User> users)
      : settings(s),
        clock(c),
        sessions(std::move(users), s.session_idle, s.share_session),
        tasks(model, s.task_time) {}

  const Settings& settings;
  const VirtualClock& clock;
  Model model;
  Tagging tagging;
  Sessions sessions;
  TaskBoard tasks;
  FaultPlan faults;
  Traffic traffic;
  std::map<std::string, std::unique_ptr<ContainerView>> views;
  std::map<std::string, Cursor, ByNumber> cursors;
  std::uint64_t next_cursor = 1;
  Millis started = 0;
  Millis now = 0;  // of the request that holds the mutex
};

}  // namespace vmcp::simulator
