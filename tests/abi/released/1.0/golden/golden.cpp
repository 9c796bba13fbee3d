// golden.c through the C++ wrapper: the same id, the same declarations, the same answers. Needs no JSON
// library, so that what is frozen is the wrapper alone.
#include <vmcp/plugin.hpp>

#include <cstdio>

namespace {

using std::string_view;
using vmcp::status;

constexpr const char* kAVm =
    R"({"type":"object","properties":{"vm_id":{"type":"string","x-vmcp-kind":"vm",)"
    R"("description":"A virtual machine."}},"required":["vm_id"],"additionalProperties":false})";

std::string text_of(string_view borrowed) {
  return std::string(borrowed);
}

// {"_typeName":"ManagedObjectReference","type":"Task","value":"task-12"}
std::string task_of(const std::string& reference) {
  const std::string before = "\"value\":\"";
  const auto at = reference.find(before);
  if (at == std::string::npos) return {};
  const auto from = at + before.size();
  return reference.substr(from, reference.find('"', from) - from);
}

class Golden : public vmcp::plugin {
 public:
  Golden() {
    config_schema(
        R"({"type":"object","properties":{"word":{"type":"string"}},"additionalProperties":false})");
    schemes("golden");
    inline_tools();
    vm_tools();
    resource("org.vmcp.golden://text")
        .name("text")
        .title("Text")
        .describe("Always the same.")
        .mime("text/plain")
        .read(say);
    resource_template("golden://item/{id}")
        .name("item")
        .title("Item")
        .describe("Says which it is.")
        .mime("text/plain")
        .read(say);
    prompt("golden_prompt")
        .title("Golden prompt")
        .describe("Hands its argument on.")
        .argument("topic", "What it is about.", true)
        .get([](vmcp::call& c, string_view arguments) {
          std::string turned(arguments);
          for (char& each : turned)
            if (each == '"') each = '\'';
          return c.user(turned);
        });
    completion([](vmcp::call& c, const vmcp::completing& what) {
      return c.values({text_of(what.value) + "-" + text_of(what.argument)});
    });
  }

  status start(string_view config_json) override {
    config_ = config_json;
    return status::ok;
  }

 private:
  vmcp::tool_builder& golden(const char* name) {
    return tool(name).title(name).describe("Always answers the same.").reads();
  }

  static status say(vmcp::call& c, const vmcp::uri& asked) {
    return c.contents(asked.text(), "text/plain", "This is " + text_of(asked.text()) + ".");
  }

  void inline_tools() {
    golden("golden_text")
        .no_upstream()
        .input(R"({"type":"object","properties":{"word":{"type":"string"}},"required":["word"],)"
               R"("additionalProperties":false})")
        .run([this](vmcp::call& c, string_view arguments) {
          log(VMCP_LOG_WARNING, "golden: a line for the operator");
          c.log_data(vmcp::level::info, string_view(R"({"line":1})"), "golden");
          c.progress(1, 2, "half");
          c.progress(2, 2, "whole");
          c.text(arguments);
          return c.text(config_);
        });
    golden("golden_facts")
        .no_upstream()
        .idempotent()
        .output(R"({"type":"object","properties":{"round":{"type":"integer"}},"required":["round"]})")
        .run([this](vmcp::call& c, string_view) { return facts(c); });
    golden("golden_fails").no_upstream().run([](vmcp::call& c, string_view) {
      return c.fail(status::conflict, "It always fails; call another tool.");
    });
    golden("golden_asks").no_upstream().run([](vmcp::call& c, string_view) {
      if (!c.resumed())
        return c.ask_form("name", "What is your name?",
                          string_view(R"({"type":"object","properties":{"name":{"type":"string"}},)"
                                      R"("required":["name"]})"),
                          "asked at first");
      c.text(c.state());
      return c.text(c.answer("name").value_or("nothing"));
    });
    golden("golden_blocks").no_upstream().run([](vmcp::call& c, string_view) {
      c.link("org.vmcp.golden://text", "text");
      c.image("AAEC", "image/png");
      // The wrapper takes a refused block for a defect; the C twin asks the host itself.
      return c.text("refused");
    });
  }

  status facts(vmcp::call& c) const {
    resource_updated("org.vmcp.golden://text");
    char json[512];
    // What the wrapper does not hand on, the statuses of notifications and of a missing input, is the C
    // twin's.
    std::snprintf(json, sizeof json,
                  R"({"round":%u,"state_bytes":%u,"cancelled":%d,"has_time":%d,"verbose":%d,)"
                  R"("asks_forms":%d,"flies":%d,"trace_bytes":%u,"updated":0,"stranger":-4,"no_input":%d})",
                  c.round(), static_cast<unsigned>(c.state().size()), c.cancelled(),
                  c.remaining().count() > 0, c.verbose(), c.client_can("elicitation.form"),
                  c.client_can("wings"), static_cast<unsigned>(c.traceparent().size()),
                  c.answer("absent") ? 0 : -2);
    return c.json(string_view(json));
  }

  // A tool whose function gets the object that vm_id names.
  template <class F>
  vmcp::tool_builder& on_vm(const char* name, F f) {
    return golden(name).input(kAVm).privileges("System.Read").run([f](vmcp::call& c, string_view) {
      const auto vm = c.target("/vm_id");
      if (!vm) return c.fail(status::invalid, "vm_id names no virtual machine.");
      return f(c, *vm);
    });
  }

  static status give(vmcp::call& c, const vmcp::reply& reply) {
    return reply ? c.json(reply.json) : c.fail(reply);
  }

  void vm_tools() {
    on_vm("golden_target", [](vmcp::call& c, const vmcp::target& vm) {
      for (const string_view each : {vm.kind, vm.vcenter, vm.moref, vm.name, vm.path}) c.text(each);
      return c.text(c.vcenter_name());
    });
    on_vm("golden_object", [](vmcp::call& c, const vmcp::target& vm) {
      return give(c, c.inventory().get("vm", vm.moref, string_view(R"(["name"])")));
    });
    on_vm("golden_objects", [](vmcp::call& c, const vmcp::target& vm) {
      return give(c, c.inventory().list(R"({"kind":"vm","where":{"names":[)" + vmcp::quote(vm.name) +
                                        R"(]},"properties":["name"],"limit":1})"));
    });
    on_vm("golden_power", [](vmcp::call& c, const vmcp::target& vm) {
      const auto power = c.vcenter().get(vmcp::path("/api/vcenter/vm/{}/power", vm.moref));
      if (!power) return c.fail(power);
      c.json(power.json);
      return c.text(power.http_status == 200 ? "200" : "not 200");
    });
    on_vm("golden_name", [](vmcp::call& c, const vmcp::target& vm) {
      const auto name = c.vim().get("VirtualMachine", vm.moref, "name");
      return name ? c.text(name.json) : c.fail(name);
    });
    on_vm("golden_snapshot",
          [](vmcp::call& c, const vmcp::target& vm) {
            if (c.resumed()) return c.text(c.state());
            const auto started = c.vim().call(
                "VirtualMachine", vm.moref, "CreateSnapshot_Task",
                string_view(R"({"name":"golden","description":"","memory":false,"quiesce":false})"));
            return started ? c.wait_for(task_of(started.json), "a snapshot was taken") : c.fail(started);
          })
        .changes()
        .privileges("VirtualMachine.State.CreateSnapshot")
        .preview([](vmcp::call& c, string_view) {
          return c.json(string_view(R"({"action":"take a snapshot","warnings":["it is golden"]})"));
        });
  }

  std::string config_;
};

}  // namespace

VMCP_PLUGIN(Golden, "org.vmcp.golden", "1.0.0")
