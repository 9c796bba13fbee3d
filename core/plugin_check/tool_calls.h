// The calls of one tool in a trial: arguments from its schema, every answer judged.
#pragma once

#include <cstdint>
#include <string>

#include "plugin_check/answering_vcenter.h"
#include "plugin_check/arguments.h"
#include "plugin_check/refusing_vcenter.h"
#include "plugin_check/subject.h"
#include "plugin_check/watched_calls.h"
#include "plugin_host/loader.h"
#include "tools/registry.h"

namespace vmcp::plugin_check {

struct OfferedPlugin {
  plugin_host::Loaded loaded;
  tools::Registry registry;
};

// What the host would have a tool's call use. Nothing when an object that the arguments name is not there.
std::optional<plugin_host::Invocation> invocation_of(const tools::Tool& tool, const Json& arguments,
                                                     bool preview, Site& site);
// Arguments that the tool's input schema accepts. False when none could be made.
bool make_arguments(const tools::Tool& tool, const Site& site, Random& random, Json& out);

class ToolCalls {
 public:
  // All outlive it. The subject is started. The answering vCenter is needed only for a tool that asks.
  ToolCalls(Subject& subject, const tools::Tool& tool, std::uint64_t seed, SiteOnDemand answering,
            Reporter& report);

  // `count` calls in a row (with previews where there are any), some at once, and some that are cancelled,
  // against a vCenter that refuses and one that answers. Gives how many calls were made; none when no
  // arguments could be made that the schema accepts.
  std::size_t run(std::size_t count);
  bool asked() const { return calls_.asked(); }  // anything of a vCenter

 private:
  std::size_t against(Site& site, std::size_t count, Random& random);
  std::size_t at_once(std::size_t count);
  Callable callable(const Json& arguments, bool preview, Site& site);
  void judge_answer(const plugin_host::Invocation& invocation, bool preview);

  Subject& subject_;
  const tools::Tool& tool_;
  const std::uint64_t seed_;
  const SiteOnDemand answering_;
  Reporter& report_;
  Random random_;
  RefusingVcenter refusing_;
  WatchedCalls calls_;
  std::size_t most_used_ = 0;  // of the host's functions by one call, and which
  Callable busiest_;
};

}  // namespace vmcp::plugin_check
