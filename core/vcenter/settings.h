// What the vCenter client needs to know. Filled by config/, handed over by app/.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"

namespace vmcp::vcenter {

enum class ApiMode { api, rest };

// Told of every answer of a vCenter, by its configured name: whether it said that it has too much to do (429,
// or 503 for the whole service), and how long it wants to be left alone (0: it did not say). [any thread],
// must not block or throw.
using OnAnswer = std::function<void(const std::string& vcenter, bool overloaded, milliseconds retry_after)>;

struct Settings {
  std::vector<std::string>
      hosts;  // host or host:port; first = default (VCENTER_HOST), then ALLOWED_VCENTER_HOSTS
  std::string user;
  Secret password;
  ApiMode mode = ApiMode::api;  // VSPHERE_API_MODE
  bool verify_tls = true;       // INSECURE=true turns it off, loudly
  bool plain_http = false;      // only for the embedded vCenter on loopback; refused for any other address
  std::string ca_bundle;        // VCENTER_CA_BUNDLE, a PEM file; empty = the system's
  milliseconds connect_timeout{5'000};
  milliseconds timeout{20'000};      // VCENTER_TIMEOUT_S: one request
  int retries = 3;                   // VCENTER_RETRIES: idempotent requests only
  double backoff_s = 0.5;            // VCENTER_BACKOFF: first wait, doubled, with jitter
  std::size_t max_connections = 16;  // open sockets per vCenter
  OnAnswer on_answer = {};           // set by app/
};

}  // namespace vmcp::vcenter
