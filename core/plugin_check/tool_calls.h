// The calls of one tool in a trial: arguments from its schema, every answer judged.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "plugin_check/arguments.h"
#include "plugin_check/refusing_vcenter.h"
#include "plugin_check/subject.h"
#include "plugin_host/loader.h"
#include "tools/registry.h"

namespace vmcp::plugin_check {

struct OfferedPlugin {
  plugin_host::Loaded loaded;
  tools::Registry registry;
};

class ToolCalls {
 public:
  // All outlive it. The subject is started.
  ToolCalls(Subject& subject, const tools::Tool& tool, std::uint64_t seed, Reporter& report);

  // `count` calls in a row (with previews where there are any), some at once, one that is cancelled from the
  // start. Gives how many calls were made; none when no arguments could be made that the schema accepts.
  std::size_t run(std::size_t count);

 private:
  // One call as the host would make it: what the plugin may use, and what it did.
  struct Call {
    plugin_host::Invocation invocation;
    std::unique_ptr<ObservedCall> handle;
    vmcp_status status = VMCP_OK;
    bool threw = false;
  };
  using Function = vmcp_status (*)(const vmcp_plugin*, std::uint32_t, vmcp_call*, vmcp_str);

  bool next_arguments(Json& out);
  plugin_host::Invocation prepare(const Json& arguments, bool preview);
  void enter(Call& call, Function function, const std::string& arguments);
  void rounds(const Json& arguments, bool preview, bool cancelled);
  void several_at_once(std::size_t count);
  void judge(Call& call, bool preview);
  void judge_answer(const Call& call, bool preview);
  void answer_inputs(const Call& done, plugin_host::Invocation& next);

  Subject& subject_;
  const tools::Tool& tool_;
  Reporter& report_;
  Random random_;
  RefusingVcenter vcenter_;
  Json schema_;
  std::vector<std::unique_ptr<ObservedCall>> ended_;  // kept, so that a call that the plugin kept can be seen
};

}  // namespace vmcp::plugin_check
