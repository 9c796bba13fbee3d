// Which operations the /rest dialect has too, and how they differ there. From the official document of 7.0.3,
// the last that describes both. Internal to dialect.cpp.
#pragma once

#include <span>
#include <string_view>

namespace vmcp::vcenter {

enum class ActionPlace {
  query,      // …/tools?action=upgrade, as in /api
  path,       // …/power/start
  path_word,  // …/hardware/action/upgrade
  // …?~action=attach: the services that /rest keeps under /com/vmware, where an id stands as "id:…"
  cis,
};

struct Twin {
  std::string_view methods;   // "GET PATCH"
  std::string_view path;      // without /api or /rest; "{}" stands for one segment
  std::string_view action{};  // "start"; empty = none
  ActionPlace place = ActionPlace::query;
  std::string_view wrapper =
      "spec";  // the member that holds a request's body; empty = the body is sent as it is
  // Members of the answer (or of the request) that are maps in /api and key/value lists in /rest;
  // "." = the whole value.
  std::string_view answer_maps{};
  std::string_view request_maps{};
  // The member of a request's body that is the last id of the path in /rest, which then has no body.
  std::string_view id_in_body{};
};

std::span<const Twin> dialect_twins();

}  // namespace vmcp::vcenter
