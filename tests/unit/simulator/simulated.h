// A simulated vCenter without a socket, on a clock that stands still until the test pushes it.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "base/crypto.h"
#include "base/json.h"
#include "simulator/vcenter.h"

namespace vmcp::simulator {

class StillClock final : public Clock {
 public:
  SteadyTime now() const override { return SteadyTime(); }
  WallTime wall() const override { return WallTime(std::chrono::milliseconds(1'790'000'000'000)); }
};

struct Exchanged {
  int status = 0;
  Json body;  // null when empty
  std::string text;
  Pairs headers;
  bool cut = false;
};

// Tasks take no time unless a test says otherwise.
inline Settings instant() {
  Settings settings;
  settings.task_time = milliseconds(0);
  return settings;
}

class Simulated {
 public:
  explicit Simulated(Settings settings = instant()) : vcenter_(std::move(settings), clock_) {
    const Result<void> ready = vcenter_.prepare();
    REQUIRE(ready.ok());
  }

  Exchanged raw(const Request& request) {
    const Reply reply = vcenter_.handle(request);
    Exchanged out{reply.status, nullptr, reply.body, reply.headers, reply.cut};
    if (!reply.body.empty()) {
      Result<Json> parsed = parse_trusted_json(reply.body);
      if (parsed) out.body = std::move(*parsed);
    }
    return out;
  }

  Exchanged send(const std::string& method, const std::string& target, const Json& body = nullptr) {
    Request request;
    request.method = method;
    const auto mark = target.find('?');
    request.path = target.substr(0, mark);
    if (mark != std::string::npos) request.query = target.substr(mark + 1);
    if (!session_.empty()) request.headers.emplace_back("vmware-api-session-id", session_);
    if (!body.is_null()) request.body = dump_json(body);
    return raw(request);
  }
  Exchanged get(const std::string& target) { return send("GET", target); }
  Exchanged post(const std::string& target, const Json& body = nullptr) { return send("POST", target, body); }

  // /sdk/vim25/8.0.2.0/…
  Exchanged vim_get(const std::string& rest) { return get("/sdk/vim25/8.0.2.0/" + rest); }
  Exchanged vim(const std::string& rest, const Json& body = Json::object()) {
    return post("/sdk/vim25/8.0.2.0/" + rest, body);
  }

  int login(const std::string& user = "demo@vsphere.local", const std::string& password = "demo") {
    Request request;
    request.method = "POST";
    request.path = "/api/session";
    request.headers.emplace_back("Authorization", "Basic " + base64_encode(user + ":" + password));
    const Exchanged answer = raw(request);
    if (answer.status == 201) session_ = answer.body.get<std::string>();
    return answer.status;
  }
  void forget_session() { session_.clear(); }
  const std::string& session() const { return session_; }
  void use_session(std::string session) { session_ = std::move(session); }

  void advance(std::int64_t ms) { REQUIRE(post("/simulator/clock", {{"advance_ms", ms}}).status == 200); }

  Json state() { return get("/simulator/state").body; }
  // The first VM that the test can use for `wanted`, by its admin state.
  template <class Wanted>
  Json find_vm(const Wanted& wanted) {
    const Json all = state();
    for (const Json& vm : all["vms"]) {
      if (!vm["template"] && vm["accessible"] && wanted(vm)) return vm;
    }
    FAIL("the seeded inventory holds no such VM");
    return nullptr;
  }
  std::string powered(const char* state_name) {
    return find_vm([&](const Json& vm) { return vm["power"] == state_name; })["id"]
        .template get<std::string>();
  }
  Json vm(const std::string& id) { return get("/simulator/state/vm/" + id).body; }

  VCenter& vcenter() { return vcenter_; }

 private:
  StillClock clock_;
  VCenter vcenter_;
  std::string session_;
};

// A container view over the whole inventory and one retrieval through it.
inline Json all_of(Simulated& sim, const std::string& type, const Json& paths,
                   Json options = Json::object()) {
  const Json view =
      sim.vim("ViewManager/ViewManager/CreateContainerView",
              {{"container",
                {{"_typeName", "ManagedObjectReference"}, {"type", "Folder"}, {"value", "group-d1"}}},
               {"type", Json::array({type})},
               {"recursive", true}})
          .body;
  options["_typeName"] = "RetrieveOptions";
  return {
      {"specSet",
       Json::array(
           {{{"_typeName", "PropertyFilterSpec"},
             {"propSet", Json::array({{{"_typeName", "PropertySpec"}, {"type", type}, {"pathSet", paths}}})},
             {"objectSet", Json::array({{{"_typeName", "ObjectSpec"},
                                         {"obj", view},
                                         {"skip", true},
                                         {"selectSet", Json::array({{{"_typeName", "TraversalSpec"},
                                                                     {"name", "v"},
                                                                     {"type", "ContainerView"},
                                                                     {"path", "view"},
                                                                     {"skip", false}}})}}})}}})},
      {"options", options}};
}

// Every object of that type with those properties: id → {path: value}, Any boxes removed.
inline std::map<std::string, Json> retrieve(Simulated& sim, const std::string& type, const Json& paths) {
  std::map<std::string, Json> out;
  Exchanged page =
      sim.vim("PropertyCollector/propertyCollector/RetrievePropertiesEx", all_of(sim, type, paths));
  while (page.status == 200) {
    for (const Json& object : page.body["objects"]) {
      Json& values = out[object["obj"]["value"].get<std::string>()];
      for (const Json& property : object.value("propSet", Json::array())) {
        const Json& value = property["val"];
        values[property["name"].get<std::string>()] = value.contains("_value") ? value["_value"] : value;
      }
    }
    if (!page.body.contains("token")) break;
    page = sim.vim("PropertyCollector/propertyCollector/ContinueRetrievePropertiesEx",
                   {{"token", page.body["token"]}});
  }
  return out;
}

}  // namespace vmcp::simulator
